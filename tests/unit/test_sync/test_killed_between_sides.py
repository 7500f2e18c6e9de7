"""A run that writes to both sides is killed at each call and at each commit; one more run, or two,
leaves everything as if it had not been."""

import itertools
import shutil
from contextlib import contextmanager
from datetime import date, timedelta

import pytest

from canonical.allocation import Allocation, Entity
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Cadence
from sync.fields import Fields, OnNew, Owner
from sync.outcome import Outcome
from sync.state.store import Store
from tests.unit.test_sync.test_returns import NOW, Desk, trimmed, usd

WRITES = {"create", "update", "retire", "delete"}


class Killed(BaseException):
    """The process is no more."""


class Fate:
    """Kills at the moment of that number, counted over calls and commits on both sides."""

    def __init__(self):
        self.at, self.seen, self.dead = 0, 0, False

    def meets(self):
        if self.dead:
            raise Killed
        self.seen += 1
        if self.seen == self.at:
            self.dead = True
            raise Killed

    def set(self, at):
        self.at, self.seen, self.dead = at, 0, False


class Clock:
    def __init__(self):
        self.time = NOW

    def __call__(self):
        return self.time


class MortalStore(Store):
    fate = Fate()

    @contextmanager
    def write(self):
        self.fate.meets()
        with super().write() as connection:
            yield connection
        self.fate.meets()


class World(Desk):
    """Two sides that moved the same object, and a stranger in the target."""

    def __init__(self, store, folder, clock, normalise):
        super().__init__(store)
        self.folder, self.now = folder, clock
        self.fields = Fields(default=Owner.EITHER, on_new=OnNew.CREATE)
        self.source.put(
            Allocation(ref="a", budget="A", entity=Entity("user", "ann"), amount=usd(5))
        )
        self.agreed()
        self.source.normalise = normalise
        self.edit(name="Trips!", amount=usd(150))
        (share,) = self.of(self.target, Kind.ALLOCATION)
        self.target.edit(share.id, amount=usd(7))
        self.source.edit("A", description="of the year")
        self.target.put(
            Budget(
                ref="T",
                name="Tools",
                amount=usd(50),
                cadence=Cadence.MONTHLY,
                start=date(2026, 1, 1),
            )
        )
        for system in (self.source, self.target):
            system.before = system.after = lambda operation, _: self._hears(operation)

    def _hears(self, operation):
        if operation in WRITES:
            MortalStore.fate.meets()

    def reopened(self):
        """As another process knows it, from the disk alone."""
        self.store.close()
        self.now.time += timedelta(seconds=31)  # the lease of the dead one is over
        self.store = MortalStore.open("sqlite:///state.db", self.folder, self.now)

    def is_as_wanted(self):
        (share,) = self.of(self.source, Kind.ALLOCATION)
        names = [
            sorted(each.model.name for each in self.of(side)) for side in (self.source, self.target)
        ]
        held = self.of(self.target)[0].model
        return (
            [len(each) for each in names] == [2, 2]
            and (self.stated.amount, held.amount) == (usd(150), usd(150))
            and (held.name, held.description, share.model.amount)
            == ("Trips!", "of the year", usd(7))
        )


def as_it_is(model):
    return model


@pytest.fixture
def world(tmp_path):
    made = []
    numbers = itertools.count()
    Store.open("sqlite:///empty.db", tmp_path, lambda: NOW).close()
    empty = tmp_path / "empty.db"

    def make(normalise=as_it_is):
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        MortalStore.fate.set(0)
        shutil.copy(empty, folder / "state.db")
        clock = Clock()
        store = MortalStore.open("sqlite:///state.db", folder, clock)
        made.append(World(store, folder, clock, normalise))
        return made[-1]

    yield make
    MortalStore.fate.set(0)
    for each in made:
        each.store.close()


def moments(world):
    """How many moments a whole run has."""
    MortalStore.fate.set(0)
    assert world.run().verified
    return MortalStore.fate.seen


def killed_at(world, at):
    MortalStore.fate.set(at)
    with pytest.raises(Killed):
        world.run()
    MortalStore.fate.set(0)
    world.reopened()


def test_a_whole_run_writes_to_both_sides(world):
    whole = world()

    assert moments(whole) > 30
    assert whole.is_as_wanted()


@pytest.mark.sampled(10)
@pytest.mark.parametrize("part", range(20))
def test_one_run_more_leaves_everything_as_if_it_had_not_been_killed(world, part):
    for at in range(1 + part, moments(world()) + 1, 20):
        killed = world()
        killed_at(killed, at)

        report = killed.run()

        assert (at, report.outcome, killed.is_as_wanted()) == (at, Outcome.OK, True)
        assert killed.run().plan.changes == ()


@pytest.mark.sampled(10)
@pytest.mark.parametrize("part", range(20))
def test_at_a_source_that_trims_nothing_is_lost_and_nothing_is_twice(world, part):
    """What it stored in its own spelling may wait for a person after a kill; it never overwrites."""
    for at in range(1 + part, moments(world(trimmed)) + 1, 20):
        killed = world(trimmed)
        killed_at(killed, at)

        killed.run()
        report = killed.run()

        names = [
            [each.model.name for each in killed.of(side)] for side in (killed.source, killed.target)
        ]
        assert [len(each) for each in names] == [2, 2]
        assert killed.of(killed.target)[0].model.amount == usd(150)
        assert names[1][0] == "Trips!"
        assert (at, report.plan.pending) == (at, ())
        assert {each.field for each in report.plan.waits} <= {"name"}
