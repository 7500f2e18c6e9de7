"""BILL's examples as ours, and ours as BILL's."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from canonical.actual import Actual
from canonical.allocation import Allocation, Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import facts
from canonical.period import Cadence, Period, period_of
from connectors.bill.connector import _message
from connectors.bill.declared import CAPABILITIES
from connectors.bill.mapping import (
    allocation_of,
    budget_of,
    budget_write,
    member_write,
    new_user,
    version_of,
    with_role,
)
from connectors.bill.wire import BillBudget, BillMember, BillUser
from connectors.calling.parsing import parsed
from connectors.contract.errors import Malformed, Rejected
from connectors.contract.records import Draft
from connectors.sandbox.bill.periods import new_period

EXAMPLES = Path(__file__).parent / "examples"
ALL = frozenset(CAPABILITIES.budget)
DAY = date(2026, 3, 10)


def example(name):
    return json.loads((EXAMPLES / name).read_text(), parse_float=Decimal)


def usd(number):
    return Amount.of(number, "USD")


def budget(**changed):
    said = {"ref": "CC1", "name": "Travel", "amount": usd("100.00"), "cadence": Cadence.MONTHLY}
    return Budget(**{**said, **changed})


def sent(model, fields=ALL, day=DAY, month=1, stamp=None):
    return budget_write(Draft(model=model, stamp=stamp), fields, "USD", day, month).body()


def from_the_next_on(model, amount):
    following = period_of(model.cadence, DAY).end + timedelta(days=1)
    return (Phase(Period(following, model.end), amount),)


# What BILL answers


def test_the_guides_budget_has_an_amount_now_and_another_from_january_on():
    seen = budget_of(parsed(BillBudget, example("budget.json")), "USD", None)
    assert seen.model == Budget(
        ref="QnVkZ2V0OjE=",
        name="Happy Music Supplies monthly spending budget",
        amount=usd(100),
        cadence=Cadence.MONTHLY,
        start=date(2024, 12, 15),
        phases=(Phase(Period(date(2025, 1, 1)), usd(200)),),
        enforcement=Enforcement.HARD,
        carry_over=False,
    )
    assert seen.actual == Actual("QnVkZ2V0OjE=", usd(0), usd(100), pending=usd(0))


def test_a_budget_that_never_recurs_has_no_next_period():
    (group, _) = example("page.json")["results"]
    seen = budget_of(parsed(BillBudget, group), "USD", None)
    assert (seen.model.cadence, seen.model.phases, seen.actual) == (Cadence.ONCE, (), None)
    assert seen.model.enforcement is Enforcement.SOFT


def test_a_budget_with_all_that_real_answers_have():
    (_, fleet) = example("page.json")["results"]
    seen = budget_of(parsed(BillBudget, fleet), "USD", "QnVkZ2V0OjI=")
    assert seen.model == Budget(
        ref="QnVkZ2V0OjM=",
        name="Fleet",
        description="Cars and fuel",
        amount=usd("4000.25"),
        cadence=Cadence.QUARTERLY,
        start=date(2026, 2, 1),
        end=date(2027, 6, 30),
        phases=(Phase(Period(date(2027, 2, 1), date(2027, 6, 30)), usd("4500.50")),),
        status=Status.RETIRED,
        enforcement=Enforcement.SOFT,
        carry_over=True,
        parent="QnVkZ2V0OjI=",
    )
    assert (seen.id, seen.stamp, seen.container) == ("QnVkZ2V0OjM=", "CC/0042", "QnVkZ2V0OjI=")
    assert seen.actual == Actual("QnVkZ2V0OjM=", usd("15.10"), usd("3985.15"), pending=usd(5))


def test_the_guides_member_is_an_allocation():
    (group, _) = example("page.json")["results"]
    member = parsed(BillMember, example("member.json"))
    seen = allocation_of(member, parsed(BillBudget, group), "clark@example.com", "USD")
    assert seen.model == Allocation(
        ref="QnVkZ2V0OjI=/VXNlcjo3",
        budget="QnVkZ2V0OjI=",
        entity=Entity("user", "clark@example.com"),
        amount=usd(50),
    )
    assert (seen.id, seen.container) == ("QnVkZ2V0OjI=/VXNlcjo3", "QnVkZ2V0OjI=")
    assert seen.actual == Actual(seen.id, usd(0), usd(50))


def test_a_member_with_another_limit_for_later_has_it_from_the_next_period_on():
    (row, _) = example("page.json")["results"]
    row = {
        **row, "recurringInterval": "MONTHLY", "startDate": "2026-01-10", "expirationDate": None,
        "currentPeriod": {"startDate": "2026-03-01", "limit": 500},
    }  # fmt: skip
    wire, member = parsed(BillBudget, row), parsed(BillMember, example("member.json"))
    seen = allocation_of(member, wire, "c", "USD").model
    assert (seen.amount, seen.start) == (usd(50), date(2026, 1, 10))
    assert seen.phases == (Phase(Period(date(2026, 4, 1)), usd(100)),)
    stated = budget_of(wire, "USD", None).model.complete(seen)
    assert Budget.of_share(stated).in_force(date(2026, 3, 31)) == usd(50)


def test_a_member_is_retired_with_the_budget_and_has_no_amount_where_funds_are_shared():
    (_, retired) = example("page.json")["results"]
    member = {**example("member.json"), "shareBudgetFunds": True, "limit": None}
    seen = allocation_of(parsed(BillMember, member), parsed(BillBudget, retired), "c", "USD")
    assert (seen.model.status, seen.model.amount) == (Status.RETIRED, None)


@pytest.mark.parametrize(
    ("interval", "enforcement"),
    [("MONTHLY", Enforcement.SOFT), ("WEEKLY", Enforcement.HARD), ("DAILY", Enforcement.HARD)],
)
def test_a_buffer_makes_a_budget_soft_unless_its_period_is_too_short(interval, enforcement):
    wire = {**example("budget.json"), "recurringInterval": interval}
    wire["currentPeriod"] = {**wire["currentPeriod"], "overspendBuffer": 5}
    seen = budget_of(parsed(BillBudget, wire), "USD", None)
    assert seen.model.enforcement is enforcement


def test_the_guides_user_is_known_by_id_and_email():
    user = parsed(BillUser, example("user.json"))
    assert (user.id, user.email, user.retired) == ("VXNlcjo3", "clark@example.com", False)


def test_an_error_of_the_list_is_told_with_its_code():
    said = "Max number of allowed requests per hour reached: 20000. (BDC_1144)"
    assert _message(example("errors.json")) == said


def test_each_failure_of_the_list_is_told():
    items = [{"code": "A", "message": "limit: must not be null"}, {"message": "name: is invalid"}]
    assert _message(items) == "limit: must not be null (A); name: is invalid (no code)"


@pytest.mark.parametrize(
    ("field", "value"),
    [("recurringInterval", "HOURLY"), ("retired", None), ("name", 7), ("recurringLimit", "much")],
)
def test_a_budget_that_cannot_be_read_is_malformed(field, value):
    with pytest.raises(Malformed, match=field):
        budget_of(parsed(BillBudget, {**example("budget.json"), field: value}), "USD", None)


@pytest.mark.parametrize(
    ("interval", "begins", "month", "following"),
    [
        ("DAILY", "2026-03-31", None, "2026-04-01.."),
        ("WEEKLY", "2026-12-28", None, "2027-01-04.."),
        ("MONTHLY", "2026-12-15", None, "2027-01-01.."),
        ("QUARTERLY", "2026-10-01", 4, "2027-01-01.."),
        ("YEARLY", "2026-04-01", 4, "2027-04-01.."),
        ("YEARLY", "2026-04-01", None, "2027-04-01.."),
    ],
)
def test_when_the_later_amount_begins_follows_from_the_cadence(interval, begins, month, following):
    row = {**example("budget.json"), "recurringInterval": interval, "recurMonth": month}
    row["currentPeriod"] = {"startDate": begins, "limit": 1}
    (later,) = budget_of(parsed(BillBudget, row), "USD", None).model.phases
    assert str(later.period) == following


@pytest.mark.parametrize(
    ("end", "periods"), [("2025-01-20", ["2025-01-01..2025-01-20"]), ("2024-12-31", [])]
)
def test_the_later_amount_lasts_to_the_end_of_the_budget(end, periods):
    wire = parsed(BillBudget, {**example("budget.json"), "expirationDate": end})
    phases = budget_of(wire, "USD", None).model.phases
    assert [str(phase.period) for phase in phases] == periods


@pytest.mark.parametrize(
    ("interval", "start"),
    [("MONTHLY", "2026-03-15"), ("QUARTERLY", "2026-02-01"), ("YEARLY", "2025-05-01")],
)
def test_years_and_quarters_start_where_they_begin_at_bill(interval, start):
    row = {**example("budget.json"), "recurringInterval": interval, "recurMonth": 5}
    wire = parsed(BillBudget, {**row, "startDate": "2026-03-15"})
    assert str(budget_of(wire, "USD", None).model.start) == start


@pytest.mark.parametrize("later", ["100.00", None])
def test_a_budget_whose_amount_stays_has_no_phases(later):
    row = {**example("budget.json"), "recurringLimit": later}
    assert budget_of(parsed(BillBudget, row), "USD", None).model.phases == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [("limit", 101), ("assigned", 1), ("startDate", "2025-01-01")],
)
def test_the_version_moves_with_the_amounts_and_with_the_period(field, value):
    row = example("budget.json")
    moved = {**row, "currentPeriod": {**row["currentPeriod"], field: value}}
    assert version_of(parsed(BillBudget, moved)) != version_of(parsed(BillBudget, row))


def test_the_version_stays_while_money_is_spent_or_written_otherwise():
    row = example("budget.json")
    spent = {"cleared": 7, "pending": 0, "total": 7}
    same = {**row["currentPeriod"], "spent": spent, "limit": "100", "assigned": 0}
    moved = {**row, "name": "Other", "currentPeriod": same}
    assert version_of(parsed(BillBudget, moved)) == version_of(parsed(BillBudget, row))


# What BILL is told


def test_a_whole_budget_is_sent_as_the_guide_does():
    request = example("budget_request.json")
    request.pop("owners")
    model = budget(
        name=request["name"],
        amount=usd(100),
        phases=(Phase(Period(date(2026, 4, 1), date(2026, 4, 30)), usd(200)),),
    )
    assert sent(model, {"name", "amount", "cadence", "phases"}) == request


def test_without_phases_the_amount_is_for_later_periods_too():
    body = sent(budget())
    assert (body["limit"], body["recurringLimit"]) == (Decimal("100.00"), Decimal("100.00"))


def test_a_budget_that_never_recurs_has_one_limit():
    assert sent(budget(cadence=Cadence.ONCE), {"amount", "cadence"}) == {
        "recurringInterval": "NONE",
        "limit": Decimal("100.00"),
    }


@pytest.mark.parametrize(
    ("begins", "limit", "later"),
    [
        (date(2026, 4, 1), 100, 200),  # with BILL's next period
        (date(2026, 6, 1), 100, 100),  # after it: it is not said before its time
        (date(2026, 3, 1), 200, 200),  # with the current one: BILL is ahead of us
    ],
)
def test_each_limit_is_what_counts_on_the_first_day_of_its_period(begins, limit, later):
    model = budget(phases=(Phase(Period(begins), usd(200)),))
    body = sent(model, {"amount", "phases"})
    assert (body["limit"], body["recurringLimit"]) == (usd(limit).value, usd(later).value)


def test_only_the_later_limit_is_sent_where_only_the_next_phase_changed():
    model = budget(phases=(Phase(Period(date(2026, 4, 1)), usd(200)),))
    assert sent(model, {"phases"}) == {"recurringLimit": Decimal(200)}


def test_years_begin_in_the_month_that_is_said():
    body = sent(budget(cadence=Cadence.YEARLY), month=7)
    assert (body["recurringInterval"], body["recurMonth"]) == ("YEARLY", 7)
    assert "recurMonth" not in sent(budget())


def test_an_end_that_is_taken_away_is_sent_as_null():
    assert sent(budget(), {"end"}) == {"expirationDate": None}
    assert sent(budget(end=DAY), {"end"}) == {"expirationDate": DAY}


def test_the_stamp_stands_at_the_end_of_the_description():
    body = sent(budget(description="All trips"), {"description"}, stamp="CC1")
    assert body == {"description": "All trips [trueup:CC1]"}


@pytest.mark.parametrize(
    ("enforcement", "cadence", "body"),
    [
        (Enforcement.SOFT, Cadence.MONTHLY, {"limitlessOverspend": True}),
        (Enforcement.HARD, Cadence.MONTHLY, {"limitlessOverspend": False, "overspendBuffer": 0}),
        (Enforcement.HARD, Cadence.DAILY, {}),
        (None, Cadence.MONTHLY, {}),
    ],
)
def test_enforcement_is_how_much_may_be_spent_beyond(enforcement, cadence, body):
    assert sent(budget(enforcement=enforcement, cadence=cadence), {"enforcement"}) == body


def test_other_money_is_refused():
    with pytest.raises(Rejected, match="not EUR"):
        sent(budget(amount=Amount.of(1, "EUR")))


def test_a_member_gets_one_limit_for_now_and_later_and_keeps_the_role():
    body = member_write((usd("12.50"), usd("12.50")), "OWNER", "USD").body()
    number = Decimal("12.50")
    assert body == {
        "limit": number,
        "recurringLimit": number,
        "shareBudgetFunds": False,
        "role": "OWNER",
    }


def test_a_role_changes_and_nothing_else():
    member = parsed(BillMember, example("member.json"))
    body = with_role(member, "OWNER").body()
    assert (body["limit"], body["recurringLimit"], body["role"]) == (50, 100, "OWNER")
    shares = member.model_copy(update={"share_budget_funds": True, "limit": None})
    assert with_role(shares, "OWNER").body() == {"role": "OWNER", "shareBudgetFunds": True}


@pytest.mark.parametrize(
    ("email", "name"),
    [("ada.lovelace@x.com", ("Ada", "Lovelace")), ("ops@x.com", ("Ops", "Ops"))],
)
def test_a_new_user_is_named_after_the_email(email, name):
    said = new_user(email)
    assert (said["firstName"], said["lastName"], said["email"]) == (*name, email)


# Both ways


@pytest.mark.parametrize("cadence", [*Cadence])
@pytest.mark.parametrize("later", [None, "250.50"])
def test_what_is_written_reads_back(cadence, later):
    model = budget(
        description="All trips",
        cadence=cadence,
        end=date(2031, 12, 31),
        enforcement=Enforcement.HARD,
        carry_over=True,
    )
    body = sent(model, stamp="CC1")
    body = {**body, "recurringInterval": body["recurringInterval"], "id": "b"}
    row = {"retired": False, **body, "expirationDate": "2031-12-31", "startDate": "2026-03-10"}
    row["currentPeriod"] = new_period(dict(body), DAY, body["limit"], 0, end="exclusive")
    seen = budget_of(parsed(BillBudget, row), "USD", None)
    if later and cadence is not Cadence.ONCE:
        model = replace(model, phases=from_the_next_on(model, usd(later)))
        row |= sent(model, {"phases"})
        seen = budget_of(parsed(BillBudget, row), "USD", None)
    assert facts(seen.model) == facts(replace(model, start=seen.model.start))
    assert seen.stamp == "CC1"
