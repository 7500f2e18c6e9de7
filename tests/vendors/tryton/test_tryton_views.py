"""What is shown of Tryton's lines, and what is set aside whole."""

from datetime import date
from decimal import Decimal

import pytest

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.period import Cadence, Period
from connectors.erp.entries import Entry, Unread, Whose
from connectors.tryton.reading import AccountRead
from connectors.tryton.views import Views
from connectors.tryton.wire import AccountBudget, FiscalYear

JANUARY = Period(date(2026, 1, 1), date(2026, 1, 31))
TRAVEL = Whose("6100", "Travel", "account.account,1", 1)
SOFTWARE = Whose("6200", "Software", "account.account,2", 2)
BROKEN = Unread("6200", "line 7 of 'CC1'", "its periods hold 50.00% of its amount")


def entry(whose, amount, document="CC1"):
    return Entry(whose, JANUARY, Decimal(amount), document, 1)


def read(name, *entries, unread=(), year=2026):
    span = {"start_date": date(year, 1, 1), "end_date": date(year, 12, 31)}
    document = AccountBudget(id=1, name=name, fiscalyear=FiscalYear(id=year, name="", **span))
    return AccountRead(document, entries, unread)


@pytest.fixture
def views():
    return Views("erp", -1)


def sales(ref="CC1", name="Sales"):
    return Budget(
        ref=ref, name=name, amount=Amount.of(10, "USD"), cadence=Cadence.MONTHLY,
        start=JANUARY.start, end=JANUARY.end,
    )  # fmt: skip


def messages(shown):
    return [(each.ref, each.message) for each in shown.problems]


def test_a_document_is_the_sum_of_its_lines_which_are_its_allocations(views):
    budgets, shares = views.documents([read("CC1", entry(TRAVEL, -1), entry(SOFTWARE, -2))], "USD")
    assert [(each.id, each.model.amount.value) for each in budgets.items] == [("CC1", 3)]
    assert [(each.id, each.container) for each in shares.items] == [
        ("CC1/6100", "CC1"), ("CC1/6200", "CC1"),
    ]  # fmt: skip


def test_documents_of_one_name_go_on_from_year_to_year(views):
    later = Entry(TRAVEL, Period(date(2027, 1, 1), date(2027, 1, 31)), Decimal(-5), "CC1", 2)
    found = [read("CC1", entry(TRAVEL, -1)), read("CC1", later, year=2027)]
    budgets, _ = views.documents(found, "USD")
    (item,) = budgets.items
    assert [phase.amount.value for phase in item.model.phases] == [1, 5]


def test_two_documents_of_one_name_in_one_year_are_no_budget(views):
    found = [read("CC1", entry(TRAVEL, -1)), read("CC1", entry(TRAVEL, -2))]
    budgets, shares = views.documents(found, "USD")
    assert (budgets.items, shares.items) == ([], [])
    assert "several account budgets of one year" in budgets.problems[0].message


def test_a_document_with_a_line_that_cannot_be_read_is_set_aside_whole(views):
    budgets, shares = views.documents([read("CC1", entry(TRAVEL, -1), unread=[BROKEN])], "USD")
    assert (budgets.items, shares.items) == ([], [])
    assert messages(budgets) == [("CC1", f"{BROKEN.where}: {BROKEN.message}")]


def test_of_an_analytic_accounts_allocations_only_the_unreadable_is_set_aside(views):
    found = [read("CC1", entry(TRAVEL, -1), unread=[BROKEN])]
    shown = views.named_after(found, {"CC1": sales()}, "USD")
    assert [each.model for each in shown.items] == [
        Allocation(
            ref="6100", budget="CC1", entity=Entity("account", "6100 Travel"),
            amount=Amount.of(1, "USD"), cadence=Cadence.MONTHLY, start=JANUARY.start,
            end=JANUARY.end,
        )
    ]  # fmt: skip
    assert messages(shown) == [("CC1/6200", BROKEN.message)]


def test_an_account_budget_of_nobody_is_told_and_hides_no_other(views):
    found = [read("Operating", entry(TRAVEL, -1)), read("Sales", entry(SOFTWARE, -2))]
    shown = views.named_after(found, {"CC1": sales()}, "USD")
    assert [each.id for each in shown.items] == ["CC1/6200"]
    assert [each.where for each in shown.problems] == ["allocation Operating"]


def test_two_account_budgets_of_one_centre_that_count_at_one_time_are_named(views):
    found = [read("CC1", entry(TRAVEL, -1)), read("CC1 new", entry(TRAVEL, -2, "CC1 new"))]
    shown = views.named_after(found, {"CC1": sales()}, "USD")
    assert shown.items == []
    assert "'CC1' and 'CC1 new'" in shown.problems[0].message


def test_a_line_of_which_nobody_knows_whose_it_is_may_be_of_any_budget(views):
    shown = views.accounts([], [Unread(None, "line 3", "its account is not stated")], "USD")
    (problem,) = shown.problems
    assert problem.may_be("CC9", sales("CC9"), None)
