"""Columns of another system's tables, by a layout."""

from datetime import date

import pytest

from canonical.kind import Kind
from connectors.contract.errors import Unreadable
from tests.vendors.sql.sql_books import listed, said

LONG = {
    "amount": "net",
    "columns": {"centre": "cost_centre", "account": "gl"},
    "budget": {"ref": "centre"},
    "allocation": {"entity": "account"},
    "periods": {"day": "posted"},
}
WIDE = {
    "budget": {"ref": "centre"},
    "numbers": {"sign": -1},
    "rows": {"where": [{"column": "kind", "equals": "plan"}]},
}


@pytest.fixture
def ledger(books):
    books.run(
        "CREATE TABLE plan (cost_centre text, gl integer, posted date, net numeric(12, 2), cur text)",
        "INSERT INTO plan VALUES ('CC1', 6100, '2026-01-15', 100, 'USD'), ('CC1', 6100, '2026-02-01', 120.5, 'USD'),"
        " ('CC1', 6200, '2026-01-31', 50, 'USD'), ('CC1', 6200, '2026-02-28', 0, 'USD'),"
        " ('CC2', 6100, '2026-01-01', NULL, 'USD'), ('CC2', 6100, '2026-02-01', -7, 'USD')",
    )
    return books


def periods(model):
    return {f"{p.period.start:%Y-%m}": p.amount.text() for p in model.phases}


def test_one_query_holds_budgets_and_allocations_a_row_a_period(ledger):
    connector = ledger.connector(budgets="SELECT * FROM plan", layout=LONG, currency="USD")

    budgets, problems = listed(connector)
    shares, _ = listed(connector, Kind.ALLOCATION)

    assert problems == []
    assert periods(budgets[0].model) == {"2026-01": "150.00", "2026-02": "120.50"}
    assert {each.id: periods(each.model) for each in shares[:2]} == {
        "CC1/account:6100": {"2026-01": "100.00", "2026-02": "120.50"},
        "CC1/account:6200": {"2026-01": "50.00", "2026-02": "0.00"},
    }
    assert (budgets[1].model.amount.text(), budgets[1].model.start) == ("-7.00", date(2026, 2, 1))
    assert connector.get(Kind.ALLOCATION, "CC2/account:6100").model.amount.text() == "-7.00"
    assert connector.check().notes[:2] == ["2 budgets", "3 allocations"]


def test_a_column_a_period_with_constants_and_conditions(books):
    query = (
        "SELECT 'CC1' AS centre, 'plan' AS kind, -100.00 AS \"Jan 2026\", -110.00 AS \"Feb 2026\""
        " UNION ALL SELECT 'CC1', 'actual', -5, -5"
    )
    layout = {**WIDE, "columns": {"centre": "centre", "kind": "kind", "unit": {"value": "EUR"}}}
    layout["budget"] = {"ref": "centre", "currency": "unit"}

    ((budget,), problems) = listed(books.connector(budgets=query, layout=layout))

    assert problems == []
    assert periods(budget.model) == {"2026-01": "100.00", "2026-02": "110.00"}
    assert budget.model.amount.unit == "EUR"


def test_a_ready_made_layout_and_one_in_a_file_are_read_too(ledger):
    text = 'amount = "net"\n[budget]\nref = "cost_centre"\n[periods]\nday = "posted"\n'
    (ledger.folder / "own.toml").write_text(text)

    budgets, _ = listed(
        ledger.connector(budgets="SELECT * FROM plan", layout="own.toml", currency="USD")
    )
    assert [each.id for each in budgets] == ["CC1", "CC2"]
    with pytest.raises(Unreadable, match="erp query budgets lacks"):
        listed(ledger.connector(budgets="SELECT * FROM plan", layout="xero", currency="USD"))


def test_allocations_may_come_from_a_query_of_their_own(ledger):
    budgets = "SELECT 'CC1' AS cost_centre, date '2026-01-01' AS posted, 500 AS net"
    if ledger.is_sqlite:
        budgets = budgets.replace("date '", "'")
    connector = ledger.connector(
        budgets=budgets,
        layout={**LONG, "columns": {"centre": "cost_centre"}},
        allocations="SELECT * FROM plan ORDER BY cost_centre, gl, posted",
        allocations_layout=LONG,
        currency="USD",
    )

    (budget,), problems = listed(connector)
    shares, told = listed(connector, Kind.ALLOCATION)

    assert budget.model.amount.text() == "500.00"
    assert problems == []
    assert [each.id for each in shares] == ["CC1/account:6100", "CC1/account:6200"]
    assert [said(each) for each in told] == [
        "erp query allocations row 6: the allocations of CC2 are set aside with it: there is no budget 'CC2'; name one by its ref"
    ]


def test_a_row_that_cannot_be_read_names_query_row_and_column(ledger):
    query = "SELECT cost_centre, gl, posted, 'x' AS net FROM plan ORDER BY gl"

    _, problems = listed(ledger.connector(budgets=query, layout=LONG, currency="USD"))

    assert said(problems[0]) == "erp query budgets row 1, column net: 'x' is not an amount"


def test_what_a_layout_needs_and_the_query_lacks_is_named_with_what_is_there(ledger):
    query = "SELECT gl, net FROM plan"

    with pytest.raises(
        Unreadable, match=r"lacks centre \('cost_centre'\), 'posted'.*columns are gl, net"
    ):
        listed(ledger.connector(budgets=query, layout=LONG, currency="USD"))


def test_what_a_person_has_to_say_is_asked_and_not_guessed(ledger):
    with pytest.raises(Unreadable, match="names no currency"):
        listed(ledger.connector(budgets="SELECT * FROM plan", layout=LONG))
    query = "SELECT cost_centre, gl, posted, -net AS net FROM plan"
    with pytest.raises(Unreadable, match="whether spending is below zero"):
        listed(ledger.connector(budgets=query, layout=LONG, currency="USD"))


def test_a_binary_float_of_noise_is_an_amount_by_a_layout_as_well(books):
    query = "SELECT 'CC1' AS cost_centre, 6100 AS gl, '2026-01-05' AS posted, CAST(0.1 AS double precision) * 3 AS net"

    ((budget,), _) = listed(books.connector(budgets=query, layout=LONG, currency="USD"))

    assert budget.model.amount.text() == "0.30"


def test_an_exact_number_of_many_digits_is_exact_by_a_layout_as_well(pg):
    query = "SELECT 'CC1' AS cost_centre, 6100 AS gl, '2026-01-05' AS posted, 123456789012345.67::numeric AS net"

    ((budget,), _) = listed(pg.connector(budgets=query, layout=LONG, currency="USD"))

    assert budget.model.amount.text() == "123456789012345.67"
