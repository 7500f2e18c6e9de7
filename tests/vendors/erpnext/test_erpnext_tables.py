"""Rows of many budgets in one call: they are believed only where none can be missing."""

from datetime import date, timedelta

import pytest

from canonical.kind import Kind
from connectors.contract.errors import Malformed
from tests.vendors.erpnext.erpnext_site import budget, old_budget, rows, site

AMOUNTS = ["0.00", *["10.00"] * 10, "0.00"]
MANY = [
    budget(f"BUDGET-{n:08d}", f"Centre {n % 40} - AL", f"A{n // 40} - AL", AMOUNTS)
    for n in range(120)
]
SALES = budget("BUDGET-00000001", "Sales - AL", amounts=AMOUNTS)
HR = budget("BUDGET-00000002", "HR - AL")
TABLE = "/api/resource/Budget Distribution"


def listed(connector, kind=Kind.BUDGET):
    (page,) = connector.list(kind)
    assert page.problems == []
    return {item.id: item.model for item in page.items}


def singles(erp):
    return [path for path in erp.paths() if path.startswith("/api/resource/Budget/")]


def test_a_hundred_and_twenty_documents_are_a_score_of_calls_and_the_same_budgets():
    with site(MANY, lists_tables=True) as erp:
        together = erp.connector()
        found = listed(together), listed(together, Kind.ALLOCATION)
        assert (len(found[0]), len(found[1]), singles(erp)) == (40, 120, [])
        assert len(erp.paths()) < 20
        erp.sandbox.switches = erp.sandbox.Switches(empty=True)
        alone = erp.connector()
        assert (listed(alone), listed(alone, Kind.ALLOCATION)) == found
        assert len(singles(erp)) == 120


def test_a_server_that_lists_no_tables_is_asked_once_in_a_reading():
    with site(MANY[:60]) as erp:
        listed(erp.connector())
        assert erp.paths().count(TABLE) == 1


def without(erp, *numbers):
    """The listing of rows leaves out those rows of the first budget; the budget itself has them."""
    usual = erp.sandbox._table

    def table(doctype, call):
        held = erp.served.state["Budget"]
        whole = held.get(SALES["name"])
        kept = [row for row in whole["budget_distribution"] if row["idx"] not in numbers]
        held.put({**whole, "budget_distribution": kept})
        try:
            return usual(doctype, call)
        finally:
            held.put(whole)

    erp.sandbox._table = table


@pytest.mark.parametrize("numbers", [(1,), (12,), (5,), (1, 12), tuple(range(1, 13))])
def test_a_budget_of_which_rows_are_missing_is_read_by_itself(numbers):
    with site([SALES, HR], lists_tables=True) as erp, erp.connector() as connector:
        without(erp, *numbers)
        found = listed(connector)["Sales - AL"]
        assert [each.amount.text() for each in found.phases] == AMOUNTS
        assert singles(erp) == [f"/api/resource/Budget/{SALES['name']}"]


def test_a_server_that_gives_fewer_rows_than_were_asked_for_loses_none():
    with site([SALES, HR], lists_tables=True, most=15) as erp, erp.connector() as connector:
        assert len(listed(connector)["Sales - AL"].phases) == 12
        assert singles(erp)


@pytest.mark.parametrize(
    "row",
    [
        {"amount": None},
        {"amount": "lots"},
        {"start_date": "2026-03-01", "end_date": "2026-03-31"},
        {"parentfield": "another"},
        {"parent": "BUDGET-00000002"},
        {"parent": None},
        {"start_date": "2026-01-02"},
        {"end_date": "2026-02-01"},
        {"amount": 5},
    ],
)
def test_rows_that_do_not_fit_are_not_believed(row):
    with site([SALES, HR], lists_tables=True) as erp, erp.connector() as connector:
        usual = erp.sandbox._less
        first = f"{SALES['name']}-1"

        def less(each):
            alone = "parenttype" in each and each["name"] == first
            return usual({**each, **row} if alone else each)

        erp.sandbox._less = less
        found = listed(connector)
        assert [each.amount.text() for each in found["Sales - AL"].phases] == AMOUNTS
        assert found["HR - AL"].amount.text() == "100.00"


@pytest.mark.parametrize("field", ["amount", "budget_amount", "account"])
def test_fields_that_the_user_may_not_read_are_missing_here_too(field):
    with site([SALES], lists_tables=True, hidden=(field,)) as erp:
        (page,) = erp.connector().list(Kind.BUDGET)
        assert (page.items, [each.ref for each in page.problems]) == ([], ["Sales - AL"])


def test_a_budget_that_changes_after_its_rows_were_read_is_read_again():
    with site([SALES, HR], lists_tables=True) as erp, erp.connector() as connector:
        usual, done = erp.sandbox._table, []

        def table(doctype, call):
            answer = usual(doctype, call)
            if not done:
                done.append(
                    erp.put(
                        "Budget",
                        name=HR["name"],
                        budget_amount=24,
                        budget_distribution=rows(["2.00"] * 12),
                    )
                )
            return answer

        erp.sandbox._table = table
        assert listed(connector)["HR - AL"].amount.text() == "2.00"


def test_documents_of_several_accounts_are_read_by_themselves_all_the_same():
    old = old_budget("HR - AL/2026/001", "HR - AL", {"Fuel - AL": 12})
    with site([SALES, old], lists_tables=True) as erp, erp.connector() as connector:
        assert listed(connector).keys() == {"Sales - AL", "HR - AL"}
        assert len(singles(erp)) == 1


def test_names_are_asked_for_in_portions_that_an_address_can_hold():
    long = [budget(f"{'é' * 60}-{n}", f"C{n} - AL") for n in range(8)]
    with site(long, lists_tables=True) as erp:
        assert len(listed(erp.connector())) == 8
        asked = [call["query"] for call in erp.served.log if call["path"] == TABLE]
        assert len(asked) > 1
        assert max(map(len, asked)) < 4000
        assert singles(erp) == []


def test_a_budget_that_begins_before_its_fiscal_year_is_whole():
    first = date(2026, 4, 6)
    april = {
        "name": "2026",
        "year_start_date": f"{first}",
        "year_end_date": f"{first + timedelta(364)}",
    }
    months = [{"start_date": "2026-04-01", "end_date": "2027-04-05", "amount": 12}]
    own = budget("B-1", "Sales - AL", amount="12", budget_distribution=months)
    with site([own], lists_tables=True, tables={"Fiscal Year": [april]}) as erp:
        assert listed(erp.connector())["Sales - AL"].start == date(2026, 4, 1)
        assert singles(erp) == []


def test_rows_that_miss_their_amount_by_themselves_too_are_set_aside():
    wrong = {**SALES, "budget_amount": 500}
    with site([wrong], lists_tables=True) as erp, pytest.raises(Malformed, match="distribute all"):
        erp.connector().get(Kind.BUDGET, "Sales - AL")
