from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Kind, Op
from connectors.errors import Rejected, Stale
from connectors.memory import Memory
from sync.engine import Engine
from sync.report import Outcome
from sync.spec import Limits, SyncSpec
from sync.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)


def usd(number):
    return Amount.of(number, "USD")


def budget(ref):
    return Budget(ref=ref, name=ref, amount=usd(100))


def share(budget, who):
    return Allocation(
        ref=f"{budget}-{who}", budget=budget, entity=Entity("user", who), amount=usd(5)
    )


class Recording(Memory.with_capabilities(batch=3)):
    """Keeps how many creates came together, and the calls that changed something."""

    def __init__(self):
        super().__init__("target")
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


class World:
    def __init__(self, folder):
        self.source, self.target = Memory("erp"), Recording()
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)

    def run(self):
        self.target.writes.clear()
        spec = SyncSpec(name="s", source="erp", target="target", limits=OPEN, parallel=1)
        engine = Engine(spec, self.source, self.target, self.store, now=lambda: NOW)
        return engine.run(TODAY, command="test")


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
