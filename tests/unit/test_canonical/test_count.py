from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.count import calendar_periods, own_periods, uncountable
from canonical.period import Cadence, Period, period_of, periods

CALENDAR = [each for each in Cadence if each is not Cadence.ONCE]


def day(text):
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("cadence", "first", "last", "own"),
    [
        ("monthly", "2026-01-31", "2026-02-27", 1),
        ("monthly", "2026-01-31", "2026-02-28", 2),
        ("monthly", "2026-01-31", "2026-04-30", 4),
        ("monthly", "2026-01-15", "2026-02-14", 1),
        ("quarterly", "2026-01-15", "2027-01-14", 4),
        ("quarterly", "2026-01-15", "2027-01-15", 5),
        ("yearly", "2024-02-29", "2025-02-27", 1),
        ("yearly", "2024-02-29", "2025-02-28", 2),
        ("weekly", "2026-01-07", "2026-01-20", 2),
        ("daily", "2026-01-07", "2026-01-20", 14),
    ],
)
def test_own_periods_begin_on_the_day_of_the_first(cadence, first, last, own):
    assert own_periods(Cadence(cadence), day(first), day(last)) == own


@given(
    st.sampled_from(CALENDAR),
    st.dates(date(2000, 1, 1), date(2100, 1, 1)),
    st.integers(0, 900),
    st.integers(1, 12),
)
def test_as_many_of_the_calendar_are_counted_as_it_has(cadence, first, days, year_starts):
    last = first + timedelta(days=days)
    listed = [*periods(cadence, first, last, year_starts)]
    assert calendar_periods(cadence, first, last, year_starts) == len(listed)


@given(st.sampled_from(CALENDAR), st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 900))
def test_what_begins_with_a_period_counts_as_often_either_way(cadence, first, days):
    first = period_of(cadence, first).start
    last = first + timedelta(days=days)
    assert own_periods(cadence, first, last) == calendar_periods(cadence, first, last)


def budget(cadence, first, last, *phases):
    hundred = Amount.of(100, "USD")
    stretches = tuple(Phase(Period(day(a), day(b)), hundred) for a, b in phases)
    return Budget(ref="B", name="B", amount=hundred, cadence=Cadence(cadence), start=day(first),
                  end=last and day(last), phases=stretches)  # fmt: skip


def test_a_year_of_quarters_from_the_fifteenth_is_four_or_five():
    reason = uncountable(budget("quarterly", "2026-01-15", "2027-01-14"))
    assert reason == "2026-01-15..2027-01-14 holds 4 quarterly periods of its own and touches 5"


@pytest.mark.parametrize(
    "counted",
    [
        budget("quarterly", "2026-01-15", "2026-12-31"),
        budget("monthly", "2026-01-31", None),
        budget("once", "2026-01-15", "2027-01-14"),
        budget("monthly", "2026-01-01", "2026-01-14"),
        budget("yearly", "2026-04-01", "2028-03-31"),
    ],
)
def test_what_counts_as_often_either_way_is_clear(counted):
    assert uncountable(counted) is None


def test_each_phase_is_counted_by_itself():
    phases = ("2026-01-01", "2026-02-28"), ("2026-03-20", "2026-04-19")
    assert "2026-03-20" in str(uncountable(budget("monthly", "2026-01-01", None, *phases)))
