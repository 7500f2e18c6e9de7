from decimal import Decimal

import pytest

from canonical.amount import Amount
from canonical.errors import CanonicalError, Inexact, UnitMismatch, UnknownUnit


def usd(number):
    return Amount.of(number, "USD")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-inf", "ten", "", "1,000.00", None, 1.5])
def test_what_is_no_exact_number_is_refused(number):
    with pytest.raises((CanonicalError, TypeError)):
        Amount.of(number, "USD")


def test_a_float_is_refused_with_what_to_write_instead():
    with pytest.raises(CanonicalError, match="float; write the amount as text or Decimal"):
        usd(0.1)


def test_an_unknown_unit_names_the_right_spelling():
    with pytest.raises(UnknownUnit, match="write USD"):
        Amount.of("1", "usd ")


@pytest.mark.parametrize("code", ["XXX", "XTS"])
def test_a_code_in_which_nothing_is_paid_is_no_unit(code):
    with pytest.raises(UnknownUnit, match=code):
        Amount.of("1", code)


@pytest.mark.parametrize(
    ("unit", "minor", "text"),
    [("USD", 700, "7.00"), ("JPY", 700, "700"), ("KWD", 700, "0.700"), ("CLF", 700, "0.0700"),
     ("impressions", 700, "700"), ("BGN", 700, "7.00"), ("XAU", 700, "700")],
)  # fmt: skip
def test_each_unit_has_its_own_smallest_part(unit, minor, text):
    amount = Amount.from_minor(minor, unit)
    assert amount.text() == text
    assert amount.minor() == minor


def test_more_digits_than_the_unit_has_are_not_cut():
    with pytest.raises(Inexact):
        usd("1.005").minor()
    assert usd("1.005").text() == "1.005"


@pytest.mark.parametrize("digits", ["1E+3", "1000", "1000.00", "1000.0000"])
def test_text_is_plain_digits_however_it_was_written(digits):
    assert usd(digits).text() == "1000.00"


def test_zero_has_one_text_whatever_its_sign():
    assert {usd("-0.00").text(), usd("0.00").text()} == {"0.00"}


def test_rounding_goes_half_to_even():
    assert [usd(n).rounded().text() for n in ("0.005", "0.015", "-0.025")] == [
        "0.00", "0.02", "-0.02",
    ]  # fmt: skip


def test_a_target_may_hold_fewer_digits_than_the_unit():
    assert usd("12.50").rounded(0) == usd("12")


def test_the_rest_of_a_split_goes_to_the_largest_remainders_first_of_equals():
    assert [share.minor() for share in usd("1.00").split([1, 1, 1])] == [34, 33, 33]
    assert [share.minor() for share in usd("1.00").split([1, 2])] == [33, 67]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [Decimal(-1), 3]])
def test_weights_that_share_nothing_are_refused(weights):
    with pytest.raises(CanonicalError):
        usd("1.00").split(weights)


def test_units_are_never_mixed():
    euro = Amount.of("1", "EUR")
    for mix in (
        lambda: usd("1") + euro,
        lambda: usd("1") - euro,
        lambda: usd("1") < euro,
        lambda: usd("1") <= euro,
    ):
        with pytest.raises(UnitMismatch):
            mix()
    assert usd("1") != euro


def test_a_sum_too_long_to_be_exact_is_an_error_and_not_another_number():
    with pytest.raises(ArithmeticError):
        usd("1E+60") + usd("0.01")


def test_rounding_keeps_every_digit_of_a_long_amount():
    long = "123456789012345678901234567890"
    assert usd(f"{long}.125").rounded().text() == f"{long}.12"


def test_amounts_are_turned_round_and_put_in_order():
    assert -usd("1.00") == usd("-1.00")
    assert abs(usd("-1.00")) == abs(usd("1.00")) == usd("1.00")
    assert sorted([usd("2"), usd("-1"), usd("1")]) == [usd("-1"), usd("1"), usd("2")]
    assert usd("1") <= usd("1.00")
    assert not usd("1") < usd("1.00")
