from dataclasses import fields
from datetime import date
from decimal import Decimal

import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Change
from canonical.compare import Cause
from canonical.kind import Kind, Op
from canonical.money import Counted, Move
from canonical.period import Cadence
from sync.findings import Findings
from sync.guard import Guard, Sides
from sync.observe import Observation
from sync.scales import Scales, Weighed
from sync.spec import Limit, Limits

DAY = date(2026, 6, 10)
OFF = {each.name: None for each in fields(Limits)} | {"below_spent": True}


def counted(number):
    return Counted(Decimal(number), "USD", Cadence.MONTHLY)


def changed(ref, before="100.00", after="101.00", cause=Cause.SOURCE, op=Op.UPDATE):
    return Change(
        op=op,
        kind=Kind.BUDGET,
        ref=ref,
        target_id=f"t-{ref}",
        fields={"amount": (before, after)},
        cause=cause,
        desired=Budget(ref=ref, name=ref, amount=Amount.of(after, "USD")),
        money=(Move(DAY, counted(before), counted(after)),),
    )


def other(ref, op):
    return Change(op=op, kind=Kind.BUDGET, ref=ref, target_id=f"t-{ref}")


def findings(changes, total):
    """What planning found, with so much money beside the changes' own."""
    found = Findings(changes=list(changes), scales=Scales(DAY))
    moved = [each for each in changes if each.money and each.cause is not Cause.CALENDAR]
    rest = Decimal(total) - sum(each.money[0].before.amount for each in moved)
    found.scales.put(Weighed(Kind.BUDGET, ("", "rest"), None, (), counted(rest)))
    for each in moved:
        weighed = Weighed(Kind.BUDGET, ("", each.ref), each.op, each.money, each.money[0].before)
        found.scales.put(weighed)
    return found


def judge(changes, *, sides=None, total=1000, spent=None, judged=(), allowed=(), **limits):
    limits = {
        name: Limit(value) if isinstance(value, Decimal) and name != "min_listing" else value
        for name, value in limits.items()
    }
    trips = Guard("s", Limits(**(OFF | limits)), allowed).judge(
        findings(changes, total),
        Observation(spent=spent or {}),
        sides or Sides(linked=10, linked_shown=10, source_seen=10),
        {(Kind.BUDGET, key) for key in judged},
    )
    return [trip.rule for trip in trips]


def test_nothing_to_do_trips_nothing():
    assert judge([], **{each.name: each.default for each in fields(Limits)}) == []


@pytest.mark.parametrize(("count", "trips"), [(3, []), (4, ["max_changes"])])
def test_more_than_the_share_of_what_is_linked_is_a_mass_change(count, trips):
    changes = [changed(f"B{n}") for n in range(count)]
    assert judge(changes, max_changes=Decimal("0.3")) == trips


@pytest.mark.parametrize(("linked", "trips"), [(0, []), (11, []), (10, ["max_changes"])])
def test_creates_are_a_mass_change_once_they_double_what_is_linked(linked, trips):
    creates = [other(f"B{n}", Op.CREATE) for n in range(10)]
    sides = Sides(linked=linked, linked_shown=linked, source_seen=20)
    assert judge(creates, sides=sides, max_changes=Decimal("0.3")) == trips


def test_creates_that_an_interrupted_run_was_allowed_are_not_judged_again():
    creates = [other(f"B{n}", Op.CREATE) for n in range(10)]
    assert judge(creates, judged=[("", "B0")], max_changes=Decimal("0.3")) == []


def test_adopting_and_then_changing_most_of_it_is_a_mass_change():
    sides = Sides(linked=0, linked_shown=0, source_seen=4, adopted=4)
    changes = [changed("B0"), changed("B1")]
    assert judge(changes, sides=sides, max_changes=Decimal("0.3")) == ["max_changes"]


@pytest.mark.parametrize(("count", "trips"), [(1, []), (2, ["max_removals"])])
@pytest.mark.parametrize("op", [Op.RETIRE, Op.DELETE])
def test_removals_have_a_share_of_their_own(op, count, trips):
    removals = [other(f"B{n}", op) for n in range(count)]
    assert judge(removals, max_removals=Decimal("0.1")) == trips


def test_money_that_goes_up_and_down_is_not_netted():
    changes = [changed("B1", "100.00", "160.00"), changed("B2", "100.00", "40.00")]
    assert judge(changes, max_money=Decimal("0.12")) == []
    assert judge(changes, max_money=Decimal("0.11")) == ["max_money"]


@pytest.mark.parametrize("after", ["150.01", "49.99"])
def test_one_budget_may_not_move_too_far_either_way(after):
    limit = {"max_budget_change": Decimal("0.5")}
    assert judge([changed("B1", after=after)], **limit) == ["max_budget_change"]
    assert judge([changed("B1", after="150.00"), changed("B2", after="50.00")], **limit) == []


def test_a_budget_that_was_zero_has_an_amount_and_no_share():
    some = Limit(Decimal("0.5"), 0, {"USD": Decimal(9)})
    zero = changed("B1", "0.00", "9.00")
    assert judge([zero], max_budget_change=Decimal("0.5")) == ["max_budget_change"]
    assert judge([zero], max_budget_change=some) == []


def test_the_calendar_changes_no_more_than_both_sides_know():
    changes = [changed(f"B{n}", after="900.00", cause=Cause.CALENDAR) for n in range(10)]
    limits = {name: Decimal("0.1") for name in ("max_changes", "max_money", "max_budget_change")}
    assert judge(changes, **limits) == []


def test_what_is_blocked_changes_nothing():
    blocked = [other(f"B{n}", Op.BLOCKED) for n in range(10)]
    assert judge(blocked, max_changes=Decimal("0.3"), max_removals=Decimal(0)) == []


@pytest.mark.parametrize(
    ("before", "after", "trips"),
    [
        ("100.00", "79.99", ["below_spent"]),
        ("100.00", "80.00", []),
        ("60.00", "70.00", []),
        ("60.00", "59.99", ["below_spent"]),
    ],
)
def test_nothing_is_lowered_below_what_is_spent(before, after, trips):
    spent = {"t-B1": Decimal("80.00")}
    assert judge([changed("B1", before, after)], spent=spent, below_spent=False) == trips
    assert judge([changed("B1", before, after)], spent=spent) == []


@pytest.mark.parametrize(
    ("linked", "shown", "seen", "trips"),
    [(10, 5, 5, []), (10, 4, 10, ["min_listing"]), (10, 10, 4, ["min_listing"]), (0, 0, 0, [])],
)
def test_a_listing_that_shrank_by_more_than_half_is_not_believed(linked, shown, seen, trips):
    sides = Sides(linked=linked, linked_shown=shown, source_seen=seen)
    assert judge([], sides=sides, min_listing=Decimal("0.5")) == trips


@pytest.mark.parametrize("rule", ["max_changes", "max_removals"])
def test_one_object_never_trips_a_share(rule):
    sides = Sides(linked=2, linked_shown=2, source_seen=2)
    limit = {rule: getattr(Limits(), rule)}
    assert judge([other("B0", Op.RETIRE)], sides=sides, **limit) == []
    assert judge([other("B0", Op.RETIRE), other("B1", Op.RETIRE)], sides=sides, **limit) == [rule]


def test_a_number_of_objects_is_a_limit_of_its_own():
    removals = [other(f"B{n}", Op.RETIRE) for n in range(3)]
    assert judge(removals, max_removals=Limit(objects=3)) == []
    assert judge(removals, max_removals=Limit(objects=2)) == ["max_removals"]


def test_a_rule_that_is_allowed_by_name_lets_the_run_go_on():
    removals = [other("B1", Op.RETIRE)]
    assert judge(removals, max_removals=Decimal(0)) == ["max_removals"]
    assert judge(removals, max_removals=Decimal(0), allowed=["max_removals"]) == []


def test_a_trip_names_the_numbers_and_what_would_allow_it():
    (trip,) = Guard("erp-to-shop", Limits()).judge(
        Findings(changes=[other(f"B{n}", Op.RETIRE) for n in range(2)]),
        Observation(),
        Sides(linked=10, linked_shown=10, source_seen=10),
    )
    assert (trip.rule, trip.limit, trip.actual) == ("max_removals", "5%, at least 1", "20%")
    assert trip.message == "2 of 10 linked objects would be removed: budget B0; budget B1"
    assert trip.override == (
        "--allow max_removals=20% for this run, "
        'or max_removals = "20%" in [syncs.erp-to-shop.guard]'
    )
