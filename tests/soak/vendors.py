"""The vendors of a soak: their sandboxes over HTTP, what goes wrong in them, what they hold.

What a sandbox holds is read here from its rows, by nothing of what is tried. It is changed in the
thread that answers calls, so that no edit is lost under a call, nor a call under an edit.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

from connectors.sandbox.__main__ import load
from connectors.sandbox.faults import Fault, Rule
from connectors.sandbox.server import Served, serve
from connectors.sandbox.state import Row, State
from tests.scenarios.mortal_vendors import PEOPLE, VENDORS

Held = Iterator[tuple[str, Decimal]]
_STAMP = re.compile(r"\[trueup:([^\]]+)\]")
_CENTS = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """How one vendor's rows are read and edited.

    `held` tells each ref that is live there with its money, however often; what nobody stamped has
    a name that no source states. `edited` is a budget's row with another amount.
    """

    held: Callable[[State], Held]
    edited: Callable[[Row], Row]
    live: Callable[[Row], bool]
    sandbox: Mapping[str, Any] = field(default_factory=dict)


def _ref(row: Row, id: str) -> str:
    found = _STAMP.search(row["description"] or "")
    return found[1] if found else f"unstamped {row[id]}"


def _brex(state: State) -> Held:
    for row in state["budgets"].rows():
        if _brex_live(row):
            yield _ref(row, "budget_id"), Decimal(row["amount"]["amount"]) / _CENTS
    for row in state["spend_limits"].rows():
        if row["status"] == "ACTIVE":
            limit = row["authorization_settings"]["base_limit"]
            yield _ref(row, "id"), Decimal(limit["amount"]) / _CENTS


def _brex_live(row: Row) -> bool:
    return row["spend_budget_status"] == "ACTIVE" and row["parent_budget_id"] is not None


def _brex_edited(row: Row) -> Row:
    return row | {"amount": row["amount"] | {"amount": row["amount"]["amount"] + 1}}


def _vtex(state: State) -> Held:
    refs = {row["id"]: _ref(row, "id") for row in state["budgets"].rows()}
    for row in state["budgets"].rows():
        if row["status"] == "ACTIVE":
            yield refs[row["id"]], _decimal(row["balance"]["amount"])
    for row in state["allocations"].rows():
        if row["status"] == "ACTIVE":
            number = row["linkedEntity"]["id"][2:-1]  # of "6110"
            yield f"{refs[row['budgetId']]}-{number}", _decimal(row["balance"]["amount"])


def _vtex_edited(row: Row) -> Row:
    return row | {"name": row["name"] + " (mine)"}


def _bill(state: State) -> Held:
    live = [row for row in state["budgets"].rows() if not row["retired"]]
    refs = {row["id"]: _ref(row, "id") for row in live}
    for row in live:
        yield refs[row["id"]], _decimal(row["recurringLimit"])
    for row in state["members"].rows():
        if row["_budget"] in refs and not row["retired"] and row["limit"]:
            yield f"{refs[row['_budget']]}-{row['userId'][1:]}", _decimal(row["recurringLimit"])


def _bill_edited(row: Row) -> Row:
    return row | {"name": row["name"] + " (mine)"}


def _decimal(number: Any) -> Decimal:
    return Decimal(str(number))


TRADES: Mapping[str, Trade] = {
    "brex": Trade(
        held=_brex, edited=_brex_edited, live=_brex_live, sandbox=VENDORS["brex"].sandbox
    ),
    "vtex": Trade(held=_vtex, edited=_vtex_edited, live=lambda row: row["status"] == "ACTIVE"),
    "bill": Trade(
        held=_bill,
        edited=_bill_edited,
        live=lambda row: not row["retired"],
        sandbox={"now": datetime.now(UTC), "seed": {"users": PEOPLE}},
    ),
}


class Vendor:
    """One vendor that answers at `url`."""

    def __init__(self, name: str, served: Served, due: "deque[Callable[[], None]]") -> None:
        self.name, self.url, self.credential = name, served.url, served.sandbox.CREDENTIAL
        self._served, self._trade, self._due = served, TRADES[name], due
        self._before = set(self._trade.held(served.state))

    def held(self) -> list[tuple[str, Decimal]]:
        """Each ref that is live there, with its money; twice what is there twice. What was there
        before anybody came is not told."""
        return [each for each in self._trade.held(self._served.state) if each not in self._before]

    def edit(self, chance: Random) -> None:
        """Somebody changes a budget there, at the next call."""

        def change() -> None:
            budgets = self._served.state["budgets"]
            live = [row for row in budgets.rows() if self._trade.live(row)]
            if live:
                budgets.put(self._trade.edited(chance.choice(live)))

        self._due.append(change)

    def goes_wrong(self, *rules: Rule) -> None:
        """From now on; rules that are used up are dropped."""

        def change() -> None:
            faults = self._served.faults
            faults.rules = [each for each in faults.rules if each.struck != each.times] + list(
                rules
            )

        self._due.append(change)

    def calm(self) -> None:
        """Nothing goes wrong any more; what was to be edited still is."""
        self._due.append(self._served.faults.clear)

    def calls(self) -> int:
        """How many it has seen."""
        return len(self._served.log)


def fault(chance: Random) -> Rule:
    """Something that goes wrong a few times from now on."""
    said = chance.choice(
        [
            {"kind": Fault.LOST_ANSWER, "writes": True},
            {"kind": Fault.LOST_ANSWER},
            {"kind": Fault.LOST_CALL},
            {"kind": Fault.ERROR_BEFORE, "status": chance.choice([500, 502, 503])},
            {"kind": Fault.ERROR_AFTER, "status": 500, "writes": True},
            {"kind": Fault.RATE_LIMIT, "retry_after": 1},
            {"kind": Fault.DELAY, "seconds": chance.uniform(0.1, 2)},
            {"kind": Fault.CUT},
            {"kind": Fault.EMPTY, "writes": True},
        ]
    )
    return Rule.model_validate(
        {**said, "times": chance.randint(1, 4), "skip": chance.randint(0, 8)}
    )


@contextmanager
def vendor(name: str) -> Iterator[Vendor]:
    """Its sandbox, empty, until the block ends."""
    due: deque[Callable[[], None]] = deque()
    sandbox = load(name)(rate_limit="off", **TRADES[name].sandbox)
    before = sandbox.catch_up

    def catch_up() -> None:
        while due:
            due.popleft()()
        before()

    sandbox.catch_up = catch_up  # type: ignore[method-assign]
    with serve(sandbox) as served:
        yield Vendor(name, served, due)
