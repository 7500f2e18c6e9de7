"""A share whose amount differs by month, below a budget that does, at every vendor."""

from contextlib import ExitStack
from datetime import date

import pytest
from msgspec.structs import replace

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.kind import Kind, Op
from canonical.period import Cadence, period_of
from connectors.contract.capabilities import Hold, Phasing
from sync.outcome import Outcome
from tests.vendors.every_vendor import SHARED, Account

PARTIAL = frozenset({Outcome.OK, Outcome.PARTIAL})
HELD = {Phasing.CURRENT: 0, Phasing.CURRENT_AND_NEXT: 1, Phasing.PERIODS: 12, Phasing.ALL: 12}
RISING, FALLING = range(101, 113), range(112, 100, -1)


def months(amounts):
    return tuple(
        Phase(period_of(Cadence.MONTHLY, date(2026, n, 1)), Amount.of(amount, "USD"))
        for n, amount in enumerate(amounts, 1)
    )


def in_months(model, amounts):
    phases = months(amounts)
    said = {"phases": phases, "amount": phases[0].amount}
    if isinstance(model, Budget):
        said |= {"start": phases[0].period.start, "end": phases[-1].period.end}
    return replace(model, **said)


class Year(Account):
    """An account whose source states a year by the month."""

    def state(self, budget, share):
        """Let the source say those amounts of the two."""
        one, part = self.stated()
        self.source.put(in_months(one, budget), in_months(part, share))

    def writes(self):
        """A run that ends well, and how many calls of it changed something."""
        before = len(self.served.log)
        report = self.run()
        assert report.outcome in PARTIAL, report.to_data()
        assert report.verified, report.to_data()
        assert [each.error for each in report.operations if each.error] == []
        return sum(call["method"] not in ("GET", "HEAD") for call in self.served.log[before:])

    def held(self):
        """The share as the vendor shows it."""
        connector = self.opened()
        with connector.on(self.now().date()):
            pages = [*connector.list(Kind.BUDGET), *connector.list(Kind.ALLOCATION)]
        found = [
            item.model
            for page in pages
            for item in page.items
            if not isinstance(item.model, Budget) and item.model.entity == SHARED[self.name]
        ]
        (share,) = found
        return share

    def later(self, days):
        """Let days pass, for the vendor too."""
        self.sleep(days * 86_400)
        if clock := self.served.sandbox.controls().get("clock"):
            clock({"now": self.now().isoformat()})


@pytest.fixture(params=sorted(SHARED))
def year(request, tmp_path):
    with ExitStack() as stack:
        yield Year(request.param, tmp_path, stack)


def test_the_vendor_holds_as_much_of_a_shares_year_as_it_declares(year):
    year.state([1000] * 12, RISING)
    assert year.writes()
    share, able = year.held(), year.opened().capabilities
    assert Budget.of_share(share).in_force(year.now().date()) == Amount.of(103, "USD")
    assert len(share.phases) == HELD[able.share_phasing]
    assert (able.allocation.get("phases") is Hold.EXACT) == (len(share.phases) > 0)
    assert year.writes() == 0


def test_budget_and_share_may_both_rise_in_one_month_and_fall_in_another(year):
    year.state(RISING, RISING)
    year.writes()
    year.state(FALLING, FALLING)
    assert year.writes()
    assert Budget.of_share(year.held()).in_force(year.now().date()) == Amount.of(110, "USD")
    assert year.writes() == 0


def test_a_share_may_become_one_amount_and_many_again(year):
    year.state([1000] * 12, RISING)
    year.writes()
    year.state([1000] * 12, [50] * 12)
    assert year.writes()
    assert (year.held().amount, year.held().phases) == (Amount.of(50, "USD"), ())
    year.state([1000] * 12, FALLING)
    assert year.writes()
    assert Budget.of_share(year.held()).in_force(year.now().date()) == Amount.of(110, "USD")


def test_the_calendar_brings_the_next_month(year):
    year.state([1000] * 12, RISING)
    year.writes()
    year.later(31)
    writes = year.writes()
    assert (writes == 0) == (
        year.opened().capabilities.share_phasing in (Phasing.ALL, Phasing.PERIODS)
    )
    assert Budget.of_share(year.held()).in_force(year.now().date()) == Amount.of(104, "USD")
    assert year.writes() == 0


def test_a_month_below_zero_is_blocked_by_name_once_it_is_to_be_held(year):
    year.state([1000] * 12, [101, 102, -5, *RISING[3:]])
    plan = year.run().plan
    assert [each.op for each in plan.changes if each.kind is Kind.ALLOCATION] == [Op.BLOCKED]
    reasons = {
        name: reason for name, (_, reason) in plan.lossy.items() if name.startswith("blocked:")
    }
    assert reasons
    assert set(reasons) <= {"blocked:amount", "blocked:phases"}
    assert all("takes no amount below zero" in reason for reason in reasons.values())
