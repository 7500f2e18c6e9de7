"""A word for each field: whose value counts, in runs between two systems in memory."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.waiting import Rule
from connectors.contract.records import Draft
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.fields import Fields, OnConflict, Owner
from sync.outcome import Exit, Outcome
from sync.spec import Limits, SyncSpec
from sync.state.store import Store

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)


class Desk:
    """A budget on both sides, whose fields have the words."""

    def __init__(self, store, on_conflict=OnConflict.ASK, **words):
        self.source, self.target, self.store = Memory("erp"), Memory("target"), store
        said = {(Kind.BUDGET, name): word for name, word in words.items()}
        self.fields = Fields(words=said, on_conflict=on_conflict)
        self.ours = self.source.create(
            Draft(model=Budget(ref="A", name="Travel", amount=Amount.of(100, "USD"))), "a"
        )
        self.times = 0

    def run(self, fields=None):
        spec = SyncSpec(
            name="s", source="erp", target="target", limits=OPEN, fields=fields or self.fields
        )
        engine = Engine(spec, self.source, self.target, self.store, now=lambda: NOW)
        return engine.run(TODAY, command="run")

    @property
    def stated(self):
        return next(item.model for page in self.source.list(Kind.BUDGET) for item in page.items)

    @property
    def held(self):
        return next(item for page in self.target.list(Kind.BUDGET) for item in page.items)

    def state(self, **values):
        self._edit(self.source, self.ours.id, replace(self.stated, **values), values)

    def edit(self, **values):
        self._edit(self.target, self.held.id, replace(self.held.model, **values), values)

    def _edit(self, side, id, model, values):
        self.times += 1
        stamp = side.get(Kind.BUDGET, id).stamp
        side.update(id, Draft(model=model, stamp=stamp), set(values), f"edit {self.times}")


def usd(number):
    return Amount.of(number, "USD")


@pytest.fixture
def store(tmp_path):
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as opened:
        yield opened


def both_then(desk, amount=None, stated=None):
    assert desk.run().verified
    if amount:
        desk.edit(amount=usd(amount))
    if stated:
        desk.state(amount=usd(stated))
    return desk.run()


@pytest.mark.parametrize("word", ["target", "either", "ignore"])
def test_an_edit_in_the_target_stays(store, word):
    desk = Desk(store, amount=Owner(word))

    report = both_then(desk, amount=150)

    assert (report.plan.changes, report.verified) == ((), True)
    assert desk.held.model.amount == usd(150)


def test_an_edit_of_a_field_that_asks_waits_and_nothing_is_put_back(store):
    desk = Desk(store, amount=Owner.ASK)

    report = both_then(desk, amount=150)

    (wait,) = report.plan.waits
    assert (wait.rule, wait.field, wait.source, wait.target, wait.agreed) == (
        Rule.DRIFT,
        "amount",
        "100.00",
        "150.00",
        "100.00",
    )
    assert (report.outcome, report.exit_code) == (Outcome.PARTIAL, Exit.CONFLICTS)
    assert desk.held.model.amount == usd(150)


@pytest.mark.parametrize("word", ["either", "ask"])
def test_what_the_source_alone_moved_is_written(store, word):
    desk = Desk(store, amount=Owner(word))

    assert both_then(desk, stated=120).verified
    assert desk.held.model.amount == usd(120)


@pytest.mark.parametrize("word", ["either", "ask"])
def test_what_both_moved_waits_in_every_run(store, word):
    desk = Desk(store, amount=Owner(word))

    for report in (both_then(desk, amount=150, stated=120), desk.run()):
        (wait,) = report.plan.waits
        assert (wait.rule, wait.source, wait.target) == (Rule.CONFLICT, "120.00", "150.00")
    assert desk.held.model.amount == usd(150)


def test_what_waits_holds_up_no_other_field(store):
    desk = Desk(store, amount=Owner.EITHER)
    desk.run()
    desk.edit(amount=usd(150))
    desk.state(amount=usd(120), name="Trips")

    report = desk.run()

    assert desk.held.model.name == "Trips"
    assert desk.held.model.amount == usd(150)
    assert [each.field for each in report.plan.waits] == ["amount"]
    assert [each.field for each in desk.run().plan.waits] == ["amount"]


def test_an_edit_that_was_accepted_stands_until_the_source_moves(store):
    desk = Desk(store, amount=Owner.EITHER)
    both_then(desk, amount=150)
    desk.state(name="Trips")
    assert desk.run().verified
    assert desk.held.model.amount == usd(150)

    desk.state(amount=usd(130))

    assert desk.run().verified
    assert desk.held.model.amount == usd(130)
