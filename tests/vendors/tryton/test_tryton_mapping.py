"""Tryton's lines as budgets and allocations, and a budget's amounts as lines."""

from datetime import date
from decimal import Decimal

import pytest

from canonical.allocation import Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.period import Cadence, Period
from connectors.contract.errors import Malformed, Rejected
from connectors.erp.entries import Entry, Unread, Whose
from connectors.erp.mapping import allocation_of, budget_of, by_ref, rewritten, summed
from connectors.tryton.entries import account_entries, analytic_entries
from connectors.tryton.views import After
from connectors.tryton.wire import (
    Account,
    AccountBudget,
    AccountLine,
    Analytic,
    AnalyticBudget,
    AnalyticLine,
    FiscalYear,
    LinePeriod,
    Root,
    data_of,
    number,
)

CENTRE = Whose("CC1", "Sales", "analytic_account.account,7", 7)
ROOT = Root(id=1, code="CC", name="Cost centres")
YEAR = FiscalYear(id=1, name="2026", start_date=date(2026, 1, 1), end_date=date(2026, 12, 31))


def span(first, last):
    return Period(date.fromisoformat(first), date.fromisoformat(last))


JANUARY, FEBRUARY, MARCH = (
    span("2026-01-01", "2026-01-31"),
    span("2026-02-01", "2026-02-28"),
    span("2026-03-01", "2026-03-31"),
)


def entry(period, amount, *, whose=CENTRE, line=1, document="2026"):
    return Entry(whose, period, None if amount is None else Decimal(amount), document, line, "1.0")


def usd(amount):
    return Amount.of(amount, "USD")


def budget(*entries, sign=-1):
    return budget_of(entries, "USD", sign)


def test_spend_is_negative_in_tryton_and_positive_here():
    found = budget(entry(JANUARY, "-1200.50"), entry(FEBRUARY, "-7"))
    assert [phase.amount for phase in found.phases] == [usd("1200.50"), usd("7")]
    assert (found.ref, found.name, found.cadence) == ("CC1", "Sales", Cadence.MONTHLY)
    assert (found.start, found.end) == (date(2026, 1, 1), date(2026, 2, 28))


def test_a_sign_of_plus_one_leaves_amounts_as_they_are():
    assert budget(entry(JANUARY, "50"), sign=1).amount == usd("50")


def test_a_month_of_credits_is_an_amount_below_zero():
    found = budget(entry(JANUARY, "-10"), entry(FEBRUARY, "2.50"))
    assert found.phases[1].amount == usd("-2.50")


def test_a_blank_month_is_not_stated_and_a_zero_is():
    found = budget(entry(JANUARY, "-10"), entry(FEBRUARY, None), entry(MARCH, "0.00"))
    assert [(phase.period, phase.amount) for phase in found.phases] == [
        (JANUARY, usd(10)),
        (MARCH, usd(0)),
    ]


def test_an_account_whose_lines_are_all_blank_is_no_budget():
    assert budget(entry(JANUARY, None)) is None


def test_one_amount_throughout_needs_no_phases():
    found = budget(entry(JANUARY, "-10"), entry(FEBRUARY, "-10"))
    assert (found.amount, found.phases, found.end) == (usd(10), (), date(2026, 2, 28))


def test_what_counts_once_and_again_is_never_joined():
    first, second = span("2026-01-04", "2026-01-31"), span("2026-02-01", "2026-02-28")
    found = budget(entry(first, "-10"), entry(second, "-10"))
    assert (found.cadence, len(found.phases)) == (Cadence.ONCE, 2)


@pytest.mark.parametrize(
    ("spans", "cadence"),
    [
        ([("2026-01-01", "2026-12-31")], Cadence.YEARLY),
        ([("2026-07-01", "2027-06-30")], Cadence.YEARLY),
        ([("2026-02-01", "2026-04-30"), ("2026-05-01", "2026-07-31")], Cadence.QUARTERLY),
        ([("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-04-30")], Cadence.ONCE),
        ([("2026-01-05", "2026-01-11")], Cadence.WEEKLY),
    ],
)
def test_the_cadence_is_what_all_periods_are(spans, cadence):
    found = budget(*(entry(span(*each), -n) for n, each in enumerate(spans, 1)))
    assert found.cadence is cadence


def test_two_budgets_that_count_at_one_time_are_named():
    with pytest.raises(Malformed, match=r"twice on 2026-01-01, in 'Plan' and 'Revised'.*names"):
        budget(entry(JANUARY, -1, document="Plan"), entry(JANUARY, -2, document="Revised"))


def test_two_accounts_of_one_code_are_not_one_budget():
    other = Whose("CC1", "Sales", "analytic_account.account,8", 8)
    with pytest.raises(Malformed, match="several accounts have the code 'CC1'"):
        budget(entry(JANUARY, -1), entry(FEBRUARY, -1, whose=other))


def analytic(amount, account=None, name=None):
    budgets = [
        AnalyticBudget(id=1, name="Jan", start_date=JANUARY.start, end_date=JANUARY.end, root=ROOT)
    ]
    amount = None if amount is None else Decimal(amount)
    line = AnalyticLine(id=5, budget=1, account=account, name=name, amount=amount)
    return [*analytic_entries(budgets, [line])]


def account(code="CC1", *, active=1, state="opened"):
    return Analytic(id=12, code=code, name="Sales", active=active, state=state)


def test_an_account_without_a_code_has_trytons_own_reference():
    (found,) = analytic(-1, account(None))
    assert (found.whose.ref, found.whose.name) == ("analytic_account.account,12", "Sales")


def test_a_line_without_an_account_is_known_by_its_name():
    (found,) = analytic(-1, name="Contingency")
    assert found.whose.ref == "Contingency"


@pytest.mark.parametrize("amount", [None, "0"])
def test_a_heading_states_nothing(amount):
    assert analytic(amount, name="Operating expenses") == []


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, Status.ACTIVE),
        ({"active": 0}, Status.INACTIVE),
        ({"active": False}, Status.INACTIVE),
        ({"state": "closed"}, Status.RETIRED),
    ],
)
def test_an_account_that_is_not_in_use_says_so(said, status):
    (found,) = analytic(-1, account(**said))
    assert found.whose.status is status


def test_a_code_that_cannot_be_kept_is_told_and_no_budget():
    (found,) = analytic(-1, account("C\x07"))
    assert isinstance(found, Unread)
    assert "U+0007" in found.message


def by_account(amount, ratios, *, code="6100"):
    own = Account(id=3, code=code, name="Travel", closed=0)
    line = AccountLine(
        id=9, budget=4, account=own, account_type=None, name=None, amount=Decimal(amount)
    )
    periods = [
        LinePeriod(
            id=n,
            budget_line=9,
            ratio=Decimal(ratio),
            period=FiscalYear(
                id=n, name="", start_date=date(2026, n, 1), end_date=date(2026, n, 28)
            ),
        )
        for n, ratio in enumerate(ratios, 1)
    ]
    document = AccountBudget(id=4, name="CC1", fiscalyear=YEAR)
    return [*account_entries(document, [line], periods, "USD")]


@pytest.mark.parametrize("amount", ["-2400", "-2062518.70", "-0.07", "1000.01"])
def test_twelfths_of_four_digits_add_up_to_the_lines_amount(amount):
    found = by_account(amount, ["0.0833"] * 12)
    assert sum(each.amount for each in found) == Decimal(amount)
    assert max(each.amount for each in found) - min(each.amount for each in found) <= Decimal(
        "0.01"
    )


def test_ratios_that_differ_are_the_weights():
    found = by_account("-1000", ["0.5", "0.25", "0.25"])
    assert [each.amount for each in found] == [-500, -250, -250]


def test_periods_that_hold_only_a_part_of_the_amount_are_told():
    (found,) = by_account("-1000", ["0.25", "0.25"])
    assert (found.ref, found.message) == (
        "6100",
        "its periods hold 50.00% of its amount; give them all of it",
    )


def test_a_line_without_periods_counts_for_its_fiscal_year():
    (found,) = by_account("-1000", [])
    assert found.period == Period(YEAR.start_date, YEAR.end_date)


def test_an_allocation_is_its_accounts_share_of_the_budget():
    travel = Whose("6100", "Travel", "account.account,3", 3)
    whole = budget(entry(JANUARY, -10), entry(FEBRUARY, -20))
    found = allocation_of(
        [entry(JANUARY, -1, whose=travel), entry(FEBRUARY, -2, whose=travel)], whole, "USD", -1
    )
    assert (found.ref, found.budget, found.entity) == (
        "6100",
        "CC1",
        Entity("account", "6100 Travel"),
    )
    assert [phase.amount for phase in found.phases] == [usd(1), usd(2)]


def test_an_allocation_that_counts_otherwise_than_its_budget_is_told():
    yearly = entry(Period(YEAR.start_date, YEAR.end_date), -12)
    with pytest.raises(Malformed, match="it counts yearly, and its budget CC1 monthly"):
        allocation_of([yearly], budget(entry(JANUARY, -10)), "USD", -1)


def test_the_budget_of_a_document_is_the_sum_of_its_lines():
    found = summed("Plan", [entry(JANUARY, -1), entry(JANUARY, -2), entry(FEBRUARY, -3)], "USD", -1)
    assert (found.ref, found.amount, found.phases) == ("Plan", usd(3), ())


def test_lines_of_unlike_periods_have_no_sum():
    with pytest.raises(Malformed, match="unlike periods"):
        summed("Plan", [entry(JANUARY, -1), entry(span("2026-01-01", "2026-03-31"), -2)], "USD", -1)


LINES = [entry(JANUARY, -10, line=1), entry(FEBRUARY, -20, line=2), entry(MARCH, None, line=3)]


def wanted(*phases, **said):
    made = tuple(Phase(period, usd(amount)) for period, amount in phases)
    first = {"amount": made[0].amount} if made else {}
    return Budget(ref="CC1", name="Sales", cadence=Cadence.MONTHLY, phases=made, **first | said)


def test_only_lines_that_differ_are_written():
    assert rewritten(LINES, wanted((JANUARY, 10), (FEBRUARY, 25)), -1) == {2: Decimal(-25)}


def test_a_blank_line_gets_the_amount_that_is_wanted_for_it():
    assert rewritten(LINES, wanted((MARCH, 5)), -1) == {3: Decimal(-5)}


def test_a_zero_is_written_without_a_sign():
    (amount,) = rewritten(LINES, wanted((JANUARY, 0)), -1).values()
    assert number(amount) == {"__class__": "Decimal", "decimal": "0"}


def test_one_amount_throughout_is_that_of_each_line():
    found = rewritten(LINES, wanted(amount=usd(20), start=date(2026, 1, 1)), -1)
    assert found == {1: Decimal(-20), 3: Decimal(-20)}


@pytest.mark.parametrize(
    ("said", "missing"),
    [
        (wanted((span("2026-04-01", "2026-04-30"), 5)), "2026-04-01 to 2026-04-30"),
        (wanted((span("2026-03-01", "2026-05-31"), 5)), "2026-04-01 to 2026-05-31"),
        (wanted(amount=usd(1), start=date(2025, 12, 1)), "2025-12-01 to 2025-12-31"),
    ],
)
def test_a_time_that_no_line_has_is_refused_by_name(said, missing):
    with pytest.raises(Rejected, match=f"no line for {missing}"):
        rewritten(LINES, said, -1)


def test_half_a_period_is_refused():
    with pytest.raises(Rejected, match="in two"):
        rewritten(LINES, wanted((span("2026-01-15", "2026-02-28"), 5)), -1)


CENTRES = {
    ref: Budget(ref=ref, name=name, amount=None)
    for ref, name in (("CC1", "Sales"), ("CC10", "Service"), ("CC2", "Sales"))
}


@pytest.mark.parametrize(
    ("name", "ref"),
    [
        ("CC1", "CC1"),
        ("CC10", "CC10"),
        ("Sales north (CC1)", "CC1"),
        ("CC10: operating", "CC10"),
        ("Service", "CC10"),
    ],
)
def test_an_account_budget_belongs_to_whom_it_names(name, ref):
    assert After(CENTRES).whom(name) == ref


@pytest.mark.parametrize("name", ["Sales", "CC1 and CC2", "Operating 2026", "CC100"])
def test_an_account_budget_of_nobody_or_of_several_is_told(name):
    with pytest.raises(Malformed):
        After(CENTRES).whom(name)


def test_numbers_and_dates_stand_for_themselves_and_references_for_what_they_are_of():
    said = {
        "amount": {"__class__": "Decimal", "decimal": "-10.00"},
        "day": {"__class__": "date", "year": 2026, "month": 1, "day": 31},
        "account": 3,
        "account.": {"id": 3, "code": "6100"},
    }
    assert data_of(said) == {
        "amount": Decimal("-10.00"),
        "day": date(2026, 1, 31),
        "account": {"id": 3, "code": "6100"},
    }


@pytest.mark.parametrize("decimal", ["much", None, 5.5])
def test_a_number_that_is_none_is_malformed(decimal):
    with pytest.raises(Malformed):
        data_of({"__class__": "Decimal", "decimal": decimal})


def test_entries_are_in_order_of_time():
    found = by_ref([entry(MARCH, -1), entry(JANUARY, -2)])
    assert [each.period for each in found["CC1"]] == [JANUARY, MARCH]
