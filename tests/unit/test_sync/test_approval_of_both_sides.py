"""What an approval lets through, where the source is changed too."""

from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Cadence
from canonical.side import Side
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.fields import Fields, Owner
from sync.outcome import Exit
from sync.spec import Approval, Limit, Limits, SyncSpec
from sync.state.approvals import Approvals
from sync.state.author import Author
from sync.state.store import Store

NOW, DAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)


def usd(number):
    return Amount.of(number, "USD")


class Desk:
    """A source and a target of ten budgets each, whose amount either may move."""

    def __init__(self, folder, approval):
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)
        self.source, self.target, self.approval = Memory("erp"), Memory("shop"), None
        for n in range(10):
            self.source.put(
                Budget(ref=f"B{n}", name=f"B{n}", amount=usd(1000), cadence=Cadence.MONTHLY)
            )
        assert self.run().verified
        self.approval = approval

    def run(self):
        fields = Fields(words={(Kind.BUDGET, "amount"): Owner.EITHER})
        spec = SyncSpec(name="s", source="erp", target="shop", limits=OPEN, parallel=1,
                        fields=fields, approval=self.approval)  # fmt: skip
        engine = Engine(spec, self.source, self.target, self.store, now=lambda: NOW)
        return engine.run(DAY, command="run")

    def approve(self):
        request = Approvals(self.store).open_of("s")
        Approvals(self.store).approve(request, Author("ada", "h"), None, alone=True)

    def held(self, name):
        found = [item for page in self.target.list(Kind.BUDGET) for item in page.items]
        return next(item for item in found if item.model.name == name)

    def stated(self, name):
        found = [item for page in self.source.list(Kind.BUDGET) for item in page.items]
        return next(item for item in found if item.model.name == name)


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path, Approval())
    with closing(desk.store):
        yield desk


def test_one_object_changed_on_both_sides_is_approved_side_by_side(desk):
    desk.source.edit("B0", description="new words")
    desk.target.edit(desk.held("B0").id, amount=usd(1200))
    assert desk.run().exit_code == Exit.GUARD
    desk.approve()
    desk.target.edit(desk.held("B0").id, amount=usd(9_000_000))

    report = desk.run()

    assert desk.stated("B0").model.amount == usd(1000)
    assert report.exit_code == Exit.GUARD


def test_one_object_changed_on_both_sides_is_applied_on_both(desk):
    desk.source.edit("B0", description="new words")
    desk.target.edit(desk.held("B0").id, amount=usd(1200))
    desk.run()
    desk.approve()

    report = desk.run()

    assert {(each.side, each.outcome) for each in report.operations} == {
        (Side.SOURCE, "applied"),
        (Side.TARGET, "applied"),
    }
    assert report.verified


def test_money_that_would_move_in_the_source_needs_an_approval_too(desk):
    desk.approval = Approval(Limit(Decimal("0.1")))
    desk.target.edit(desk.held("B0").id, amount=usd(9_000))

    report = desk.run()

    assert report.exit_code == Exit.GUARD
    assert desk.stated("B0").model.amount == usd(1000)
    assert "in the source" in report.asked.reason


def test_a_guard_that_the_approver_saw_of_one_object_lets_no_other_one_pass(desk):
    for name, spent in (("B0", 900), ("B1", 0)):
        desk.target.spend(desk.held(name).id, usd(spent))
    desk.source.edit("B0", amount=usd(500))
    desk.source.edit("B1", amount=usd(500))
    report = desk.run()
    assert [(each.rule, each.actual) for each in report.plan.guards] == [("below_spent", "1")]
    desk.approve()
    desk.source.edit("B0", amount=usd(1000))
    desk.target.spend(desk.held("B1").id, usd(900))

    report = desk.run()

    assert desk.held("B1").model.amount == usd(1000)
    assert report.exit_code == Exit.GUARD
