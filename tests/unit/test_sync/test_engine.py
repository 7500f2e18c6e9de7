from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind, Op
from canonical.period import Cadence
from canonical.problem import Problem
from connectors.contract.capabilities import Hold, Phasing, Removal
from connectors.contract.errors import (
    Call,
    Malformed,
    Missing,
    RateLimited,
    Rejected,
    Stale,
    Uncertain,
)
from connectors.contract.records import Page
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.outcome import Outcome
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.journal import Journal, State
from sync.state.store import Store, operations

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)


def usd(number):
    return Amount.of(number, "USD")


def budget(ref, **said):
    return Budget(**{"ref": ref, "name": ref, "amount": usd(100)} | said)


def share(budget, who):
    return Allocation(
        ref=f"{budget}-{who}", budget=budget, entity=Entity("user", who), amount=usd(5)
    )


class Recording(Memory):
    """Keeps how many creates came together, and the calls that changed something."""

    def __init__(self, **able):
        super().__init__("target")
        self.capabilities = replace(Memory.capabilities, **({"batch": 3} | able))
        self.together, self.writes = [], []

    def create_many(self, drafts, keys):
        self.together.append(len(drafts))
        return super().create_many(drafts, keys)

    def create(self, draft, key):
        self.writes.append(("create", draft.model.ref))
        return super().create(draft, key)

    def update(self, id, draft, fields, key):
        self.writes.append(("update", *sorted(fields)))
        return super().update(id, draft, fields, key)


class Unreadable(Recording):
    """Lists what it holds as records that cannot be read."""

    def list(self, kind, cursor=None, known=None):
        for page in super().list(kind, cursor):
            problems = [Problem(self.name, item.id, "cadence", item.id) for item in page.items]
            yield Page((), problems)


class World:
    def __init__(self, folder):
        self.source, self.target, self.day = Memory("erp"), Recording(), TODAY
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)

    def run(self):
        self.target.writes.clear()
        spec = SyncSpec(name="s", source="erp", target="target", limits=OPEN, parallel=1)
        engine = Engine(spec, self.source, self.target, self.store, now=lambda: NOW)
        return engine.run(self.day, command="test")


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    with closing(world.store):
        yield world


def ids(target, kind):
    return {item.model.amount: item.id for page in target.list(kind) for item in page.items}


def test_new_allocations_of_one_budget_go_together(world):
    people = ["ada", "bob", "cy", "dee", "eve"]
    world.source.put(budget("A"), budget("B"))
    world.source.put(*(share("A", who) for who in people), share("B", "ada"))
    report = world.run()
    assert (report.outcome, report.verified) == (Outcome.OK, True)
    assert sorted(world.target.together) == [2, 3]
    assert report.counts["applied"] == 8
    assert world.run().counts["applied"] == 0


def test_of_many_that_go_together_each_has_its_own_outcome(world):
    def refuse(operation, subject):
        if operation == "create" and subject.model.ref == "A-bob":
            raise Rejected("no bobs")

    world.source.put(budget("A"), *(share("A", who) for who in ("ada", "bob", "cy")))
    world.target.before = refuse
    report = world.run()
    assert world.target.together == [3]
    assert {done.ref: done.outcome for done in report.operations} == {
        "A": "applied", "A-ada": "applied", "A-bob": "rejected", "A-cy": "applied",
    }  # fmt: skip
    world.target.before = lambda operation, subject: None
    assert world.run().verified
    assert world.target.writes == [("create", "A-bob")]


def test_a_run_after_which_something_differs_is_partial(world):
    def push_others(operation, subject):
        if operation == "create" and subject.model.ref == "B":
            world.target.edit(made, amount=usd(1))

    world.source.put(budget("A"))
    world.run()
    (made,) = ids(world.target, Kind.BUDGET).values()
    world.source.put(budget("B"))
    world.target.after = push_others
    report = world.run()
    assert (report.counts["applied"], report.verified) == (1, False)
    assert (report.outcome, report.exit_code) == (Outcome.PARTIAL, 4)


def test_a_write_that_came_too_early_or_too_late_is_left_to_the_next_run(world):
    def outdate(operation, subject):
        if operation == "create":
            raise Stale("it moved")

    world.source.put(budget("A"))
    world.target.before = outdate
    report = world.run()
    assert (report.outcome, report.counts["deferred"]) == (Outcome.PARTIAL, 1)


def test_an_allocation_that_was_moved_below_another_budget_is_moved_back(world):
    world.source.put(budget("A"), budget("B"), share("A", "ada"))
    world.run()
    budgets = {
        item.model.name: item.id for page in world.target.list(Kind.BUDGET) for item in page.items
    }
    (moved,) = ids(world.target, Kind.ALLOCATION).values()
    world.target.move(moved, budgets["B"])
    report = world.run()
    assert world.target.writes == [("update", "budget")]
    assert [done.op for done in report.operations] == [Op.UPDATE]
    assert world.target.get(Kind.ALLOCATION, moved).container == budgets["A"]
    assert report.verified


def test_one_whose_batch_had_no_answer_goes_alone_the_next_time(world):
    def fail(operation, subject):
        if operation == "create" and subject.model.ref.startswith("A-"):
            raise Uncertain("no answer")

    world.target = Recording(key_lifetime=timedelta())
    world.source.put(budget("A"), share("A", "ada"), share("A", "bob"))
    world.target.before = fail
    assert world.run().counts["deferred"] == 2
    world.target.before = lambda operation, subject: None
    world.source.put(share("A", "cy"), share("A", "dee"))
    world.target.together.clear()
    assert world.run().verified
    assert world.target.together == [2]
    assert len(world.target.writes) == 4


def test_what_was_made_and_cannot_be_read_is_not_made_again(world):
    def garble(operation, subject):
        if operation == "create":
            raise Malformed("cadence is 'FORTNIGHTLY'")

    world.target = Unreadable(key_lifetime=timedelta())
    world.source.put(budget("A"))
    world.target.after = garble
    for _ in range(3):
        report = world.run()
        assert (report.counts["uncertain"], report.exit_code) == (1, 7) or not report.operations
        assert len(world.target._rows) == 1


def test_shares_of_a_budget_that_was_retired_by_hand_are_not_brought_back_without_it(world):
    world.target = Recording(revives=frozenset({Kind.ALLOCATION}))
    world.source.put(budget("A"), share("A", "ada"))
    world.run()
    for kind in Kind:
        (id,) = ids(world.target, kind).values()
        world.target.edit(id, status=Status.RETIRED)
    report = world.run()
    assert world.target.writes == []
    assert [change.op for change in report.plan.changes] == [Op.BLOCKED, Op.BLOCKED]


@pytest.mark.parametrize("phasing", [Phasing.CURRENT, Phasing.CURRENT_AND_NEXT])
def test_a_source_that_knows_only_the_present_leaves_past_periods_as_they_are(world, phasing):
    world.source = Memory.with_capabilities(phasing=phasing)("platform")
    year = {"start": date(2026, 1, 1), "end": date(2026, 12, 31), "cadence": Cadence.MONTHLY}
    world.source.put(budget("A", amount=usd(300), **year))
    world.run()
    world.source.put(budget("A", amount=usd(500), **year))
    world.day = date(2026, 5, 2)
    assert world.run().verified
    ((held,),) = ([item.model for item in page.items] for page in world.target.list(Kind.BUDGET))
    assert [(str(each.period), each.amount) for each in held.phases] == [
        ("2026-01-01..2026-04-30", usd(300)),
        ("2026-05-01..2026-12-31", usd(500)),
    ]
    assert (world.run().verified, world.target.writes) == (True, [])


def test_an_allocation_that_was_moved_and_cannot_be_moved_back_is_told(world):
    allocation = {**Memory.capabilities.allocation, "budget": Hold.READ_ONLY}
    world.target = Recording(allocation=allocation)
    world.source.put(budget("A"), budget("B", amount=usd(50)), share("A", "ada"))
    world.run()
    budgets, shares = (ids(world.target, kind) for kind in Kind)
    world.target.move(shares[usd(5)], budgets[usd(50)])
    report = world.run()
    (change,) = report.plan.changes
    assert (change.op, change.losses[0].name) == (Op.BLOCKED, "blocked:budget")
    assert (report.exit_code, world.target.writes) == (4, [])


def test_a_ledger_that_is_lost_is_made_again_from_the_stamps_without_a_write(world, tmp_path):
    world.source.put(budget("A"), budget("B", parent="A"), share("A", "ada"), share("B", "bob"))
    world.run()
    world.store.close()
    (tmp_path / "state.db").unlink()
    world.store = Store.open("sqlite:///state.db", tmp_path, lambda: NOW)
    report = world.run()
    assert (report.plan.changes, report.verified, world.target.writes) == ((), True, [])


# -- when a write leaves -------------------------------------------------------------------------


class Frozen:
    """A run whose `at`-th write stands still, before it leaves, for longer than its lease lasts."""

    def __init__(self, world, tmp_path, at=1, then=lambda: None):
        self.world, self.at, self.then, self.folder = world, at, then, tmp_path
        self.seconds, self.seen = 0.0, 0
        self.world.target.waits = self.stand

    def stand(self, operation, subject):
        self.seen += 1
        if self.seen == self.at:
            self.seconds += 31
            self.then()

    def engine(self, store, seconds):
        spec = SyncSpec(name="s", source="erp", target="target", limits=OPEN, parallel=1)
        now = lambda: NOW + timedelta(seconds=self.seconds)  # noqa: E731
        sides = self.world.source, self.world.target, store
        return Engine(spec, *sides, now=now, monotonic=lambda: seconds())

    def run(self):
        return self.engine(self.world.store, lambda: self.seconds).run(TODAY, command="test")

    def another(self):
        """A run by another process, which knows the state from the disk alone."""
        later = NOW + timedelta(seconds=self.seconds)
        with closing(Store.open("sqlite:///state.db", self.folder, lambda: later)) as store:
            self.other = self.engine(store, lambda: 0.0).run(TODAY, command="other")
        self.world.target.writes.clear()


def journaled(world):
    """The state that each operation of all runs is in, by the journal as another process sees it."""
    with world.store.read() as connection:
        return [
            *connection.execute(select(operations.c.state).order_by(operations.c.number)).scalars()
        ]


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_run_that_was_taken_over_while_a_write_waited_sends_nothing(world, tmp_path, at):
    world.source.put(budget("A"), budget("B"), budget("C"))
    frozen = Frozen(world, tmp_path, at)
    frozen.then = frozen.another
    report = frozen.run()
    assert (report.outcome, report.exit_code) == (Outcome.FAILED, 1)
    assert "another process has taken" in report.error
    assert frozen.other.verified
    assert len(world.target._rows) == 3


def test_a_run_that_slept_and_was_not_taken_over_goes_on(world, tmp_path):
    world.source.put(budget("A"), budget("B"))
    report = Frozen(world, tmp_path).run()
    assert (report.outcome, report.verified) == (Outcome.OK, True)


def test_between_the_calls_of_one_batch_the_lease_is_asked_too(world, tmp_path):
    world.source.put(budget("A"), share("A", "ada"), share("A", "bob"), share("A", "cy"))
    frozen = Frozen(world, tmp_path, at=3)
    frozen.then = frozen.another
    assert frozen.run().outcome is Outcome.FAILED
    assert world.target.writes == []
    assert len(world.target._rows) == 4


def test_what_waits_is_not_called_sent_and_what_left_is(world):
    world.source.put(budget("A"))
    seen = {}
    world.target.waits = lambda operation, subject: seen.update(waits=journaled(world))
    world.target.before = lambda operation, subject: (
        seen.update(left=journaled(world)) if operation == "create" else None
    )
    assert world.run().verified
    assert seen == {"waits": ["planned"], "left": ["sent"]}


def test_what_never_left_is_deferred_and_was_never_sent(world):
    def refuse(operation, subject):
        raise RateLimited("the vendor wants no call for 900 s", after=900)

    world.source.put(budget("A"))
    world.target.waits = refuse
    report = world.run()
    (row,) = Journal(world.store, "s").of_run(report.run_id)
    assert (row.state, row.sent_at) == (State.DEFERRED, None)


def test_a_create_that_broke_off_before_it_left_is_not_held_to_be_made(world):
    def garble(operation, subject):
        raise Malformed("what it hangs on cannot be read")

    world.source.put(budget("A"))
    world.target.waits = garble
    report = world.run()
    assert (report.counts["rejected"], report.counts["uncertain"]) == (1, 0)


def test_a_change_that_needs_no_call_is_applied(world):
    world.source.put(budget("A"))
    world.run()
    (id,) = ids(world.target, Kind.BUDGET).values()
    world.source.put(budget("A", amount=usd(101)))
    still = world.target.get(Kind.BUDGET, id)
    world.target.update = lambda id, draft, fields, key: (
        world.target.edit(id, amount=usd(101)) or world.target.get(Kind.BUDGET, id)
    )
    report = world.run()
    assert (report.counts["applied"], report.verified) == (1, True)
    assert still.model.amount == usd(100)


def test_a_lost_create_is_not_repeated_by_a_run_that_was_taken_over(world, tmp_path):
    def lose(operation, subject):
        if operation == "create":
            raise Uncertain("no answer")

    world.source.put(budget("A"))
    world.target.before = lose
    world.run()
    world.target.before = lambda operation, subject: None
    frozen = Frozen(world, tmp_path)
    frozen.then = frozen.another
    report = frozen.run()
    assert (report.outcome, len(world.target._rows)) == (Outcome.FAILED, 1)
    assert world.target.writes == []


# -- what a vendor asked for ---------------------------------------------------------------------


def test_a_run_that_was_told_to_wait_for_long_keeps_the_next_one_from_calling(world):
    def refuse(operation, subject):
        asked.append(operation)
        raise RateLimited("too many calls", after=4000)

    asked = []
    world.source.put(budget("A"))
    world.target.before = refuse
    world.run()
    asked.clear()
    report = world.run()
    assert (report.outcome, report.exit_code, asked) == (Outcome.PARTIAL, 4, [])
    assert report.error == "deferred: target asked for no call before 2026-03-10 01:06:40 UTC"


def test_a_write_that_was_told_to_wait_for_long_keeps_the_next_run_from_calling(world):
    def refuse(operation, subject):
        raise RateLimited("too many calls", after=4000)

    world.source.put(budget("A"))
    world.target.waits = refuse
    assert world.run().counts["deferred"] == 1
    world.target.waits = lambda operation, subject: None
    assert "no call before" in world.run().error


def test_a_source_that_asked_for_a_wait_is_the_one_that_is_left_alone(world):
    def refuse(operation, subject):
        raise RateLimited("too many calls", after=4000, call=Call("erp", "GET", "/budgets"))

    world.source.before = refuse
    world.run()
    world.source.before = lambda operation, subject: None
    assert "erp asked for no call" in world.run().error


# -- what is gone --------------------------------------------------------------------------------


class SaysItIsGone(Recording):
    """Answers a removal as if there were nothing to remove, as a 404 is taken, and keeps it."""

    def __init__(self):
        super().__init__(removal=Removal.DELETE)
        self.lies = True

    def delete(self, kind, id, key):
        if not self.lies:
            super().delete(kind, id, key)


def deleting(world):
    """Engine runs after which what the source no longer has is deleted."""
    limits = replace(OPEN, min_listing=None)
    sides = world.source, world.target, world.store
    spec = SyncSpec(
        name="s",
        source="erp",
        target="target",
        limits=limits,
        parallel=1,
        on_remove=OnRemove.DELETE,
    )
    return Engine(spec, *sides, now=lambda: NOW).run(TODAY, command="test")


def test_a_removal_is_believed_when_a_listing_shows_it_no_more(world):
    world.target = SaysItIsGone()
    world.source.put(budget("A"), budget("B"))
    deleting(world)
    world.source.drop("B")
    report = deleting(world)
    assert (report.verified, report.exit_code) == (False, 4)
    assert "the target still shows it" in report.operations[0].error
    world.target.lies = False
    assert deleting(world).verified
    assert [row.model.name for row in world.target._rows.values()] == ["A"]


def test_a_listing_that_lags_behind_a_removal_is_no_reason_to_doubt_it(world):
    world.target = SaysItIsGone()
    world.source.put(budget("A"), budget("B"))
    deleting(world)
    world.source.drop("B")
    world.target.get = lambda kind, id: (_ for _ in ()).throw(Missing("gone"))
    assert deleting(world).verified


def test_a_removal_whose_answer_was_lost_is_not_proved_by_one_read_that_finds_nothing(world):
    def lose(operation, subject):
        if operation == "delete":
            raise Uncertain("no answer")

    world.target = Recording(removal=Removal.DELETE)
    world.source.put(budget("A"), budget("B"))
    deleting(world)
    world.source.drop("B")
    world.target.before = lose
    read = world.target.get
    world.target.get = lambda kind, id: (_ for _ in ()).throw(Missing("a gateway says so"))
    report = deleting(world)
    assert (report.verified, report.counts["deferred"]) == (False, 1)
    world.target.get, world.target.before = read, lambda operation, subject: None
    assert deleting(world).verified
    assert len(world.target._rows) == 1
