"""Rates: exact, rounded by name, and remembered as text."""

from datetime import date
from decimal import Decimal

import pytest

from canonical.amount import Amount
from canonical.rate import Converted, Rate, Rounding

RATE = Rate("EUR", "USD", Decimal("1.0850"), date(2026, 3, 2))


@pytest.mark.parametrize(
    ("stated", "rounding", "held"),
    [
        ("0.50", Rounding.HALF_EVEN, "0.54"),
        ("1.50", Rounding.HALF_EVEN, "1.63"),
        ("-1.50", Rounding.HALF_EVEN, "-1.63"),
        ("3.00", Rounding.HALF_UP, "3.26"),
        ("3.00", Rounding.HALF_EVEN, "3.26"),
        ("3.00", Rounding.DOWN, "3.25"),
        ("-3.00", Rounding.DOWN, "-3.25"),
    ],
)
def test_an_amount_is_rounded_once_as_named(stated, rounding, held):
    assert str(RATE.convert(Amount.of(stated, "EUR"), 2, rounding).value) == held


def test_no_digit_is_lost_before_it_is_rounded():
    rate = Rate("EUR", "USD", Decimal("1.0000000000000000001"))

    assert rate.exact(Decimal("123456789012.34")) == Decimal("123456789012.340000012345678901234")


def test_what_is_too_large_to_be_exact_is_an_arithmetic_error():
    with pytest.raises(ArithmeticError):
        RATE.convert(Amount(Decimal("9" * 119), "EUR"), 2, Rounding.DOWN)


def test_another_rate_of_the_same_statement_is_a_rate_that_moved():
    then = Converted(b"a", (RATE,), Rounding.DOWN).text()
    moved = Rate("EUR", "USD", Decimal("1.09"), RATE.day)

    assert Converted(b"a", (moved,), Rounding.DOWN).is_rated_anew(then)
    assert Converted(b"a", (RATE,), Rounding.HALF_UP).is_rated_anew(then)


def test_another_statement_or_another_day_of_the_rate_is_not():
    then = Converted(b"a", (RATE,), Rounding.DOWN).text()
    later = Rate("EUR", "USD", Decimal("1.0850"), date(2026, 3, 9))

    assert not Converted(b"b", (RATE,), Rounding.DOWN).is_rated_anew(then)
    assert not Converted(b"a", (later,), Rounding.DOWN).is_rated_anew(then)


@pytest.mark.parametrize("remembered", [None, "oops", "[]", "{}"])
def test_what_was_not_remembered_is_not(remembered):
    assert not Converted(b"a", (RATE,), Rounding.DOWN).is_rated_anew(remembered)
