"""A word for each field: whose value counts, in runs between two systems in memory."""

from contextlib import closing
from dataclasses import replace as replace_draft
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.rate import Rate
from canonical.waiting import Rule
from connectors.contract.records import Draft
from connectors.memory.connector import Memory, MemorySettings
from sync.decided import Take
from sync.engine import Engine
from sync.fields import Fields, OnConflict, OnNew, Owner
from sync.intake.rates import Rates
from sync.outcome import Exit, Outcome
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.stops import Stops
from sync.state.store import Store
from sync.undo.plan import Undo
from tests.unit.test_sync.people import People

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(
    max_changes=None,
    max_removals=None,
    max_money=None,
    max_budget_change=None,
    min_listing=None,
)


class OnlyRead(MemorySettings):
    def only_read(self):
        return "it is closed"


class Desk:
    """A budget on both sides, whose fields have the words; the source is only read."""

    def __init__(
        self, store, on_conflict=OnConflict.ASK, default=Owner.SOURCE, policy=OnRemove.KEEP, **words
    ):
        self.source, self.target, self.store = Memory("erp", OnlyRead()), Memory("target"), store
        said = {(Kind.BUDGET, name): word for name, word in words.items()}
        self.fields = Fields(default=default, words=said, on_conflict=on_conflict)
        self.policy, self.people = policy, People(store)
        self.ours = self.source.create(
            Draft(model=Budget(ref="A", name="Travel", amount=Amount.of(100, "USD"))), "a"
        )
        self.times, self.rates, self.limits = 0, None, OPEN

    def run(self, fields=None):
        spec = SyncSpec(
            name="s",
            source="erp",
            target="target",
            limits=self.limits,
            on_remove=self.policy,
            fields=fields or self.fields,
            rates=self.rates,
        )
        engine = Engine(
            spec,
            self.source,
            self.target,
            self.store,
            now=lambda: NOW,
        )
        self.engine = engine
        return engine.run(TODAY, command="run")

    def share(self):
        model = Allocation(ref="s", budget="A", entity=Entity("user", "ada"), amount=usd(10))
        return self.source.create(Draft(model=model, container=self.ours.id), "share")

    @property
    def stated(self):
        return next(item.model for page in self.source.list(Kind.BUDGET) for item in page.items)

    @property
    def held(self):
        return next(item for page in self.target.list(Kind.BUDGET) for item in page.items)

    def state(self, **values):
        self._edit(self.source, self.ours.id, replace(self.stated, **values), values)

    def edit(self, **values):
        self._edit(self.target, self.held.id, replace(self.held.model, **values), values)

    def _edit(self, side, id, model, values):
        self.times += 1
        stamp = side.get(Kind.BUDGET, id).stamp
        side.update(id, Draft(model=model, stamp=stamp), set(values), f"edit {self.times}")


def usd(number):
    return Amount.of(number, "USD")


@pytest.fixture
def store(tmp_path, empty_state):
    empty_state(tmp_path)
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as opened:
        yield opened


def both_then(desk, amount=None, stated=None):
    assert desk.run().verified
    if amount:
        desk.edit(amount=usd(amount))
    if stated:
        desk.state(amount=usd(stated))
    return desk.run()


@pytest.mark.parametrize("word", ["target", "either", "ignore"])
def test_an_edit_in_the_target_stays(store, word):
    desk = Desk(store, amount=Owner(word))

    report = both_then(desk, amount=150)

    assert (report.plan.changes, report.verified) == ((), True)
    assert desk.held.model.amount == usd(150)


def test_an_edit_of_a_field_that_asks_waits_and_nothing_is_put_back(store):
    desk = Desk(store, amount=Owner.ASK)

    report = both_then(desk, amount=150)

    (wait,) = report.plan.waits
    assert (wait.rule, wait.field, wait.source, wait.target, wait.agreed) == (
        Rule.DRIFT,
        "amount",
        "100.00",
        "150.00",
        "100.00",
    )
    assert (report.outcome, report.exit_code) == (Outcome.PARTIAL, Exit.CONFLICTS)
    assert desk.held.model.amount == usd(150)


@pytest.mark.parametrize("word", ["either", "ask"])
def test_what_the_source_alone_moved_is_written(store, word):
    desk = Desk(store, amount=Owner(word))

    assert both_then(desk, stated=120).verified
    assert desk.held.model.amount == usd(120)


@pytest.mark.parametrize("word", ["either", "ask"])
def test_what_both_moved_waits_in_every_run(store, word):
    desk = Desk(store, amount=Owner(word))

    for report in (both_then(desk, amount=150, stated=120), desk.run()):
        (wait,) = report.plan.waits
        assert (wait.rule, wait.source, wait.target) == (Rule.CONFLICT, "120.00", "150.00")
    assert desk.held.model.amount == usd(150)


def test_what_waits_holds_up_no_other_field(store):
    desk = Desk(store, amount=Owner.EITHER)
    desk.run()
    desk.edit(amount=usd(150))
    desk.state(amount=usd(120), name="Trips")

    report = desk.run()

    assert desk.held.model.name == "Trips"
    assert desk.held.model.amount == usd(150)
    assert [each.field for each in report.plan.waits] == ["amount"]
    assert [each.field for each in desk.run().plan.waits] == ["amount"]


def test_a_conflict_is_no_agreement_where_the_target_is_asked_who_somebody_is(store):
    desk = Desk(store, name=Owner.EITHER)
    desk.state(owners=("ada",))
    desk.run()
    desk.state(name="Trips")
    desk.edit(name="Journeys")
    desk.run()
    desk.edit(owners=("eve",))

    report = desk.run()

    assert [each.field for each in report.plan.waits] == ["name"]
    assert (desk.held.model.name, desk.held.model.owners) == ("Journeys", ("ada",))
    desk.state(amount=usd(120))
    assert [each.field for each in desk.run().plan.waits] == ["name"]


def test_an_edit_that_was_accepted_stands_until_the_source_moves(store):
    desk = Desk(store, amount=Owner.EITHER)
    both_then(desk, amount=150)
    desk.state(name="Trips")
    assert desk.run().verified
    assert desk.held.model.amount == usd(150)

    desk.state(amount=usd(130))

    assert desk.run().verified
    assert desk.held.model.amount == usd(130)


@pytest.mark.parametrize(
    ("take", "value", "held"),
    [(Take.SOURCE, None, 120), (Take.TARGET, None, 150), (Take.VALUE, "135.00", 135)],
)
def test_what_was_decided_is_done_and_asked_no_more(store, take, value, held):
    desk = Desk(store, amount=Owner.EITHER)
    (wait,) = both_then(desk, amount=150, stated=120).plan.waits
    desk.people.take(wait, take, value)

    report = desk.run()

    assert (report.verified, report.plan.waits) == (True, ())
    assert desk.held.model.amount == usd(held)
    desk.people.forget()
    assert desk.run().plan.pending == ()
    assert desk.held.model.amount == usd(held)


def test_a_decision_holds_no_more_once_a_side_moves_again(store):
    desk = Desk(store, amount=Owner.EITHER)
    (wait,) = both_then(desk, amount=150, stated=120).plan.waits
    desk.people.take(wait, Take.SOURCE)
    desk.edit(amount=usd(160))

    report = desk.run()

    assert [each.target for each in report.plan.waits] == ["160.00"]
    assert desk.held.model.amount == usd(160)


@pytest.mark.parametrize(("winner", "held"), [("source", 120), ("target", 150)])
def test_who_wins_a_conflict_may_be_said_beforehand(store, winner, held):
    desk = Desk(store, on_conflict=OnConflict(winner), amount=Owner.EITHER)

    assert both_then(desk, amount=150, stated=120).verified
    assert desk.held.model.amount == usd(held)


def drop(desk):
    desk.source.delete(Kind.BUDGET, desk.ours.id, "gone")
    desk.source.create(Draft(model=Budget(ref="B", name="Other", amount=Amount.of(1, "USD"))), "b")


def test_what_the_source_dropped_and_the_target_changed_stays_until_it_is_decided(store):
    desk = Desk(store, policy=OnRemove.RETIRE, amount=Owner.ASK)
    desk.run()
    id = desk.held.id
    desk.edit(amount=usd(150))
    drop(desk)

    (wait,) = desk.run().plan.waits

    assert (wait.rule, wait.field, wait.target) == (Rule.REMOVED, None, (("amount", "150.00"),))
    assert desk.target.get(Kind.BUDGET, id).model.status == "active"
    desk.people.take(wait, Take.SOURCE)
    assert desk.run().plan.waits == ()
    assert desk.target.get(Kind.BUDGET, id).model.status == "retired"


def test_what_the_source_dropped_and_nobody_changed_goes(store):
    desk = Desk(store, policy=OnRemove.RETIRE, amount=Owner.ASK)
    desk.run()
    id = desk.held.id
    drop(desk)

    assert desk.run().plan.waits == ()
    assert desk.target.get(Kind.BUDGET, id).model.status == "retired"


def test_what_the_target_lost_is_made_anew_only_once_it_is_decided_where_both_own_it(store):
    desk = Desk(store, default=Owner.EITHER)
    desk.run()
    desk.target.delete(Kind.BUDGET, desk.held.id, "gone")

    for report in (desk.run(), desk.run()):
        (wait,) = report.plan.waits
        assert (wait.rule, wait.source, wait.target) == (Rule.REMOVED, "Travel", None)
        assert report.plan.pending == ()
    desk.people.take(wait, Take.SOURCE)

    assert desk.run().verified
    assert desk.held.model.name == "Travel"


def test_what_the_source_retires_and_the_target_changed_waits(store):
    desk = Desk(store, amount=Owner.EITHER)
    desk.run()
    desk.edit(amount=usd(150))
    desk.state(status=Status.RETIRED)

    (wait,) = desk.run().plan.waits

    assert (wait.rule, wait.source, wait.target) == (
        Rule.REMOVED,
        "retired",
        (("amount", "100.00", "150.00"),),
    )
    assert desk.held.model.status == "active"
    desk.people.take(wait, Take.SOURCE)
    desk.run()
    assert desk.held.model.status == "retired"


@pytest.mark.parametrize("word", ["either", "ask"])
def test_what_is_adopted_with_another_value_waits(store, word):
    desk = Desk(store, amount=Owner(word))
    desk.target.create(
        Draft(model=Budget(ref="", name="Travel", amount=usd(150), description="theirs")), "t"
    )

    for report in (desk.run(), desk.run()):
        (wait,) = report.plan.waits
        assert (wait.rule, wait.source, wait.target) == (Rule.CONFLICT, "100.00", "150.00")
        assert report.plan.pending == ()
    desk.people.take(wait, Take.SOURCE)
    assert desk.run().verified
    assert desk.held.model.amount == usd(100)
    assert desk.held.model.description == "theirs"


@pytest.mark.parametrize("word", ["target", "ignore"])
def test_what_is_adopted_with_a_value_that_the_target_owns_keeps_it(store, word):
    desk = Desk(store, amount=Owner(word))
    desk.target.create(Draft(model=Budget(ref="", name="Travel", amount=usd(150))), "t")

    assert desk.run().verified
    assert desk.held.model.amount == usd(150)


def test_a_sync_that_was_a_mirror_overwrites_nothing_once_both_sides_own(store):
    desk = Desk(store, amount=Owner.EITHER)
    desk.run(fields=Fields())
    desk.edit(amount=usd(150))
    desk.state(amount=usd(120))

    (wait,) = desk.run().plan.waits

    assert (wait.source, wait.target) == ("120.00", "150.00")


def test_what_waits_is_a_difference_that_a_verification_names(store):
    desk = Desk(store, amount=Owner.ASK)
    both_then(desk, amount=150)

    found = desk.engine.verify(TODAY)

    assert ([each.field for each in found.waits], found.agree) == (["amount"], False)


def test_what_was_accepted_agrees_also_in_a_thorough_comparison(store):
    desk = Desk(store, amount=Owner.TARGET)
    both_then(desk, amount=150)

    assert desk.engine.verify(TODAY).agree


def test_no_share_comes_back_to_life_below_a_budget_that_the_target_retired(store):
    desk = Desk(store, status=Owner.ASK)
    desk.share()
    assert desk.run().verified
    share = next(item for page in desk.target.list(Kind.ALLOCATION) for item in page.items)
    retired = replace(share.model, status=Status.RETIRED)
    desk.target.update(share.id, Draft(model=retired, container=share.container), {"status"}, "r")
    desk.edit(status=Status.RETIRED)

    report = desk.run()

    assert [each.field for each in report.plan.waits] == ["status"]
    assert report.plan.pending == ()
    assert desk.target.get(Kind.ALLOCATION, share.id).model.status == "retired"


@pytest.mark.parametrize(("word", "count"), [(OnNew.REPORT, 1), (OnNew.IGNORE, 0)])
def test_what_only_the_target_has_is_listed_unless_it_is_to_be_ignored(store, word, count):
    desk = Desk(store)
    desk.target.create(Draft(model=Budget(ref="", name="Theirs", amount=usd(1))), "t")

    assert desk.run(fields=Fields(on_new=word)).plan.stranger_count == count


def test_what_was_accepted_stands_also_once_a_run_was_undone(store):
    desk = Desk(store, amount=Owner.EITHER)
    both_then(desk, amount=150)
    desk.state(name="Trips")
    report = desk.run()
    undone = desk.engine.run(TODAY, command="undo", undo=Undo(report.run_id))
    assert (undone.counts["applied"], desk.held.model.name) == (1, "Travel")
    Stops(store).resume("s")

    desk.run()

    assert desk.held.model.amount == usd(150)
    assert desk.held.model.name == "Trips"


class Rounding(Memory):
    """Keeps whole amounts alone."""

    def update(self, id, draft, fields, key):
        whole = draft.model.amount.value.to_integral_value()
        model = replace(draft.model, amount=Amount.of(whole, "USD"))
        return super().update(id, replace_draft(draft, model=model), fields, key)


def test_money_that_the_target_stored_otherwise_waits_and_is_neither_accepted_nor_taken_back(store):
    desk = Desk(store, amount=Owner.EITHER)
    desk.target = Rounding("target")
    desk.run()
    desk.state(amount=usd("120.40"))

    first, second = desk.run(), desk.run()

    assert "stored amount" in first.operations[0].error
    for report in (second, desk.run()):
        (wait,) = report.plan.waits
        assert (wait.rule, wait.source, wait.target) == (Rule.CONFLICT, "120.40", "120.00")


EUROS = Rates(to="USD", rates={"EUR": (Rate("EUR", "USD", Decimal("1.10")),)})


def test_another_rate_moves_nothing_that_was_accepted_also_where_the_name_moves(store):
    desk = Desk(store, amount=Owner.EITHER)
    desk.rates = EUROS
    desk.state(amount=Amount.of(100, "EUR"))
    assert both_then(desk, amount=150).verified
    desk.rates = Rates(to="USD", rates={"EUR": (Rate("EUR", "USD", Decimal("1.20")),)})
    desk.state(name="Trips")

    assert desk.run().verified

    assert (desk.held.model.name, desk.held.model.amount) == ("Trips", usd(150))
    desk.state(amount=Amount.of(200, "EUR"))
    desk.run()
    assert desk.held.model.amount == usd(240)


def trips(report):
    return {trip.rule for trip in report.plan.guards}


@pytest.mark.parametrize("word", ["target", "ignore"])
def test_what_is_not_written_stops_no_run(store, word):
    desk = Desk(store, amount=Owner(word))
    desk.run()
    desk.limits = Limits()
    desk.state(amount=usd(900))

    assert desk.run().verified


def test_a_guard_weighs_what_waited_once_it_is_decided(store):
    desk = Desk(store, amount=Owner.EITHER)
    desk.run()
    desk.edit(amount=usd(101))
    desk.state(amount=usd(900), name="Trips")
    (wait,) = desk.run().plan.waits
    desk.run()
    desk.people.take(wait, Take.SOURCE)
    desk.limits = Limits()

    assert {"max_money", "max_budget_change"} <= trips(desk.run())
    assert desk.held.model.amount == usd(101)


def test_a_guard_weighs_what_was_accepted_once_the_source_owns_it_again(store):
    desk = Desk(store, amount=Owner.TARGET)
    both_then(desk, amount=900)
    desk.limits = Limits()

    report = desk.run(fields=Fields())

    assert "max_money" in trips(report)
    assert desk.held.model.amount == usd(900)
