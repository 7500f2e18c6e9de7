from datetime import date

import pytest
from msgspec import structs

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.compare import Cause, Difference
from canonical.facts import BUDGET_FIELDS, facts
from canonical.kind import Kind, Op
from canonical.loss import Effect, Loss
from canonical.money import Counted, Move
from canonical.period import Cadence
from connectors.contract.capabilities import Capabilities, Hold, Removal
from sync.decide import (
    Wanted,
    alteration,
    covers_all,
    creation,
    held,
    is_out_of_use,
    joined,
    removal,
)
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
    told = ["blocked:status"] if op is Op.BLOCKED else ["emulated:status"]
    plain = op is Op.RETIRE and policy is OnRemove.RETIRE
    assert [loss.name for loss in change.losses] == ([] if plain else told)


def test_the_vendors_history_is_never_deleted_where_retiring_was_asked_for():
    change = removed(OnRemove.RETIRE, Removal.DELETE)
    assert 'on_remove = "delete"' in change.losses[0].reason


def test_a_deletion_says_that_history_goes_with_it():
    assert "history" in removed(OnRemove.DELETE, Removal.DELETE).losses[0].reason
    assert Status.RETIRED.value in removed(OnRemove.DELETE, Removal.DELETE).fields["status"]


def test_a_removal_says_what_it_saw_and_what_becomes_of_it():
    change = removed(OnRemove.RETIRE, Removal.RETIRE)
    assert (change.kind, change.ref, change.budget_ref) == (Kind.BUDGET, "B1", None)
    assert dict(change.fields) == {"status": ("active", "retired")}
    assert (change.name, change.seen) == ("Travel", altered(AMOUNT).seen)


def test_where_retiring_means_to_switch_off_the_change_says_so():
    target = able(removal=Removal.RETIRE_OR_DELETE, retires_to=Status.INACTIVE)

    def after(policy):
        change = removal(Kind.BUDGET, ("", "B1"), "t1", facts(BUDGET), policy, target)
        return change.fields["status"][1]

    assert after(OnRemove.RETIRE) == "inactive"
    assert after(OnRemove.DELETE) == "retired"


@pytest.mark.parametrize(
    ("status", "policy", "out"),
    [
        (Status.RETIRED, OnRemove.RETIRE, True),
        (Status.INACTIVE, OnRemove.RETIRE, True),
        (Status.INACTIVE, OnRemove.DELETE, False),
        (Status.ACTIVE, OnRemove.RETIRE, False),
    ],
)
def test_what_is_switched_off_is_out_of_use_only_where_no_more_can_be_done(status, policy, out):
    assert is_out_of_use(status, able(retires_to=Status.INACTIVE), policy) is out


def test_of_losses_that_are_told_twice_the_first_has_said_it():
    again, other = Loss("cadence", Effect.BLOCKED, "again"), Loss("end", Effect.BLOCKED, "no end")
    assert joined((BLOCKED,), (again, other)) == (BLOCKED, other)
    assert joined((BLOCKED,), ()) == (BLOCKED,)


def test_a_version_covers_all_only_where_it_shows_every_field_that_is_compared():
    whole = {Kind.BUDGET: frozenset(BUDGET_FIELDS), Kind.ALLOCATION: frozenset({"amount"})}
    shares = {"amount": Hold.EXACT, "status": Hold.DROPPED}
    assert covers_all(able(allocation=shares, version_covers=whole))
    shares["status"] = Hold.EXACT
    assert not covers_all(able(allocation=shares, version_covers=whole))
    assert not covers_all(able(allocation={}, version_covers={}))


def test_what_cannot_be_emptied_is_remembered_as_it_stays():
    change = altered(AMOUNT, moved("description", "old", None))
    assert (set(change.fields), change.desired.description) == ({"amount"}, "old")
    assert [loss.name for loss in change.losses] == ["blocked:description"]


def test_a_name_that_does_not_fit_is_remembered_as_the_one_that_stays():
    blocked = Loss("name", Effect.BLOCKED, "too long")
    change = altered(AMOUNT, moved("name", "Trips", "Travel"), losses=(blocked,))
    assert (set(change.fields), change.desired.name) == ({"amount"}, "Trips")


def test_owners_that_are_not_written_are_not_remembered():
    blocked = Loss("owners", Effect.BLOCKED, "nobody knows them")
    owned = structs.replace(BUDGET, owners=("ada",))
    stated = Wanted(Kind.BUDGET, ("", "B1"), owned, owned, (blocked,), facts(owned))
    change = alteration(stated, "t1", facts(BUDGET), (AMOUNT,), able())
    assert change.desired.owners is None
    assert alteration(wanted(), "t1", facts(BUDGET), (AMOUNT,), able()).desired == BUDGET


SHARE = Allocation(
    ref="S1", budget="B1", entity=Entity("user", "ada"), amount=Amount.of("5.00", "USD")
)


@pytest.mark.parametrize(("hold", "op"), [(Hold.EXACT, Op.UPDATE), (Hold.READ_ONLY, Op.BLOCKED)])
def test_a_share_is_moved_only_where_the_target_moves_shares(hold, op):
    stated = Wanted(Kind.ALLOCATION, ("B1", "S1"), SHARE, SHARE, (), facts(SHARE))
    target = able(allocation={"budget": hold})
    change = alteration(stated, "t1", facts(SHARE), (moved("budget", "B2", "B1"),), target)
    assert (change.op, change.kind, change.budget_ref) == (op, Kind.ALLOCATION, "B1")
    assert [loss.name for loss in change.losses] == (
        ["blocked:budget"] if hold is not Hold.EXACT else []
    )


def test_a_new_share_does_not_state_its_budget_twice():
    stated = Wanted(Kind.ALLOCATION, ("B1", "S1"), SHARE, SHARE, (), facts(SHARE))
    change = creation(stated, frozenset({"entity", "amount", "budget"}), ())
    assert "budget" not in change.fields
    assert (change.budget_ref, change.ref) == ("B1", "S1")


def test_a_removed_share_is_named_by_whom_it_is_for():
    change = removal(
        Kind.ALLOCATION,
        ("B1", "S1"),
        "t1",
        facts(SHARE),
        OnRemove.RETIRE,
        able(removal=Removal.RETIRE),
    )
    assert (change.budget_ref, change.name) == ("B1", "user:ada")


def test_what_a_person_and_the_guards_need_stands_in_the_change():
    moves = (Move(date(2026, 3, 1), None, Counted(BUDGET.amount.value, "USD", Cadence.ONCE)),)
    change = creation(wanted(), ALL, (), moves, "a digest")
    assert (change.money, change.stated) == (moves, "a digest")
    adopted = alteration(wanted(), "t1", facts(BUDGET), (AMOUNT,), able(), matched="stamp")
    assert adopted.matched == "stamp"


@pytest.mark.parametrize(("field", "before"), [("parent", "OLD"), ("owners", ("ada",))])
def test_what_stays_because_it_cannot_be_emptied_is_told_again_next_time(field, before):
    change = altered(AMOUNT, moved(field, before, None))
    assert getattr(change.desired, field) == before


@pytest.mark.parametrize("field", ["description", "end"])
def test_another_value_can_be_written_where_none_could_not(field):
    change = altered(moved(field, "old", "new"))
    assert (change.op, dict(change.fields), change.losses) == (
        Op.UPDATE,
        {field: ("old", "new")},
        (),
    )
