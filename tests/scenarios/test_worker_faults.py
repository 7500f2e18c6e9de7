"""Workers that are killed, or stand still and wake again: all is done, nothing twice, and soon."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from sync.state.jobs import Jobs
from sync.state.store import Store, leases, operations, runs
from tests.scenarios.shared_work import TERM, TOKEN, SharedWork, shared_work

pytestmark = [
    pytest.mark.faults,
    pytest.mark.parametrize("database_url", ["postgresql"], indirect=True),
]
SLOT = "2026-03-01T02:30"


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BREX_TOKEN", TOKEN)


def until(comes: Callable[[], object], seconds: float, work: SharedWork) -> float:
    """How many seconds it took."""
    began = time.monotonic()
    while not comes():
        assert time.monotonic() - began < seconds, work.said
        time.sleep(0.05)
    return time.monotonic() - began


def created(store: Store) -> Counter[str]:
    """How many times the journal has each budget as made."""
    with store.read() as connection:
        made = (operations.c.op == "create") & (operations.c.state == "applied")
        return Counter(connection.execute(select(operations.c.ref).where(made)).scalars())


def holder(store: Store, sync: str) -> int | None:
    """The process that has the lease of a sync."""
    with store.read() as connection:
        return connection.execute(select(leases.c.pid).where(leases.c.name == sync)).scalar()


def outcomes(store: Store) -> dict[str, str | None]:
    """How the last run of each sync ended."""
    with store.read() as connection:
        rows = connection.execute(select(runs.c.sync, runs.c.outcome).order_by(runs.c.number))
        return {row.sync: row.outcome for row in rows}


class Chaos:
    """Three workers, of which now and then one is killed and replaced, or stands still for long."""

    def __init__(self, work: SharedWork, chance: random.Random) -> None:
        self.work, self.chance = work, chance
        self.workers = [work.start() for _ in range(3)]
        self.asleep: dict[int, float] = {}
        self.killed = self.stopped = 0

    def strike(self) -> None:
        number = self.chance.randrange(3)
        worker = self.workers[number]
        if self.chance.random() < 0.5:
            worker.kill()
            worker.wait()
            self.asleep.pop(number, None)
            self.workers[number] = self.work.start()
            self.killed += 1
        elif number not in self.asleep:
            worker.send_signal(signal.SIGSTOP)
            self.asleep[number] = time.monotonic() + TERM * self.chance.uniform(0.2, 2)
            self.stopped += 1

    def wake(self, moment: float) -> None:
        for number, until in list(self.asleep.items()):
            if until <= moment:
                self.workers[number].send_signal(signal.SIGCONT)
                del self.asleep[number]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_under_kills_and_stops_every_part_is_done_and_none_twice(
    database_url: str, tmp_path: Path, seed: int
) -> None:
    with shared_work(tmp_path, database_url, parallel=2) as work, work.opened() as workspace:
        work.brex.faults.add("delay", times=-1, seconds=0.03)
        work.defer(workspace, SLOT)
        jobs = Jobs.open(workspace.store)
        chaos = Chaos(work, random.Random(seed))
        calm = time.monotonic() + 60
        while time.monotonic() < calm and jobs.standing():
            time.sleep(chaos.chance.uniform(0.3, 2))
            chaos.wake(time.monotonic())
            chaos.strike()
        chaos.wake(float("inf"))
        until(lambda: not jobs.standing(), 180, work)
        assert chaos.killed > 2
        assert chaos.stopped > 2
        assert work.made == work.wanted
        refs = [f"{name}-{number}" for name in work.names for number in range(work.budgets)]
        assert created(workspace.store) == Counter(refs)
        assert outcomes(workspace.store) == dict.fromkeys(work.names, "ok")


def ended(worker: subprocess.Popen[bytes]) -> bool:
    return worker.poll() is not None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_another_worker_takes_over_within_two_terms_of_the_lease(
    database_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    work = shared_work(tmp_path, database_url, syncs=1, budgets=40, parallel=1)
    with work as work, work.opened() as workspace:
        store = workspace.store
        work.brex.faults.add("delay", times=-1, seconds=0.1, method="POST")
        work.start(), work.start()
        until(lambda: work.said.count("a worker on") == 2, 30, work)
        work.defer(workspace, SLOT)
        until(lambda: sum(created(store).values()) >= 5, 30, work)
        first = holder(store, "p00")
        assert first is not None
        os.kill(first, number)
        took = until(lambda: holder(store, "p00") not in (first, None), 3 * TERM, work)
        assert took <= 2 * TERM
        if number is signal.SIGSTOP:
            os.kill(first, signal.SIGCONT)
        until(lambda: not Jobs.open(store).standing(), 60, work)
        assert work.made == work.wanted
        assert set(created(store).values()) == {1}
        assert outcomes(store) == {"p00": "ok"}


def test_a_worker_that_is_told_to_end_gives_its_sync_to_another_at_once(
    database_url: str, tmp_path: Path
) -> None:
    work = shared_work(tmp_path, database_url, syncs=1, budgets=40, parallel=1)
    with work as work, work.opened() as workspace:
        store = workspace.store
        work.brex.faults.add("delay", times=-1, seconds=0.1, method="POST")
        workers = [work.start(), work.start()]
        until(lambda: work.said.count("a worker on") == 2, 30, work)
        work.defer(workspace, SLOT)
        until(lambda: sum(created(store).values()) >= 5, 30, work)
        first = holder(store, "p00")
        (told,) = (each for each in workers if each.pid == first)
        told.send_signal(signal.SIGTERM)
        assert until(lambda: holder(store, "p00") not in (first, None), 30, work) < 30
        until(lambda: ended(told), 30, work)
        assert told.returncode == 0
        until(lambda: not Jobs.open(store).standing(), 60, work)
        assert work.made == work.wanted
        assert set(created(store).values()) == {1}


@pytest.mark.parametrize("hundred", range(10))
def test_of_two_processes_that_race_for_one_sync_each_change_is_applied_by_one(
    database_url: str, tmp_path: Path, hundred: int
) -> None:
    """Both run it at the same moment, a hundred times; a budget is added before each race."""
    work = shared_work(tmp_path, database_url, syncs=1, budgets=0)
    with work as work, work.opened() as workspace:
        store = workspace.store
        racers = [Racer(work), Racer(work)]
        try:
            held = race(work, racers, 100)
        finally:
            for racer in racers:
                racer.end()
        assert held > 10, "they met"
        assert work.made == work.wanted
        assert set(created(store).values()) == {1}
        assert len(created(store)) == 100


RACER = """
import gc, sys
from trueup.workspace import open_workspace
from sync.state.lease import LeaseHeld

with open_workspace(sys.argv[1]) as workspace:
    workspace.store
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            print(workspace.apply("p00").outcome, flush=True)
        except LeaseHeld:
            print("held", flush=True)
"""


class Racer:
    """A process that runs the sync each time it is told to."""

    def __init__(self, work: SharedWork) -> None:
        self._process = work.racer(RACER)
        assert self.said() == "ready"

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def end(self) -> None:
        with suppress(BrokenPipeError):
            self._process.communicate(timeout=30)


def race(work: SharedWork, racers: list[Racer], count: int) -> int:
    """How many times one found that the other had the lease."""
    held = 0
    for number in range(count):
        work.add_budget()
        for racer in racers:
            racer.go()
        said = [racer.said() for racer in racers]
        assert "ok" in said, (number, said)
        held += said.count("held")
    return held
