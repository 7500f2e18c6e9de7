from datetime import date

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import ALLOCATION_FIELDS, BUDGET_FIELDS, facts
from canonical.period import Cadence, Period, periods

YEAR = Budget(
    ref="B",
    name="B",
    amount=Amount.of(100, "USD"),
    cadence=Cadence.MONTHLY,
    start=date(2026, 1, 1),
    end=date(2026, 12, 31),
)


def fact(budget, field):
    return facts(budget)[BUDGET_FIELDS.index(field)]


def monthly(*amounts):
    months = periods(Cadence.MONTHLY, date(2026, 1, 1), date(2026, 12, 31))
    return tuple(
        Phase(month, Amount.of(each, "USD")) for month, each in zip(months, amounts, strict=False)
    )


def test_twelve_months_of_the_budgets_own_amount_are_no_phases():
    assert facts(replace(YEAR, phases=monthly(*[100] * 12))) == facts(YEAR)


@pytest.mark.parametrize(
    "phases",
    [
        monthly(*[100] * 11),
        monthly(*[100] * 12)[1:],
        monthly(*[90] * 12),
        (Phase(Period(date(2026, 1, 1)), Amount.of(100, "USD")),),
    ],
    ids=["ends sooner", "begins later", "another amount", "never ends"],
)
def test_phases_that_say_more_than_the_budget_are_a_fact(phases):
    assert fact(replace(YEAR, phases=phases), "phases") is not None


def test_an_amount_is_one_fact_however_finely_it_is_stated():
    months = monthly(5, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7)
    stretches = (
        Phase(Period(date(2026, 1, 1), date(2026, 3, 31)), Amount.of("5.00", "USD")),
        Phase(Period(date(2026, 4, 1), date(2026, 12, 31)), Amount.of(7, "USD")),
    )
    assert fact(replace(YEAR, phases=months), "phases") == (
        ("2026-01-01..2026-03-31", "5.00"),
        ("2026-04-01..2026-12-31", "7.00"),
    )
    assert facts(replace(YEAR, phases=months)) == facts(replace(YEAR, phases=stretches))


SHARE = Allocation(
    ref="a",
    budget="B",
    entity=Entity("user", "ada"),
    amount=Amount.of(100, "USD"),
    cadence=Cadence.MONTHLY,
    start=date(2026, 1, 1),
    end=date(2026, 12, 31),
)


def share_fact(share):
    return facts(share)[ALLOCATION_FIELDS.index("phases")]


def test_phases_of_a_share_are_a_fact_as_those_of_a_budget_are():
    months = monthly(5, 5, 5, 7, 7, 7, 7, 7, 7, 7, 7, 7)
    assert share_fact(replace(SHARE, phases=months)) == fact(replace(YEAR, phases=months), "phases")


def test_twelve_months_of_a_shares_own_amount_are_no_phases():
    assert facts(replace(SHARE, phases=monthly(*[100] * 12))) == facts(SHARE)
