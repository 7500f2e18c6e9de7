"""What the target shows and nobody can read: nothing is decided about all that it may be."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.identity import stamped
from canonical.kind import Kind, Op
from canonical.problem import Problem
from canonical.traces import Traces
from connectors.contract.capabilities import Removal
from connectors.contract.records import Page
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store

NOW = datetime(2026, 3, 18, tzinfo=UTC)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)


def budget(ref, name=None):
    return Budget(ref=ref, name=name or f"Name {ref}", amount=Amount.of(100, "USD"))


def share(ref, of="A"):
    return Allocation(ref=ref, budget=of, entity=Entity("user", ref), amount=Amount.of(5, "USD"))


class Clouded(Memory.with_capabilities(removal=Removal.DELETE)):
    """`clouds` are problems beside what is listed; what is in `hidden` is listed as one."""

    clouds = ()
    hidden = ()

    def list(self, kind, cursor=None, known=None):
        for page in super().list(kind, cursor):
            items = [item for item in page.items if item.id not in self.hidden]
            problems = [
                Problem("target", item.id, "no", item.id, Traces.of({"in": item.container}))
                for item in page.items
                if item.id in self.hidden
            ]
            yield Page(items, [*problems, *(each for of, each in self.clouds if of is kind)])


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    with closing(world.store):
        yield world


class World:
    def __init__(self, folder):
        self.source, self.target = Memory("erp"), Clouded("target")
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)

    def run(self):
        spec = SyncSpec(
            name="s", source="erp", target="target", limits=OPEN, on_remove=OnRemove.DELETE
        )
        engine = Engine(spec, self.source, self.target, self.store, now=lambda: NOW)
        return engine.run(NOW.date(), command="test")

    def cloud(self, record, kind=Kind.BUDGET, ref=None):
        traces = None if record is None else Traces.of(record, name="name")
        self.target.clouds = [(kind, Problem("target", "a record", "no", ref, traces))]

    def held(self, kind=Kind.BUDGET):
        pages = Memory.list(self.target, kind)
        return sorted(str(item.stamp) for page in pages for item in page.items)


def ops(report):
    return {change.ref: change.op for change in report.plan.changes}


@pytest.mark.parametrize(
    "record",
    [
        {"name": " name  A", "amount": "much"},
        {"name": "Other", "description": stamped("a text", "A")},
        {"name": "Other", "below": {"texts": [stamped(None, "A")]}},
    ],
    ids=["its name", "its stamp", "its stamp anywhere"],
)
@pytest.mark.parametrize("ref", [None, "mem-99"])
def test_what_an_unreadable_record_may_be_is_not_made(world, record, ref):
    world.cloud(record, ref=ref)
    world.source.put(budget("A"), budget("B"), share("x", "A"), share("x", "B"))
    report = world.run()
    assert world.held() == ["B"]
    assert [change.op for change in report.plan.changes].count(Op.BLOCKED) == 2
    assert "a record cannot be read" in str(report.plan.changes)
    world.target.clouds = ()
    assert world.run().verified
    assert world.held() == ["A", "B"]


@pytest.mark.parametrize("record", [{"name": None}, {"name": 7}, "text", None])
def test_a_record_that_says_no_name_may_be_anything(world, record):
    world.cloud(record)
    world.source.put(budget("A"), budget("B"))
    assert set(ops(world.run()).values()) == {Op.BLOCKED}
    assert world.held() == []


def test_what_bears_the_stamp_of_another_is_that_one(world):
    world.cloud({"name": "Name A", "description": stamped("a text", "Z")})
    world.source.put(budget("A"))
    world.run()
    assert world.held() == ["A"]


def test_a_namesake_is_not_adopted_while_another_cannot_be_read(world):
    world.target.put(budget("stranger", "Name A"))
    world.cloud({"name": "Name A"})
    world.source.put(budget("A"))
    assert ops(world.run()) == {"A": Op.BLOCKED}


@pytest.mark.parametrize("says", ["its budget", "nothing"])
def test_an_unreadable_share_keeps_others_of_its_budget_from_being_made(world, says):
    world.source.put(budget("A"), budget("B"))
    world.run()
    ids = {item.stamp: item.id for page in world.target.list(Kind.BUDGET) for item in page.items}
    world.cloud({"within": ids["A"]} if says == "its budget" else None, Kind.ALLOCATION)
    world.source.put(share("x", "A"), share("y", "B"))
    world.run()
    assert world.held(Kind.ALLOCATION) == (["y"] if says == "its budget" else [])


@pytest.mark.parametrize("kind", [*Kind])
def test_what_cannot_be_read_is_not_removed_nor_the_budget_above_it(world, kind):
    world.source.put(budget("A"), share("x", "A"))
    assert world.run().verified
    world.target.hidden = [item.id for page in world.target.list(kind) for item in page.items]
    world.source.drop("A")
    world.run()
    assert world.held() == ["A"]
    world.target.hidden = ()
    world.run()
    assert (world.held(), world.held(Kind.ALLOCATION)) == ([], [])


def test_an_object_that_a_record_may_be_a_part_of_is_left_as_it_is(world):
    world.source.put(budget("A"), budget("B"))
    world.run()
    ids = {item.stamp: item.id for page in world.target.list(Kind.BUDGET) for item in page.items}
    traces = Traces(frozenset(["part"]), ids=frozenset([ids["A"]]))
    world.target.clouds = [(kind, Problem("target", "a part", "no", "p", traces)) for kind in Kind]
    world.source.put(*(Budget(ref=ref, name=ref, amount=Amount.of(7, "USD")) for ref in "AB"))
    report = world.run()
    assert ops(report) == {"B": Op.UPDATE}
    assert len(report.plan.problems) == 1


def test_a_saved_plan_keeps_its_problems_without_their_traces(world):
    world.cloud({"name": "Name A"})
    plan = world.run().plan
    assert type(plan).load(plan.save()).problems == plan.problems
    assert "traces" not in plan.save()
    assert date(2026, 3, 18) == plan.as_of
