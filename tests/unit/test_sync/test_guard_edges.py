"""The guards where a fault would hide: another currency, amounts in phases, several that go far."""

from dataclasses import fields
from datetime import date
from decimal import Decimal

import pytest

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Change
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
TEN = Sides(linked=10, linked_shown=10, source_seen=10)


def monthly(number, unit="USD"):
    return None if number is None else Counted(Decimal(number), unit, Cadence.MONTHLY)


def weighed(ref, before, after, op=Op.UPDATE):
    return Weighed(Kind.BUDGET, ("", ref), op, (Move(DAY, before, after),), before)


def trips(objects=(), changes=(), spent=None, beside=(), sides=TEN, **limits):
    found = Findings(changes=list(changes), scales=Scales(DAY))
    for number, counted in enumerate(beside):
        found.scales.put(Weighed(Kind.BUDGET, ("", f"rest{number}"), None, (), counted))
    for each in objects:
        found.scales.put(each)
    guard = Guard("s", Limits(**(OFF | limits)))
    return guard.judge(found, Observation(spent=spent or {}), sides)


def test_what_passes_to_another_currency_counts_in_both():
    change = weighed("B1", monthly(1000), monthly(10, "EUR"))
    beside = [monthly(1000), monthly(100_000, "EUR")]
    (trip,) = trips([change], beside=beside, max_money=Limit(Decimal("0.4")))
    assert trip.actual == "50%"
    assert "budget B1 gives up 1,000 USD" in trip.message


def test_what_moves_from_nothing_is_named_before_any_share():
    objects = [weighed("B1", monthly(100), monthly(300)), weighed("B2", monthly(0), monthly(50))]
    (trip,) = trips(objects, max_budget_change=Limit(Decimal("0.5")))
    assert trip.actual == "from nothing"
    assert 'max_budget_change = "200%, at least 50 USD"' in trip.override


def test_of_several_that_go_too_far_the_furthest_says_what_would_be_enough():
    objects = [weighed("B1", monthly(100), monthly(300)), weighed("B2", monthly(100), monthly(170))]
    (trip,) = trips(objects, max_budget_change=Limit(Decimal("0.5")))
    assert trip.actual == "200%"
    assert 'max_budget_change = "200%"' in trip.override
    assert trips(objects, max_budget_change=Limit(Decimal(2))) == ()


def test_where_only_an_amount_is_a_limit_the_largest_step_would_be_enough():
    objects = [weighed("B1", monthly(100), monthly(400)), weighed("B2", monthly(100), monthly(170))]
    (trip,) = trips(objects, max_budget_change=Limit(money={"USD": Decimal(50)}))
    assert "300 USD" in trip.override
    assert trips(objects, max_budget_change=Limit(money={"USD": Decimal(300)})) == ()


def test_what_was_adopted_is_judged_like_any_other_change():
    made = weighed("B1", monthly(100), monthly(900), op=Op.CREATE)
    assert [trip.rule for trip in trips([made], max_budget_change=Limit(Decimal("0.5")))] == [
        "max_budget_change"
    ]


def test_what_is_new_moves_no_amount_of_before():
    made = weighed("B1", None, monthly(900), op=Op.CREATE)
    assert trips([made], max_budget_change=Limit(Decimal("0.5"))) == ()


@pytest.mark.parametrize("field", ["amount", "phases"])
def test_an_amount_in_phases_is_not_lowered_below_what_is_spent(field):
    change = Change(
        op=Op.UPDATE,
        kind=Kind.BUDGET,
        ref="B1",
        target_id="t1",
        fields={field: ("before", "after")},
        desired=Budget(ref="B1", name="B1", amount=Amount.of("40", "USD")),
        money=(Move(DAY, monthly(100), monthly(40)),),
    )
    (trip,) = trips(changes=[change], spent={"t1": Decimal(70)}, below_spent=False)
    assert trip.message == "budget B1 would be lowered to 40 USD, below the 70 already spent"
    assert trips(changes=[change], spent={"t1": Decimal(40)}, below_spent=False) == ()


def test_one_amount_alone_is_no_slip_and_several_that_fall_alike_are():
    one = [weighed("B1", monthly(100), monthly(10_000))]
    (trip,) = trips(one, max_budget_change=Limit(Decimal("0.5")))
    assert "misread" not in trip.message
    several = [weighed(f"B{n}", monthly(10_000), monthly(100)) for n in range(2)]
    (trip,) = trips(several, max_budget_change=Limit(Decimal("0.5")))
    assert "2 amounts become one 100th of what they were" in trip.message


def test_creates_that_double_what_is_linked_say_how_many_objects_would_be_enough():
    made = [Change(op=Op.CREATE, kind=Kind.BUDGET, ref=f"N{n}") for n in range(10)]
    (trip,) = trips(changes=made, max_changes=Limit(Decimal("0.3"), 1))
    assert (trip.limit, trip.actual) == ("100%", "100%")
    assert 'max_changes = "30%, at least 10"' in trip.override
    assert trips(changes=made, max_changes=Limit(Decimal("0.3"), 10)) == ()


@pytest.mark.parametrize(("shown", "seen", "side"), [(4, 10, "target"), (10, 4, "source")])
def test_a_listing_that_shrank_is_named_by_its_side(shown, seen, side):
    (trip,) = trips(
        sides=Sides(linked=10, linked_shown=shown, source_seen=seen), min_listing=Decimal("0.5")
    )
    assert trip.message.startswith(f"the {side} shows 4 of 10 linked objects")
    assert 'min_listing = "40%"' in trip.override
