"""What is read out of Odoo's lines, and what is not believed."""

from datetime import date
from decimal import Decimal

import pytest

from canonical.allocation import Entity, Status
from canonical.amount import Amount
from canonical.kind import Kind
from canonical.period import Cadence, Period
from connectors.contract.errors import Forbidden, Malformed, Missing, Rejected, Transient
from tests.vendors.odoo.conftest import ACCOUNTS, DOCUMENTS, LINES, PASSWORD

KEY = {"key": PASSWORD}
NO_CODE = "account.analytic.account,3"
MARCH = ("2026-03-01", "2026-03-31")


def usd(amount):
    return Amount.of(amount, "USD")


def in_march(budget):
    return budget.in_force(date(2026, 3, 15))


# -- meaning -------------------------------------------------------------------------------------


def test_an_analytic_account_is_a_budget_with_the_sum_of_its_lines_by_month(erp):
    found, problems = erp.budgets()
    assert problems == []
    assert set(found) == {"0110", "0210", NO_CODE}
    budget = found["0110"]
    assert (budget.name, budget.cadence, len(budget.phases)) == (
        "Administration",
        Cadence.MONTHLY,
        12,
    )
    assert in_march(budget) == usd("3093.60")  # 1031.20 by one position, twice of it by another


def test_budgetary_positions_are_allocations_with_phases_of_their_own(erp):
    found, problems = erp.shares()
    assert problems == []
    share = found["0110/account.budget.post,2"]
    assert (share.budget, share.entity) == ("0110", Entity("account", "Travel"))
    assert [phase.amount for phase in share.phases][:2] == [usd("2020.80"), usd("2041.60")]
    assert len(found) == 4


def test_without_allocations_there_are_none(erp):
    assert erp.shares(allocations=False) == ({}, [])
    assert in_march(erp.budgets(allocations=False)[0]["0110"]) == usd("3093.60")


@pytest.mark.parametrize(
    ("amount", "expected"), [("-3033.4", "3033.40"), ("120.05", "-120.05"), ("0", "0"), ("-0.005", "0.005")]
)  # fmt: skip
def test_amounts_are_read_digit_by_digit_and_turned(erp, amount, expected):
    erp.put(LINES, id=erp.line(2, 3)["id"], planned_amount=Decimal(amount))
    assert in_march(erp.budgets()[0]["0210"]) == usd(expected)


def test_a_sign_of_plus_one_leaves_amounts_as_they_are(erp):
    assert in_march(erp.budgets(sign=1)[0]["0210"]) == usd("-2031.20")


def test_lines_of_one_account_position_and_month_are_summed(erp):
    erp.plan(2, "-0.80", *MARCH, general_budget_id=1)
    assert in_march(erp.budgets()[0]["0210"]) == usd("2032.00")
    assert in_march_share(erp, "0210/account.budget.post,1") == usd("2032.00")


def in_march_share(erp, id):
    return next(
        phase.amount
        for phase in erp.shares()[0][id].phases
        if phase.period == Period(date(2026, 3, 1), date(2026, 3, 31))
    )


def test_a_line_without_a_position_is_a_part_of_no_allocation(erp):
    erp.plan(2, "-0.80", *MARCH)
    assert in_march(erp.budgets()[0]["0210"]) == usd("2032.00")
    assert in_march_share(erp, "0210/account.budget.post,1") == usd("2031.20")


def test_lines_without_an_analytic_account_are_counted_by_check_and_not_read(erp):
    before = erp.budgets()
    erp.plan(False, "-5", *MARCH, general_budget_id=1)
    assert erp.budgets() == before
    assert erp.connector().check().notes == [
        "3 budgets, in USD",
        "1 lines name no analytic account and are not read",
    ]


def test_an_archived_account_is_inactive(erp):
    erp.put(ACCOUNTS, id=2, active=False)
    assert erp.budgets()[0]["0210"].status is Status.INACTIVE


@pytest.mark.parametrize("code", ["4500", "0210/7", "[x]"])
def test_a_ref_is_the_accounts_code_whatever_its_name(erp, code):
    erp.put(ACCOUNTS, id=2, code=code, name="[0110] not this")
    assert erp.budgets()[0][code].name == "[0110] not this"


def test_accounts_of_one_code_are_set_aside(erp):
    erp.put(ACCOUNTS, id=3, code="0210")
    found, (problem,) = erp.budgets()
    assert set(found) == {"0110"}
    assert "several accounts have the code '0210'" in problem.message


def test_unlike_periods_of_one_account_are_set_aside(erp):
    erp.plan(2, "-5", "2026-01-01", "2026-03-31")
    found, (problem,) = erp.budgets()
    assert ("0210" in found, problem.ref) == (False, "0210")


def test_only_the_accounts_of_the_settings_are_read(erp):
    assert set(erp.budgets(accounts=["0*"])[0]) == {"0110", "0210"}


# -- which documents count -----------------------------------------------------------------------


def revised(erp, **said):
    """A second document that plans March of 0210 anew."""
    row = erp.put(DOCUMENTS, name="Revised", **{"state": "validate", "company_id": 1, **said})
    return erp.plan(2, "-7", *MARCH, general_budget_id=1, crossovered_budget_id=row["id"])


def test_what_two_documents_plan_is_never_added_unasked(erp):
    revised(erp)
    found, (problem,) = erp.budgets()
    assert "0210" not in found
    assert "'Budget 2026' and in 'Revised'; say in names" in problem.message


def test_names_say_which_document_is_read(erp):
    revised(erp)
    assert in_march(erp.budgets(names=["Budget*"])[0]["0210"]) == usd("2031.20")
    assert in_march(erp.budgets(names=["Revised"])[0]["0210"]) == usd(7)


def test_documents_are_added_where_the_settings_say_so(erp):
    revised(erp)
    assert in_march(erp.budgets(sum_documents=True)[0]["0210"]) == usd("2038.20")


def test_documents_of_different_positions_are_parts_of_one_budget(erp):
    line = revised(erp)
    erp.put(LINES, id=line["id"], general_budget_id=2)
    assert in_march(erp.budgets()[0]["0210"]) == usd("2038.20")


def test_a_year_hidden_behind_its_months_is_seen(erp):
    row = erp.put(DOCUMENTS, name="Year", state="validate", company_id=1)
    span = ("2026-01-01", "2026-12-31")
    erp.plan(2, "-7", *span, general_budget_id=1, crossovered_budget_id=row["id"])
    _, (problem,) = erp.budgets()
    assert "say in names" in problem.message


@pytest.mark.parametrize("state", ["draft", "cancel"])
def test_a_document_that_is_not_in_force_is_not_read(erp, state):
    revised(erp, state=state)
    assert in_march(erp.budgets()[0]["0210"]) == usd("2031.20")


@pytest.mark.parametrize("state", ["confirm", "validate", "done"])
def test_a_document_in_force_is_read(erp, state):
    erp.put(DOCUMENTS, id=1, state=state)
    assert len(erp.budgets()[0]) == 3


def test_the_settings_say_which_states_count(erp):
    revised(erp, state="approved")
    assert in_march(erp.budgets(states=["approved"])[0]["0210"]) == usd(7)


def test_a_state_that_nobody_knows_sets_aside_what_it_may_count_for(erp):
    revised(erp, state="approved")
    found, (problem,) = erp.budgets()
    assert set(found) == {"0110", NO_CODE}
    assert (problem.ref, "'approved'; say in states" in problem.message) == ("0210", True)


@pytest.mark.parametrize("said", [{"names": ["2025*"]}, {"states": ["done"]}])
def test_settings_that_choose_no_document_are_never_empty_books(erp, said):
    with pytest.raises(Rejected, match=r"choose none of Odoo's 1 budgets.*names and states"):
        erp.budgets(**said)


def test_documents_that_are_all_drafts_again_are_never_empty_books(erp):
    erp.put(DOCUMENTS, id=1, state="draft")
    with pytest.raises(Rejected, match="choose none"):
        erp.budgets()


# -- budget.analytic -----------------------------------------------------------------------------


def test_expense_budgets_of_budget_analytic_are_above_zero_there(opened):
    erp = opened(budgets="budget.analytic")
    found, problems = erp.budgets()
    assert problems == []
    assert in_march(found["0210"]) == usd("2031.20")
    assert erp.shares() == ({}, [])


@pytest.mark.parametrize("kind", ["both", "revenue"])
def test_other_budgets_of_budget_analytic_are_turned(opened, kind):
    erp = opened(budgets="budget.analytic")
    for row in erp.rows("budget.analytic"):
        erp.put("budget.analytic", id=row["id"], budget_type=kind)
    assert in_march(erp.budgets()[0]["0210"]) == usd("-2031.20")
    assert in_march(erp.budgets(sign=1)[0]["0210"]) == usd("2031.20")


@pytest.mark.parametrize("state", ["draft", "revised", "canceled"])
def test_what_was_revised_does_not_count(opened, state):
    erp = opened(budgets="budget.analytic")
    erp.put("budget.analytic", id=3, state=state)
    months = [phase.period.start.month for phase in erp.budgets()[0]["0210"].phases]
    assert (len(months), 3 in months) == (11, False)


def test_accounts_of_another_plan_can_be_the_budgets_or_their_allocations(opened):
    erp = opened(budgets="budget.analytic")
    for row in erp.rows("budget.line", account_id=3):
        erp.put("budget.line", id=row["id"], account_id=2, x_plan2_id=3)
    shares, _ = erp.shares(position_field="x_plan2_id")
    assert [(id, str(each.entity)) for id, each in shares.items()] == [
        (f"0210/{NO_CODE}", "account:Crèche")
    ]
    assert set(erp.budgets(account_field="x_plan2_id")[0]) == {NO_CODE}


def test_where_both_are_installed_the_settings_choose(opened):
    erp = opened(budgets="both")
    with pytest.raises(Rejected, match=r"crossovered.budget, budget.analytic.*Set budget_model"):
        erp.budgets()
    assert len(erp.budgets(budget_model="crossovered.budget")[0]) == 3


def test_where_none_is_installed_both_are_named(opened):
    with pytest.raises(Malformed, match=r"no crossovered.budget.lines .*no budget.line .*Install"):
        opened(budgets="none").budgets()


def test_a_field_that_lines_do_not_have_is_named(erp):
    with pytest.raises(Malformed, match=r"no field x_plan9_id: check account_field"):
        erp.budgets(account_field="x_plan9_id", budget_model="crossovered.budget")


# -- what is not believed ------------------------------------------------------------------------


def test_json_2_reads_what_json_rpc_reads(opened):
    erp = opened(version=19)
    assert erp.budgets(**KEY) == erp.budgets()
    assert erp.shares(**KEY) == erp.shares()


@pytest.mark.parametrize("size", [1, 2, 7])
def test_pages_of_any_size_hold_the_same(erp, size):
    connector = erp.connector()
    connector._records.by_id.page_size = size
    (page,) = connector.list(Kind.BUDGET)
    assert {each.id: each.model for each in page.items} == erp.budgets()[0]


def test_a_server_that_gives_fewer_than_asked_for_hides_nothing(opened):
    assert opened(largest=5).budgets() == opened().budgets()


def test_a_line_that_comes_between_two_pages_is_seen(erp):
    erp.served.faults.add("page_drift", path=f"/jsonrpc/{LINES}")
    connector = erp.connector()
    connector._records.by_id.page_size = 10
    [*connector.list(Kind.BUDGET)]
    assert erp.asked(f"{LINES}/search_count") == 1


def test_a_page_that_comes_again_ends_it(erp):
    erp.served.faults.add("repeat_cursor", path=f"/jsonrpc/{LINES}", times=-1)
    connector = erp.connector()
    connector._records.by_id.page_size = 10
    with pytest.raises(Malformed, match="after the id"):
        [*connector.list(Kind.BUDGET)]


def test_a_user_without_a_company_is_never_shown_empty_books(opened):
    erp = opened(version=19)
    connectors = [erp.connector(), erp.connector(**KEY)]
    erp.put("res.users", id=2, company_ids=[])
    for connector in connectors:
        with pytest.raises(Forbidden, match="shown no company"):
            [*connector.list(Kind.BUDGET)]


@pytest.mark.parametrize("model", [DOCUMENTS, LINES])
def test_a_company_that_is_taken_away_while_it_is_read_is_seen(erp, monkeypatch, model):
    connector = erp.connector()
    raw = connector._records.raw

    def taken(name, *said):
        if name == model:
            erp.put("res.users", id=2, company_ids=[])
        return raw(name, *said)

    monkeypatch.setattr(connector._records, "raw", taken)
    with pytest.raises(Forbidden, match="shown no company"):
        [*connector.list(Kind.BUDGET)]


def test_an_account_that_is_not_shown_is_told_and_may_be_any(erp):
    erp.put("res.company", id=2, name="Other", currency_id=1)
    erp.put(ACCOUNTS, id=2, company_id=2)
    found, problems = erp.budgets()
    assert set(found) == {"0110", NO_CODE}
    assert {(each.ref, each.traces) for each in problems} == {(None, None)}
    with pytest.raises(Malformed, match="not shown to the user"):
        erp.connector().get(Kind.BUDGET, "0210")


@pytest.mark.parametrize("said", [{"planned_amount": False}, {"date_from": False}, {"date_to": "2026-02-30"},
    {"date_from": "2026-05-01"}, {"general_budget_id": True}])  # fmt: skip
def test_a_line_that_cannot_be_read_sets_its_account_aside_and_no_other(erp, said):
    erp.put(LINES, **erp.line(2, 3) | said)
    found, problems = erp.budgets()
    assert (set(found), {each.ref for each in problems}) == ({"0110", NO_CODE}, {"0210"})
    shares, problems = erp.shares()
    assert (len(shares), [each.ref for each in problems]) == (3, [None])
    assert problems[0].traces.containers == {"0210"}


def test_a_code_that_cannot_be_kept_is_told(erp):
    erp.put(ACCOUNTS, id=2, code="A\x00")
    with pytest.raises(Malformed, match=r"account,.2.: code: .*U\+0000"):
        erp.budgets()


def test_rights_that_are_missing_are_told(opened):
    erp = opened(rights="none")
    for call in (erp.connector().check, erp.budgets):
        with pytest.raises(Forbidden, match=r"not allowed to access.*Show Full Accounting"):
            call()


# -- companies -----------------------------------------------------------------------------------


def second_company(erp, shown=(1, 2)):
    erp.put("res.currency", id=2, name="CHF", rounding=Decimal("0.05"))
    erp.put("res.company", id=2, name="Beta", currency_id=2)
    erp.put("res.users", id=2, company_ids=[*shown])
    erp.put(DOCUMENTS, id=9, name="Beta 2026", state="validate", company_id=2)
    erp.put(ACCOUNTS, id=9, name="Sales", code="B1")
    erp.plan(9, "-10", *MARCH, crossovered_budget_id=9, company_id=2)


def test_several_companies_are_a_question(erp):
    second_company(erp)
    with pytest.raises(Rejected, match=r"'Acme', 'Beta'.*Set company"):
        erp.budgets()
    assert set(erp.budgets(company="Acme")[0]) == {"0110", "0210", NO_CODE}


def test_amounts_are_in_the_currency_of_the_company_that_is_read(erp):
    second_company(erp)
    found, problems = erp.budgets(company="Beta")
    assert problems == []
    assert {ref: each.amount for ref, each in found.items()} == {"B1": Amount.of(10, "CHF")}


def test_a_company_that_the_user_does_not_see_is_named(erp):
    second_company(erp, shown=[1])
    with pytest.raises(Forbidden, match=r"no budgets of company 'Beta', but of 'Acme'.*company"):
        erp.budgets(company="Beta")


def test_a_document_of_no_company_is_one_of_each(erp):
    erp.put(DOCUMENTS, id=1, company_id=False)
    assert len(erp.budgets()[0]) == 3


def test_a_currency_that_rounds_to_nothing_is_malformed(erp):
    erp.put("res.currency", id=1, rounding=Decimal(0))
    with pytest.raises(Malformed, match="its rounding is 0"):
        erp.budgets()


def test_an_unknown_id_is_missing(erp):
    connector = erp.connector()
    for kind in Kind:
        with pytest.raises(Missing):
            connector.get(kind, "nope")


def test_lines_that_come_and_go_are_not_believed(erp, monkeypatch):
    connector = erp.connector()
    asked = connector._records.asked
    monkeypatch.setattr(
        connector._records, "asked",
        lambda model, method, *said, **more: 99 if method == "search_count"
        else asked(model, method, *said, **more),
    )  # fmt: skip
    with pytest.raises(Transient, match="come and go"):
        [*connector.list(Kind.BUDGET)]
