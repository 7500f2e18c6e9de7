"""Periods: every day is in exactly one, and what is in force follows the calendar."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import facts
from canonical.period import Cadence, Period, add_months, period_of, periods

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))
CUT = st.sampled_from([each for each in Cadence if each is not Cadence.ONCE])
MONTHS = st.integers(1, 12)
SPANS = st.tuples(DAYS, st.integers(0, 500)).map(lambda it: (it[0], it[0] + timedelta(days=it[1])))


@given(CUT, DAYS, MONTHS)
def test_a_day_is_in_its_period_and_every_day_of_it_says_the_same(cadence, day, starts):
    whole = period_of(cadence, day, starts)
    assert day in whole
    assert period_of(cadence, whole.start, starts) == whole
    assert period_of(cadence, whole.end, starts) == whole


@given(CUT, DAYS, MONTHS)
def test_the_day_after_a_period_begins_another(cadence, day, starts):
    whole = period_of(cadence, day, starts)
    following = period_of(cadence, whole.end + timedelta(days=1), starts)
    assert following.start == whole.end + timedelta(days=1)
    assert not following.overlaps(whole)


@given(st.sampled_from([Cadence.QUARTERLY, Cadence.YEARLY]), DAYS, MONTHS)
def test_a_fiscal_period_begins_in_step_with_its_year(cadence, day, starts):
    length = 3 if cadence is Cadence.QUARTERLY else 12
    first = period_of(cadence, day, starts).start
    assert first.day == 1
    assert (first.month - starts) % length == 0


@given(st.sampled_from(Cadence), SPANS, MONTHS)
def test_periods_cover_a_span_without_gap_or_overlap(cadence, span, starts):
    first, last = span
    cut = list(periods(cadence, first, last, starts))
    assert (cut[0].start, cut[-1].end) == span
    for one, following in pairwise(cut):
        assert following.start == one.end + timedelta(days=1)


@given(DAYS.map(lambda day: day.replace(day=1)), st.integers(-200, 200))
def test_months_go_back_as_they_went_forward(first, months):
    there = add_months(first, months)
    assert there.day == 1
    assert add_months(there, -months) == first
    assert (there.year - first.year) * 12 + there.month - first.month == months


PHASES = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 30)), min_size=1, max_size=6)


def _phased(begins, stretches):
    """A budget with phases of the given lengths and gaps, numbered by amount."""
    day, phases = begins, []
    for number, (length, gap) in enumerate(stretches):
        end = day + timedelta(days=length - 1)
        phases.append(Phase(Period(day, end), Amount.of(number, "USD")))
        day = end + timedelta(days=gap + 1)
    return Budget(ref="B", name="B", amount=Amount.of(999, "USD"), phases=tuple(phases))


@given(DAYS, PHASES, st.integers(-100, 500))
def test_in_force_is_the_phase_begun_last_and_before_all_the_amount(begins, stretches, offset):
    budget, day = _phased(begins, stretches), begins + timedelta(days=offset)
    begun = [phase for phase in budget.phases if phase.period.start <= day]
    assert budget.in_force(day) == (begun[-1].amount if begun else budget.amount)


@st.composite
def in_months(draw):
    """A budget that states some months of two years, so few amounts that many are alike."""
    first = date(2026, draw(st.integers(1, 12)), 1)
    months = [*periods(Cadence.MONTHLY, first, date(2027, 12, 31))]
    amounts = draw(st.lists(st.sampled_from([None, 1, 2]), min_size=1, max_size=len(months)))
    stated = [(month, number) for month, number in zip(months, amounts, strict=False) if number]
    return Budget(
        ref="B",
        name="B",
        amount=Amount.of(1, "USD"),
        cadence=draw(st.sampled_from([Cadence.MONTHLY, Cadence.QUARTERLY, Cadence.YEARLY])),
        start=draw(st.sampled_from([first, None])),
        end=draw(st.sampled_from([None, months[len(amounts) - 1].end])),
        phases=tuple(Phase(month, Amount.of(number, "USD")) for month, number in stated),
    )


@given(in_months())
def test_budgets_with_the_same_facts_have_the_same_money_in_each_month(stated):
    joined, until = replace(stated, phases=stated.stretches()), date(2028, 3, 31)
    assert facts(joined) == facts(stated)
    if stated.stretches():
        assert joined.by_period(until) == stated.by_period(until)
    if stated.cadence is not Cadence.MONTHLY and stated.start is not None:
        assert facts(joined.restated(Cadence.MONTHLY, until)) == facts(
            stated.restated(Cadence.MONTHLY, until)
        )
