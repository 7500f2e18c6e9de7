"""Values of a database: what is exact, what is rough, and what is no amount, day or code."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from canonical.kind import Kind
from connectors.contract.errors import Unreadable
from connectors.layouts.stored import Exact, Fault, cell_text
from connectors.sql.answers import Answer
from connectors.sql.cells import cell
from tests.vendors.sql.sql_books import listed, said

_BERLIN = timezone(timedelta(hours=1))


def amounts(connector):
    items, problems = listed(connector)
    return [item.model.amount.text() for item in items], [said(each) for each in problems]


def test_a_numeric_is_exact_beyond_the_digits_of_a_float(pg):
    query = "SELECT 'A' AS ref, 'a' AS name, 12345678901234567.89::numeric(30, 4) AS amount"

    assert amounts(pg.connector(budgets=query, currency="USD")) == (["12345678901234567.89"], [])


def test_a_binary_float_is_read_at_15_digits_and_told(books, caplog):
    query = "SELECT 'A' AS ref, 'a' AS name, CAST(0.1 AS double precision) * 3 AS amount"
    connector = books.connector(budgets=query, currency="USD")

    assert amounts(connector) == (["0.30"], [])
    told = "erp query budgets, column amount: a binary float, read at 15 digits; NUMERIC is exact, and in SQLite TEXT"
    assert told in connector.check().notes
    assert told in caplog.text


def test_a_float_of_more_digits_than_it_keeps_is_refused(books):
    query = "SELECT 'A' AS ref, 'a' AS name, CAST(1234567890123456.5 AS double precision) AS amount"

    found, (problem,) = amounts(books.connector(budgets=query, currency="USD"))

    assert found == []
    assert "more digits than the 15" in problem


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (10**30, "1" + "0" * 30),
        (Decimal("12.5000"), "12.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("12345678901234567890.12"), "12345678901234567890.12"),
        (0.1 + 0.2, "0.3"),
        (True, "true"),
        (None, ""),
        (0, "0"),
        ("007", "007"),
        (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1), "2026-03-01"),  # noqa: DTZ001
        (datetime(2026, 3, 1, tzinfo=_BERLIN), "2026-03-01"),
        (time(9, 30), "09:30:00"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
    ],
)
def test_a_value_says_what_it_is(value, text):
    assert cell_text(cell(value), ".") == text


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (b"a", "bytes"),
        (memoryview(b"a"), "bytes"),
        (float("nan"), "no number"),
        (float("inf"), "no number"),
        (Decimal("NaN"), "no number"),
        (10**80, "beyond any amount"),
        (Decimal("1E+400"), "beyond any amount"),
        (datetime(2026, 3, 1, 23, tzinfo=UTC), "another day in another time zone"),
        ({"a": 1}, "of the type dict"),
        ([1], "of the type list"),
    ],
)
def test_what_has_no_reading_is_told_and_never_blank(value, told):
    found = cell(value)

    assert isinstance(found, Fault)
    assert told in found.message


def test_an_answer_gives_back_every_value_as_it_came_and_again(monkeypatch):
    monkeypatch.setattr("connectors.sql.answers._BLOCK", 7)
    row = [
        "text", None, 7, Decimal("1.50"), 0.5, True, False, date(2026, 3, 1),
        datetime.fromisoformat("2026-03-01T09:30:00.000005"), time(9, 30), timedelta(days=2, microseconds=1), b"x", "é\n",
    ]  # fmt: skip
    answer = Answer("a", [f"c{n}" for n in range(len(row))], [row, row])

    assert [*answer] == [*answer] == [[cell(each) for each in row]] * 2
    exact = [type(each) for each in next(iter(answer))]
    assert (exact[2], exact[3], exact[4]) == (Exact, Exact, Decimal)
    assert answer.floats == ("c4",)


def test_answers_that_differ_have_another_signature():
    one, same, other = (Answer("a", ["x"], [[n]]) for n in (1, 1, 2))

    assert one.signature == same.signature != other.signature


def test_whole_numbers_are_codes_and_others_are_not(books):
    whole = "SELECT 4500 AS ref, 'a' AS name, 1 AS amount"
    rough = "SELECT CAST(4500 AS double precision) AS ref, 'a' AS name, 1 AS amount"

    assert [each.id for each in listed(books.connector(budgets=whole, currency="USD"))[0]] == [
        "4500"
    ]
    _, (problem,) = listed(books.connector(budgets=rough, currency="USD"))
    assert "4500 is no text and no whole number" in problem.message


def test_a_day_may_be_a_date_a_text_or_its_midnight(pg):
    query = (
        "SELECT 'A' AS ref, 'a' AS name, 1 AS amount, 'monthly' AS cadence,"
        " '2026-01-01 00:00:00' AS start, '2026-12-31'::timestamp AS \"end\""
        " UNION ALL SELECT 'B', 'b', 1, 'monthly', '2026-01-01', '2026-12-31 10:00'::timestamp"
    )

    items, (problem,) = listed(pg.connector(budgets=query, currency="USD"))

    assert [(i.model.start, i.model.end) for i in items] == [(date(2026, 1, 1), date(2026, 12, 31))]
    assert said(problem).startswith("erp query budgets row 2, column end: '2026-12-31T10:00:00' is")


def test_a_value_that_no_driver_can_give_ends_the_reading(pg):
    query = "SELECT 'A' AS ref, 'a' AS name, 1 AS amount, 'infinity'::date AS \"end\""

    with pytest.raises(Unreadable, match="date too large"):
        next(pg.connector(budgets=query, currency="USD").list(Kind.BUDGET))
