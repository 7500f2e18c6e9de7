"""What documents of ERPNext state, period by period, to the cent."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.amount import Amount
from canonical.errors import CanonicalError
from canonical.period import Period
from connectors.contract.errors import Malformed
from connectors.erpnext.lines import exactly, line_of, lines_of, months_of
from connectors.erpnext.wire import (
    AccountBudget,
    AccountRow,
    DistributionRow,
    FiscalYear,
    MonthlyDistribution,
    PercentageRow,
    YearBudget,
)

YEAR = FiscalYear(name="2026", year_start_date=date(2026, 1, 1), year_end_date=date(2026, 12, 31))
JULY = FiscalYear(
    name="2026-2027", year_start_date=date(2026, 7, 1), year_end_date=date(2027, 6, 30)
)
NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def year(first, last):
    return FiscalYear(name="FY", year_start_date=first, year_end_date=last)


def distributed(amounts, total, periods=None):
    spans = periods or [(each.start, each.end) for each in months_of(YEAR)]
    rows = [
        DistributionRow(start_date=first, end_date=last, amount=Decimal(amount))
        for (first, last), amount in zip(spans, amounts, strict=False)
    ]
    return AccountBudget(
        name="BUDGET-1", account="Travel - AL", budget_amount=Decimal(total),
        budget_distribution=rows,
    )  # fmt: skip


def yearly(total, *, within=YEAR):
    row = AccountRow(account="Travel - AL", budget_amount=Decimal(total))
    return YearBudget(
        name="Sales - AL/2026/001", fiscal_year=within.name, monthly_distribution=None,
        accounts=[row],
    )  # fmt: skip


def shares(**percentages):
    """A Monthly Distribution; months that are not named have nothing."""
    return MonthlyDistribution(
        name="Seasons",
        percentages=[
            PercentageRow(month=month, percentage_allocation=Decimal(percent))
            for month, percent in percentages.items()
        ],
    )


def said(phases):
    return [phase.amount.text() for phase in phases]


def test_rows_that_come_to_the_amount_stay_as_they_are():
    amounts = ["5848.73", "6993.81", "-120.05", "0.00"]
    line = line_of(distributed(amounts, "12722.49"), "USD")
    assert said(line.phases) == amounts
    assert line.phases[0].period == Period(date(2026, 1, 1), date(2026, 1, 31))


def test_rows_of_three_digits_are_settled_to_the_cent_of_the_amount():
    line = line_of(distributed(["83.333"] * 12, "1000.0"), "USD")
    assert said(line.phases) == ["83.34"] * 4 + ["83.33"] * 8


@pytest.mark.parametrize(
    ("unit", "total", "each"), [("JPY", "1000", "83.333"), ("KWD", "1", "0.083")]
)
def test_each_currency_is_settled_to_its_own_smallest_unit(unit, total, each):
    phases = line_of(distributed([each] * 12, total), unit).phases
    assert sum((phase.amount.value for phase in phases), Decimal(0)) == Decimal(total)


def test_rows_that_miss_the_amount_by_what_erpnext_allows_are_brought_to_it():
    line = line_of(distributed(["100.00", "200.00"], "300.10"), "USD")
    assert sum((phase.amount.value for phase in line.phases), Decimal(0)) == Decimal("300.10")
    assert said(line.phases) == ["100.03", "200.07"]


@pytest.mark.parametrize("total", ["300.11", "299.89", "0", "3000"])
def test_rows_that_miss_it_by_more_are_not_read(total):
    with pytest.raises(Malformed, match=r"its rows come to 300, .*distribute all of it"):
        line_of(distributed(["100.00", "200.00"], total), "USD")


def test_rows_below_zero_are_settled_as_those_above():
    line = line_of(distributed(["-83.333"] * 12, "-1000"), "USD")
    assert sum((phase.amount.value for phase in line.phases), Decimal(0)) == -1000
    assert {phase.amount.text() for phase in line.phases} == {"-83.33", "-83.34"}


def test_an_amount_with_more_digits_than_its_currency_is_not_rounded():
    with pytest.raises(CanonicalError, match="more than 2 digits"):
        line_of(distributed(["100.005"], "100.005"), "USD")


def test_rows_that_overlap_are_not_read():
    twice = [(date(2026, 1, 1), date(2026, 1, 31)), (date(2026, 1, 31), date(2026, 2, 28))]
    with pytest.raises(Malformed, match="count on 2026-01-31"):
        line_of(distributed(["1", "2"], "3", twice), "USD")


def test_a_row_that_ends_before_it_begins_is_not_read():
    with pytest.raises(Malformed, match="before its start"):
        line_of(distributed(["1"], "1", [(date(2026, 2, 1), date(2026, 1, 1))]), "USD")


@pytest.mark.parametrize("wrong", ["NaN", "Infinity"])
def test_a_number_that_nobody_can_reckon_with_is_not_read(wrong):
    with pytest.raises((Malformed, CanonicalError)):
        line_of(distributed([wrong], "1"), "USD")
    with pytest.raises((Malformed, CanonicalError)):
        line_of(distributed(["1"], wrong), "USD")
    with pytest.raises((Malformed, CanonicalError)):
        list(lines_of(yearly("1"), YEAR, shares(January=wrong), "USD"))


@given(
    st.lists(st.decimals(-(10**9), 10**9, places=3), min_size=1, max_size=40),
    st.decimals(-10, 10, places=2),
)
def test_settled_rows_come_to_the_amount_and_none_is_a_cent_off_more_than_is_missing(rows, off):
    total = Amount.of(sum(rows, off).quantize(Decimal("0.01")), "USD")
    try:
        found = exactly(total, rows)
    except Malformed:
        assert not any(rows)
        return
    assert sum((each.value for each in found), Decimal(0)) == total.value
    most = abs(total.value - sum(rows)) + Decimal("0.01")
    assert all(abs(each.value - row) <= most for each, row in zip(found, rows, strict=True))


def test_a_year_without_a_distribution_is_a_years_amount_and_may_be_twelfths():
    (line,) = lines_of(yearly("1000.00"), YEAR, None, "USD")
    assert [(phase.period, phase.amount.text()) for phase in line.phases] == [
        (Period(date(2026, 1, 1), date(2026, 12, 31)), "1000.00")
    ]
    assert said(line.months) == ["83.34"] * 4 + ["83.33"] * 8


def test_percentages_are_of_the_months_by_name_and_the_year_is_exact():
    third = dict.fromkeys(NAMES, "8.333") | {"December": "8.337"}
    (line,) = lines_of(yearly("1000.01"), YEAR, shares(**third), "USD")
    assert sum((phase.amount.value for phase in line.phases), Decimal(0)) == Decimal("1000.01")
    assert line.months == ()


def test_a_fiscal_year_has_its_own_first_month():
    by = shares(July="50", January="30", June="20")
    (line,) = lines_of(yearly("100", within=JULY), JULY, by, "USD")
    stated = {phase.period.start: phase.amount.text() for phase in line.phases}
    assert (stated[date(2026, 7, 1)], stated[date(2027, 1, 1)]) == ("50.00", "30.00")
    assert (stated[date(2027, 6, 1)], stated[date(2026, 8, 1)]) == ("20.00", "0.00")


@pytest.mark.parametrize(
    ("percentages", "said"),
    [
        ({"January": "50"}, r"50 % to the months of '2026'"),
        ({"January": "60", "February": "60"}, "120 %"),
        ({"January": "150", "February": "-50"}, "below zero"),
        ({"Janvier": "100"}, "no month"),
    ],
)
def test_a_distribution_that_is_not_all_of_the_year_is_named(percentages, said):
    with pytest.raises(Malformed, match=f"'Seasons'.*{said}"):
        list(lines_of(yearly("100"), YEAR, shares(**percentages), "USD"))


def test_a_month_that_a_distribution_has_twice_is_named():
    row = PercentageRow(month="May", percentage_allocation=Decimal(50))
    with pytest.raises(Malformed, match="twice"):
        list(
            lines_of(
                yearly("1"), YEAR, MonthlyDistribution(name="M", percentages=[row, row]), "USD"
            )
        )


def test_a_short_year_has_fewer_months_and_all_of_its_amount():
    short = year(date(2026, 4, 1), date(2026, 6, 30))
    (line,) = lines_of(yearly("100", within=short), short, None, "USD")
    assert said(line.months) == ["33.34", "33.33", "33.33"]


def test_a_year_that_begins_within_a_month_is_cut_where_it_begins():
    found = months_of(year(date(2026, 4, 6), date(2027, 4, 5)))
    assert (len(found), found[0], found[-1]) == (
        12,
        Period(date(2026, 4, 6), date(2026, 5, 5)),
        Period(date(2027, 3, 6), date(2027, 4, 5)),
    )


def test_a_year_from_the_31st_has_each_month_once():
    found = months_of(year(date(2026, 1, 31), date(2027, 1, 30)))
    assert [each.start.month for each in found] == [*range(1, 13)]


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (date(2026, 1, 1), date(2025, 12, 31), "ends before it begins"),
        (date(1, 1, 1), date(9999, 12, 31), "more than 24 months"),
        (date(9999, 1, 1), date(9999, 12, 31), "beyond the calendar"),
    ],
)
def test_a_fiscal_year_of_no_calendar_is_not_read(first, last, said):
    with pytest.raises(Malformed, match=said):
        months_of(year(first, last))
