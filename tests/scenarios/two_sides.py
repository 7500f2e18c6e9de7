"""Two systems of a sync as their own users see them, over HTTP or as a file, and the real commands.

A colleague edits a vendor with calls of their own; a file is edited by its rows.
"""

import csv
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from typer.testing import CliRunner

from canonical.allocation import Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Cadence
from config.load import load
from config.wiring import connect
from connectors.contract.capabilities import Removal
from connectors.contract.interface import Connector
from connectors.contract.records import Draft
from connectors.contract.runtime import Runtime
from connectors.sandbox.__main__ import load as sandbox_of
from connectors.sandbox.api import Sandbox
from connectors.sandbox.server import Served, serve
from tests.scenarios.conftest import Result
from tests.scenarios.mortal_vendors import NOON, VENDORS
from trueup.cli import app

DAY = NOON.date()
NAMES = ("Travel", "Software", "Marketing")
COLUMNS = ("ref", "name", "description", "amount", "currency", "cadence", "start", "end", "status")

OURS = """
[syncs.pair.select]
name = ["Travel*", "Software*", "Marketing*"]
"""
"""What each sync carries: an account has more, such as a budget of the company."""

ACCEPTED = 'accept = ["dropped:enforcement", "dropped:description", "rounded:start"]\n'
"""What is lost between some of the vendors."""

Shown = Mapping[str, tuple[str, str | None]]
"""What a system shows as in use: by name, the amount now, and the description."""


class File:
    """A budget file; its own users edit rows."""

    own = 'connector = "file"\npath = "{name}.csv"\n'

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write([])

    def write(self, rows: Sequence[Mapping[str, str]]) -> None:
        with self.path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]) if rows else COLUMNS, restval="")
            writer.writeheader()
            writer.writerows(rows)

    def rows(self) -> list[dict[str, str]]:
        with self.path.open(newline="", encoding="utf-8-sig") as file:
            return list(csv.DictReader(file))

    def add(self, name: str, amount: str, end: date | None = None) -> None:
        more = {"ref": f"F-{name}", "name": name, "description": f"For {name}", "amount": amount}
        when = {"currency": "USD", "cadence": "monthly", "start": f"{DAY:%Y-%m}-01"}
        when |= {"end": str(end)} if end else {}
        rows = self.rows()
        blank = dict.fromkeys(rows[0] if rows else COLUMNS, "")
        self.write([*rows, {**blank, **more, **when, "status": "active"}])

    def edit(self, name: str, /, **fields: str) -> None:
        self.write([row | fields if row["name"] == name else row for row in self.rows()])

    def remove(self, name: str) -> None:
        self.write([row for row in self.rows() if row["name"] != name])

    def shown(self) -> Shown:
        return {
            row["name"]: (row["amount"], row["description"] or None)
            for row in self.rows()
            if row["status"] == "active"
        }


class Vendor:
    """A sandbox; its own users edit by its API."""

    def __init__(self, served: Served, opened: Callable[[], Connector]) -> None:
        self.served, self._opened = served, opened
        self._keys = (f"by-hand-{number}" for number in count())

    def add(self, name: str, amount: str, end: date | None = None) -> None:
        model = Budget(
            ref=f"V-{name}", name=name, amount=Amount.of(amount, "USD"), cadence=Cadence.MONTHLY,
            description=f"For {name}", start=DAY.replace(day=1), end=end,
        )  # fmt: skip
        with closing(self._opened()) as api, api.on(DAY):
            api.create(Draft(model=model), next(self._keys))

    def edit(self, name: str, /, *, throughout: bool = False, **fields: str) -> None:
        """Somebody changes these fields of the budget of that name; the amount is that of now
        alone where the budget has one for each stretch, or that of all, `throughout`."""
        said: dict[str, Any] = dict(fields)
        with closing(self._opened()) as api, api.on(DAY):
            (held,) = [each for each in self._held(api) if each.model.name == name]
            if "amount" in said:
                said |= _money(held.model, Amount.of(said["amount"], "USD"), throughout)
            model = structs.replace(held.model, **said)
            draft = Draft(model=model, container=held.container, stamp=held.stamp)
            api.update(held.id, draft, frozenset(said), next(self._keys))

    def remove(self, name: str) -> None:
        with closing(self._opened()) as api, api.on(DAY):
            (held,) = [each for each in self._held(api) if each.model.name == name]
            deletes = api.capabilities.removal in (Removal.DELETE, Removal.RETIRE_OR_DELETE)
            take = api.delete if deletes else api.retire
            take(Kind.BUDGET, held.id, next(self._keys))

    def shown(self) -> Shown:
        with closing(self._opened()) as api, api.on(DAY):
            return {
                each.model.name: (f"{each.model.amount.value:.2f}", each.model.description)
                for each in self._held(api)
                if each.model.status is Status.ACTIVE and each.model.name.startswith(NAMES)
            }

    def every(self) -> list[Any]:
        """All of its budgets that are in use."""
        with closing(self._opened()) as api, api.on(DAY):
            return [each for each in self._held(api) if each.model.status is Status.ACTIVE]

    def _held(self, api: Connector) -> list[Any]:
        return [each for page in api.list(Kind.BUDGET) for each in page.items]


def _money(held: Budget, amount: Amount, throughout: bool) -> dict[str, Any]:
    """That amount now, where the budget has another for each stretch of time."""
    phases = tuple(
        structs.replace(each, amount=amount)
        if throughout or each.period.start <= DAY <= (each.period.end or DAY)
        else each
        for each in held.phases
    )
    return {"amount": amount, "phases": phases} if phases else {"amount": amount}


@dataclass
class Pair:
    """Two systems and one sync `pair` between them."""

    folder: Path
    systems: str
    source: Any = None
    target: Any = None

    @property
    def settings(self) -> Path:
        return self.folder / "trueup.toml"

    def says(self, words: str) -> None:
        """The sync's keys, as its owner writes them."""
        head = '[syncs.pair]\nsource = "here"\ntarget = "there"\n' + ACCEPTED
        self.settings.write_text(f"{self.systems}{head}{words}\n{OURS}", encoding="utf-8")

    def do(self, *arguments: str) -> Result:
        """A command; a run, a plan, a verification or an undo is of the same day."""
        if arguments[0] in ("plan", "apply", "run", "verify", "undo"):
            arguments = (*arguments, "--as-of", str(DAY))
        said = CliRunner().invoke(app, [*arguments, "--config", str(self.settings)])
        assert said.exception is None or isinstance(said.exception, SystemExit), said.exc_info
        return Result(said.exit_code, said.stdout, said.stderr)

    def run(self, *arguments: str) -> Result:
        return self.do("run", "pair", *arguments)

    def forgets_who_ran(self) -> None:
        """The lease names a process that is no more; as it is this one, that has to be said."""
        with closing(sqlite3.connect(self.folder / "trueup.db")) as state, state:
            state.execute("UPDATE leases SET process = 'no more' WHERE until IS NOT NULL")

    def decide(self, take: str) -> None:
        """What waits, and is one thing, is decided."""
        (wait,) = self.waits()
        said = self.do("decide", str(wait["number"]), "--take", take)
        assert said.code == 0, said.err
        assert "trueup run pair" in said.out

    def last_run(self) -> str:
        run: str = self.do("history", "--json", "--limit", "1").data["runs"][0]["run_id"]
        return run

    def plan(self) -> str:
        return self.do("plan", "pair").out

    def waits(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.do("waiting", "--json").data["waits"]
        return found

    def wrote(self) -> list[str]:
        """Calls that may write which the vendors saw so far."""
        sides = [side for side in (self.source, self.target) if isinstance(side, Vendor)]
        calls = [call for side in sides for call in side.served.log]
        return [f"{each['method']} {each['path']}" for each in calls if each["method"] != "GET"]

    def is_quiet(self) -> bool:
        """Whether one more run ends well, writes nothing anywhere, and leaves both as they are."""
        before = (self.source.shown(), self.target.shown(), len(self.wrote()))
        again = self.run()
        assert again.code == 0, again.out + again.err
        assert "nothing sent" in again.out, again.out
        return before == (self.source.shown(), self.target.shown(), len(self.wrote()))


@contextmanager
def pair(
    source: str,
    target: str,
    folder: Path,
    words: str = "",
    kinds: Mapping[str, type[Sandbox]] | None = None,
    **switches: Mapping[str, Any],
) -> Iterator[Pair]:
    """Both systems, the source with a few budgets; `switches` are of the sandbox of that name, for
    which `kinds` may have another one."""
    with ExitStack() as stack:
        env = stack.enter_context(pytest.MonkeyPatch.context())
        env.setenv("TRUEUP_TEST_KEY", "app_key_sandbox")
        systems, served = "", {}
        for system, name in (("here", source), ("there", target)):
            own = File.own.format(name=system)
            if name != "file":
                vendor, kind = VENDORS[name], (kinds or {}).get(name) or sandbox_of(name)
                more = {**vendor.sandbox, **switches.get(name, {})}
                served[system] = stack.enter_context(serve(kind(rate_limit="off", **more)))
                secret = f"TRUEUP_TEST_{system.upper()}"
                env.setenv(secret, kind.CREDENTIAL)
                own = f'connector = "{name}"\nbase_url = "{served[system].url}{vendor.path}"\n'
                own += vendor.own.replace("TRUEUP_TEST_SECRET", secret) + "\n"
            systems += f"[systems.{system}]\n{own}\n"
        both = Pair(folder, systems)
        both.says(words)

        def side(system: str) -> Any:
            if system not in served:
                return File(folder / f"{system}.csv")
            runtime = Runtime(base=folder)
            return Vendor(served[system], lambda: connect(load(both.settings), system, runtime))

        both.source, both.target = side("here"), side("there")
        for number, name in enumerate(NAMES, 1):
            both.source.add(name, f"{number}000.00")
        yield both
