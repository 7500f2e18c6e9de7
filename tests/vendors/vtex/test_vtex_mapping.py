"""VTEX's own sample answers, read into our model and written back, without a call."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from canonical.actual import Actual
from canonical.allocation import Alert, Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.errors import CanonicalError
from canonical.period import Cadence
from connectors.calling.parsing import parsed
from connectors.contract.errors import Malformed, Rejected
from connectors.contract.records import Draft
from connectors.vtex.cycle import (
    Cycle,
    Recurrence,
    cycle_of,
    cycle_on,
    cycle_said,
    noted,
    recurrence_of,
)
from connectors.vtex.declared import CAPABILITIES
from connectors.vtex.entities import Entities
from connectors.vtex.mapping import (
    Terms,
    allocation_of,
    allocation_write,
    budget_of,
    budget_write,
)
from connectors.vtex.movements import Funding, Movement, funding_of, movement_of
from connectors.vtex.wire import (
    ENTITY_TYPE,
    VtexAllocation,
    VtexBudget,
    VtexCycle,
    VtexEntity,
    VtexHits,
    VtexMovement,
    VtexSummary,
    moment,
)

EXAMPLES = Path(__file__).parent / "examples"
TODAY = date(2026, 3, 15)
TERMS = Terms(
    currency="USD",
    minor=False,
    inclusive=False,
    today=TODAY,
    entities=Entities(ENTITY_TYPE, {"user:ada": "8f6b3712-4c05-4ce5-8057-63fd0d69a587"}),
)
ALL = frozenset(CAPABILITIES.budget) | frozenset(CAPABILITIES.allocation)
MONTHLY = Recurrence(Cadence.MONTHLY, date(2026, 1, 1), date(2026, 12, 31))


def usd(number):
    return Amount.of(number, "USD")


def example(name):
    return json.loads((EXAMPLES / f"{name}.json").read_text(), parse_float=Decimal)


def budget(record, terms=TERMS):
    return budget_of(parsed(VtexBudget, record), "unit", terms)


def allocation(record, terms=TERMS):
    return allocation_of(parsed(VtexAllocation, record), "unit/b", terms)


def stored(body, **more):
    """What VTEX would answer to a budget's body."""
    amount = body["amount"]
    balance = {"amount": amount, "balanceAdjustment": 0, "remaining": amount}
    return {"id": "b", "status": "ACTIVE", "balance": balance, **body, **more}


# What VTEX answers


def test_a_budget_that_renews_every_thirty_years_counts_once_and_has_no_end():
    seen = budget(example("budget"))
    id = "unit/0197c1e3-a82f-7746-8614-bf518e625a92"
    assert seen.model == Budget(
        ref=id,
        name="USER 1",
        description="USER 1",
        amount=usd(1000),
        start=date(2025, 1, 1),
        carry_over=True,
        dimensions={"unit": "unit"},
        alerts=(),
    )
    assert (seen.id, seen.stamp, seen.container) == (id, None, None)
    assert seen.actual == Actual(id, usd(0), usd(1000))


def test_the_budget_of_the_guide_is_weekly():
    seen = budget(example("guide-budget")).model
    assert (seen.cadence, seen.start, seen.end) == (Cadence.WEEKLY, date(2025, 4, 1), None)
    assert seen.amount == usd(50_000)


def test_a_budget_that_does_not_renew_counts_once_until_the_day_before_its_end_date():
    seen = budget(example("budget-updated")).model
    assert (seen.cadence, seen.end) == (Cadence.ONCE, date(2054, 12, 31))


def test_an_end_date_may_be_the_last_day():
    seen = budget(example("budget-updated"), replace(TERMS, inclusive=True)).model
    assert seen.end == date(2055, 1, 1)


def test_a_summary_and_all_other_examples_are_read():
    for record in example("budgets")["items"]:
        assert parsed(VtexSummary, record).balance.amount == 657
    (deleted,) = example("allocations")["items"]
    assert allocation(deleted).model.status is Status.RETIRED


def test_an_allocation_has_the_entity_in_our_words_and_a_reference_that_is_no_stamp():
    seen = allocation(example("allocation"))
    id = "unit/b/0197c65e-1012-70f3-9fef-52bd7fe66a13"
    entity = Entity("cost_centre", "d5c996af-455e-4b76-a36d-43376e96d82a")
    assert seen.model == Allocation(
        ref=id, budget="unit/b", entity=entity, amount=usd(864), alerts=()
    )
    assert (seen.stamp, seen.container) == (None, "unit/b")


def test_a_type_in_capitals_is_the_same_type_and_a_known_id_is_ours():
    (record,) = example("budget")["allocations"]
    assert allocation(record).model.entity == Entity("user", "ada")


def test_a_type_that_we_have_no_word_for_is_passed_through():
    first, _ = example("batch")["allocations"]
    assert allocation(first).model.entity == Entity("PO Number", "PO-number-2025-001-01")
    (record,) = example("guide-batch")["allocations"]
    assert allocation(record).model.entity == Entity("cost_centre", "cost-center-001")


def test_alerts_are_read_from_the_array_of_a_batch():
    _, second = example("batch")["allocations"]
    alert = Alert(Decimal(121), percent=False, recipients=("ada@example.com",))
    assert allocation(second).model.alerts == (alert,)


def test_alerts_are_read_from_the_object_while_it_is_enabled():
    record = example("allocation-updated")
    assert allocation(record).model.alerts == ()
    record["notificationSettings"]["enable"] = True
    alert = Alert(Decimal(99), recipients=("ada@example.com",))
    assert allocation(record).model.alerts == (alert,)


def test_a_query_shows_what_is_left():
    (hit,) = parsed(VtexHits, example("query")).items
    ref = "unit/0197c65f-a1d3-71e8-ab11-013cc2f7f023/0197c65f-bfb3-7452-8ae2-edf9f83624ae"
    entity = Entity("cost_centre", "41b9ec1e-af0a-45f6-b3fb-351f700a63aa")
    assert funding_of(hit, "unit", TERMS) == Funding(ref, entity, usd(13), usd(1000))


@pytest.mark.parametrize(
    ("name", "spent", "at"),
    [
        ("statements", 528, datetime(2025, 5, 17, 7, 1, 44, 19609, UTC)),
        ("reservations", 726, datetime(2025, 7, 22, 20, 43, 43, tzinfo=UTC)),
        ("reservation", 150, datetime(2025, 7, 22, 20, 43, 56, 845519, UTC)),
        ("transaction", 480, None),
    ],
)
def test_a_debit_is_spent_whatever_its_sign(name, spent, at):
    said = example(name)
    record = next(iter(said.get("transactions") or said.get("items") or [said]))
    seen = movement_of(parsed(VtexMovement, record), "unit/b", TERMS)
    assert isinstance(seen, Movement)
    assert (seen.spent, seen.at) == (usd(spent), at)


def test_a_credit_is_given_back():
    record = {**example("reservation"), "type": "Credit"}
    assert movement_of(parsed(VtexMovement, record), "unit/b", TERMS).spent == usd(-150)


@pytest.mark.parametrize(
    "text",
    [
        "2025-03-27T00:00:00.0000000Z",
        "2025-03-27T00:00:00.0000000",
        "2025-03-27",
        "2025-03-27 00:00:00",
        "03/27/2025 00:00:00",
        "2025-03-26T21:00:00-03:00",
    ],
)
def test_every_spelling_of_a_date_is_the_same_instant(text):
    assert moment(text) == datetime(2025, 3, 27, tzinfo=UTC)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"])
def test_an_instant_that_no_calendar_has_in_utc_is_no_instant(text):
    with pytest.raises(ValueError, match="the calendar has no"):
        moment(text)


def test_a_cycle_that_ends_before_the_first_day_is_a_fault_of_its_record():
    wire = VtexCycle(start_date="2026-01-01T00:00:00Z", end_date="0001-01-01T00:00:00Z",
                     auto_reset_on_period_end=False, carry_over_balance=False)  # fmt: skip
    with pytest.raises(CanonicalError, match="the calendar has no day"):
        cycle_of(wire, inclusive=False)


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("status", "PAUSED", "status is 'PAUSED'"),
        ("balance", {"amount": "1000"}, "balance.amount"),
        ("balance", {"amount": True}, "balance.amount"),
        ("cycleConfiguration", {"startDate": "soon"}, "cycleConfiguration.startDate"),
        ("name", None, "name"),
    ],
)
def test_what_is_not_documented_is_malformed_and_named(place, value, said):
    with pytest.raises(Malformed, match=said):
        budget({**example("budget"), place: value})


def test_overspending_leaves_less_than_nothing():
    balance = {"amount": 475, "totalUtilized": 528, "remaining": -53}
    seen = budget({**example("budget"), "balance": balance}).actual
    assert (seen.spent, seen.remaining) == (usd(528), usd(-53))


def test_minor_units_are_read_and_written_whole():
    terms = replace(TERMS, minor=True)
    seen = budget(example("budget"), terms)
    assert seen.model.amount == usd("10.00")
    body = budget_write(
        Draft(model=structs.replace(seen.model, amount=usd("12.34"))), ALL, terms
    ).body()
    assert body["amount"] == 1234
    with pytest.raises(CanonicalError):
        budget({**example("budget"), "balance": {"amount": Decimal("0.5")}}, terms)


# What VTEX is told


@pytest.mark.parametrize("name", ["budget-updated", "guide-budget", "budget"])
def test_a_budget_survives_the_round_trip(name):
    seen = budget(example(name))
    body = budget_write(Draft(model=seen.model, stamp="B-1"), ALL, TERMS).body()
    again = budget(stored(body))
    assert structs.replace(again.model, ref=seen.id) == seen.model
    assert again.stamp == "B-1"


@pytest.mark.parametrize("name", ["allocation", "allocation-updated"])
def test_an_allocation_survives_the_round_trip(name):
    seen = allocation(example(name))
    body = allocation_write(Draft(model=seen.model, container="unit/b"), ALL, TERMS).body()
    again = allocation(stored(body))
    assert structs.replace(again.model, ref=seen.id) == seen.model


@pytest.mark.parametrize(
    ("contracts", "said"),
    [
        ({"": "C-1"}, ("C-1", "C-1")),
        ({"unit": "C-2", "": "C-1"}, ("C-2", "C-2")),
        ({"another": "C-3"}, ("d5c996af-455e-4b76-a36d-43376e96d82a", None)),
    ],
)
def test_the_reference_is_the_contract_of_the_unit_and_without_one_the_entity(contracts, said):
    seen, terms = allocation(example("allocation")), replace(TERMS, contracts=contracts)
    draft = Draft(model=seen.model, container="unit/b", stamp="A-1")
    body = allocation_write(draft, ALL, terms).body()
    assert (body["referenceId"], body.get("contractId")) == said
    assert allocation(stored(body), terms).stamp is None


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({"referenceId": "[trueup:A-1]"}, ("C-1", "C-1")),
        ({"referenceId": "[trueup:A-1]", "contractId": "own"}, ("own", "own")),
        ({"referenceId": "d5c996af-455e-4b76-a36d-43376e96d82a"}, ("C-1", "C-1")),
        ({"referenceId": "own"}, ("own", None)),
        ({"referenceId": None, "contractId": "own"}, ("own", "own")),
    ],
)
def test_an_update_puts_the_contract_where_no_person_wrote_one(before, said):
    record, terms = {**example("allocation"), **before}, replace(TERMS, contracts={"": "C-1"})
    draft = Draft(model=allocation(record).model, container="unit/b")
    body = allocation_write(draft, {"amount"}, terms, record).body()
    assert (body["referenceId"], body.get("contractId")) == said


def test_a_stamp_of_an_earlier_version_shows_where_a_contract_can_take_its_place():
    record = {**example("allocation"), "referenceId": "[trueup:A-1]"}
    assert allocation(record).stamp is None
    assert allocation(record, replace(TERMS, contracts={"unit": "C-1"})).stamp == "A-1"


CENTRE, ADA = "cost_centre:CC1", "user:ada@example.com"
ROWS = {CENTRE: "CUSTOMFIELD:doc-1", ADA: "USER:u-1", "user:bob@example.com": "u-2"}
WHO = Entities(ENTITY_TYPE, ROWS)


@pytest.mark.parametrize(
    ("entity", "theirs", "ours", "matched"),
    [
        (CENTRE, ("CUSTOMFIELD", "doc-1"), CENTRE, True),
        ("CostCenter:CC1", ("CUSTOMFIELD", "doc-1"), CENTRE, True),
        (ADA, ("USER", "u-1"), ADA, True),
        ("user:bob@example.com", ("User", "u-2"), "user:bob@example.com", True),
        ("user:eve@example.com", ("User", "eve@example.com"), "user:eve@example.com", False),
        ("user:u-9", ("User", "u-9"), "user:u-9", True),
        ("CUSTOMFIELD:doc-9", ("CUSTOMFIELD", "doc-9"), "CUSTOMFIELD:doc-9", True),
        ("cost_centre:CC2", ("CostCenter", "CC2"), "cost_centre:CC2", False),
        ("CostCenter:CC2", ("CostCenter", "CC2"), "cost_centre:CC2", False),
        ("PO Number:7", ("PO Number", "7"), "PO Number:7", False),
    ],
)
def test_an_entity_is_theirs_by_type_and_id_and_ours_by_one_name(entity, theirs, ours, matched):
    type, _, id = entity.partition(":")
    said = WHO.theirs(Entity(type, id))
    assert (said.type, said.id) == theirs
    assert str(WHO.ours(said)) == ours
    assert WHO.named(Entity(type, id)) == WHO.ours(said)
    assert WHO.matched(Entity(type, id)) is matched


def test_types_are_compared_whatever_their_capitals():
    assert str(WHO.ours(VtexEntity(type="customfield", id="doc-1"))) == CENTRE


def test_what_has_a_row_and_is_linked_otherwise_is_another_entity():
    seen = WHO.ours(VtexEntity(type="CostCenter", id="CC1"))
    assert str(seen) != CENTRE


def test_an_update_sends_back_what_is_not_ours():
    record = {**example("allocation"), "contractId": "contract-7"}
    record["notificationSettings"]["mood"] = "good"
    draft = Draft(model=structs.replace(allocation(record).model, amount=usd(5)))
    body = allocation_write(draft, {"amount"}, TERMS, record).body()
    assert body == {
        "linkedEntity": record["linkedEntity"],
        "amount": 5,
        "referenceId": record["referenceId"],
        "contractId": "contract-7",
        "notificationSettings": record["notificationSettings"],
    }


def test_an_update_writes_alerts_of_the_array_form_as_the_object():
    _, record = example("batch")["allocations"]
    draft = Draft(model=structs.replace(allocation(record).model, amount=usd(5)))
    body = allocation_write(draft, {"amount"}, TERMS, record).body()
    assert body["notificationSettings"] == {
        "enable": True,
        "thresholds": [{"type": "AMOUNT", "Value": 121}],
        "recipients": [{"type": "Email", "identifier": "ada@example.com"}],
    }


def test_an_update_of_one_field_keeps_the_cycle_the_stamp_and_the_alerts():
    record = example("budget") | {"description": "Trips [trueup:B-1]"}
    draft = Draft(model=Budget(ref="B-1", name="New", amount=usd(1)), stamp="B-1")
    body = budget_write(draft, {"name"}, TERMS, record).body()
    cycle = {k: v for k, v in record["cycleConfiguration"].items() if k != "nextRenewal"}
    assert body == {
        "name": "New",
        "description": "Trips [trueup:B-1]",
        "amount": 1000,
        "cycleConfiguration": cycle,
        "notificationSettings": record["notificationSettings"],
    }


def test_no_alerts_are_alerts_switched_off():
    draft = Draft(model=Budget(ref="B", name="B", amount=usd(1), alerts=()))
    said = budget_write(draft, ALL, TERMS).body()["notificationSettings"]
    assert said == {"enable": False, "thresholds": [], "recipients": []}


def test_another_currency_is_refused():
    draft = Draft(model=Budget(ref="B", name="B", amount=Amount.of(1, "EUR")))
    with pytest.raises(Rejected, match="counts in USD"):
        budget_write(draft, ALL, TERMS)


def test_a_fraction_of_a_minor_unit_is_refused():
    draft = Draft(model=Budget(ref="B", name="B", amount=usd("0.125")))
    assert budget_write(draft, ALL, TERMS).amount == Decimal("0.125")
    with pytest.raises(Rejected, match="2 digits"):
        budget_write(draft, ALL, replace(TERMS, minor=True))


# When a budget counts


def test_a_monthly_budget_is_the_month_that_we_are_in():
    assert cycle_on(MONTHLY, TODAY) == Cycle(date(2026, 3, 1), date(2026, 3, 31), renews=True)


@pytest.mark.parametrize("day", [date(2026, 12, 1), date(2026, 12, 31), date(2027, 5, 1)])
def test_the_last_month_does_not_renew(day):
    assert cycle_on(MONTHLY, day) == Cycle(date(2026, 12, 1), date(2026, 12, 31), renews=False)


def test_a_budget_within_one_month_has_its_own_days():
    recurrence = Recurrence(Cadence.MONTHLY, date(2026, 3, 5), date(2026, 3, 20))
    assert cycle_on(recurrence, TODAY) == Cycle(recurrence.start, recurrence.end, renews=False)


def test_a_budget_ahead_of_its_time_has_its_first_month():
    assert cycle_on(MONTHLY, date(2025, 6, 1)).first == date(2026, 1, 1)


def test_a_fiscal_year_begins_in_its_own_month():
    recurrence = Recurrence(Cadence.YEARLY, date(2025, 4, 1))
    assert cycle_on(recurrence, TODAY) == Cycle(date(2025, 4, 1), date(2026, 3, 31), renews=True)


def test_a_renewal_that_is_overdue_to_end_is_seen_without_an_end():
    renewing = cycle_on(MONTHLY, TODAY)
    assert recurrence_of(renewing, MONTHLY, TODAY) == MONTHLY
    assert recurrence_of(renewing, MONTHLY, date(2026, 12, 1)) == replace(MONTHLY, end=None)


def test_a_cycle_that_vtex_moved_past_the_end_is_seen_without_an_end():
    moved = Cycle(date(2027, 2, 1), date(2027, 2, 28), renews=True)
    assert recurrence_of(moved, MONTHLY, date(2027, 2, 3)) == replace(MONTHLY, end=None)


@pytest.mark.parametrize(
    ("cycle", "recurrence"),
    [
        (Cycle(date(2026, 3, 2), date(2026, 3, 8), True), (Cadence.WEEKLY, date(2026, 3, 2))),
        (Cycle(date(2026, 3, 9), date(2026, 4, 8), True), (Cadence.MONTHLY, date(2026, 3, 9))),
        (Cycle(date(2026, 3, 1), date(2026, 3, 31), False), (Cadence.ONCE, date(2026, 3, 1))),
    ],
)
def test_a_note_that_the_cycle_does_not_fit_is_ignored(cycle, recurrence):
    seen = recurrence_of(cycle, MONTHLY, TODAY)
    assert (seen.cadence, seen.start) == recurrence


def test_a_note_stands_between_the_text_and_the_stamp():
    said = Budget(ref="B", name="B", amount=usd(1), description="Trips", cadence=Cadence.MONTHLY,
                  start=MONTHLY.start, end=MONTHLY.end)  # fmt: skip
    body = budget_write(Draft(model=said, stamp="B-1"), ALL, TERMS).body()
    note = "[monthly from 2026-01-01 until 2026-12-31]"
    assert body["description"] == f"Trips {note} [trueup:B-1]"
    assert noted(f"Trips {note}") == ("Trips", MONTHLY)
    assert noted("[monthly from 2026-02-30]") == ("[monthly from 2026-02-30]", None)


days = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@given(st.sampled_from(Cadence), days, st.none() | st.integers(0, 2000), days, st.booleans())
def test_any_course_reads_back_on_the_day_that_it_was_written(
    cadence, start, length, today, inclusive
):
    end = None if length is None else date.fromordinal(start.toordinal() + length)
    recurrence = Recurrence(cadence, start, end)
    said = cycle_said(cycle_on(recurrence, today), carry_over=False, inclusive=inclusive)
    _, note = noted(recurrence.note())
    assert recurrence_of(cycle_of(said, inclusive=inclusive), note, today) == recurrence
