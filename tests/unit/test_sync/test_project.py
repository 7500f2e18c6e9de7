from datetime import date
from decimal import Decimal

import pytest
from msgspec.structs import replace

from canonical.allocation import Alert, Allocation, Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import ALLOCATION_FIELDS, BUDGET_FIELDS
from canonical.loss import Effect
from canonical.period import Cadence, Period
from connectors.contract.capabilities import Capabilities, Hold, Numbers, Phasing
from sync.project import Projector

DAY = date(2026, 2, 10)


def usd(number):
    return Amount.of(number, "USD")


def project(model, **able):
    said = {
        "vendor": "shop",
        "budget": dict.fromkeys(BUDGET_FIELDS, Hold.EXACT),
        "allocation": dict.fromkeys(ALLOCATION_FIELDS, Hold.EXACT),
        "statuses": frozenset(Status),
        "phasing": Phasing.ALL,
    }
    projector = Projector(Capabilities(**(said | able)), DAY, horizon_months=2)
    if isinstance(model, Budget):
        return projector.budget(model)
    return projector.allocation(model)


def budget(**said):
    return Budget(**({"ref": "B", "name": "B", "amount": usd("10.00")} | said))


def share(**said):
    base = {"ref": "a", "budget": "B", "entity": Entity("user", "ada"), "amount": usd(1)}
    return Allocation(**(base | said))


def without(*fields):
    return {name: Hold.EXACT for name in BUDGET_FIELDS if name not in fields}


def names(losses):
    return {loss.name for loss in losses}


def test_what_fits_is_the_same_object_and_loses_nothing():
    model = budget(owners=("ada",), description="x", enforcement=Enforcement.HARD)
    projected, losses = project(model)
    assert projected is model
    assert losses == ()


def test_finer_amounts_are_rounded_and_said_to_be():
    projected, losses = project(budget(amount=usd("10.50")), amount_digits=0)
    assert projected.amount == usd("10")
    assert names(losses) == {"rounded:amount"}
    assert "10.50 USD becomes 10" in losses[0].reason


def test_an_amount_finer_than_its_currency_is_a_loss_for_every_target():
    assert names(project(budget(amount=usd("10.005")))[1]) == {"rounded:amount"}


@pytest.mark.parametrize(
    ("model", "able", "blocked"),
    [
        (budget(amount=None), {}, "amount"),
        (budget(cadence=Cadence.DAILY), {"cadences": frozenset({Cadence.ONCE})}, "cadence"),
        (budget(status=Status.INACTIVE), {"statuses": frozenset({Status.ACTIVE})}, "status"),
        (budget(amount=Amount.of(5, "impressions")), {"budget": without("limits")}, "amount"),
        (share(), {"allocation": {}}, "entity"),
        (share(), {"entity_types": frozenset({"account"})}, "entity"),
        (share(status=Status.INACTIVE), {"statuses": frozenset({Status.ACTIVE})}, "status"),
        (share(amount=None), {}, "amount"),
    ],
)
def test_what_cannot_be_held_at_all_is_blocked(model, able, blocked):
    assert names(project(model, **able)[1]) == {f"blocked:{blocked}"}


@pytest.mark.parametrize(
    "able", [{"entity_types": frozenset({"user"})}, {"native_entity_types": frozenset({"user"})}]
)
def test_a_type_in_another_spelling_is_blocked_with_the_right_word(able):
    (loss,) = project(share(entity=Entity("User", "ada")), **able)[1]
    assert (loss.name, loss.reason) == (
        "blocked:entity",
        "shop has no allocations of type User; write user",
    )


@pytest.mark.parametrize(
    ("phasing", "told"), [(Phasing.CURRENT, 1), (Phasing.CURRENT_AND_NEXT, 1), (Phasing.ALL, 0)]
)
def test_a_day_for_which_no_amount_is_stated_is_told(phasing, told):
    months = [date(2026, month, 1) for month in (1, 3)]
    phases = tuple(Phase(Period(day, day.replace(day=28)), usd(day.month)) for day in months)
    model = budget(cadence=Cadence.MONTHLY, start=months[0], end=date(2026, 3, 28), phases=phases)
    said = [each for each in project(model, phasing=phasing)[1] if each.field == "amount"]
    assert len(said) == told
    assert all("no amount for 2026-02-10" in each.reason for each in said)
    assert all("1.00 USD" in each.reason and not each.matters for each in said)


LONG = "90071992547409.93"


@pytest.mark.parametrize(
    ("amount", "numbers", "blocked"),
    [
        (usd(LONG), Numbers.DOUBLE, {"blocked:amount"}),
        (usd("9999999999999.99"), Numbers.DOUBLE, set()),
        (usd(2**53), Numbers.DOUBLE, set()),
        (Amount.of(2**53 + 1, "impressions"), Numbers.DOUBLE, {"blocked:amount"}),
        (usd(LONG), Numbers.MINOR, set()),
        (Amount.from_minor(2**63 - 1, "USD"), Numbers.MINOR, set()),
        (Amount.from_minor(2**63, "USD"), Numbers.MINOR, {"blocked:amount"}),
        (Amount.from_minor(2**63, "USD"), Numbers.ANY, set()),
    ],
)
def test_an_amount_that_would_not_arrive_as_it_was_sent_is_blocked(amount, numbers, blocked):
    for model in (budget(amount=amount), share(amount=amount)):
        assert names(project(model, numbers=numbers)[1]) == blocked


@pytest.mark.parametrize("field", ["limits", "phases"])
def test_so_are_the_amounts_beside_it(field):
    month = Period(date(2026, 2, 1), date(2026, 2, 28))
    said = {"limits": (usd(LONG),), "phases": (Phase(month, usd(LONG)),)}[field]
    model = budget(cadence=Cadence.MONTHLY, **{field: said})
    assert f"blocked:{field}" in names(project(model, numbers=Numbers.DOUBLE)[1])


def test_a_name_that_is_too_long_is_blocked_by_its_length_on_the_wire():
    assert project(budget(name="x" * 255), name_length=255)[1] == ()
    (loss,) = project(budget(name="\N{GRINNING FACE}" * 128), name_length=255)[1]
    assert (loss.name, loss.reason) == ("blocked:name", "shop takes 255 characters; this has 256")


DROPPED = {
    "description": "x",
    "limits": (Amount.of(5, "impressions"),),
    "enforcement": Enforcement.HARD,
    "carry_over": True,
    "parent": "A",
    "owners": ("ada",),
    "dimensions": {"department": "R&D"},
    "alerts": (Alert(Decimal(80)),),
}


@pytest.mark.parametrize("field", DROPPED)
def test_what_has_no_place_is_dropped_and_said_to_be(field):
    projected, losses = project(budget(**{field: DROPPED[field]}), budget=without(field))
    assert not getattr(projected, field)
    assert names(losses) == {f"dropped:{field}"}


def test_merely_to_track_loses_nothing_where_nothing_is_enforced():
    projected, losses = project(
        budget(enforcement=Enforcement.TRACK), budget=without("enforcement")
    )
    assert (projected.enforcement, losses) == (None, ())


def test_soft_stands_in_for_track():
    able = {"enforcements": frozenset({Enforcement.SOFT, Enforcement.HARD})}
    projected, losses = project(budget(enforcement=Enforcement.TRACK), **able)
    assert projected.enforcement is Enforcement.SOFT
    assert [loss.effect for loss in losses] == [Effect.EMULATED]


def test_hard_is_never_softened():
    able = {"enforcements": frozenset({Enforcement.SOFT})}
    projected, losses = project(budget(enforcement=Enforcement.HARD), **able)
    assert projected.enforcement is None
    assert names(losses) == {"dropped:enforcement"}


def test_text_is_written_in_ascii_where_nothing_else_is_taken():
    projected, losses = project(budget(name="Büro", description="Köln"), ascii_text=True)
    assert (projected.name, projected.description) == ("Buro", "Koln")
    assert names(losses) == {"emulated:name", "emulated:description"}


PHASED = budget(
    cadence=Cadence.MONTHLY,
    start=date(2026, 1, 1),
    phases=tuple(
        Phase(Period(date(2026, month, 1), date(2026, month, 28)), usd(month))
        for month in (1, 2, 3)
    ),
)


def test_one_amount_at_a_time_is_the_one_of_the_day():
    projected, losses = project(PHASED, phasing=Phasing.CURRENT)
    assert (projected.amount, projected.phases, losses) == (usd(2), (), ())


def test_two_amounts_at_a_time_are_the_days_and_one_from_the_next_period_on():
    projected, _ = project(PHASED, phasing=Phasing.CURRENT_AND_NEXT)
    later = Phase(Period(date(2026, 3, 1), PHASED.end), usd(3))
    assert (projected.amount, projected.phases) == (usd(2), (later,))


def test_two_amounts_at_a_time_that_are_one_are_no_phases():
    even = replace(PHASED, phases=tuple(replace(each, amount=usd(2)) for each in PHASED.phases))
    projected, _ = project(even, phasing=Phasing.CURRENT_AND_NEXT)
    assert (projected.amount, projected.phases) == (usd(2), ())


@pytest.mark.parametrize(
    ("phasing", "periods"),
    [
        (Phasing.ALL, ["2026-01-05..2026-02-28", "2026-03-01.."]),
        (Phasing.PERIODS, [
            "2026-01-05..2026-01-31", "2026-02-01..2026-02-28", "2026-03-01..2026-03-31",
            "2026-04-01..2026-04-10",
        ]),
    ],
)  # fmt: skip
def test_what_counts_before_the_first_phase_is_stated_too(phasing, periods):
    march = Phase(Period(date(2026, 3, 1)), usd(3))
    later = budget(cadence=Cadence.MONTHLY, start=date(2026, 1, 5), amount=usd(2), phases=(march,))
    projected, _ = project(later, phasing=phasing)
    assert [str(each.period) for each in projected.phases] == periods
    assert [each.amount for each in projected.phases if each.period.start < date(2026, 3, 1)] == [
        usd(2)
    ] * (len(periods) // 2)


def test_a_list_of_periods_is_whole_and_an_open_end_reaches_to_the_horizon():
    assert project(PHASED, phasing=Phasing.PERIODS)[0].phases == PHASED.phases
    even = budget(cadence=Cadence.MONTHLY, start=date(2026, 1, 1))
    projected, _ = project(even, phasing=Phasing.PERIODS)
    assert [phase.period.end for phase in projected.phases] == [
        date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 10),
    ]  # fmt: skip


def test_an_allocations_follower_is_not_written_and_loses_nothing():
    able = {"allocation": dict.fromkeys(ALLOCATION_FIELDS, Hold.FOLLOWS)}
    projected, losses = project(share(cadence=Cadence.MONTHLY, carry_over=True), **able)
    assert (projected.cadence, projected.carry_over, losses) == (None, None, ())


def test_an_entity_that_is_not_native_is_kept_as_text():
    able = {
        "allocation": dict.fromkeys(ALLOCATION_FIELDS, Hold.EXACT) | {"entity": Hold.EMULATED},
        "native_entity_types": frozenset({"user"}),
    }
    assert project(share(), **able)[1] == ()
    assert names(project(share(entity=Entity("account", "6100")), **able)[1]) == {"emulated:entity"}


@pytest.mark.parametrize("year", [2060, 2149])
@pytest.mark.parametrize("with_phases", [False, True])
def test_an_end_too_far_to_list_its_periods_is_open_and_comes_in_time(year, with_phases):
    whole = {"cadence": Cadence.DAILY, "start": date(2026, 1, 1), "end": date(year, 12, 31)}
    phases = (
        Phase(Period(whole["start"], date(year - 1, 12, 31)), usd(3)),
        Phase(Period(date(year, 1, 1), whole["end"]), usd(4)),
    )
    model = budget(**whole, phases=phases if with_phases else ())
    projected, _ = project(model, phasing=Phasing.PERIODS)
    assert projected.end is None
    assert projected.phases[-1].period.end == DAY.replace(month=4)
    shared, _ = project(share(**whole), phasing=Phasing.PERIODS)
    assert shared.end is None


def test_an_end_near_enough_to_list_its_periods_is_listed():
    model = budget(cadence=Cadence.DAILY, start=date(2026, 1, 1), end=date(2026, 12, 31))
    projected, _ = project(model, phasing=Phasing.PERIODS)
    assert (projected.end, len(projected.phases)) == (model.end, 365)
