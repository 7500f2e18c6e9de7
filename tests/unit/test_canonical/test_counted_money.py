"""Money over time: what counts on a day, what counts in a year, and from when on another counts."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.money import Counted, Move, counted_on, counted_throughout, moves, said
from canonical.period import Cadence

DAY = date(2026, 3, 1)


def money(amount, unit="USD", cadence="monthly", start=None, end=None, phases=None):
    return amount, unit, cadence, start, end, phases


@pytest.mark.parametrize(
    ("cadence", "in_a_year"),
    [("monthly", 1200), ("quarterly", 400), ("yearly", 100)],
)
def test_a_year_holds_as_many_amounts_as_periods(cadence, in_a_year):
    assert Counted(Decimal(100), "USD", Cadence(cadence)).in_a_year() == in_a_year


def test_what_counts_every_day_counts_each_day_of_a_mean_year():
    assert Counted(Decimal(1), "USD", Cadence.DAILY).in_a_year() == Fraction(146_097, 400)


def test_what_counts_once_counts_whole_unless_it_lasts_for_more_than_a_year():
    assert Counted(Decimal(100), "USD", Cadence.ONCE, 366).in_a_year() == 100
    assert Counted(Decimal(100), "USD", Cadence.ONCE, 367).in_a_year() < 100
    assert Counted(Decimal(100), "USD", Cadence.ONCE).in_a_year() == 100


def test_a_span_that_is_not_known_is_that_of_what_it_is_compared_with():
    known, unknown = (Counted(Decimal(10), "USD", Cadence.ONCE, days) for days in (30, None))
    assert unknown.length(known) == 30
    assert unknown.in_terms_of(known) == 10


def test_the_span_of_what_ends_before_it_begins_is_not_known():
    backwards = Budget(
        ref="A",
        name="A",
        amount=Amount.of(5, "USD"),
        start=date(2026, 1, 1),
        end=date(2025, 12, 31),
    )
    assert counted_throughout(backwards).days is None
    was = counted_on(money("5.00", cadence="once", start="2026-01-01", end="2025-12-31"), DAY)
    will = Counted(Decimal(5), "USD", Cadence.ONCE, 30)
    assert was is None or was.in_terms_of(will) == 5


def test_without_an_amount_or_without_a_unit_nothing_counts():
    assert counted_on(money(None), DAY) is None
    assert counted_on(money("5.00", unit=None), DAY) is None


def test_what_counted_on_neither_side_does_not_move():
    nothing, other = money(None, start="2026-01-01"), money(None, start="2026-02-01")
    assert moves(nothing, other, DAY) == ()


def test_what_ends_moves_to_nothing_and_what_begins_from_nothing():
    counted = Counted(Decimal("5.00"), "USD", Cadence.MONTHLY)
    assert moves(money("5.00"), money(None), DAY) == (Move(DAY, counted, None),)
    assert moves(None, money("5.00"), DAY) == (Move(DAY, None, counted),)


def test_another_currency_of_the_same_number_moves_all_of_it():
    (move,) = moves(money("5.00"), money("5.00", unit="EUR"), DAY)
    assert (move.base, move.step, move.share) == (0, 5, None)


def test_what_is_gone_moves_down_by_all_of_it():
    (move,) = moves(money("5.00"), None, DAY)
    assert (move.base, move.step, move.share, move.unit) == (5, -5, 1, "USD")


def test_a_later_phase_that_moves_is_told_from_its_first_day_and_an_earlier_one_is_not():
    def phased(march, june):
        phases = (("2026-01-01..2026-05-31", march), ("2026-06-01..", june))
        return money(None, phases=phases)

    (move,) = moves(phased("5.00", "5.00"), phased("5.00", "9.00"), DAY)
    assert (move.day, move.step) == (date(2026, 6, 1), 4)
    assert moves(phased("1.00", "5.00"), phased("2.00", "5.00"), date(2026, 6, 1)) == ()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (Decimal(1234567), "1,234,567"),
        (Decimal("1234.5"), "1,234.50"),
        (Decimal("0.005"), "0.00"),
        (Fraction(10, 3), "3.33"),
        (Fraction(-5000), "-5,000"),
    ],
)
def test_people_see_thousands_apart_and_two_digits(number, words):
    assert said(number) == words
