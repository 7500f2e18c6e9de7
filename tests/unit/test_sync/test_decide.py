from datetime import date

import pytest

from canonical.allocation import Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.compare import Cause, Difference
from canonical.facts import BUDGET_FIELDS, facts
from canonical.kind import Kind, Op
from canonical.loss import Effect, Loss
from connectors.contract.capabilities import Capabilities, Hold, Removal
from sync.decide import Wanted, alteration, creation, held, removal
from sync.spec import OnRemove

BUDGET = Budget(ref="B1", name="Travel", amount=Amount.of("5.00", "USD"), start=date(2026, 1, 1))
BLOCKED = Loss("cadence", Effect.BLOCKED, "none such")
ALL = frozenset(BUDGET_FIELDS)


def wanted(*losses):
    return Wanted(Kind.BUDGET, ("", "B1"), BUDGET, BUDGET, losses, facts(BUDGET))


def able(**said):
    return Capabilities(vendor="shop", budget=dict.fromkeys(BUDGET_FIELDS, Hold.EXACT), **said)


def altered(*found, losses=(), by_calendar=False, **capabilities):
    return alteration(
        wanted(*losses), "t1", facts(BUDGET), found, able(**capabilities), by_calendar=by_calendar
    )


def moved(field, before, after, cause=Cause.SOURCE):
    return Difference(field, before, after, cause)


AMOUNT = moved("amount", "4.00", "5.00")


def test_only_what_can_be_told_is_compared():
    holds = {hold.name: hold for hold in Hold}
    assert held(holds) == {"EXACT", "ROUNDED", "TRUNCATED", "EMULATED"}


def test_a_creation_states_what_is_said_and_held():
    change = creation(wanted(), ALL - {"name"}, ())
    assert change.op is Op.CREATE
    assert change.fields["amount"] == (None, "5.00")
    assert not {"name", "description", "end"} & set(change.fields)
    assert change.desired is BUDGET


def test_a_creation_that_cannot_be_held_is_blocked_and_says_why():
    change = creation(wanted(), ALL, (BLOCKED,))
    assert (change.op, change.losses) == (Op.BLOCKED, (BLOCKED,))


def test_an_alteration_names_the_fields_that_differ_and_the_object_it_saw():
    change = altered(AMOUNT)
    assert (change.op, change.target_id) == (Op.UPDATE, "t1")
    assert dict(change.fields) == {"amount": ("4.00", "5.00")}
    assert len(bytes.fromhex(change.seen)) == 16


def test_what_is_stated_to_be_over_is_retired_and_nothing_else_is_written():
    change = altered(AMOUNT, moved("status", "active", "retired"))
    assert (change.op, set(change.fields)) == (Op.RETIRE, {"status"})


REVIVED = moved("status", "retired", "active")


def test_what_was_retired_for_good_is_blocked_whole():
    change = altered(AMOUNT, REVIVED, removal=Removal.RETIRE_FOR_GOOD)
    assert (change.op, dict(change.fields)) == (Op.BLOCKED, {})
    assert [loss.name for loss in change.losses] == ["blocked:status"]


def test_what_can_be_revived_is():
    change = altered(AMOUNT, REVIVED, removal=Removal.RETIRE, revives=frozenset(Kind))
    assert (change.op, set(change.fields)) == (Op.UPDATE, {"amount", "status"})


def test_an_end_that_cannot_be_emptied_is_blocked_and_the_rest_goes_on():
    change = altered(AMOUNT, moved("end", "2026-12-31", None))
    assert (change.op, set(change.fields)) == (Op.UPDATE, {"amount"})
    assert [loss.name for loss in change.losses] == ["blocked:end"]


def test_an_end_that_can_be_emptied_is():
    change = altered(moved("end", "2026-12-31", None), clearable=frozenset({"end"}))
    assert (change.op, change.losses) == (Op.UPDATE, ())


def test_a_field_that_the_target_cannot_hold_is_left_as_it_is():
    blocked = Loss("enforcement", Effect.BLOCKED, "none such")
    change = altered(AMOUNT, moved("enforcement", "soft", "hard"), losses=(blocked,))
    assert (change.op, set(change.fields)) == (Op.UPDATE, {"amount"})


@pytest.mark.parametrize("field", ["cadence", "currency", "start", "end", "phases", "limits"])
def test_nothing_is_written_of_what_does_not_fit_the_target(field):
    blocked = Loss(field, Effect.BLOCKED, "none such")
    change = altered(AMOUNT, moved("name", "Trips", "Travel"), losses=(blocked,))
    assert (change.op, change.fields, change.losses) == (Op.BLOCKED, {}, (blocked,))


def test_what_does_not_fit_the_target_is_retired_all_the_same():
    change = altered(AMOUNT, moved("status", "active", "retired"), losses=(BLOCKED,))
    assert (change.op, set(change.fields)) == (Op.RETIRE, {"status"})


DRIFTED = moved("name", "x", "Travel", Cause.DRIFT)


@pytest.mark.parametrize(
    ("found", "by_calendar", "cause"),
    [
        ((AMOUNT,), False, Cause.SOURCE),
        ((DRIFTED,), False, Cause.DRIFT),
        ((AMOUNT, DRIFTED), False, Cause.SOURCE),
        ((AMOUNT,), True, Cause.CALENDAR),
        ((DRIFTED,), True, Cause.DRIFT),
    ],
)
def test_the_cause_is_the_sources_unless_only_the_target_or_the_calendar_moved(
    found, by_calendar, cause
):
    assert altered(*found, by_calendar=by_calendar).cause is cause


def removed(policy, means):
    return removal(Kind.BUDGET, ("", "B1"), "t1", facts(BUDGET), policy, able(removal=means))


@pytest.mark.parametrize(
    ("policy", "means", "op"),
    [
        (OnRemove.RETIRE, Removal.RETIRE, Op.RETIRE),
        (OnRemove.RETIRE, Removal.RETIRE_FOR_GOOD, Op.RETIRE),
        (OnRemove.RETIRE, Removal.DELETE, Op.BLOCKED),
        (OnRemove.RETIRE, Removal.RETIRE_OR_DELETE, Op.RETIRE),
        (OnRemove.DELETE, Removal.RETIRE_OR_DELETE, Op.DELETE),
        (OnRemove.RETIRE, Removal.NONE, Op.BLOCKED),
        (OnRemove.DELETE, Removal.DELETE, Op.DELETE),
        (OnRemove.DELETE, Removal.RETIRE, Op.RETIRE),
        (OnRemove.DELETE, Removal.RETIRE_FOR_GOOD, Op.RETIRE),
        (OnRemove.DELETE, Removal.NONE, Op.BLOCKED),
    ],
)
def test_a_removal_is_what_the_policy_asks_and_the_vendor_has(policy, means, op):
    change = removed(policy, means)
    assert (change.op, change.target_id, change.desired) == (op, "t1", None)


def test_the_vendors_history_is_never_deleted_where_retiring_was_asked_for():
    change = removed(OnRemove.RETIRE, Removal.DELETE)
    assert 'on_remove = "delete"' in change.losses[0].reason


def test_a_deletion_says_that_history_goes_with_it():
    assert "history" in removed(OnRemove.DELETE, Removal.DELETE).losses[0].reason
    assert Status.RETIRED.value in removed(OnRemove.DELETE, Removal.DELETE).fields["status"]
