"""Amounts: no path loses, makes or rounds a cent that the caller did not name."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from canonical.amount import Amount
from canonical.currency import exponent

UNITS = st.sampled_from(["USD", "JPY", "KWD", "CLF", "impressions"])
MINORS = st.integers(-(10**15), 10**15)
WEIGHTS = st.lists(st.integers(0, 10**6) | st.decimals(0, 100, places=3), min_size=1).filter(any)


@given(MINORS, UNITS)
def test_minor_units_make_the_round_trip(minor, unit):
    assert Amount.from_minor(minor, unit).minor() == minor


@given(MINORS, UNITS)
def test_text_reads_back_as_the_same_amount_in_plain_digits(minor, unit):
    amount = Amount.from_minor(minor, unit)
    assert Amount.of(amount.text(), unit) == amount
    assert "E" not in amount.text()


@given(st.decimals(-(10**12), 10**12, allow_nan=False), UNITS)
def test_text_has_the_units_own_fraction_and_drops_no_digit(number, unit):
    text = Amount.of(number, unit).text()
    assert Decimal(text) == number
    assert len(text.partition(".")[2]) >= exponent(unit)


@given(st.decimals(-(10**9), 10**9, places=6), st.integers(0, 4), UNITS)
def test_one_value_has_one_text_however_many_zeros_were_written(number, zeros, unit):
    padded = Decimal(f"{number}{'0' * zeros}")
    assert Amount.of(padded, unit).text() == Amount.of(number, unit).text()


@given(MINORS, WEIGHTS, UNITS)
def test_shares_sum_to_the_whole(minor, weights, unit):
    shares = Amount.from_minor(minor, unit).split(weights)
    assert len(shares) == len(weights)
    assert sum(share.minor() for share in shares) == minor


@given(MINORS, WEIGHTS)
def test_no_share_is_a_whole_unit_away_from_its_exact_part(minor, weights):
    total = sum(Decimal(weight) for weight in weights)
    for share, weight in zip(Amount.from_minor(minor, "USD").split(weights), weights, strict=True):
        assert abs(share.minor() * total - Decimal(minor) * weight) < total


@given(MINORS, WEIGHTS)
def test_a_reversal_cancels_share_by_share(minor, weights):
    there, back = (Amount.from_minor(sign * minor, "USD").split(weights) for sign in (1, -1))
    assert [-share for share in there] == list(back)


@given(MINORS, MINORS, UNITS)
def test_subtraction_undoes_addition(one, other, unit):
    first, second = Amount.from_minor(one, unit), Amount.from_minor(other, unit)
    assert first + second - second == first


@given(st.decimals(-(10**9), 10**9, places=6), UNITS)
def test_rounding_moves_by_at_most_half_a_unit_and_only_once(number, unit):
    amount = Amount.of(number, unit)
    rounded = amount.rounded()
    assert abs(rounded.value - amount.value) * 2 <= Decimal(1).scaleb(-exponent(unit))
    assert rounded.rounded() == rounded
    assert amount.is_exact() == (rounded == amount)
