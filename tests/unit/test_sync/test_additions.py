"""What only the target has is made in the source, once, and owned by it from then on."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind, Op
from canonical.period import Cadence
from canonical.side import Side
from connectors.contract.capabilities import Hold, Removal
from connectors.contract.errors import Uncertain
from connectors.contract.runtime import Runtime
from connectors.memory.connector import Memory
from sync.decided import Take
from sync.engine import Engine
from sync.fields import Fields, OnNew, Owner
from sync.intake.selection import Rule as Picks
from sync.intake.selection import Selection
from sync.outcome import Exit, Outcome
from sync.spec import Limit, Limits, OnRemove, SyncSpec
from sync.state.ledger import Ledger
from sync.state.store import Store
from sync.state.waits import Waits
from sync.unlink import Unlinker
from tests.unit.test_sync.people import People

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(
    max_changes=None,
    max_removals=None,
    max_money=None,
    max_budget_change=None,
    min_listing=None,
)


def usd(number):
    return Amount.of(number, "USD")


class Desk:
    """A source with a budget, and a target in which somebody made another."""

    def __init__(self, store, on_new=OnNew.CREATE, word=Owner.SOURCE, limits=OPEN, **spec):
        self.store = store
        able = {"key_lifetime": timedelta(), "removal": Removal.RETIRE_OR_DELETE}
        self.source = Memory.with_capabilities(**able)("erp", runtime=Runtime(now=lambda: NOW))
        self.target = Memory("shop")
        self.people = People(store)
        fields = Fields(default=word, on_new=on_new)
        self.spec = SyncSpec(
            name="s", source="erp", target="shop", limits=limits, fields=fields, **spec
        )
        self.source.put(Budget(ref="A", name="Travel", amount=usd(100)))

    def run(self, **more):
        engine = Engine(
            self.spec,
            self.source,
            self.target,
            self.store,
            now=lambda: NOW,
        )
        return engine.run(TODAY, command="run", **more)

    def of(self, system, kind=Kind.BUDGET):
        return [item for page in system.list(kind) for item in page.items]

    def names(self, system):
        return sorted(item.model.name for item in self.of(system))

    def filled(self, **more):
        """A stranger in the target, with a share."""
        assert self.run().verified
        said = {"cadence": Cadence.MONTHLY, "start": date(2026, 1, 1)} | more
        self.target.put(Budget(ref="T", name="Tools", amount=usd(50), **said))
        self.target.put(
            Allocation(
                ref="t",
                budget="T",
                entity=Entity("user", "ann"),
                amount=usd(20),
                cadence=Cadence.MONTHLY,
                start=date(2026, 1, 1),
            )
        )
        return self


@pytest.fixture
def store(tmp_path, empty_state):
    empty_state(tmp_path)
    with closing(Store.open(f"sqlite:///{tmp_path}/state.db", tmp_path, lambda: NOW)) as opened:
        yield opened


def links(desk):
    ledger = Ledger(desk.store, "s")
    return {
        (link.ref, link.target_id)
        for kind in Kind
        for link in ledger.by_ids([*ledger.ids(kind)]).values()
    }


def test_a_budget_and_its_share_are_made_and_linked_by_the_refs_of_the_source(store):
    desk = Desk(store).filled()

    report = desk.run()

    assert [(each.side, each.op, each.outcome) for each in report.operations] == [
        (Side.SOURCE, Op.CREATE, "applied")
    ] * 2
    (made,) = (item for item in desk.of(desk.source) if item.model.name == "Tools")
    (share,) = desk.of(desk.source, Kind.ALLOCATION)
    assert (made.model.amount, share.model.budget, share.model.amount) == (
        usd(50),
        made.id,
        usd(20),
    )
    assert {(made.id, "T"), (share.id, "T/t")} <= links(desk)


def test_what_was_made_changes_nothing_in_the_target_and_nothing_more_in_the_source(store):
    desk = Desk(store).filled()
    desk.run()
    before = desk.of(desk.source), desk.of(desk.target)

    assert desk.run().plan.changes == ()
    assert (desk.of(desk.source), desk.of(desk.target)) == before


def test_what_was_made_is_owned_by_the_source_from_then_on(store):
    desk = Desk(store).filled()
    desk.run()
    (made,) = (item for item in desk.of(desk.source) if item.model.name == "Tools")
    desk.source.edit(made.id, amount=usd(60))

    assert desk.run().verified
    assert [each.model.amount for each in desk.of(desk.target) if each.id == "T"] == [usd(60)]


@pytest.mark.parametrize(("on_new", "strangers"), [(OnNew.REPORT, 2), (OnNew.IGNORE, 0)])
def test_otherwise_it_is_listed_or_not_and_nothing_is_made(store, on_new, strangers):
    desk = Desk(store, on_new).filled()

    report = desk.run()

    assert (report.plan.changes, report.plan.stranger_count) == ((), strangers)
    assert desk.names(desk.source) == ["Travel"]


def once(error):
    left = [error]

    def hook(named, _):
        if named == "create" and left:
            raise left.pop()

    return hook


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_makes_no_twin(store, when):
    desk = Desk(store).filled()
    setattr(desk.source, when, once(Uncertain("the answer was lost")))

    desk.run()
    desk.run()

    assert desk.names(desk.source) == desk.names(desk.target) == ["Tools", "Travel"]
    assert len(desk.of(desk.source, Kind.ALLOCATION)) == 1
    assert desk.run().plan.changes == ()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_makes_no_twin(store, when):
    desk = Desk(store).filled()
    setattr(desk.source, when, once(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        desk.run()

    assert desk.run().verified
    assert desk.names(desk.source) == desk.names(desk.target) == ["Tools", "Travel"]
    assert len(desk.of(desk.target, Kind.ALLOCATION)) == 1


def test_while_the_answer_is_out_nothing_is_made_on_either_side(store):
    desk = Desk(store).filled()
    desk.source.capabilities = replace(desk.source.capabilities, grace=timedelta(seconds=60))
    desk.source.runtime = replace(desk.source.runtime, patience=0.0)
    desk.source.before = once(Uncertain("the answer was lost"))

    for report in (desk.run(), desk.run()):
        assert report.exit_code == Exit.UNCERTAIN

    assert desk.names(desk.target) == ["Tools", "Travel"]
    assert desk.names(desk.source) == ["Travel"]


def test_what_hangs_below_a_budget_whose_answer_was_lost_is_not_sent(store):
    desk = Desk(store).filled()
    desk.source.capabilities = replace(desk.source.capabilities, grace=timedelta(seconds=60))
    desk.source.runtime = replace(desk.source.runtime, patience=0.0)
    desk.source.before = once(Uncertain("the answer was lost"))

    assert [each.outcome for each in desk.run().operations] == ["uncertain", "skipped"]


def test_a_namesake_that_is_linked_is_not_what_a_lost_create_left(store):
    desk = Desk(store)
    assert desk.run().verified
    desk.target.put(Budget(ref="T", name="Travel", amount=usd(100)))
    desk.source.before = once(Uncertain("the answer was lost"))

    desk.run()
    desk.run()

    assert desk.names(desk.source) == desk.names(desk.target) == ["Travel", "Travel"]
    assert len(links(desk)) == 2


def test_a_write_to_the_source_of_unknown_outcome_is_in_the_queue_until_it_is_known(store):
    desk = Desk(store).filled()
    desk.source.capabilities = replace(desk.source.capabilities, grace=timedelta(seconds=60))
    desk.source.runtime = replace(desk.source.runtime, patience=0.0)
    desk.source.before = once(Uncertain("the answer was lost"))

    assert desk.run().waiting == 1
    (wait,) = Waits(store).queue().waits
    assert (wait.waiting.rule, wait.waiting.name) == ("uncertain", "Tools")
    assert wait.question.ways == ("ID", "not-applied")
    assert "the create in the source" in wait.waiting.reason
    desk.source.capabilities = replace(desk.source.capabilities, grace=timedelta())
    assert desk.run().waiting == 0


class Late(Memory):
    """A listing that does not show what was just made."""

    hidden = frozenset()

    def list(self, kind, cursor=None, known=None):
        for page in super().list(kind, cursor, known):
            shown = [item for item in page.items if item.id not in self.hidden]
            yield replace(page, items=shown)


def test_what_the_source_does_not_list_yet_is_not_taken_for_dropped(store):
    desk = Desk(store, on_remove=OnRemove.DELETE)
    desk.source = Late.with_capabilities(grace=timedelta(seconds=60))("erp")
    desk.source.put(Budget(ref="A", name="Travel", amount=usd(100)))
    desk.filled()
    type(desk.source).hidden = {f"mem-{number}" for number in range(1, 9)}

    report = desk.run()
    assert report.exit_code == Exit.UNCERTAIN
    assert desk.names(desk.target) == ["Tools", "Travel"]

    type(desk.source).hidden = frozenset()
    assert desk.run().verified


def test_what_the_source_would_state_otherwise_is_not_made(store):
    desk = Desk(store)
    desk.source.capabilities = replace(desk.source.capabilities, amount_digits=0)
    desk.filled()
    desk.target.edit("T", amount=usd("50.50"))

    report = desk.run()

    (change,) = report.plan.changes
    assert (change.op, change.side, report.outcome) == (Op.BLOCKED, Side.SOURCE, Outcome.PARTIAL)
    assert desk.names(desk.source) == ["Travel"]


def test_what_the_source_cannot_hold_is_lost_by_name(store):
    desk = Desk(store)
    able = desk.source.capabilities
    desk.source.capabilities = replace(able, budget={**able.budget, "description": Hold.DROPPED})
    desk.filled(description="of the year")

    report = desk.run()

    assert "dropped:description" in {
        loss.name for each in report.plan.changes for loss in each.losses
    }
    assert desk.run().plan.changes == ()


def test_many_new_objects_stop_the_run(store):
    desk = Desk(store, limits=replace(OPEN, max_changes=Limit(Decimal("0.1"), 1))).filled()

    (trip,) = desk.run().plan.guards

    assert "2 new objects in the source would double the 1 that are linked" in trip.message


def test_what_the_sync_would_not_select_is_not_made(store):
    desk = Desk(store, select=Selection(takes=(Picks("name", ("Tr*",)),))).filled()

    report = desk.run()

    assert (report.plan.changes, report.exit_code) == ((), 0)
    assert [each.name for each in report.plan.strangers] == ["Tools", "user:ann"]
    assert desk.names(desk.source) == ["Travel"]


def test_what_holds_no_money_is_named_and_not_made(store):
    desk = Desk(store)
    desk.target.put(Budget(ref="R", name="Company", amount=None))

    report = desk.run()

    assert {each.ref for each in report.plan.changes} == {"A"}
    assert [each.name for each in report.plan.strangers] == ["Company"]
    assert desk.names(desk.source) == ["Travel"]


def test_nothing_is_made_beside_a_budget_of_that_name_that_is_left_out(store):
    desk = Desk(store, select=Selection(takes=(Picks("ref", ("A", "T")),)))
    desk.source.put(Budget(ref="X", name="tools", amount=usd(1)))
    desk.filled()

    assert [each.op for each in desk.run().plan.changes] == [Op.BLOCKED]


def test_what_this_sync_removed_from_the_target_is_not_made_in_the_source(store):
    """It is there once more, as somebody brought it back."""
    desk = Desk(store, on_remove=OnRemove.RETIRE)
    desk.source.put(Budget(ref="B", name="Books", amount=usd(70)))
    desk.run()
    desk.source.drop("B")
    desk.run()
    (id,) = (item.id for item in desk.of(desk.target) if item.model.name == "Books")
    desk.target.edit(id, status=Status.ACTIVE)

    desk.run()

    assert desk.names(desk.source) == ["Travel"]


# -- removed in the target, and a person says so -------------------------------------------------


def gone(store, policy):
    desk = Desk(store, OnNew.REPORT, Owner.EITHER, on_remove=policy)
    assert desk.run().verified
    desk.target.drop(desk.of(desk.target)[0].id)
    (wait,) = desk.run().plan.waits
    desk.people.take(wait, Take.TARGET)
    return desk


@pytest.mark.parametrize(
    ("policy", "op"), [(OnRemove.RETIRE, Op.RETIRE), (OnRemove.DELETE, Op.DELETE)]
)
def test_what_the_target_lost_is_removed_in_the_source_where_a_person_says_so(store, policy, op):
    desk = gone(store, policy)

    report = desk.run()

    assert [(each.side, each.op) for each in report.operations] == [(Side.SOURCE, op)]
    assert report.verified
    assert desk.run().plan.changes == ()
    assert [each for each in desk.of(desk.source) if each.model.status == "active"] == []


def test_what_the_target_lost_stays_in_a_source_that_keeps(store):
    desk = gone(store, OnRemove.KEEP)

    report = desk.run()

    assert (report.plan.changes, report.plan.kept) == ((), 1)
    assert (desk.names(desk.source), desk.of(desk.target)) == (["Travel"], [])


def test_a_source_that_still_shows_what_it_removed_is_asked_again(store):
    desk = gone(store, OnRemove.DELETE)
    delete, desk.source.delete = desk.source.delete, lambda kind, id, key: None

    report = desk.run()

    assert (report.outcome, desk.of(desk.target)) == (Outcome.PARTIAL, [])
    assert "still shows it" in report.operations[0].error
    desk.source.delete = delete
    assert desk.run().verified
    assert desk.of(desk.source) == []


def test_what_was_unlinked_is_not_made_in_the_source_as_another_one(store):
    desk = Desk(store)
    desk.source.put(
        Allocation(ref="t", budget="A", entity=Entity("user", "ann"), amount=usd(20)),
    )
    assert desk.run().verified
    before = [len(desk.of(desk.source, kind)) for kind in Kind]

    Unlinker("s", store, lambda: NOW).unlink("t", "A", anew=True, approve=lambda found: True)
    report = desk.run()

    assert [len(desk.of(desk.source, kind)) for kind in Kind] == before
    assert report.verified
    assert [len(desk.of(desk.target, kind)) for kind in Kind] == [1, 2]
    assert desk.run().plan.changes == ()
