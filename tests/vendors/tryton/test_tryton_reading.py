"""What is read out of a real Tryton, and what is not believed."""

from contextlib import contextmanager
from decimal import Decimal

import pytest

from canonical.allocation import Status
from canonical.kind import Kind
from connectors.contract.errors import (
    Forbidden,
    Malformed,
    RateLimited,
    Rejected,
    Unauthorized,
    Unreadable,
)
from tests.vendors.tryton.tryton_books import CENTRES, READER, share, spend

CC, PR = {"root": "CC"}, {"root": "PR"}
ACCOUNT = "analytic_account.account"


@contextmanager
def changed(erp, model, ids, before, **values):
    """The records have other values for a while."""
    erp.hand.write(model, ids, **values)
    try:
        yield
    finally:
        erp.hand.write(model, ids, **before)


def test_each_cost_centre_is_a_budget_with_the_amounts_of_its_months(erp):
    found, problems = erp.budgets(**CC)
    assert problems == []
    said = {
        (ref, phase.period.start.month): phase.amount.value
        for ref, budget in found.items()
        for phase in budget.phases
    }
    assert said == {
        (f"CC{n:04}", month): spend(n, month)
        for n in range(1, CENTRES + 1)
        for month in range(1, 13)
    }


def test_account_budgets_of_a_centres_name_are_its_allocations_to_the_cent(erp):
    found, problems = erp.shares(**CC, allocations=["CC*"])
    assert problems == []
    said = {
        id: sum((phase.amount.value for phase in each.phases), Decimal(0)) or each.amount.value * 12
        for id, each in found.items()
    }
    assert said == {
        f"CC{n:04}/{code}": share(n, which)
        for n in range(1, CENTRES + 1)
        for which, code in enumerate(("6100", "6200", "6300", "6400"), 1)
    }


def test_rest_reads_what_json_rpc_reads(erp):
    said = {**PR, "allocations": ["PR*"]}
    by_key = {"key": erp.key(), **said}
    assert erp.budgets(**by_key) == erp.budgets(**said)
    assert erp.shares(**by_key) == erp.shares(**said)


def test_pages_of_any_size_hold_the_same(erp):
    whole, (small) = erp.budgets(**PR), erp.connector(**PR)
    small._records.by_id.page_size = 3
    (page,) = small.list(Kind.BUDGET)
    assert {each.id: each.model for each in page.items} == whole[0]


def test_account_budgets_are_budgets_by_name_with_their_accounts_as_allocations(erp):
    said = {"budgets": "documents", "names": ["PR*"]}
    found, _ = erp.budgets(**said)
    shares, _ = erp.shares(**said)
    assert {ref: each.amount.value for ref, each in found.items()} == {
        f"PR{n}": Decimal(share(n, 1) + share(n, 2)) / 2 for n in (1, 2, 3, 4)
    }
    assert {each.budget for each in shares.values()} == set(found)


def test_accounts_are_budgets_by_code(erp):
    found, problems = erp.budgets(budgets="accounts", names=["CC0001"], accounts=["6[12]*"])
    assert problems == []
    assert {ref: each.name for ref, each in found.items()} == {"6100": "Travel", "6200": "Software"}


def test_what_counts_twice_is_set_aside_and_the_settings_choose(erp):
    with erp.second_plan("PR3"):
        found, (problem,) = erp.budgets(**PR)
        assert "PR3" not in found
        assert (problem.ref, "'2026-01' and 'Revised'" in problem.message) == ("PR3", True)
        found, problems = erp.budgets(**PR, names=["2026-*"])
    assert ("PR3" in found, problems) == (True, [])


def test_several_roots_are_a_question(erp):
    with pytest.raises(Rejected, match=r"several roots: Cost centres, Projects.*Set root"):
        erp.budgets()


@pytest.mark.parametrize(
    ("said", "setting"),
    [
        ({"root": "XX"}, "root"),
        ({"root": "PR", "names": ["2025-*"]}, "names"),
        ({"root": "PR", "fiscal_years": ["2025"]}, "fiscal_years"),
        ({"root": "PR", "company": "Other"}, "company"),
    ],
)
def test_settings_that_choose_nothing_are_named(erp, said, setting):
    with pytest.raises((Rejected, Forbidden), match=rf"{setting}.*\[systems.erp\]"):
        erp.budgets(**said)


def test_a_fiscal_year_chooses_what_lies_within(erp):
    assert len(erp.budgets(**PR, fiscal_years=["2026"])[0]) == 4


@contextmanager
def without_company(erp, user=READER):
    ids = erp.hand.find("res.user", ["login", "=", user])
    erp.hand.write("res.user", ids, companies=[["remove", [1]]], company=None)
    try:
        yield
    finally:
        erp.hand.write("res.user", ids, companies=[["add", [1]]], company=1)


def test_a_user_without_a_company_is_never_shown_empty_books(erp):
    connectors = [erp.connector(**PR), erp.connector(**PR, key=erp.key())]
    with without_company(erp):
        for connector in connectors:
            with pytest.raises(Forbidden, match="has no company"):
                [*connector.list(Kind.BUDGET)]


def test_a_company_that_is_taken_away_while_it_is_read_is_seen(erp, monkeypatch):
    connector = erp.connector(**PR)
    records, taken = connector._records, []
    all_of = records.all

    def all_but_lines(model, domain):
        if model.name.endswith("budget.line") and not taken:
            taken.append(erp.stack.enter_context(without_company(erp)))
        return all_of(model, domain)

    monkeypatch.setattr(records, "all", all_but_lines)
    with pytest.raises(Forbidden, match="has no company"):
        [*connector.list(Kind.BUDGET)]


def test_a_user_without_rights_is_told_so(erp):
    ids = erp.hand.find("res.user", ["login", "=", READER])
    groups = erp.hand.find("res.group", ["name", "in", ["Accounting", "Account Budget"]])
    connector = erp.connector(**PR)
    with changed(erp, "res.user", ids, {"groups": [["add", groups]]}, groups=[["remove", groups]]):
        for call in (connector.check, lambda: [*connector.list(Kind.BUDGET)]):
            with pytest.raises(Forbidden, match=r"not allowed to access.*Accounting"):
                call()
    assert connector.check().notes == ["14 analytic budgets, in USD"]


def test_a_closed_account_is_retired_and_an_inactive_one_inactive(erp):
    (first,) = erp.hand.find(ACCOUNT, ["code", "=", "PR1"])
    (second,) = erp.hand.find(ACCOUNT, ["code", "=", "PR2"])
    with (
        changed(erp, ACCOUNT, [first], {"state": "opened"}, state="closed"),
        changed(erp, ACCOUNT, [second], {"active": True}, active=False),
    ):
        found, _ = erp.budgets(**PR)
    said = {ref: found[ref].status for ref in ("PR1", "PR2", "PR3")}
    assert said == {"PR1": Status.RETIRED, "PR2": Status.INACTIVE, "PR3": Status.ACTIVE}


def test_a_cost_centre_that_is_not_planned_any_more_is_not_listed(erp):
    lines = erp.hand.find("analytic_account.budget.line", ["account.code", "=", "PR4"])
    with erp.amounts_kept(*lines):
        erp.hand.write("analytic_account.budget.line", lines, amount=None)
        assert set(erp.budgets(**PR)[0]) == {"PR1", "PR2", "PR3"}


def log_ins(erp):
    return sum(b"common.db.login" in body for body in erp.proxy.sandbox.bodies)


def test_a_wrong_password_is_sent_once(erp):
    connector = erp.connector(login="nobody-once", password="wrong")
    for _ in range(3):
        with pytest.raises(Unauthorized, match="login and password"):
            connector.check()
    assert log_ins(erp) == 1


def test_a_log_in_that_is_locked_is_not_tried_again(erp):
    erp.proxy.faults.add("error_before", path="/books/rpc/", status=429, times=-1)
    connector = erp.connector()
    for _ in range(2):
        with pytest.raises(RateLimited, match="wrong password"):
            connector.check()
    assert [call["status"] for call in erp.proxy.log].count(429) == 1


def test_a_session_that_ended_is_renewed_once(erp):
    connector = erp.connector(**PR)
    connector.check()
    erp.proxy.faults.add("unauthorized", path="/books/rpc/", times=1)
    connector.check()
    assert log_ins(erp) == 2
    erp.proxy.faults.add("unauthorized", path="/books/rpc/", times=-1)
    with pytest.raises(Unauthorized):
        connector.check()


def test_the_session_is_closed_in_the_end(erp):
    connector = erp.connector()
    connector.check()
    connector.close()
    assert b"common.db.logout" in erp.proxy.sandbox.bodies[-1]
    assert erp.proxy.log[-1]["status"] == 200


def test_without_a_session_nothing_is_closed(erp):
    erp.connector().close()
    assert erp.proxy.log == []


def test_a_database_that_is_not_there_is_named(erp):
    with pytest.raises(Unreadable, match="database 'other'"):
        erp.connector(database="other").check()


def test_a_module_that_is_not_active_is_named(erp, monkeypatch):
    connector = erp.connector(**PR)
    page = connector._records.page
    monkeypatch.setattr(
        connector._records, "page", lambda model, *said: page(f"{model}.nope", *said)
    )
    with pytest.raises(Malformed, match=r"knows no 'company.company.nope'.*modules"):
        connector.check()
