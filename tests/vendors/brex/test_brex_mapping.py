"""Brex's own answers, read into canonical objects and written back."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.errors import Inexact
from canonical.identity import EntityMap
from canonical.period import Cadence
from connectors.brex.mapping import allocation_of, budget_of, budget_write, spend_limit_write
from connectors.brex.wire import BrexBudget, BrexSpendLimit
from connectors.calling.parsing import decoded
from connectors.contract.errors import Malformed
from connectors.contract.records import Draft

EXAMPLES = Path(__file__).parent / "examples"
NOBODY = EntityMap()
ADA = EntityMap({"user:ada@example.com": "cuuser_1"})


def _read(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text(), parse_float=Decimal)


def test_the_documents_own_sample_reads_as_a_weekly_budget() -> None:
    seen = budget_of(decoded(BrexBudget, _read("budget")), NOBODY)

    assert seen.model == Budget(
        ref="string",
        name="string",
        description="string",
        amount=Amount(Decimal("7.00"), "USD"),
        cadence=Cadence.WEEKLY,
        start=date(2019, 8, 24),
        end=date(2019, 8, 24),
        parent="string",
        owners=("string",),
        enforcement=Enforcement.HARD,
    )
    assert (seen.id, seen.container, seen.stamp) == ("string", "string", None)


def test_the_sample_is_written_back_as_it_was_but_for_limit_type() -> None:
    sample = _read("budget")
    seen = budget_of(decoded(BrexBudget, sample), NOBODY)
    draft = Draft(model=seen.model, container=seen.container)

    everything = {"name", "description", "cadence", "amount", "start", "end", "parent", "owners"}
    sent = budget_write(draft, everything, NOBODY).body()

    kept = {name: value for name, value in sample.items() if name in sent}
    assert sent == kept
    assert "limit_type" not in sent


def test_nulls_and_unknown_fields_are_read_and_an_expired_budget_is_active() -> None:
    company = budget_of(decoded(BrexBudget, _read("budgets_page")["items"][0]), NOBODY)

    assert isinstance(company.model, Budget)
    assert (company.model.amount, company.container) == (None, None)
    assert company.model.status is Status.ACTIVE


def test_a_stamp_is_taken_out_of_the_description_and_fils_are_exact() -> None:
    travel = budget_of(decoded(BrexBudget, _read("budgets_page")["items"][1]), ADA)

    assert isinstance(travel.model, Budget)
    assert (travel.stamp, travel.model.description) == ("CC0001", "All trips")
    assert travel.model.amount == Amount(Decimal("1250.075"), "KWD")
    assert travel.model.status is Status.RETIRED
    assert travel.model.owners == ("ada@example.com",)


def test_a_spend_limit_reads_as_a_members_allocation_with_what_is_spent() -> None:
    seen = allocation_of(decoded(BrexSpendLimit, _read("spend_limit")), ADA)

    assert seen.model == Allocation(
        ref="spend_limit_1",
        budget="budget_b",
        entity=Entity("user", "ada@example.com"),
        amount=Amount(Decimal("500.00"), "USD"),
        cadence=Cadence.MONTHLY,
        start=date(2026, 1, 1),
        enforcement=Enforcement.HARD,
        carry_over=False,
    )
    assert seen.actual is not None
    assert seen.actual.spent == Amount(Decimal("123.45"), "USD")
    assert seen.actual.remaining == Amount(Decimal("476.55"), "USD")


@pytest.mark.parametrize(
    "entity",
    [
        Entity("user", "ada@example.com"),
        Entity("department", "d1"),
        Entity("account", "6100 Travel"),
    ],
)
def test_an_entity_survives_the_way_to_brex_and_back(entity: Entity) -> None:
    sample = _read("spend_limit")
    seen = allocation_of(decoded(BrexSpendLimit, sample), ADA)
    assert isinstance(seen.model, Allocation)
    draft = Draft(model=replace(seen.model, entity=entity), stamp="A [1]")

    sent = spend_limit_write(draft, {"entity"}, ADA, "HARD").body()
    stored = sample | {"member_user_ids": [], "department_id": None} | sent

    again = allocation_of(decoded(BrexSpendLimit, stored), ADA)
    assert isinstance(again.model, Allocation)
    assert (again.model.entity, again.stamp) == (entity, "A [1]")


@pytest.mark.parametrize("amount", ["700", 700.5, Decimal("7.00"), None])
def test_money_that_is_not_whole_minor_units_is_malformed(amount: object) -> None:
    wrong = _read("budget") | {"amount": {"amount": amount, "currency": "USD"}}

    with pytest.raises(Malformed, match=r"amount\.amount"):
        decoded(BrexBudget, wrong)


@pytest.mark.parametrize(
    ("field", "word"), [("period_recurrence_type", "DAILY"), ("spend_budget_status", "DRAFT")]
)
def test_a_word_that_brex_does_not_document_is_never_guessed(field: str, word: str) -> None:
    wrong = decoded(BrexBudget, _read("budget") | {field: word})

    with pytest.raises(Malformed, match=word):
        budget_of(wrong, NOBODY)


def test_an_amount_that_minor_units_cannot_hold_is_refused_and_not_rounded() -> None:
    budget = Budget(ref="B", name="B", amount=Amount(Decimal("7.001"), "USD"))

    with pytest.raises(Inexact):
        budget_write(Draft(model=budget), {"amount"}, NOBODY)
