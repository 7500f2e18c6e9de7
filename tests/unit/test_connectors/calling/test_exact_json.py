from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.calling.exact_json import UNREADABLE, read, written

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | DECIMALS | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(VALUES)
def test_what_is_written_is_read_back_as_it_was(value):
    assert read(written(value).encode("ascii")) == value


def test_a_number_keeps_its_digits():
    assert written({"amount": Decimal("12345678901234567890.10")}) == (
        '{"amount":12345678901234567890.10}'
    )
    assert str(read(b"0.10")) == "0.10"


def test_a_date_is_its_iso_text():
    assert written([date(2026, 3, 1)]) == '["2026-03-01"]'


@pytest.mark.parametrize("value", [0.1, Decimal("NaN"), Decimal("Infinity"), {1}, b"x"])
def test_what_json_does_not_have_or_would_round_is_refused(value):
    with pytest.raises(TypeError, match="cannot be written as JSON"):
        written({"amount": value})


@pytest.mark.parametrize("raw", [b"", b"{", b"NaN", b"[" * 100_000])
def test_what_is_no_json_is_unreadable(raw):
    with pytest.raises(UNREADABLE):
        read(raw)
