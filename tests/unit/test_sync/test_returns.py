"""What the target has goes back into the source: journaled, guarded, verified, never twice."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from msgspec import structs

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.kind import Kind, Op
from canonical.period import Cadence, Period
from canonical.rate import Rate
from canonical.side import Side
from connectors.contract.capabilities import Hold, Phasing
from connectors.contract.errors import Rejected, Uncertain
from connectors.memory.connector import Memory
from sync.decided import Take
from sync.engine import Engine
from sync.fields import Fields, OnConflict, Owner
from sync.intake.rates import Rates
from sync.outcome import Outcome
from sync.spec import Limit, Limits, OnRemove, SyncSpec
from sync.state.journal import Journal, State
from sync.state.store import Store
from tests.unit.test_sync.people import People

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)


class Crash(BaseException):
    """The process is no more."""


def usd(number):
    return Amount.of(number, "USD")


def month(number, amount):
    days = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return Phase(Period(date(2026, number, 1), date(2026, number, days[number - 1])), usd(amount))


class Desk:
    """A source with one budget, a target, and a sync that both may move."""

    def __init__(self, store, word=Owner.EITHER, limits=OPEN, **able):
        self.store, self.limits, self.now = store, limits, lambda: NOW
        self.fields = Fields(default=word)
        self.more = {}
        self.source = Memory("erp")
        self.target = Memory.with_capabilities(**able)("shop")
        self.source.put(
            Budget(
                ref="A",
                name="Travel",
                amount=usd(100),
                cadence=Cadence.MONTHLY,
                start=date(2026, 1, 1),
            )
        )

    def engine(self):
        spec = SyncSpec(
            name="s",
            source="erp",
            target="shop",
            limits=self.limits,
            fields=self.fields,
            **self.more,
        )
        return Engine(
            spec,
            self.source,
            self.target,
            self.store,
            now=self.now,
        )

    def run(self, **more):
        return self.engine().run(TODAY, command="run", **more)

    def agreed(self):
        assert self.run().verified
        return self

    def of(self, system, kind=Kind.BUDGET):
        return [item for page in system.list(kind) for item in page.items]

    @property
    def stated(self):
        return self.of(self.source)[0].model

    @property
    def held(self):
        return self.of(self.target)[0].model

    def edit(self, **values):
        self.target.edit(self.of(self.target)[0].id, **values)

    def operations(self, report):
        return Journal(self.store, "s").of_run(report.run_id)


@pytest.fixture
def store(tmp_path, empty_state):
    empty_state(tmp_path)
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as opened:
        yield opened


def sides(report):
    return [(each.side, each.op, each.outcome) for each in report.operations]


# -- each word -----------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [Owner.TARGET, Owner.EITHER])
def test_an_edit_in_the_target_is_taken_back_and_the_second_plan_is_empty(store, word):
    desk = Desk(store, word).agreed()
    desk.edit(amount=usd(150))

    report = desk.run()

    assert sides(report) == [(Side.SOURCE, Op.UPDATE, "applied")]
    assert (report.verified, desk.stated.amount, desk.held.amount) == (True, usd(150), usd(150))
    assert desk.run().plan.changes == ()


def test_what_is_taken_back_is_journaled_as_the_sources(store):
    desk = Desk(store).agreed()
    desk.edit(name="Trips")

    (operation,) = desk.operations(desk.run())

    assert (operation.side, operation.target_id, operation.fields) == (Side.SOURCE, "A", ("name",))
    assert (operation.state, operation.before) == (State.APPLIED, {"name": "Travel"})


def test_a_target_that_owns_a_field_has_what_the_source_moved_put_back(store):
    desk = Desk(store, Owner.TARGET).agreed()
    desk.source.edit("A", amount=usd(130))

    report = desk.run()

    assert sides(report) == [(Side.SOURCE, Op.UPDATE, "applied")]
    assert (desk.stated.amount, desk.held.amount) == (usd(100), usd(100))


def test_what_waits_is_not_taken_back(store):
    desk = Desk(store, Owner.ASK).agreed()
    desk.edit(amount=usd(150))

    assert desk.run().operations == []
    assert desk.stated.amount == usd(100)


def test_of_a_conflict_that_the_target_wins_the_source_has_the_targets_value(store):
    desk = Desk(store)
    desk.fields = replace(desk.fields, on_conflict=OnConflict.TARGET)
    desk.agreed()
    desk.edit(amount=usd(150))
    desk.source.edit("A", amount=usd(120))

    assert desk.run().verified
    assert (desk.stated.amount, desk.held.amount) == (usd(150), usd(150))


def test_both_sides_of_one_object_are_written_in_one_run(store):
    desk = Desk(store).agreed()
    desk.edit(amount=usd(150))
    desk.source.edit("A", name="Trips")

    report = desk.run()

    assert sides(report) == [
        (Side.SOURCE, Op.UPDATE, "applied"),
        (Side.TARGET, Op.UPDATE, "applied"),
    ]
    assert report.verified
    for model in (desk.stated, desk.held):
        assert (model.name, model.amount) == ("Trips", usd(150))


def test_a_field_is_emptied_in_the_source_where_the_target_emptied_it(store):
    desk = Desk(store)
    desk.source.edit("A", owners=("ann",))
    desk.agreed()
    desk.edit(owners=None)

    desk.run()

    assert desk.stated.owners is None


def test_a_budget_that_was_retired_in_the_target_is_retired_in_the_source(store):
    desk = Desk(store).agreed()
    desk.edit(status=Status.RETIRED)

    report = desk.run()

    assert sides(report) == [(Side.SOURCE, Op.RETIRE, "applied")]
    assert desk.stated.status is Status.RETIRED
    assert desk.run().plan.changes == ()


def test_a_share_is_taken_back_too(store):
    desk = Desk(store)
    desk.source.put(Allocation(ref="a", budget="A", entity=Entity("user", "ann"), amount=usd(10)))
    desk.agreed()
    (share,) = desk.of(desk.target, Kind.ALLOCATION)
    desk.target.edit(share.id, amount=usd(30))

    assert desk.run().verified

    (share,) = desk.of(desk.source, Kind.ALLOCATION)
    assert (share.model.amount, share.model.cadence, share.model.start) == (usd(30), None, None)
    assert desk.run().plan.changes == ()


# -- in time -------------------------------------------------------------------------------------


def phased(desk):
    desk.source.edit("A", phases=tuple(month(number, 100 + number) for number in range(1, 7)))
    return desk


def test_the_present_amount_is_that_of_the_phase_that_holds_the_day(store):
    desk = phased(Desk(store, phasing=Phasing.CURRENT)).agreed()
    desk.edit(amount=usd(500))

    assert desk.run().verified
    assert [each.amount.text() for each in desk.stated.phases] == [
        "101.00", "102.00", "500.00", "104.00", "105.00", "106.00",
    ]  # fmt: skip


def test_months_that_the_target_moved_are_moved_in_the_sources_own_cut(store):
    desk = phased(Desk(store)).agreed()
    april = [each.period.start.month == 4 for each in desk.held.phases]
    phases = [month(4, 7) if at else each for at, each in zip(april, desk.held.phases, strict=True)]
    desk.edit(phases=tuple(phases))

    assert desk.run().verified
    assert len(desk.stated.phases) == 6
    assert desk.stated.phases[3].amount == usd(7)


def test_a_phase_is_cut_where_the_targets_amount_counts_for_a_part_of_it(store):
    desk = Desk(store)
    whole = Phase(Period(date(2026, 1, 1), date(2026, 6, 30)), usd(100))
    later = Phase(Period(date(2026, 7, 1), date(2026, 12, 31)), usd(90))
    desk.source.edit("A", phases=(whole, later))
    desk.agreed()
    desk.edit(
        phases=(
            Phase(Period(date(2026, 1, 1), date(2026, 3, 31)), usd(100)),
            Phase(Period(date(2026, 4, 1), date(2026, 6, 30)), usd(80)),
            later,
        )
    )

    assert desk.run().verified
    assert [each.amount.text() for each in desk.stated.phases] == ["100.00", "80.00", "90.00"]


def test_the_present_amount_of_a_source_without_one_for_the_day_is_not_taken_back(store):
    desk = Desk(store, phasing=Phasing.CURRENT)
    desk.source.edit("A", phases=(month(1, 10), month(2, 20)))
    desk.agreed()
    desk.edit(amount=usd(500))

    report = desk.run()

    (change,) = report.plan.changes
    assert (change.op, change.side, report.outcome) == (Op.BLOCKED, Side.SOURCE, Outcome.PARTIAL)
    assert "states no amount for 2026-03-10" in change.losses[-1].reason
    assert [each.amount for each in desk.stated.phases] == [usd(10), usd(20)]


# -- what cannot be said -------------------------------------------------------------------------


def test_what_the_source_cannot_hold_is_blocked_and_stays_open(store):
    desk = Desk(store).agreed()
    able = desk.source.capabilities
    desk.source.capabilities = replace(able, budget={**able.budget, "name": Hold.DROPPED})
    desk.edit(name="Trips")

    for report in (desk.run(), desk.run()):
        (change,) = report.plan.changes
        assert [each.name for each in change.losses] == ["blocked:name"]
    assert (desk.stated.name, desk.held.name) == ("Travel", "Trips")


def test_an_amount_that_the_source_would_round_is_not_written(store):
    desk = Desk(store).agreed()
    desk.source.capabilities = replace(desk.source.capabilities, amount_digits=0)
    desk.edit(amount=usd("150.50"))

    (change,) = desk.run().plan.changes

    assert (change.op, desk.stated.amount) == (Op.BLOCKED, usd(100))
    assert "holds no finer amount" in change.losses[-1].reason


def test_what_cannot_be_emptied_again_is_blocked(store):
    desk = Desk(store)
    desk.source.edit("A", owners=("ann",))
    desk.agreed()
    desk.source.capabilities = replace(desk.source.capabilities, clearable=frozenset())
    desk.edit(owners=None)

    (change,) = desk.run().plan.changes

    assert (change.op, desk.stated.owners) == (Op.BLOCKED, ("ann",))


# -- sources with a will of their own ------------------------------------------------------------


def trimmed(model):
    if isinstance(model, Budget) and model.amount:
        amount = Amount(model.amount.value.quantize(Decimal(1)), "USD")
        return structs.replace(model, name=model.name.strip(" !"), amount=amount)
    return model


def test_a_source_that_trims_a_name_is_not_edited(store):
    desk = Desk(store).agreed()
    desk.source.normalise = trimmed
    desk.edit(name="Trips!")

    assert desk.run().verified
    assert (desk.stated.name, desk.held.name) == ("Trips", "Trips!")
    assert desk.run().plan.changes == ()


def test_a_source_that_rounds_an_amount_is_not_edited_and_the_rounding_is_told(store):
    desk = Desk(store).agreed()
    desk.source.normalise = trimmed
    desk.edit(amount=usd("150.50"))

    report = desk.run()

    assert "150.00 instead of 150.50" in report.operations[0].error
    assert (desk.stated.amount, desk.held.amount) == (usd(150), usd("150.50"))
    assert desk.run().plan.changes == ()


def test_the_source_of_that_kind_can_be_edited_after(store):
    desk = Desk(store).agreed()
    desk.source.normalise = trimmed
    desk.edit(name="Trips!", amount=usd("150.50"))
    desk.run()
    desk.source.edit("A", amount=usd(200))

    assert desk.run().verified
    assert (desk.held.amount, desk.held.name) == (usd(200), "Trips!")


def test_both_sides_of_one_object_at_a_source_that_trims(store):
    desk = Desk(store).agreed()
    desk.source.normalise = trimmed
    desk.edit(name="Trips!")
    desk.source.edit("A", amount=usd(120))

    assert desk.run().verified
    assert (desk.held.amount, desk.held.name, desk.stated.name) == (usd(120), "Trips!", "Trips")
    assert desk.run().plan.changes == ()


# -- faults --------------------------------------------------------------------------------------


def once(error, operation="update"):
    left = [error]

    def hook(named, _):
        if named == operation and left:
            raise left.pop()

    return hook


def both_sides_moved(store):
    desk = Desk(store).agreed()
    desk.edit(amount=usd(150))
    desk.source.edit("A", name="Trips")
    return desk


def is_agreed(desk):
    assert desk.run().outcome is Outcome.OK
    assert desk.run().plan.changes == ()
    for model in (desk.stated, desk.held):
        assert (model.name, model.amount) == ("Trips", usd(150))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_lost_answer_on_either_side_is_settled_and_nothing_is_lost(store, side, when):
    desk = both_sides_moved(store)
    setattr(getattr(desk, side), when, once(Uncertain("the answer was lost")))

    desk.run()

    is_agreed(desk)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_crash_at_either_side_leaves_what_the_next_run_completes(store, side, when):
    desk = both_sides_moved(store)
    setattr(getattr(desk, side), when, once(Crash()))
    with pytest.raises(Crash):
        desk.run()

    is_agreed(desk)


def test_a_refusal_of_the_source_holds_up_no_other_field(store):
    desk = both_sides_moved(store)
    desk.source.before = once(Rejected("the books are closed"))

    report = desk.run()

    assert [each.outcome for each in report.operations] == ["rejected", "applied"]
    assert (desk.stated.amount, desk.held.amount, desk.held.name) == (usd(100), usd(150), "Trips")
    is_agreed(desk)


# -- guards --------------------------------------------------------------------------------------


def test_a_text_that_is_taken_back_moves_no_money_for_a_guard(store):
    desk = Desk(store, limits=replace(OPEN, max_money=Limit(Decimal("0.10")))).agreed()
    desk.edit(name="Journeys")

    report = desk.run()

    assert sides(report) == [(Side.SOURCE, Op.UPDATE, "applied")]
    assert desk.stated.name == "Journeys"


def test_money_of_the_source_trips_the_guard_which_names_the_side(store):
    limits = replace(OPEN, max_money=Limit(Decimal("0.10")))
    desk = Desk(store, limits=limits)
    desk.source.put(structs.replace(desk.stated, ref="B", name="Other"))
    desk.agreed()
    for item in desk.of(desk.target):
        desk.target.edit(item.id, amount=usd(150))

    report = desk.run()

    (trip,) = report.plan.guards
    assert trip.rule == "max_money"
    assert "100 of 200 USD a month in budgets would move in the source" in trip.message
    assert desk.stated.amount == usd(100)


def test_what_is_to_be_removed_in_the_source_is_weighed_with_all_its_money(store):
    limits = replace(OPEN, max_money=Limit(money={"USD": Decimal(99)}))
    desk = Desk(store, limits=limits)
    desk.source.put(structs.replace(desk.stated, ref="B", name="Other"))
    desk.more = {"on_remove": OnRemove.RETIRE}
    assert desk.run(allow={"max_money"}).verified
    (gone,) = (each.id for each in desk.of(desk.target) if each.model.name == "Travel")
    desk.target.drop(gone)
    (wait,) = desk.run().plan.waits
    People(store).take(wait, Take.TARGET)

    plan = desk.run().plan

    (change,) = plan.changes
    assert (change.side, change.op, change.image["amount"]) == (Side.SOURCE, Op.RETIRE, "100.00")
    assert [(move.before.amount, move.after) for move in change.money] == [(Decimal(100), None)]
    assert "100 of 200 USD a month in budgets would move in the source" in plan.guards[0].message


def test_a_change_of_the_source_is_counted_as_one_of_its_own_side(store):
    desk = Desk(store, limits=replace(OPEN, max_changes=Limit(Decimal("0.10")))).agreed()
    desk.edit(name="Trips")

    (trip,) = desk.run().plan.guards

    assert "1 of 1 objects that both sides have would change in the source" in trip.message


def test_what_moves_no_money_passes_the_guards_of_money(store):
    desk = Desk(store, limits=Limits()).agreed()
    desk.edit(name="Trips")

    assert desk.run().verified
    assert desk.stated.name == "Trips"


def test_the_rest_of_what_broke_off_is_not_judged_again(store):
    limits = replace(OPEN, max_budget_change=Limit(Decimal("0.20")))
    desk = Desk(store, limits=limits).agreed()
    desk.edit(amount=usd(150))
    desk.source.before = once(Rejected("the books are closed"))
    assert desk.run(allow={"max_budget_change"}).outcome is Outcome.PARTIAL

    assert desk.run().verified
    assert desk.stated.amount == usd(150)


def test_what_was_taken_back_is_not_weighed_a_second_time(store):
    limits = replace(OPEN, max_budget_change=Limit(Decimal("0.20")))
    desk = Desk(store, limits=limits).agreed()
    desk.edit(amount=usd(150))

    assert desk.run(allow={"max_budget_change"}).verified
    assert desk.run().plan.guards == ()


# -- saved plans ---------------------------------------------------------------------------------


def test_a_saved_plan_is_applied_on_both_sides_as_it_was(store):
    desk = both_sides_moved(store)
    plan = desk.engine().plan(TODAY)
    plan = type(plan).load(plan.save())

    report = desk.run(only=plan)

    assert [each.outcome for each in report.operations] == ["applied", "applied"]
    is_agreed(desk)


def test_verifying_finds_what_the_source_ought_to_be_told(store):
    desk = Desk(store).agreed()
    desk.edit(amount=usd(150))

    found = desk.engine().verify(TODAY)

    assert [each.side for each in found.differences] == [Side.SOURCE]


# -- decisions -----------------------------------------------------------------------------------


def conflicting(store):
    desk = Desk(store).agreed()
    desk.edit(amount=usd(150))
    desk.source.edit("A", amount=usd(120))
    (wait,) = desk.run().plan.waits
    return desk, wait


@pytest.mark.parametrize(
    ("take", "value", "expected"),
    [(Take.SOURCE, None, 120), (Take.TARGET, None, 150), (Take.VALUE, "135.00", 135)],
)
def test_what_a_person_decides_is_had_by_both_sides(store, take, value, expected):
    desk, wait = conflicting(store)
    People(store).take(wait, take, value)

    assert desk.run().verified
    assert (desk.stated.amount, desk.held.amount) == (usd(expected), usd(expected))
    assert desk.run().plan.changes == ()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("side", ["source", "target"])
def test_a_value_for_both_sides_survives_a_crash_between_them(store, side, when):
    desk, wait = conflicting(store)
    People(store).take(wait, Take.VALUE, "135.00")
    setattr(getattr(desk, side), when, once(Crash()))
    with pytest.raises(Crash):
        desk.run()

    assert desk.run().verified
    assert (desk.stated.amount, desk.held.amount) == (usd(135), usd(135))


def deciding_beside_what_is_rounded(store, field="name", mine="Trips", theirs="Journeys"):
    """The source cannot hold the amount of the target, and both moved the field."""
    desk = Desk(store).agreed()
    desk.source.capabilities = replace(desk.source.capabilities, amount_digits=0)
    desk.edit(amount=usd("150.25"), **{field: theirs})
    desk.source.edit("A", **{field: mine})
    (asked,) = desk.run().plan.waits
    return desk, asked


def test_a_value_for_both_sides_is_had_by_both_where_another_field_is_blocked(store):
    desk, asked = deciding_beside_what_is_rounded(store)
    People(store).take(asked, Take.VALUE, "Voyages")

    report = desk.run()

    assert (desk.stated.name, desk.held.name) == ("Voyages", "Voyages")
    assert (desk.stated.amount, desk.held.amount) == (usd(100), usd("150.25"))
    (mine,) = [each for each in report.plan.changes if each.side is Side.SOURCE]
    assert [each.name for each in mine.losses] == ["blocked:amount"]
    assert "holds no finer amount" in mine.losses[0].reason
    again = desk.run()
    assert (again.plan.waits, [each.op for each in again.plan.changes]) == ((), [Op.BLOCKED])


def test_a_value_that_the_source_cannot_hold_is_not_written_to_the_target_alone(store):
    desk = Desk(store).agreed()
    desk.source.capabilities = replace(desk.source.capabilities, amount_digits=0)
    desk.edit(amount=usd(150))
    desk.source.edit("A", amount=usd(120))
    (asked,) = desk.run().plan.waits
    People(store).take(asked, Take.VALUE, "135.25")
    desk.edit(name="Trips")
    desk.source.edit("A", description="of the year")

    for report in (desk.run(), desk.run()):
        assert report.plan.waits == ()
        assert (desk.stated.amount, desk.held.amount) == (usd(120), usd(150))
    assert (desk.stated.name, desk.held.description) == ("Trips", "of the year")

    desk.source.capabilities = replace(desk.source.capabilities, amount_digits=2)
    assert desk.run().verified
    assert (desk.stated.amount, desk.held.amount) == (usd("135.25"), usd("135.25"))
    assert desk.run().plan.changes == ()


def test_what_the_source_can_be_told_is_taken_back_beside_what_it_cannot(store):
    desk = Desk(store).agreed()
    desk.source.capabilities = replace(desk.source.capabilities, amount_digits=0)
    desk.edit(amount=usd("150.25"), name="Trips")

    report = desk.run()

    assert (report.outcome, desk.stated.name, desk.stated.amount) == (
        Outcome.PARTIAL,
        "Trips",
        usd(100),
    )
    (change,) = desk.run().plan.changes
    assert (change.op, [each.name for each in change.losses]) == (Op.BLOCKED, ["blocked:amount"])


# -- converted -----------------------------------------------------------------------------------


def converting(store):
    """A source in euros, at a rate at which not every amount of dollars is one of euros."""
    desk = Desk(store)
    desk.source.edit("A", amount=Amount.of(100, "EUR"))
    desk.more = {"rates": Rates(to="USD", rates={"EUR": (Rate("EUR", "USD", Decimal("1.25")),)})}
    return desk.agreed()


def test_an_amount_goes_back_at_the_rate_where_that_comes_to_just_it(store):
    desk = converting(store)
    assert desk.held.amount == usd(125)
    desk.edit(amount=usd(150))

    assert desk.run().verified
    assert (desk.stated.amount, desk.held.amount) == (Amount.of(120, "EUR"), usd(150))
    assert desk.run().plan.changes == ()


def test_an_amount_that_no_amount_of_the_source_comes_to_is_not_taken_back(store):
    desk = converting(store)
    desk.edit(amount=usd("150.03"))

    (change,) = desk.run().plan.changes

    assert (change.op, change.side, desk.stated.amount) == (
        Op.BLOCKED,
        Side.SOURCE,
        Amount.of(100, "EUR"),
    )
    assert "no amount of the source comes to just that" in change.losses[-1].reason


def test_a_retired_budget_takes_its_shares_with_it_on_both_sides(store):
    desk = Desk(store)
    desk.source.put(Allocation(ref="a", budget="A", entity=Entity("user", "ann"), amount=usd(10)))
    desk.agreed()
    desk.edit(status=Status.RETIRED)

    assert desk.run().verified
    assert desk.run().plan.changes == ()
    (share,) = desk.of(desk.target, Kind.ALLOCATION)
    assert share.model.status is Status.RETIRED


def test_what_is_recognised_in_a_target_that_owns_the_field_is_taken_back_at_once(store):
    desk = Desk(store, Owner.TARGET)
    desk.target.put(structs.replace(desk.stated, ref="T", amount=usd(70)))

    report = desk.run()

    assert (report.verified, report.plan.adopted) == (True, 1)
    assert (desk.stated.amount, desk.held.amount) == (usd(70), usd(70))
    assert desk.run().plan.changes == ()


def test_both_sides_of_what_is_recognised_are_written_in_one_run(store):
    desk = Desk(store)
    desk.fields = Fields(words={(Kind.BUDGET, "name"): Owner.TARGET})
    desk.source.edit("A", description="of the year", name="TRAVEL")
    desk.target.put(structs.replace(desk.stated, ref="T", name="Travel", description="old"))

    assert desk.run().verified
    assert (desk.stated.name, desk.held.description) == ("Travel", "of the year")
    assert desk.run().plan.changes == ()


def test_a_limit_is_not_taken_back_below_what_is_spent_in_the_source(store):
    desk = Desk(store).agreed()
    desk.source.spend("A", usd(90))
    desk.edit(amount=usd(80))

    report = desk.run()

    (trip,) = report.plan.guards
    assert "budget A would be lowered to 80.00 USD in the source, below the 90" in trip.message
    assert desk.stated.amount == usd(100)
    assert desk.run(allow=["below_spent"]).verified


def test_an_end_before_the_start_that_somebody_decided_on_reaches_neither_side(store):
    desk = Desk(store).agreed()
    desk.source.edit("A", end=date(2026, 12, 31))
    desk.edit(end=date(2027, 12, 31))
    (asked,) = desk.run().plan.waits
    People(store).take(asked, Take.VALUE, "2025-01-01")

    report = desk.run()

    assert (desk.stated.end, desk.held.end) == (date(2026, 12, 31), date(2027, 12, 31))
    assert (report.outcome, {each.op for each in report.plan.changes}) == (
        Outcome.PARTIAL,
        {Op.BLOCKED},
    )
