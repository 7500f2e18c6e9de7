"""What a run left: how it ended, what the vendor holds, and what the state remembers.

Two outcomes are equal where they are the same but for ids, and for the order of things.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import unified_diff
from hashlib import blake2b
from typing import Any

from sqlalchemy import select

from canonical.kind import Kind
from connectors.sandbox.state import dumps, loads
from sync.report import Report
from sync.state.journal import State
from sync.state.ledger import Ledger
from sync.state.store import Store, operations

_SHOWN = 6
_OPEN = (State.PLANNED, State.SENT, State.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`open_rows` are the journal's operations of which nobody knows what became."""

    exit_code: int
    verified: bool
    said: str
    records: list[str]
    links: list[str]
    open_rows: int

    def otherwise(self, other: "Outcome") -> str | None:
        """How `other` differs; None where it does not."""
        if self == other:
            return None
        found = [f"exit {other.exit_code}, verified {other.verified}, {other.said}"]
        if other.open_rows:
            found.append(f"{other.open_rows} open in the journal")
        for before, after in ((self.records, other.records), (self.links, other.links)):
            lines = unified_diff(before, after, lineterm="", n=0)
            found += [line for line in lines if not line.startswith(("---", "+++", "@@"))]
        more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        return "\n    ".join([*found[:_SHOWN], *more])


def outcome_of(
    report: Report,
    records: Mapping[str, Any],
    volatile: Collection[str],
    store: Store,
    sync: str,
) -> Outcome:
    """`records` are a sandbox's, of which `volatile` fields differ from run to run."""
    names = _names(records, volatile)
    return Outcome(
        report.exit_code,
        report.verified,
        _said(report),
        sorted(names.values()),
        sorted(_links(Ledger(store, sync), names)),
        _open_rows(store),
    )


def _said(report: Report) -> str:
    """What the run says for itself, apart from what it did."""
    trips = report.plan.guards if report.plan else ()
    errors = [done.error for done in report.operations]
    return "; ".join(filter(None, [report.error, *(trip.message for trip in trips), *errors]))


def _names(records: Mapping[str, Any], volatile: Collection[str]) -> dict[str, str]:
    """Each record by its id, as text; ids in it stand for what they name."""
    tables = {id: table for table, _, id in (key.partition(" ") for key in records)}
    rows = {
        key.partition(" ")[2]: {name: row[name] for name in row if name not in volatile}
        for key, row in records.items()
    }
    ids = re.compile("|".join(map(re.escape, sorted(rows, key=len, reverse=True))) or "(?!)")

    def told(id: str, say: Callable[[re.Match[str]], str]) -> str:
        plain = _plain(loads(dumps(rows[id])), lambda text: ids.sub(say, text))
        return f"{tables[id]} {json.dumps(plain, sort_keys=True)}"

    short = {id: _digest(told(id, lambda found: "·")) for id in rows}
    return {id: told(id, lambda found: short[found[0]]) for id in rows}


def _plain(value: Any, say: Callable[[str], str]) -> Any:
    """The same whichever way a number is written, and lists in an order of their own."""
    if isinstance(value, dict):
        return {name: _plain(each, say) for name, each in value.items()}
    if isinstance(value, list):
        return sorted((_plain(each, say) for each in value), key=json.dumps)
    if isinstance(value, str):
        return say(value)
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return f"{Decimal(value).normalize():f}" if is_number else value


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=6).hexdigest()


def _links(ledger: Ledger, names: Mapping[str, str]) -> Iterator[str]:
    for kind in Kind:
        for link in ledger.by_ids(list(ledger.ids(kind))).values():
            target = link.target_id.rpartition("/")[2]
            named = names.get(link.target_id) or names.get(target, "nothing that is there")
            yield f"{kind} {link.budget_ref} {link.ref} → {named}"


def _open_rows(store: Store) -> int:
    with store.read() as connection:
        found = connection.execute(select(operations.c.id).where(operations.c.state.in_(_OPEN)))
        return len(found.all())
