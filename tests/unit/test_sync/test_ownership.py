"""Whose an object is, where two syncs write into one target in memory."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import update

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.identity import stamped
from connectors.contract.errors import Uncertain
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.lease import Lease
from sync.state.store import Store, links

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)
OTHER = {"north": "south", "south": "north"}


def budget(ref, name=None, number=100):
    return Budget(ref=ref, name=name or ref, amount=Amount.of(number, "USD"))


class World:
    def __init__(self, folder):
        self.sources = {name: Memory(name) for name in OTHER}
        self.target, self.acquainted = Memory("target"), True
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)

    def engine(self, name, **said):
        spec = SyncSpec(
            name=name, source=name, target="target", limits=OPEN, parallel=1,
            on_remove=OnRemove.RETIRE, **said,
        )  # fmt: skip
        at = OTHER[name]
        neighbours = {at: lambda: self.sources[at]} if self.acquainted else None
        source = self.sources[name]
        return Engine(spec, source, self.target, self.store, now=lambda: NOW, neighbours=neighbours)

    def run(self, name, **said):
        return self.engine(name, **said).run(TODAY, command="test")

    def plan(self, name):
        return self.engine(name).plan(TODAY)

    def live(self):
        return sorted(
            row.model.name for row in self.target._rows.values() if row.model.status == "active"
        )


@pytest.fixture
def world(tmp_path):
    """`north` has made A and X, `south` has made B."""
    made = World(tmp_path)
    with closing(made.store):
        made.sources["north"].put(budget("A"), budget("X"))
        made.sources["south"].put(budget("B"))
        assert made.run("north").verified
        assert made.run("south").verified
        yield made


def move_x(world):
    world.sources["north"].drop("X")
    world.sources["south"].put(budget("X"))


def test_nothing_is_taken_over_while_a_run_of_its_owner_goes_on(world):
    move_x(world)
    with Lease.take(world.store, "north", now=lambda: NOW):
        (conflict,) = world.plan("south").conflicts

    assert "a run goes on" in conflict.reason
    assert world.run("south").verified


def test_nothing_is_taken_over_while_a_write_of_it_waits(world):
    world.sources["north"].edit("X", amount=Amount.of(7, "USD"))

    def lost(operation, _):
        if operation in ("update", "get"):
            raise Uncertain("no answer")

    world.target.before = lost
    world.run("north")
    world.target.before = lambda operation, _: None
    move_x(world)

    (conflict,) = world.plan("south").conflicts

    assert (conflict.ref, conflict.owner) == ("X", "north")


def test_what_another_sync_may_just_have_made_is_left_to_it(world):
    world.sources["north"].put(budget("Y"))
    lose_the_answer_and_the_next_listing(world)
    world.run("north")
    hear_again(world)
    world.sources["south"].put(budget("Y"))

    plan = world.plan("south")

    assert not plan.pending
    assert [(each.ref, each.owner) for each in plan.conflicts] == [("Y", "north")]
    assert world.run("north").verified


def lose_the_answer_and_the_next_listing(world):
    made = []

    def answer(operation, _):
        if operation == "create":
            made.append(operation)
            raise Uncertain("no answer")

    def call(operation, _):
        if made and operation == "list":
            raise Uncertain("no answer")

    world.target.after, world.target.before = answer, call


def hear_again(world):
    world.target.after = world.target.before = lambda operation, _: None


def test_a_lost_create_that_another_sync_owns_by_now_is_not_repeated(world):
    world.sources["north"].put(budget("Y"))
    lose_the_answer_and_the_next_listing(world)
    world.run("north")
    hear_again(world)
    world.sources["south"].put(budget("Y"))
    (id,) = [id for id, row in world.target._rows.items() if row.model.name == "Y"]
    with world.store.write() as connection:
        connection.execute(
            update(links).where(links.c.sync == "south").values(target_id=id, ref="Y")
        )

    report = world.run("north")

    assert [each.ref for each in report.plan.conflicts] == ["Y"]
    assert world.live().count("Y") == 1


def test_settings_that_do_not_know_the_owner_leave_it_a_conflict(world):
    world.acquainted = False
    move_x(world)

    (conflict,) = world.plan("south").conflicts

    assert "trueup handover south --from north" in conflict.reason


def test_what_a_neighbour_of_other_settings_stated_last_is_not_removed(world):
    world.acquainted = False
    world.sources["south"].put(budget("X"))
    world.run("south")
    world.sources["north"].drop("X")

    world.run("north")

    assert world.live() == ["A", "B", "X"]


def test_a_namesake_that_another_sync_made_without_a_stamp_is_not_adopted(world):
    world.sources["north"].put(budget("T1", name="Travel"))
    world.run("north", stamp=False)
    world.sources["south"].put(budget("T2", name="Travel"))

    (conflict,) = world.plan("south").conflicts

    assert "knows it as T1" in conflict.reason


def test_a_namesake_with_a_stamp_of_its_own_is_another_object(world):
    world.sources["north"].put(budget("T1", name="Travel"))
    world.run("north")
    world.sources["south"].put(budget("T2", name="Travel"))

    assert world.run("south").verified
    assert world.live().count("Travel") == 2


def test_a_copy_is_adopted_where_what_it_was_copied_from_is_gone(world):
    (id,) = [id for id, row in world.target._rows.items() if row.model.name == "X"]
    world.target.drop(id)
    world.target.put(copy_of("X"))

    assert world.run("north").verified


def copy_of(ref):
    return Budget(ref="copy", name=ref, description=stamped(None, ref), amount=Amount.of(1, "USD"))
