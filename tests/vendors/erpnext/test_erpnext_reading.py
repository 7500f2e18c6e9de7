"""What is read of an ERPNext: which documents count, what is set aside, and what is never believed."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from canonical.allocation import Status
from canonical.kind import Kind
from canonical.period import Cadence
from connectors.contract.errors import (
    Forbidden,
    Malformed,
    Missing,
    Rejected,
    Transient,
    Unsupported,
)
from connectors.contract.records import Draft
from connectors.sandbox.api import reply
from connectors.sandbox.erpnext.queries import Query
from tests.vendors.erpnext.erpnext_site import TWELVE, budget, old_budget, rows, site

SALES = budget("BUDGET-00000001", "Sales - AL")
MORE = budget("BUDGET-00000002", "Sales - AL", "Software - AL", ["10.00"] * 12)
HR = budget("BUDGET-00000003", "HR - AL", "Training - AL", ["5.00"] * 6 + ["6.00"] * 6)
PERMISSION = {"name": "up1", "applicable_for": None}


def listed(connector, kind=Kind.BUDGET):
    (page,) = connector.list(kind)
    return {item.id: item.model for item in page.items}


def problems(connector, kind=Kind.BUDGET):
    (page,) = connector.list(kind)
    return {problem.ref: problem.message for problem in page.problems}


def stated(model):
    """First day → amount, as often as it changes."""
    if not model.phases:
        return {model.start.isoformat(): model.amount.text()}
    return {each.period.start.isoformat(): each.amount.text() for each in model.phases}


def test_a_cost_centre_is_a_budget_and_its_accounts_are_allocations():
    with site([SALES, MORE, HR]) as erp, erp.connector() as connector:
        budgets, shares = listed(connector), listed(connector, Kind.ALLOCATION)
    sales = budgets["Sales - AL"]
    assert (sales.name, sales.cadence, stated(sales)) == (
        "Sales - AL", Cadence.MONTHLY, {"2026-01-01": "110.00"},
    )  # fmt: skip
    assert (sales.start, sales.end) == (date(2026, 1, 1), date(2026, 12, 31))
    assert stated(budgets["HR - AL"])["2026-07-01"] == "6.00"
    assert {id: stated(each) for id, each in shares.items()} == {
        "Sales - AL/account:Travel - AL": {"2026-01-01": "100.00"},
        "Sales - AL/account:Software - AL": {"2026-01-01": "10.00"},
        "HR - AL/account:Training - AL": {
            f"2026-{m:02d}-01": "5.00" if m < 7 else "6.00" for m in range(1, 13)
        },
    }
    assert {each.entity.type for each in shares.values()} == {"account"}


@pytest.mark.parametrize(
    ("which", "centres"),
    [("each", {"Sales - AL", "HR - AL"}), ("several", {"Sales - AL"}), ("none", set())],
)
def test_which_accounts_are_allocations_is_said_by_a_setting(which, centres):
    with site([SALES, MORE, HR]) as erp, erp.connector(allocations=which) as connector:
        assert {each.budget for each in listed(connector, Kind.ALLOCATION).values()} == centres
        assert listed(connector).keys() == {"Sales - AL", "HR - AL"}


def test_a_document_of_several_accounts_and_a_year_is_read_as_well():
    old = old_budget("Sales - AL/2026/001", "Sales - AL", {"Travel - AL": "1200", "Fuel - AL": "1"})
    with site([old]) as erp, erp.connector() as connector:
        budgets, shares = listed(connector), listed(connector, Kind.ALLOCATION)
    assert budgets["Sales - AL"].cadence is Cadence.YEARLY
    assert stated(budgets["Sales - AL"]) == {"2026-01-01": "1201.00"}
    assert shares["Sales - AL/account:Fuel - AL"].amount.text() == "1.00"


def test_what_nothing_splits_counts_in_twelfths_where_that_is_said():
    old = old_budget("Sales - AL/2026/001", "Sales - AL", {"Travel - AL": "1200.06"})
    with site([old]) as erp, erp.connector(undistributed="monthly") as connector:
        found = listed(connector)["Sales - AL"]
    assert found.cadence is Cadence.MONTHLY
    assert [*stated(found).values()] == ["100.01"] * 6 + ["100.00"] * 6


def test_beside_an_account_with_months_what_nothing_splits_counts_in_twelfths_too():
    by = {"name": "Half", "percentages": [
        {"month": "January", "percentage_allocation": 50},
        {"month": "July", "percentage_allocation": Decimal("50.0")},
    ]}  # fmt: skip
    plain = old_budget("Sales - AL/2026/001", "Sales - AL", {"Travel - AL": "1200"})
    split = old_budget(
        "Sales - AL/2026/002", "Sales - AL", {"Fuel - AL": "10"}, monthly_distribution="Half"
    )
    tables = {"Monthly Distribution": [by]}
    with site([plain, split], tables=tables) as erp, erp.connector() as connector:
        found = listed(connector)["Sales - AL"]
        assert erp.paths().count("/api/resource/Monthly Distribution/Half") == 1
    assert (found.cadence, stated(found)["2026-01-01"], stated(found)["2026-02-01"]) == (
        Cadence.MONTHLY, "105.00", "100.00",
    )  # fmt: skip


def test_a_fiscal_year_from_july_is_that_of_its_own_document():
    july = {"name": "2026-2027", "year_start_date": "2026-07-01", "year_end_date": "2027-06-30"}
    old = old_budget("A/1", "Sales - AL", {"Travel - AL": "1200"}, fiscal_year="2026-2027")
    with site([old], tables={"Fiscal Year": [july]}) as erp, erp.connector() as connector:
        found = listed(connector)["Sales - AL"]
    assert (found.cadence, found.start, found.end) == (
        Cadence.YEARLY, date(2026, 7, 1), date(2027, 6, 30),
    )  # fmt: skip


def test_years_of_one_account_go_on_from_document_to_document():
    later = budget(
        "BUDGET-00000009", "Sales - AL", amounts=["120.00"] * 12,
        from_fiscal_year="2027", to_fiscal_year="2027",
        budget_distribution=rows(["120.00"] * 12, 2027),
    )  # fmt: skip
    with site([SALES, later]) as erp, erp.connector() as connector:
        found = listed(connector)["Sales - AL"]
    assert (stated(found)["2026-12-01"], stated(found)["2027-01-01"]) == ("100.00", "120.00")
    assert found.end == date(2027, 12, 31)


def test_projects_are_budgets_too_unless_only_cost_centres_are_read():
    project = budget("BUDGET-00000005", None, project="PROJ-0001", budget_against="Project")
    tables = {"Project": [{"name": "PROJ-0001"}]}
    with site([SALES, project], tables=tables) as erp:
        assert listed(erp.connector()).keys() == {"Sales - AL", "PROJ-0001"}
        assert listed(erp.connector(against=("Cost Center",))).keys() == {"Sales - AL"}
        assert listed(erp.connector(against=("Project",))).keys() == {"PROJ-0001"}


def test_a_budget_against_an_accounting_dimension_is_read_where_it_is_named():
    own = budget("BUDGET-00000005", None, branch="North", budget_against="Branch")
    with site([SALES, own]) as erp:
        assert listed(erp.connector(against=("Branch",))).keys() == {"North"}
        assert listed(erp.connector()).keys() == {"Sales - AL"}


def test_a_project_and_a_cost_centre_of_one_name_are_set_aside():
    project = budget("BUDGET-00000005", None, project="Sales - AL", budget_against="Project")
    tables = {"Project": [{"name": "Sales - AL"}]}
    with site([SALES, project, HR], tables=tables) as erp, erp.connector() as connector:
        assert listed(connector).keys() == {"HR - AL"}
        assert "tell Cost Center 'Sales - AL', Project" in problems(connector)["Sales - AL"]


def test_a_group_with_a_budget_is_a_budget_beside_those_of_its_centres():
    group = budget("BUDGET-00000005", "Acme - AL", amounts=["500.00"] * 12)
    centres = [
        {"name": "Acme - AL", "company": "Acme Ltd", "is_group": 1},
        {"name": "Sales - AL", "company": "Acme Ltd", "parent_cost_center": "Acme - AL"},
    ]
    tables = {"Cost Center": centres}
    with site([group, SALES], tables=tables) as erp, erp.connector() as connector:
        found = listed(connector)
    assert {ref: (each.amount.text(), each.parent) for ref, each in found.items()} == {
        "Acme - AL": ("500.00", None), "Sales - AL": ("100.00", None),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "row", "status"),
    [
        ("Cost Center", {"disabled": 1}, Status.INACTIVE),
        ("Project", {"is_active": "No"}, Status.INACTIVE),
        ("Project", {"status": "Completed"}, Status.RETIRED),
        ("Project", {"status": "Cancelled", "is_active": "No"}, Status.RETIRED),
    ],
)
def test_what_is_closed_there_is_not_active_here(kind, row, status):
    field = "cost_center" if kind == "Cost Center" else "project"
    own = budget("BUDGET-00000005", None, budget_against=kind, **{field: "X"})
    tables = {"Cost Center": [], kind: [{"name": "X", "company": "Acme Ltd", **row}]}
    with site([own], tables=tables) as erp, erp.connector() as connector:
        assert listed(connector)["X"].status is status


def test_half_years_count_once_each():
    halves = [
        {"start_date": "2026-01-01", "end_date": "2026-06-30", "amount": 600},
        {"start_date": "2026-07-01", "end_date": "2026-12-31", "amount": 700},
    ]
    own = budget("B-1", "Sales - AL", amount="1300", budget_distribution=halves)
    with site([own]) as erp, erp.connector() as connector:
        found = listed(connector)["Sales - AL"]
        (share,) = listed(connector, Kind.ALLOCATION).values()
    assert (found.cadence, stated(found)) == (
        Cadence.ONCE, {"2026-01-01": "600.00", "2026-07-01": "700.00"},
    )  # fmt: skip
    assert (share.cadence, stated(share)) == (Cadence.ONCE, stated(found))


def test_accounts_in_months_and_in_quarters_are_set_aside_together():
    quarters = [{"start_date": "2026-01-01", "end_date": "2026-03-31", "amount": 30}]
    other = budget("B-2", "Sales - AL", "Fuel - AL", amount="30", budget_distribution=quarters)
    with site([SALES, other, HR]) as erp, erp.connector() as connector:
        assert listed(connector).keys() == {"HR - AL"}
        assert "unlike periods" in problems(connector)["Sales - AL"]


def test_no_amount_passes_through_a_float():
    own = budget("B-1", "Sales - AL", amounts=["90071992547409.93"])
    with site([own]) as erp, erp.connector() as connector:
        assert listed(connector)["Sales - AL"].amount.value == Decimal("90071992547409.93")


# -- which documents count ---------------------------------------------------------------------


@pytest.mark.parametrize("docstatus", [0, 2])
def test_drafts_and_what_was_cancelled_do_not_count(docstatus):
    with site([SALES, {**HR, "docstatus": docstatus}]) as erp, erp.connector() as connector:
        assert listed(connector).keys() == {"Sales - AL"}
        assert problems(connector) == {}


def test_drafts_count_where_that_is_said():
    with site([SALES, {**HR, "docstatus": 0}]) as erp, erp.connector(drafts=True) as connector:
        assert listed(connector).keys() == {"Sales - AL", "HR - AL"}


def test_a_draft_beside_what_is_submitted_counts_twice_where_drafts_count():
    draft = {**SALES, "name": "BUDGET-00000009", "docstatus": 0}
    with site([SALES, draft]) as erp:
        assert stated(listed(erp.connector())["Sales - AL"]) == {"2026-01-01": "100.00"}
        said = problems(erp.connector(drafts=True))["Sales - AL"]
    assert "Travel - AL counts twice on 2026-01-01" in said
    assert "'BUDGET-00000001'" in said


@pytest.mark.parametrize("revision", [False, True])
def test_what_is_being_amended_is_waited_for_and_then_is_the_same_budget(revision):
    with site([SALES, MORE, HR]) as erp, erp.connector() as connector:
        erp.people("cancel", {"budget": SALES["name"]})
        draft = erp.people("amend", {
            "budget": SALES["name"], "revision": revision,
            "changes": {"budget_amount": 2400, "budget_distribution": rows(["200.00"] * 12)},
        })  # fmt: skip
        assert draft["name"] == "BUDGET-00000001-1"
        assert listed(connector).keys() == {"HR - AL"}
        said = problems(connector)
        assert said.keys() == {"Sales - AL"}
        assert "cancelled, and BUDGET-00000001-1, which replaces it, is not" in said["Sales - AL"]
        (page,) = connector.list(Kind.ALLOCATION)
        assert {item.container for item in page.items} == {"HR - AL"}
        (problem,) = page.problems
        assert problem.traces.containers == {"Sales - AL"}
        erp.people("submit", {"budget": draft["name"]})
        assert stated(listed(connector)["Sales - AL"]) == {"2026-01-01": "210.00"}
        assert problems(connector) == {}


def test_what_was_amended_twice_counts_as_it_was_amended_last():
    with site([SALES]) as erp, erp.connector() as connector:
        name = SALES["name"]
        for amount in ("200.00", "300.00"):
            erp.people("cancel", {"budget": name})
            changes = {
                "budget_amount": Decimal(amount) * 12,
                "budget_distribution": rows([amount] * 12),
            }
            name = erp.people("amend", {"budget": name, "changes": changes})["name"]
            erp.people("submit", {"budget": name})
        assert name == "BUDGET-00000001-2"
        assert stated(listed(connector)["Sales - AL"]) == {"2026-01-01": "300.00"}


def test_a_forgotten_draft_of_what_others_state_by_now_holds_nothing_up():
    gone = {**SALES, "docstatus": 2}
    draft = {**SALES, "name": "BUDGET-00000001-1", "docstatus": 0, "amended_from": gone["name"]}
    other = {**SALES, "name": "BUDGET-00000007"}
    with site([gone, draft, other]) as erp, erp.connector() as connector:
        assert listed(connector).keys() == {"Sales - AL"}
        assert problems(connector) == {}


def test_of_a_document_of_several_accounts_each_is_waited_for():
    gone = old_budget("A/1", "Sales - AL", {"Travel - AL": 1, "Fuel - AL": 2}, docstatus=2)
    draft = {**gone, "name": "A/1-1", "docstatus": 0, "amended_from": "A/1"}
    half = old_budget("A/2", "Sales - AL", {"Travel - AL": 5})
    with site([gone, draft, half]) as erp, erp.connector() as connector:
        assert problems(connector).keys() == {"Sales - AL"}


def test_only_the_fiscal_years_that_are_named_are_read():
    later = budget(
        "B-9", "HR - AL", from_fiscal_year="2027", to_fiscal_year="2027",
        budget_distribution=rows(TWELVE, 2027),
    )  # fmt: skip
    with site([SALES, later]) as erp:
        assert listed(erp.connector(fiscal_years=("2026",))).keys() == {"Sales - AL"}
        assert listed(erp.connector(fiscal_years=("2027",))).keys() == {"HR - AL"}
        assert f"/api/resource/Budget/{SALES['name']}" in erp.paths()
        erp.sandbox.log.clear()
        listed(erp.connector(fiscal_years=("2027",)))
        assert f"/api/resource/Budget/{SALES['name']}" not in erp.paths()


def test_a_document_of_several_years_is_read_by_each_of_them():
    years = [
        {"name": f"{y}", "year_start_date": f"{y}-01-01", "year_end_date": f"{y}-12-31"}
        for y in (2025, 2026, 2027)
    ]
    own = budget("B-1", "Sales - AL", from_fiscal_year="2025", to_fiscal_year="2027")
    with site([own, HR], tables={"Fiscal Year": years}) as erp:
        assert "Sales - AL" in listed(erp.connector(fiscal_years=("2026",)))


def test_only_the_accounts_that_are_named_are_read():
    with site([SALES, MORE, HR]) as erp, erp.connector(accounts=("Soft*",)) as connector:
        assert {ref: each.amount.text() for ref, each in listed(connector).items()} == {
            "Sales - AL": "10.00"
        }


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"fiscal_years": ("2031",)}, "there is no fiscal year 2031"),
        ({"fiscal_years": ("2027",)}, "choose none of ERPNext's 1 budgets"),
        ({"against": ("Project",)}, "choose none of ERPNext's 1 budgets"),
    ],
)
def test_settings_that_mean_nothing_are_told_and_are_no_empty_books(said, message):
    with site([SALES]) as erp, pytest.raises(Rejected, match=message):
        listed(erp.connector(**said))


# -- companies, and what a user is not shown ---------------------------------------------------

TWO = [
    {"name": "Acme Ltd", "default_currency": "USD"},
    {"name": "Beta GmbH", "default_currency": "EUR"},
]


def test_several_companies_are_a_question_and_each_has_its_own_currency():
    own = budget("B-1", "Sales - BG", company="Beta GmbH")
    tables = {
        "Company": TWO,
        "Cost Center": [
            {"name": "Sales - BG", "company": "Beta GmbH"},
            {"name": "Sales - AL", "company": "Acme Ltd"},
        ],
    }
    with site([SALES, own], tables=tables) as erp:
        with pytest.raises(Rejected, match=r"'Acme Ltd', 'Beta GmbH'.*Set company"):
            listed(erp.connector())
        assert listed(erp.connector(company="Acme Ltd")).keys() == {"Sales - AL"}
        found = listed(erp.connector(company="Beta GmbH"))
    assert f"{found['Sales - BG'].amount}" == "100.00 EUR"


@pytest.mark.parametrize("switches", [{"reads": False}, {"owner_only": True}])
def test_a_user_who_may_read_no_budgets_is_not_one_who_has_none(switches):
    with site([SALES], **switches) as erp, pytest.raises(Forbidden, match="Accounts Manager"):
        listed(erp.connector())


def test_a_company_that_is_not_shown_is_told_with_those_that_are():
    only = {**PERMISSION, "allow": "Company", "for_value": "Beta GmbH"}
    tables = {"Company": TWO, "User Permission": [only]}
    with site([SALES], tables=tables) as erp:
        with pytest.raises(Forbidden, match="no company 'Acme Ltd', but 'Beta GmbH'"):
            listed(erp.connector(company="Acme Ltd"))
        with pytest.raises(Forbidden, match="no budget of 'Beta GmbH', not even a draft"):
            listed(erp.connector())


@pytest.mark.parametrize("kind", ["Cost Center", "Project", "Account", "Fiscal Year", "Budget"])
def test_a_user_from_whom_some_budgets_are_hidden_is_not_read(kind):
    only = {**PERMISSION, "allow": kind, "for_value": "HR - AL"}
    with site([SALES, HR], tables={"User Permission": [only]}) as erp:
        with pytest.raises(Forbidden, match=f"User Permissions for {kind}.*restricted = true"):
            listed(erp.connector())
        with pytest.raises(Forbidden, match="User Permissions"):
            erp.connector().check()


def test_a_user_from_whom_some_are_hidden_is_read_where_that_is_meant():
    only = {**PERMISSION, "allow": "Cost Center", "for_value": "HR - AL"}
    with site([SALES, HR], tables={"User Permission": [only]}) as erp:
        assert listed(erp.connector(restricted=True)).keys() == {"HR - AL"}


def test_a_permission_for_other_documents_hides_no_budget():
    other = {
        "name": "up1",
        "allow": "Cost Center",
        "for_value": "HR - AL",
        "applicable_for": "Employee",
    }
    with site([SALES, HR], tables={"User Permission": [other]}) as erp:
        assert listed(erp.connector()).keys() == {"Sales - AL", "HR - AL"}


def test_that_permissions_cannot_be_asked_for_is_told():
    with site([SALES], tells_permissions=False) as erp, erp.connector() as connector:
        assert listed(connector).keys() == {"Sales - AL"}
        assert "does not tell" in connector.check().notes[-1]


def test_check_says_whose_books_they_are_and_how_many_budgets_count():
    with site([SALES, MORE, {**HR, "docstatus": 0}]) as erp, erp.connector() as connector:
        check = connector.check()
    assert (check.identity, [*check.notes]) == ("Acme Ltd", ["2 budgets, in USD"])


@pytest.mark.parametrize("null", [False, True])
@pytest.mark.parametrize(
    "field", ["budget_distribution", "budget_amount", "account", "amount", "company"]
)
def test_a_field_that_the_user_may_not_read_is_no_empty_one(field, null):
    with site([SALES], hidden=(field,), hidden_is_null=null) as erp, erp.connector() as connector:
        assert listed(connector) == {}
        assert problems(connector).keys() == {"Sales - AL"}
        (page,) = connector.list(Kind.ALLOCATION)
        assert (page.items, len(page.problems)) == ([], 1)


@pytest.mark.parametrize("field", ["accounts", "monthly_distribution"])
def test_nor_is_one_of_the_form_until_15(field):
    old = old_budget("A/1", "Sales - AL", {"Travel - AL": 1})
    with site([old], hidden=(field,)) as erp, erp.connector() as connector:
        assert problems(connector).keys() == {"Sales - AL"}


@pytest.mark.parametrize("field", ["cost_center", "budget_against"])
def test_a_budget_that_does_not_say_whose_it_is_ends_the_reading(field):
    with site([SALES, HR], hidden=(field,)) as erp, pytest.raises(Malformed):
        listed(erp.connector())


def test_a_cost_centre_that_is_not_shown_itself_sets_its_budget_aside():
    with site(
        [SALES, HR], tables={"Cost Center": [{"name": "HR - AL", "company": "Acme Ltd"}]}
    ) as erp:
        assert "is not shown" in problems(erp.connector())["Sales - AL"]


def test_what_cannot_be_read_takes_its_whole_cost_centre_with_it():
    with site([SALES, {**MORE, "budget_amount": "lots"}, HR]) as erp, erp.connector() as connector:
        assert listed(connector).keys() == {"HR - AL"}
        assert problems(connector).keys() == {"Sales - AL"}


@pytest.mark.parametrize("docstatus", [3, -1, "1", None])
def test_a_state_that_nobody_knows_is_set_aside(docstatus):
    with site([{**SALES, "docstatus": docstatus}, HR]) as erp, erp.connector() as connector:
        assert listed(connector).keys() == {"HR - AL"}
        assert problems(connector).keys() == {"Sales - AL"}


@pytest.mark.parametrize("docstatus", [0, 2])
def test_a_draft_that_cannot_be_read_holds_nothing_up(docstatus):
    with site([SALES, {**HR, "docstatus": docstatus, "cost_center": None}]) as erp:
        assert (listed(erp.connector()).keys(), problems(erp.connector())) == ({"Sales - AL"}, {})


def test_a_name_with_characters_that_nobody_sees_is_no_other_name():
    hidden = {**SALES, "name": "B-9", "cost_center": "HR\x01 - AL", "account": "Fuel - AL"}
    with site([HR, hidden]) as erp, pytest.raises(Malformed, match="nobody sees"):
        listed(erp.connector())


# -- pages, and what changes meanwhile ---------------------------------------------------------

MANY = [budget(f"BUDGET-{n:08d}", f"Centre {n} - AL") for n in range(12)]


@pytest.mark.parametrize("size", [1, 2, 5, 12, 13])
def test_each_document_is_read_once_whatever_the_size_of_a_page(size):
    with site(MANY) as erp, erp.connector(page_size=size) as connector:
        assert len(listed(connector)) == 12
        single = [path for path in erp.paths() if path.count("/") == 4]
        assert len(single) == len(set(single)) == 12


def test_a_server_that_gives_less_than_was_asked_for_is_read_to_its_end():
    with site(MANY, most=5) as erp, erp.connector() as connector:
        assert len(listed(connector)) == 12


def test_names_come_in_the_order_of_the_database():
    mixed = [
        budget(name, f"{name} - AL")
        for name in ("b", "A", "C", "a-1", "Ö", "z", "Z-1", "_", "'", "%", "a/b/c", "x?y#z&w=1")
    ]
    with site(mixed) as erp, erp.connector(page_size=2) as connector:
        assert len(listed(connector)) == len(mixed)


def test_a_document_that_is_made_before_the_page_moves_none():
    with site(MANY) as erp, erp.connector(page_size=3) as connector:
        erp.served.faults.add("page_drift", path="/api/resource/Budget", times=1)
        assert len(listed(connector)) == 12


def during(erp, work):
    """`work` is done once, when the first single document is asked for."""
    usual, done = erp.sandbox.answer, []

    def answer(call):
        if call.path.startswith("/api/resource/Budget/") and not done:
            done.append(work())
        return usual(call)

    erp.sandbox.answer = answer


def amended_at_once(erp):
    erp.people("cancel", {"budget": SALES["name"]})
    draft = erp.people("amend", {"budget": SALES["name"]})
    erp.people("submit", {"budget": draft["name"]})


def test_a_budget_that_is_amended_while_it_is_read_is_neither_lost_nor_there_twice():
    with site([SALES, HR]) as erp, erp.connector() as connector:
        during(erp, lambda: amended_at_once(erp))
        assert stated(listed(connector)["Sales - AL"]) == {"2026-01-01": "100.00"}
        assert problems(connector) == {}


def test_a_budget_that_is_submitted_while_others_are_read_is_seen():
    with site([SALES, {**HR, "docstatus": 0}]) as erp, erp.connector() as connector:
        during(erp, lambda: erp.people("submit", {"budget": HR["name"]}))
        assert listed(connector).keys() == {"Sales - AL", "HR - AL"}


def test_a_document_that_is_deleted_while_it_is_read_is_read_no_more():
    with site([SALES, HR]) as erp, erp.connector() as connector:
        during(erp, lambda: erp.served.state["Budget"].remove(HR["name"]))
        assert listed(connector).keys() == {"Sales - AL"}


def test_a_document_that_is_listed_and_never_found_is_not_taken_for_deleted():
    with site([SALES, HR]) as erp, erp.connector() as connector:
        usual = erp.sandbox.answer

        def answer(call):
            if call.path.endswith(HR["name"]):
                return erp.sandbox.refusal(404)
            return usual(call)

        erp.sandbox.answer = answer
        with pytest.raises(Transient, match="changed while they are read"):
            listed(connector)


def test_a_document_as_it_was_before_is_not_taken_for_the_one_that_is_listed():
    with site([SALES, HR]) as erp, erp.connector() as connector:
        before = erp.served.state["Budget"].get(HR["name"])
        erp.put(
            "Budget", name=HR["name"], budget_amount=72, budget_distribution=rows(["6.00"] * 12)
        )
        usual = erp.sandbox.answer

        def answer(call):
            if call.path.endswith(HR["name"]):
                return reply({"data": before})
            return usual(call)

        erp.sandbox.answer = answer
        with pytest.raises(Transient, match="changed while they are read"):
            listed(connector)


def test_what_a_server_lists_of_another_company_is_not_read(monkeypatch):
    usual = Query.meets

    def meets(query, row):
        own = [each for each in query.filters if each[0] != "company"]
        return usual(replace(query, filters=own), row)

    monkeypatch.setattr(Query, "meets", meets)
    other = budget("B-1", "Sales - BG", company="Beta GmbH")
    with site([SALES, other]) as erp, erp.connector() as connector:
        assert listed(connector).keys() == {"Sales - AL"}
        assert "which was not asked for" in problems(connector)["Sales - BG"]


def test_budgets_and_allocations_are_of_one_reading():
    with site([SALES, HR]) as erp, erp.connector() as connector:
        listed(connector)
        calls = len(erp.served.log)
        amended_at_once(erp)
        assert len(listed(connector, Kind.ALLOCATION)) == 2
        assert len(erp.served.log) == calls
        listed(connector, Kind.ALLOCATION)
        assert len(erp.served.log) > calls


def test_one_object_is_got_by_its_id():
    with site([SALES, {**HR, "budget_amount": None}]) as erp, erp.connector() as connector:
        share = connector.get(Kind.ALLOCATION, "Sales - AL/account:Travel - AL")
        assert share.container == "Sales - AL"
        with pytest.raises(Missing):
            connector.get(Kind.BUDGET, "Nobody - AL")
        with pytest.raises(Malformed, match="budget_amount"):
            connector.get(Kind.BUDGET, "HR - AL")


def test_nothing_can_be_written():
    with site([SALES]) as erp, erp.connector() as connector:
        item = connector.get(Kind.BUDGET, "Sales - AL")
        draft, calls = Draft(model=item.model), len(erp.served.log)
        for write in (
            lambda: connector.create(draft, "k"),
            lambda: connector.update(item.id, draft, {"amount"}, "k"),
            lambda: connector.retire(Kind.BUDGET, item.id, "k"),
            lambda: connector.delete(Kind.BUDGET, item.id, "k"),
        ):
            with pytest.raises(Unsupported):
                write()
        assert len(erp.served.log) == calls
