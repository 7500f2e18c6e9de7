"""What the target shows for some days in place of what the source states for them."""

from datetime import date

import pytest

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.period import Cadence, Period
from sync.overlay import covering, overlaid

JANUARY, MARCH, APRIL = date(2026, 1, 1), date(2026, 3, 1), date(2026, 4, 1)


def usd(number):
    return Amount.of(number, "USD")


def phase(start, end, number):
    return Phase(Period(start, end), usd(number))


def budget(**said):
    return Budget(ref="B", name="B", cadence=Cadence.MONTHLY, **{"amount": usd(10)} | said)


OF_MARCH = phase(MARCH, date(2026, 3, 31), 25)


def test_one_amount_is_cut_where_another_counts_for_a_part_of_its_time():
    made = overlaid(budget(start=JANUARY), [OF_MARCH])

    assert made.amount == usd(10)
    assert made.phases == (phase(JANUARY, date(2026, 2, 28), 10), OF_MARCH, phase(APRIL, None, 10))


def test_pieces_of_one_amount_that_follow_each_other_are_one():
    pieces = [OF_MARCH, phase(APRIL, date(2026, 4, 30), 25)]

    made = overlaid(budget(start=MARCH, end=date(2026, 4, 30)), pieces)

    assert (made.amount, made.phases) == (usd(25), ())


def test_the_amount_of_the_time_before_the_first_phase_is_moved_by_itself():
    stated = budget(start=JANUARY, phases=(phase(APRIL, None, 40),))

    made = overlaid(stated, [phase(JANUARY, date(2026, 3, 31), 12)])

    assert (made.amount, made.phases) == (usd(12), (phase(APRIL, None, 40),))


def test_the_time_before_the_first_phase_is_cut_like_a_phase():
    stated = budget(start=JANUARY, phases=(phase(APRIL, None, 40),))

    made = overlaid(stated, [OF_MARCH])

    before = phase(JANUARY, date(2026, 2, 28), 10)
    assert (made.amount, made.phases) == (usd(10), (before, OF_MARCH, phase(APRIL, None, 40)))


@pytest.mark.parametrize("stated", [budget(), budget(start=JANUARY, amount=None)])
def test_what_states_no_amount_or_no_time_is_as_it_was(stated):
    assert overlaid(stated, [OF_MARCH]) is stated
    assert covering(stated, MARCH) is None


def test_the_stretch_that_holds_a_day_is_found():
    stated = budget(start=JANUARY, phases=(phase(MARCH, date(2026, 3, 31), 40),))

    assert covering(stated, date(2026, 3, 31)).amount == usd(40)
    assert covering(stated, date(2026, 2, 28)).amount == usd(10)
    assert covering(stated, APRIL) is None
