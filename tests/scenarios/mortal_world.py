"""A sync into one vendor's sandbox that is killed at a point, and then run once more.

Every run is a process of its own: new connectors, a new engine and a newly opened state, which is
what the dead one left on the disk. All start from one copy of what was before.
"""

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from config.load import load
from config.settings import Settings
from config.wiring import connect, spec_of, state_url
from connectors.contract.runtime import Runtime
from connectors.sandbox.__main__ import load as sandbox_of
from connectors.sandbox.server import Served, serve
from connectors.sandbox.state import loads
from sync.engine import Engine
from sync.report import Report
from sync.spec import OnRemove
from sync.state.audit import Audit, Event
from sync.state.checking import check
from sync.state.journal import State
from sync.state.store import Store, operations
from tests.scenarios.mortal import Killed, Life, in_a_hurry, living
from tests.scenarios.mortal_lag import Lag
from tests.scenarios.mortal_outcome import Outcome, outcome_of
from tests.scenarios.mortal_vendors import NOON, VENDORS, Erp, Vendor

SYNC = "erp-to-it"
LAG = timedelta(seconds=20)
DAY = NOON.date()

SETTINGS = """\
[state]
url = "{state}"

[systems.erp]
connector = "file"
path = "budgets.json"

[systems.it]
connector = "{name}"
base_url = "{url}"
rate_limit = "1000000/1s"
{own}

[syncs.{sync}]
source = "erp"
target = "it"
on_remove = "{on_remove}"
parallel = 1
"""


class Clock:
    """Stands still until somebody sleeps."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def monotonic(self) -> float:
        return self.time.timestamp()


@dataclass(frozen=True, slots=True)
class Kept:
    """A copy of what a world was at a moment."""

    state: Path
    rows: bytes
    time: datetime


class World:
    """A vendor's sandbox, an ERP and a state; `keep` what they are, and go `back` to it."""

    def __init__(self, served: Served, vendor: Vendor, settings: Path) -> None:
        self.served, self.vendor, self.erp = served, vendor, Erp(vendor)
        self.file, self.folder = settings, settings.parent
        self.settings: Settings = load(settings)
        self.spec = spec_of(self.settings, SYNC)
        self.clock = Clock()
        self.lag = Lag(served.sandbox, self.clock, LAG if vendor.lags else timedelta())

    def states(self, budgets: Sequence[Any]) -> None:
        """The source states those budgets from now on."""
        (self.folder / "budgets.json").write_text(json.dumps(budgets), encoding="utf-8")

    def keep(self) -> Kept:
        """What is there now; the state has to be a file."""
        self.store().close()
        with closing(sqlite3.connect(self.folder / "trueup.db")) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        copy = self.folder / "kept.db"
        shutil.copy(self.folder / "trueup.db", copy)
        return Kept(copy, self.served.state.document(), self.clock.time)

    def back(self, kept: Kept) -> None:
        """All is as it was then."""
        for file in self.folder.glob("trueup.db*"):
            file.unlink()
        shutil.copy(kept.state, self.folder / "trueup.db")
        self.served.state.fill(loads(kept.rows))
        self.lag.begin()
        self.clock.time = kept.time

    def store(self) -> Store:
        return in_a_hurry(Store.open(state_url(self.settings), self.folder, self.clock))

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """One as in a process of its own."""
        clock = self.clock
        runtime = Runtime(
            base=self.folder, now=clock, monotonic=clock.monotonic, sleep=clock.sleep
        )  # fmt: skip
        with (
            closing(connect(self.settings, "erp", runtime)) as source,
            closing(connect(self.settings, "it", runtime)) as target,
            closing(self.store()) as store,
        ):
            yield Engine(self.spec, source, target, store, now=clock, monotonic=clock.monotonic)

    def run(self, life: Life | None = None) -> Report | None:
        """One run; None where the life ended in it."""
        with self.engine() as engine, living(life or Life()):
            try:
                return engine.run(DAY, command="run")
            except Killed:
                return None

    def agrees(self) -> bool:
        """Whether a look at both live sides finds them agreed."""
        with self.engine() as engine:
            return engine.verify(DAY).agree

    def sees_it_dead(self) -> None:
        """The lease names a process that is no more; as it is this one, that has to be said."""
        with closing(sqlite3.connect(self.folder / "trueup.db")) as connection, connection:
            connection.execute("UPDATE leases SET process = 'no more' WHERE until IS NOT NULL")

    def outcome(self, report: Report | None) -> Outcome:
        """What that run left."""
        assert report is not None
        with closing(self.store()) as store:
            assert is_audited(store)
            records = self.served.state.records()
            return outcome_of(report, records, self.vendor.volatile, store, SYNC)


def is_audited(store: Store) -> bool:
    """Whether the chain is whole, and tells of each operation what the journal says."""
    told = {
        row.data["said"]["id"]: row.data["said"]["state"]
        for row in Audit(store).rows()
        if row.kind == Event.OPERATION
    }
    quiet = (State.PLANNED, State.SENT, State.ABANDONED)
    ended = select(operations.c.id, operations.c.state).where(operations.c.state.not_in(quiet))
    with store.read() as connection:
        rows = connection.execute(ended).all()
    return check(store).fault is None and {id: state for id, state in rows} == told  # noqa: C416


@contextmanager
def world(
    name: str,
    folder: Path,
    on_remove: OnRemove = OnRemove.KEEP,
    state: str = "sqlite:///trueup.db",
) -> Iterator[World]:
    """An empty vendor, and a sync into it with the guards that a sync has by default."""
    vendor, kind = VENDORS[name], sandbox_of(name)
    with (
        serve(kind(rate_limit="off", **vendor.sandbox)) as served,
        pytest.MonkeyPatch.context() as env,
    ):
        env.setenv("TRUEUP_TEST_SECRET", kind.CREDENTIAL)
        env.setenv("TRUEUP_TEST_KEY", "app_key_sandbox")
        settings = folder / "trueup.toml"
        url, own = served.url + vendor.path, vendor.own
        text = SETTINGS.format(
            name=name, url=url, own=own, sync=SYNC, state=state, on_remove=on_remove.value
        )
        settings.write_text(text, encoding="utf-8")
        yield World(served, vendor, settings)


class Sweep:
    """The same run again and again from the same beginning, killed each time somewhere else."""

    def __init__(self, at: World, *, filled: bool, names: bool = False) -> None:
        """Of a change where the vendor is `filled`, else of a first filling; where `names` are
        meant, of one in which they pass from one object to another."""
        self._at = at
        before, after = at.erp.before, at.erp.after
        if names:
            before, after = at.erp.named, at.erp.renamed
        if filled:
            at.states(before())
            report = at.run()
            assert report is not None
            assert report.exit_code == 0, report.to_data()
        self._before = at.keep()
        at.lag.begin()
        at.states(after() if filled else at.erp.few())
        life = Life()
        self._undisturbed = at.outcome(at.run(life))
        assert self._undisturbed.exit_code == 0, self._undisturbed.said
        assert self._undisturbed.verified
        self.deeds: Sequence[str] = life.deeds

    def faults(
        self, points: Iterable[int], *, parallel: int, later: timedelta, again: int | None = None
    ) -> list[str]:
        """What is otherwise than undisturbed after a kill at each point and one run more, `later`.

        The run that follows a kill is killed too, at its point `again`, where that is given. Each
        is a text that begins with the point and the deed.
        """
        self._at.spec = replace(self._at.spec, parallel=parallel)
        found = []
        for point in points:
            life = Life(point)
            if fault := self._fault(life, later, again):
                found.append(f"{point} {life.deeds[-1]}: {fault}")
        return found

    def _fault(self, life: Life, later: timedelta, again: int | None) -> str | None:
        at = self._at
        at.back(self._before)
        killed = at.run(life)
        if killed is not None:
            return None if life.last > len(life.deeds) else "it lived on"
        at.sees_it_dead()
        if again is not None and at.run(Life(again)) is None:
            at.sees_it_dead()
        at.clock.time += later
        if otherwise := self._undisturbed.otherwise(at.outcome(at.run())):
            return otherwise
        if not at.agrees():
            return "verification finds differences"
        second = Life()
        report = at.run(second)
        assert report is not None
        if report.exit_code or second.calls:
            return f"a second run ends with {report.exit_code}, having called {second.calls}"
        return None
