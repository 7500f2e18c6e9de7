"""Brex: what is sent and read back says the same, to the cent."""

import json
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.allocation import Allocation, Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.facts import facts
from canonical.identity import EntityMap
from canonical.text import ref as spelled
from connectors.brex.mapping import (
    PERIOD_TYPE,
    SPEND_LIMIT_PERIOD_TYPE,
    allocation_of,
    amount_of,
    budget_of,
    budget_write,
    money_of,
    spend_limit_write,
)
from connectors.brex.wire import BrexBudget, BrexMoney, BrexSpendLimit
from connectors.calling.parsing import decoded
from connectors.contract.records import Draft

AMOUNTS = st.builds(
    Amount.from_minor, st.integers(0, 10**13), st.sampled_from(["USD", "JPY", "KWD"])
)
DAYS = st.none() | st.dates(date(2000, 1, 1), date(2099, 12, 31))
TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)
REFS = (
    st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20)
    .map(spelled)
    .filter(bool)
)
PEOPLE = EntityMap({"user:ada@example.com": "cuuser_1", "department:R&D": "dep_1"})
USERS = st.sampled_from(["ada@example.com", "cuuser_2", "cuuser_3"])

BUDGETS = st.builds(
    Budget,
    ref=REFS,
    name=TEXTS,
    description=st.none() | TEXTS,
    amount=AMOUNTS,
    cadence=st.sampled_from(list(PERIOD_TYPE)),
    start=DAYS,
    end=DAYS,
    owners=st.lists(USERS, unique=True, max_size=3).map(tuple),
)
ENTITIES = st.one_of(
    st.builds(Entity, st.just("user"), USERS),
    st.builds(Entity, st.just("department"), st.sampled_from(["R&D", "dep_2"])),
    st.builds(Entity, st.just("legal_entity"), TEXTS),
    st.builds(Entity, st.sampled_from(["account", "cost_centre"]), TEXTS),
)
ALLOCATIONS = st.builds(
    Allocation,
    ref=REFS,
    budget=st.just("budget_1"),
    entity=ENTITIES,
    amount=AMOUNTS,
    cadence=st.sampled_from(list(SPEND_LIMIT_PERIOD_TYPE)),
    start=DAYS,
    end=DAYS,
    enforcement=st.sampled_from([Enforcement.HARD, Enforcement.SOFT]),
    carry_over=st.booleans(),
)


def _budget(draft):
    """The budget that Brex has after it stored what is sent of `draft`."""
    sent = json.loads(json.dumps(budget_write(draft, _all(draft), PEOPLE).body()))
    kept = {"budget_id": "budget_1", "account_id": "acc", "spend_budget_status": "ACTIVE"}
    return budget_of(decoded(BrexBudget, sent | kept), PEOPLE)


def _limit(draft):
    sent = json.loads(json.dumps(spend_limit_write(draft, _all(draft), PEOPLE, "HARD").body()))
    limit = sent["authorization_settings"]
    limit["limit_with_increases"] = limit["base_limit"]
    sent.setdefault("member_user_ids", [])
    kept = {
        "id": "limit_1",
        "parent_budget_id": "budget_1",
        "status": "ACTIVE",
        "expense_policy_id": "policy",
    }
    return allocation_of(decoded(BrexSpendLimit, sent | kept), PEOPLE)


def _all(draft):
    return set(type(draft.model).__slots__)


@given(AMOUNTS)
def test_money_makes_the_round_trip_as_whole_minor_units(amount):
    money = money_of(amount)
    assert type(money.amount) is int
    assert amount_of(money) == amount


@given(BUDGETS)
def test_a_budget_reads_back_as_it_was_sent(budget):
    read = _budget(Draft(model=budget, stamp=budget.ref))
    assert facts(read.model) == facts(budget)
    assert read.stamp == budget.ref


@given(BUDGETS)
def test_without_a_stamp_the_text_is_as_it_was(budget):
    read = _budget(Draft(model=budget))
    assert (read.model.description or None, read.stamp) == (budget.description, None)


@given(ALLOCATIONS, st.booleans())
def test_an_allocation_reads_back_as_it_was_sent(allocation, stamped):
    read = _limit(Draft(model=allocation, stamp=allocation.ref if stamped else None))
    assert facts(read.model) == facts(allocation)
    assert read.stamp == (allocation.ref if stamped else None)


@given(BUDGETS, st.sets(st.sampled_from(["name", "amount", "cadence", "end", "owners"])))
def test_an_update_sends_the_named_fields_and_nothing_that_is_null(budget, fields):
    words = {"name": "name", "amount": "amount", "cadence": "period_recurrence_type",
             "end": "end_date", "owners": "owner_user_ids"}  # fmt: skip
    sent = budget_write(Draft(model=budget), fields, PEOPLE).body()
    said = {field for field in fields if field != "end" or budget.end is not None}
    assert set(sent) == {words[field] for field in said}
    assert None not in sent.values()


@pytest.mark.parametrize(
    ("word", "over"), [("ACTIVE", False), ("EXPIRED", False), ("ARCHIVED", True), ("DELETED", True)]
)
def test_only_what_is_archived_or_deleted_is_over(word, over):
    wire = BrexSpendLimit(
        id="limit_1",
        name="x",
        status=word,
        period_recurrence_type="ONE_TIME",
        member_user_ids=[],
        expense_policy_id="policy",
    )
    assert (allocation_of(wire, PEOPLE).model.status is Status.RETIRED) is over


@given(st.integers(0, 10**13))
def test_a_null_currency_is_dollars(minor):
    assert amount_of(BrexMoney(amount=minor)) == Amount(Decimal(minor).scaleb(-2), "USD")
