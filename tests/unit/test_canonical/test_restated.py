"""A budget restated in a finer cadence keeps its money, to the cent."""

from datetime import date
from decimal import Decimal

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.period import Cadence

YEAR = Budget(
    ref="B",
    name="B",
    amount=Amount(Decimal("1000.00"), "USD"),
    cadence=Cadence.YEARLY,
    start=date(2026, 1, 1),
    end=date(2026, 12, 31),
)


def test_a_year_becomes_twelve_months_that_sum_to_it() -> None:
    monthly = YEAR.restated(Cadence.MONTHLY, date(2027, 6, 30))

    assert monthly.cadence is Cadence.MONTHLY
    assert len(monthly.phases) == 12
    assert sum(phase.amount.value for phase in monthly.phases) == Decimal("1000.00")
    assert {phase.amount.text() for phase in monthly.phases} == {"83.33", "83.34"}
    assert monthly.amount == monthly.phases[0].amount


def test_equal_shares_stay_flat() -> None:
    even = Budget(
        ref="B", name="B", amount=Amount(Decimal(1200), "USD"), cadence=Cadence.YEARLY,
        start=date(2026, 1, 1), end=date(2026, 12, 31),
    ).restated(Cadence.MONTHLY, date(2027, 6, 30))  # fmt: skip

    assert (even.amount, even.phases) == (Amount(Decimal(100), "USD"), ())


def test_a_fiscal_quarter_splits_into_its_own_months() -> None:
    fiscal = Budget(
        ref="B", name="B", amount=Amount(Decimal("100.00"), "USD"), cadence=Cadence.QUARTERLY,
        start=date(2026, 2, 1), end=date(2026, 7, 31),
    ).restated(Cadence.MONTHLY, date(2027, 6, 30))  # fmt: skip

    shares = [phase.amount.text() for phase in fiscal.phases]
    assert shares == ["33.34", "33.33", "33.33"] * 2


def test_without_a_start_there_is_nothing_to_split() -> None:
    loose = Budget(ref="B", name="B", amount=Amount(Decimal(1), "USD"), cadence=Cadence.YEARLY)

    assert loose.restated(Cadence.MONTHLY, date(2027, 6, 30)) is loose
