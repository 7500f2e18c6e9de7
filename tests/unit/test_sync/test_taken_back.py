"""What the source stated and states no more is taken back in the target, or told."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.records import Draft
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.outcome import Outcome
from sync.spec import Limits, SyncSpec
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)
STATED = {
    "description": "Trips",
    "owners": ("ada@example.com",),
    "dimensions": {"department": "4500"},
    "limits": (Amount.of(50, "USD"),),
    "carry_over": True,
}
NOTHING = {"limits": (), "dimensions": {}}


class Desk:
    def __init__(self, store, **able):
        self.source, self.target = Memory("erp"), Memory.with_capabilities(**able)("target")
        spec = SyncSpec(name="s", source="erp", target="target", limits=OPEN)
        self.engine = Engine(spec, self.source, self.target, store, now=lambda: NOW)
        self.budget = Budget(ref="A", name="Travel", amount=Amount.of(100, "USD"), **STATED)
        self.above = self.source.create(
            Draft(model=Budget(ref="UP", name="Up", amount=Amount.of(900, "USD"))), "up"
        )
        self.ours = self.source.create(Draft(model=self.budget, container=self.above.id), "a")

    def run(self):
        return self.engine.run(TODAY, command="run")

    def take_back(self, field):
        model = replace(self.budget, **{field: NOTHING.get(field)})
        self.source.update(self.ours.id, Draft(model=model), {field}, f"no {field}")

    def held(self):
        found = [item for page in self.target.list(Kind.BUDGET) for item in page.items]
        return next(item for item in found if item.model.name == "Travel")


@pytest.fixture
def store(tmp_path):
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as opened:
        yield opened


@pytest.mark.parametrize("field", [*STATED, "parent"])
def test_what_was_stated_and_is_blank_now_is_emptied_there(store, field):
    desk = Desk(store)
    assert desk.run().verified
    desk.take_back(field)

    report = desk.run()

    (change,) = report.plan.changes
    assert list(change.fields) == [field]
    assert report.verified
    if field == "parent":
        assert desk.held().container is None
    else:
        assert getattr(desk.held().model, field) == NOTHING.get(field)
    assert desk.run().plan.changes == ()


@pytest.mark.parametrize("field", ["description", "owners", "parent"])
def test_what_cannot_be_emptied_is_told_in_every_run(store, field):
    desk = Desk(store, clearable=frozenset())
    desk.run()
    desk.take_back(field)

    for _ in range(2):
        report = desk.run()
        assert report.plan.unaccepted == {f"blocked:{field}": (1, "memory cannot empty it again")}
        assert (report.outcome, report.verified) == (Outcome.PARTIAL, False)
    model = replace(desk.budget, name="Trips", **{field: NOTHING.get(field)})
    desk.source.update(desk.ours.id, Draft(model=model), {"name"}, "renamed")
    desk.run()
    assert f"blocked:{field}" in desk.run().plan.unaccepted


def test_what_was_never_stated_is_theirs(store):
    desk = Desk(store)
    desk.budget = replace(desk.budget, description=None)
    desk.source.update(desk.ours.id, Draft(model=desk.budget), {"description"}, "none")
    desk.run()
    held = desk.held()
    said = Draft(model=replace(held.model, description="a note of theirs"), stamp=held.stamp)
    desk.target.update(held.id, said, {"description"}, "theirs")

    assert desk.run().plan.changes == ()


def test_what_somebody_changed_there_meanwhile_stays_theirs(store):
    desk = Desk(store)
    desk.run()
    held = desk.held()
    said = Draft(model=replace(held.model, description="a note of theirs"), stamp=held.stamp)
    desk.target.update(held.id, said, {"description"}, "theirs")
    desk.take_back("description")

    assert desk.run().plan.changes == ()
    assert desk.held().model.description == "a note of theirs"
