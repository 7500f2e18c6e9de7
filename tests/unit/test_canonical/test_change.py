import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from msgspec import structs

from canonical.allocation import Alert, Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.change import Change, Conflict, Plan, Trip
from canonical.compare import Cause
from canonical.facts import facts, fields_of
from canonical.kind import Kind, Op
from canonical.loss import Effect, Loss
from canonical.period import Period
from canonical.problem import Problem

BUDGET = Budget(
    ref="B1",
    name="Büro",
    amount=Amount.of("12500.00", "USD"),
    start=date(2026, 1, 1),
    limits=(Amount.of(7, "impressions"),),
    phases=(Phase(Period(date(2026, 1, 1), date(2026, 1, 31)), Amount.of("0.10", "USD")),),
    owners=("ada", "bob"),
    dimensions={"department": "R&D"},
    alerts=(Alert(Decimal("80.5"), recipients=("ada",)),),
    extensions={"vendor": {"colour": "red"}},
)
SHARE = Allocation(
    ref="a", budget="B1", entity=Entity("user", "ada"), amount=Amount.of("0.10", "USD")
)
LOSS = Loss("amount", Effect.ROUNDED, "no finer amount")


def created(model):
    fields = {
        name: (None, value) for name, value in zip(fields_of(model), facts(model), strict=True)
    }
    kind = Kind.BUDGET if isinstance(model, Budget) else Kind.ALLOCATION
    return Change(op=Op.CREATE, kind=kind, ref=model.ref, fields=fields, desired=model)


PLAN = Plan(
    plan_id="p1",
    sync="erp-to-shop",
    source="erp",
    target="shop",
    as_of=date(2026, 3, 1),
    changes=(
        created(BUDGET),
        created(SHARE),
        Change(
            op=Op.UPDATE,
            kind=Kind.BUDGET,
            ref="B2",
            target_id="t2",
            fields={"amount": ("1.00", "2.50"), "owners": (("ada",), ("ada", "bob"))},
            losses=(LOSS,),
            cause=Cause.DRIFT,
            matched="stamp",
            desired=structs.replace(BUDGET, ref="B2"),
            seen="ab12",
        ),
        Change(op=Op.BLOCKED, kind=Kind.BUDGET, ref="B3"),
        Change(op=Op.RETIRE, kind=Kind.ALLOCATION, ref="a", budget_ref="B9", target_id="t9"),
    ),
    conflicts=(Conflict(Kind.BUDGET, "B4", None, "two of them", ("t4", "t5")),),
    guards=(Trip("max_money", "10%", "11%", "too much", "--allow max_money"),),
    problems=(Problem("erp", "row 7", "no amount"),),
    lossy={"rounded:amount": (2, "no finer amount"), "blocked:status": (1, "none")},
    unchanged=4,
    kept=1,
    adopted=2,
    uncertain=3,
)


def test_a_plan_is_the_same_after_it_was_saved_and_loaded():
    assert Plan.load(PLAN.save()) == PLAN


def test_what_is_loaded_saves_to_the_same_text():
    assert Plan.load(PLAN.save()).save() == PLAN.save()


def test_amounts_are_text_and_nothing_is_a_float():
    data = json.loads(PLAN.save(), parse_float=pytest.fail)
    assert data["changes"][0]["fields"]["amount"] == {"before": None, "after": "12500.00"}
    assert data["changes"][0]["desired"]["amount"]["value"] == "12500.00"


def test_text_beyond_ascii_is_saved_as_it_is_read():
    assert "Büro" in PLAN.save()


@pytest.mark.parametrize("text", ["", "{", "{}", '{"plan_id": "p"}', "[]"])
def test_what_is_no_plan_is_refused(text):
    with pytest.raises(ValueError):
        Plan.load(text)


def test_the_summary_counts_by_operation():
    assert PLAN.summary == {
        "create": 2, "update": 1, "retire": 1, "delete": 0,
        "unchanged": 4, "conflict": 1, "blocked": 1,
    }  # fmt: skip


def test_what_is_blocked_is_not_pending():
    assert [change.ref for change in PLAN.pending] == ["B1", "a", "B2", "a"]


def test_what_is_accepted_by_name_waits_for_nobody():
    assert set(PLAN.unaccepted) == {"rounded:amount", "blocked:status"}
    accepting = replace(PLAN, accepted=frozenset({"rounded:amount"}))
    assert set(accepting.unaccepted) == {"blocked:status"}


def test_a_report_keeps_everything_but_the_changes():
    assert set(PLAN.to_data()) - set(PLAN.brief()) == {"changes"}


@pytest.mark.parametrize(
    ("field", "effect", "matters"),
    [("amount", Effect.ROUNDED, True), ("amount", Effect.EMULATED, False),
     ("description", Effect.DROPPED, False), ("end", Effect.DROPPED, True),
     ("entity", Effect.BLOCKED, True)],
)  # fmt: skip
def test_losses_of_money_and_of_whole_objects_need_acceptance(field, effect, matters):
    assert Loss(field, effect, "why").matters is matters


def test_a_loss_is_accepted_by_effect_and_field():
    assert LOSS.name == "rounded:amount"
