"""What no state can hold, and no arithmetic, is one record's fault, at every vendor."""

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from pydantic import BaseModel

from canonical.amount import Amount
from canonical.problem import Problem
from canonical.traces import Traces
from connectors.calling.exact_json import listing, read
from connectors.calling.parsing import decoded, parsed
from connectors.contract.errors import Malformed


class Part(BaseModel):
    amount: Decimal | None = None
    count: int | None = None


class Wire(BaseModel):
    id: str
    name: str | None = None
    parts: list[Part] = []


class Shape(Struct):
    id: str
    name: str | None = None
    amount: int | None = None


class Dated(Struct):
    day: date
    amount: Decimal


def raw(**fields):
    return json.dumps({"id": "1", **fields}).encode()


def listed(**fields):
    """As a page of a thousand records hands it on."""
    (item,) = listing(b'{"items": [%s]}' % raw(**fields))["items"]
    return item


def both(**fields):
    """The same record to both readers."""
    return [
        lambda: parsed(Wire, read(raw(**fields))),
        lambda: decoded(Shape, listed(**fields)),
        lambda: decoded(Shape, read(raw(**fields))),
    ]


@pytest.mark.parametrize("bad", ["\x00", "\ud800", "a\udc00b"])
@pytest.mark.parametrize("field", ["id", "name"])
def test_a_text_that_no_state_holds_makes_a_record_unreadable(field, bad):
    for reading in both(**{field: f"x{bad}"}):
        with pytest.raises(Malformed, match=field):
            reading()


@pytest.mark.parametrize("bad", ["\x07", "\x1b", "\x7f", "\x9b"])
def test_a_control_character_makes_an_id_unreadable_and_is_left_out_of_a_name(bad):
    for reading in both(id=f"1{bad}"):
        with pytest.raises(Malformed, match=r"id: it should have no character U\+00"):
            reading()
    for reading in both(name=f"Ads{bad} and\ttrips\n"):
        assert reading().name == "Ads and\ttrips\n"


@pytest.mark.parametrize(
    "said", ["9" * 62, "1e999", "1e999999999999999999999", "9" * 5000, "-1e-200"]
)
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_number_beyond_all_arithmetic_makes_a_record_unreadable(said, quote):
    text = f'{{"id": "1", "parts": [{{"amount": 1}}, {{"amount": {quote}{said}{quote}}}]}}'
    with pytest.raises(Malformed, match=r"parts\.1\.amount"):
        parsed(Wire, read(text.encode()))


def test_a_number_beyond_all_arithmetic_in_a_field_that_nobody_reads_does_no_harm():
    text = '{"id": "1", "other": [1e999999999999999999999, ' + "9" * 5000 + "]}"
    assert parsed(Wire, read(text.encode())).id == "1"


def test_the_numbers_of_the_trade_are_read_as_they_are():
    said = '{"id": "1", "parts": [{"amount": 12345678901234567.8900, "count": 9007199254740993}]}'
    (part,) = parsed(Wire, read(said.encode())).parts
    assert (str(part.amount), part.count) == ("12345678901234567.8900", 9007199254740993)


def test_broken_json_is_broken_as_before():
    for bad in (b"{", b"[NaN]", b"\xff"):
        with pytest.raises(ValueError):
            read(bad)


TEXTS = st.text(st.characters(exclude_categories=[]), max_size=6)
NUMBERS = st.integers() | st.decimals().map(str) | st.text("0123456789eE.-", max_size=90)


@given(TEXTS, TEXTS, st.lists(st.fixed_dictionaries({"amount": NUMBERS}), max_size=2))
def test_whatever_a_record_says_it_is_read_or_malformed(id, name, parts):
    fields = {"id": id, "name": name, "parts": parts}
    for reading in both(**fields):
        try:
            found = reading()
        except Malformed as error:
            str(error).encode()
            continue
        assert found.id == id
        f"{found.id}{found.name}".encode()
        assert "\x00" not in f"{found.id}{found.name}"
        for part in getattr(found, "parts", []):
            Amount.of(part.amount, "USD").rounded().minor()


def test_a_problem_can_be_kept_whatever_it_is_about():
    problem = Problem("brex", "budget A\ud800\x00", "it says \x1b[31m", "A\ud800")
    assert (problem.where, problem.message) == (r"budget A\ud800\u0000", r"it says \u001b[31m")
    assert problem.ref is None
    assert Problem("brex", "a", "b", "Caf\u00e9\u00a01").ref == "Caf\u00e9\u00a01"


def test_a_record_that_is_nested_deeply_is_read_or_malformed_and_leaves_traces():
    deep: object = "x\x07 [trueup:A]"
    for _ in range(5000):
        deep = [deep]
    record = {"id": "1", "name": "a\x07b", "other": deep}
    for reading in (lambda: parsed(Wire, record), lambda: decoded(Shape, record)):
        with pytest.raises(Malformed, match="nested without end"):
            reading()
    assert Traces.of(record).stamps == {"A"}


@pytest.mark.parametrize("field", ["day", "amount"])
def test_half_a_character_is_no_date_and_no_number(field):
    with pytest.raises(Malformed, match="half a character"):
        decoded(Dated, {"day": "2026-01-01", "amount": Decimal(1), field: "\ud800"})
