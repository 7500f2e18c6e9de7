"""What no calendar or arithmetic can hold: that object is blocked, and all others go on."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind, Op
from canonical.period import Cadence, period_of
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.spec import Limits, SyncSpec
from sync.state.store import Store

NOW = datetime(2026, 3, 18, tzinfo=UTC)
OPEN = Limits(
    max_changes=None, max_removals=None, max_money=None, max_budget_change=None, min_listing=None
)


class Failing(Memory):
    """Fails at the budget that is called "Beyond", as long as it is asked about it."""

    error: Exception | None = None
    at_sending = False

    def _reckon(self, model):
        if getattr(model, "name", "") == "Beyond" and not self.at_sending:
            if self.error:
                raise self.error
            period_of(Cadence.MONTHLY, date.max)

    def fit(self, model, until):
        self._reckon(model)
        return model, ()

    def objections(self, model):
        self._reckon(model)
        return ()

    def create(self, draft, key):
        if draft.model.name == "Beyond" and self.error is not None:
            raise self.error
        return super().create(draft, key)

    def disown(self, kind, id, model, agreed):
        self._reckon(model)


@pytest.fixture
def target():
    return Failing("target")


@pytest.fixture
def run(tmp_path, target):
    source = Memory("erp")
    with closing(Store.open("sqlite:///state.db", tmp_path, lambda: NOW)) as store:

        def ran(*budgets):
            source.put(*budgets)
            spec = SyncSpec(name="s", source="erp", target="target", limits=OPEN)
            engine = Engine(spec, source, target, store, now=lambda: NOW)
            return engine.run(NOW.date(), command="test")

        yield ran


def budget(ref, name="", amount=1):
    return Budget(ref=ref, name=name or ref, amount=Amount.of(amount, "USD"))


def held(target):
    return sorted(item.model.name for page in target.list(Kind.BUDGET) for item in page.items)


def blocked(report):
    return [
        (each.ref, each.losses[0].reason) for each in report.plan.changes if each.op is Op.BLOCKED
    ]


def test_one_that_cannot_be_reckoned_with_is_blocked_and_the_others_are_made(run, target):
    report = run(budget("a", "Beyond"), budget("b"))
    assert held(target) == ["b"]
    ((ref, reason),) = blocked(report)
    assert ref == "a"
    assert "cannot be reckoned with: the calendar has no day 1 months from 9999-12-01" in reason


@pytest.mark.parametrize("error", [OverflowError("date value out of range"), ZeroDivisionError()])
def test_so_is_one_whose_arithmetic_fails(run, target, error):
    target.error = error
    assert [ref for ref, _ in blocked(run(budget("a", "Beyond"), budget("b")))] == ["a"]
    assert held(target) == ["b"]


def test_one_that_is_there_stays_as_it_is_while_it_cannot_be_reckoned_with(run, target):
    run(budget("a"), budget("b"))
    report = run(budget("a", "Beyond", 2), budget("b", amount=3))
    assert [ref for ref, _ in blocked(report)] == ["a"]
    assert held(target) == ["a", "b"]


def test_what_fails_before_its_call_leaves_is_refused_and_the_others_are_made(run, target):
    target.at_sending, target.error = True, OverflowError("date value out of range")
    report = run(budget("a", "Beyond"), budget("b"))
    assert {each.ref: each.outcome for each in report.operations} == {
        "a": "rejected",
        "b": "applied",
    }
    assert held(target) == ["b"]
