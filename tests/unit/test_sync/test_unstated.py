"""What is in the target and not in the source is named: what is kept, and what nobody stated."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import msgspec
import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Plan, Unstated
from canonical.kind import Kind
from connectors.contract.capabilities import Removal
from connectors.contract.records import Draft
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.findings import MANY
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)


def usd(number):
    return Amount.of(number, "USD")


def budget(ref):
    return Budget(ref=ref, name=f"Budget {ref}", amount=usd(100))


def share(budget, who):
    user = Entity("user", who)
    return Allocation(ref=f"{budget}-{who}", budget=budget, entity=user, amount=usd(5))


class Desk:
    def __init__(self, store, on_remove=OnRemove.KEEP):
        self.source, self.target, self.store = Memory("erp"), Memory("target"), store
        self.set(on_remove)

    def set(self, on_remove):
        """The settings of the sync."""
        spec = SyncSpec(name="s", source="erp", target="target", limits=OPEN, on_remove=on_remove)
        self.engine = Engine(spec, self.source, self.target, self.store, now=lambda: NOW)

    def state(self, *models):
        ids = {}
        for model in models:
            container = ids[model.budget] if isinstance(model, Allocation) else None
            made = self.source.create(Draft(model=model, container=container), str(uuid4()))
            ids[model.ref] = made.id

    def drop(self, kind):
        """The last object of that kind leaves the source."""
        *_, item = (item for page in self.source.list(kind) for item in page.items)
        self.source.delete(kind, item.id, str(uuid4()))

    def run(self):
        return self.engine.run(TODAY, command="run")


@pytest.fixture
def store(tmp_path):
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as opened:
        yield opened


@pytest.fixture
def desk(store):
    return Desk(store)


def test_a_leaver_who_keeps_the_card_is_named_with_the_money(desk):
    desk.state(budget("A"), share("A", "ada"))
    assert desk.run().plan.kept_objects == ()
    desk.drop(Kind.ALLOCATION)

    report, found = desk.run(), desk.engine.verify(TODAY)

    (kept,) = report.plan.kept_objects
    assert (kept.kind, kept.ref, kept.budget_ref) == (Kind.ALLOCATION, "mem-2", "mem-1")
    assert (kept.amount, kept.currency) == ("5.00", "USD")
    assert "ada" in kept.name
    assert kept.reason == 'on_remove = "keep"'
    assert (report.verified, found.agree, found.kept_objects) == (True, True, (kept,))


def test_what_nobody_stated_is_named_apart(desk):
    desk.target.create(Draft(model=Budget(ref="X", name="Party", amount=usd(7))), "x")
    desk.state(budget("A"))

    report, found = desk.run(), desk.engine.verify(TODAY)

    (stranger,) = report.plan.strangers
    assert stranger == Unstated(
        kind=Kind.BUDGET, target_id=stranger.target_id, name="Party", amount="7.00", currency="USD"
    )
    assert report.plan.stranger_count == found.stranger_count == 1
    assert report.plan.kept_objects == ()


def test_what_is_adopted_or_made_is_no_stranger(desk):
    desk.target.create(Draft(model=budget("A")), "a")
    desk.state(budget("A"), budget("B"))

    assert desk.run().plan.strangers == ()
    assert desk.run().plan.strangers == ()


def test_what_is_retired_in_the_target_is_not_kept_in_use(store):
    desk = Desk(store, OnRemove.RETIRE)
    desk.state(budget("A"), budget("B"))
    desk.run()
    desk.drop(Kind.BUDGET)

    assert desk.run().plan.kept_objects == ()
    assert desk.run().plan.kept_objects == ()


@pytest.mark.parametrize("deep", [False, True])
def test_a_budget_is_not_deleted_with_what_somebody_else_put_into_it(store, deep):
    desk = Desk(store, OnRemove.DELETE)
    desk.target.capabilities = replace(desk.target.capabilities, removal=Removal.DELETE)
    desk.state(budget("A"))
    desk.source.put(budget("B"), msgspec.structs.replace(budget("C"), parent="B"))
    desk.run()
    ids = {item.model.name[-1]: item.id for p in desk.target.list(Kind.BUDGET) for item in p.items}
    desk.target.put(share(ids["C" if deep else "B"], "eve"))
    desk.source.drop("B")

    report = desk.run()

    left = [item.model.name[-1] for p in desk.target.list(Kind.BUDGET) for item in p.items]
    assert left == (["A", "B", "C"] if deep else ["A", "B"])
    assert {each.ref for each in report.plan.kept_objects} == ({"B", "C"} if deep else {"B"})
    assert "no source states" in report.plan.kept_objects[0].reason
    assert not desk.engine.plan(TODAY).pending

    for page in desk.target.list(Kind.ALLOCATION):
        for item in page.items:
            desk.target.drop(item.id)
    assert desk.run().verified
    assert [p.items[0].model.name[-1] for p in desk.target.list(Kind.BUDGET)] == ["A"]


def test_many_strangers_are_counted_and_not_all_named(desk):
    for number in range(MANY + 5):
        desk.target.create(Draft(model=budget(f"X{number}")), f"x{number}")

    plan = desk.engine.plan(TODAY)

    assert (len(plan.strangers), plan.stranger_count) == (MANY, MANY + 5)


def test_a_saved_plan_has_them_too(desk):
    desk.target.create(Draft(model=budget("X")), "x")
    plan = desk.engine.plan(TODAY)

    assert Plan.load(plan.save()).strangers == plan.strangers


def test_a_run_is_verified_only_where_verify_would_say_so(desk):
    desk.state(budget("A"))
    desk.run()
    desk.target.capabilities = replace(desk.target.capabilities, removal=Removal.NONE)
    desk.set(OnRemove.RETIRE)
    desk.drop(Kind.BUDGET)

    report = desk.run()

    assert desk.engine.verify(TODAY).agree is False
    assert report.verified is False
