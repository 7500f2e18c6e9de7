"""The plan that takes a run back, object by object."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from msgspec import structs

from canonical.actual import Actual
from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind, Op
from canonical.period import Cadence
from connectors.contract.capabilities import Removal
from connectors.contract.errors import Uncertain, Unseen
from connectors.memory.connector import Memory
from sync.engine import Engine
from sync.outcome import Exit, Outcome
from sync.spec import Limits, OnRemove, SyncSpec
from sync.state.journal import Journal
from sync.state.stops import Stops
from sync.state.store import Store
from sync.undo.plan import Undo

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None,
              min_listing=None)  # fmt: skip


def usd(number):
    return Amount.of(number, "USD")


def budget(ref, **said):
    known = {"ref": ref, "name": ref, "amount": usd(100), "cadence": Cadence.MONTHLY}
    return Budget(**(known | said))


def share(above, who, number=5):
    return Allocation(
        ref=f"{above}-{who}", budget=above, entity=Entity("user", who), amount=usd(number)
    )


class World:
    """A sync `name` between two systems in memory."""

    def __init__(self, store, **able):
        self.store, self.name, self.limits = store, "s", OPEN
        self.target = Memory.with_capabilities(**able)("target")
        self.on_remove, self.others = OnRemove.DELETE, {}

    def run(self, *stated, name="s"):
        source = Memory("erp")
        source.put(*stated)
        report = self._engine(source, name).run(TODAY, command="test")
        assert report.exit_code in (0, 4), report.to_data()
        return report.run_id

    def undo(self, run_id, *refs, **said):
        undo = Undo(run_id, frozenset(refs))
        return self._engine(Memory("erp"), "s").run(TODAY, command="undo", undo=undo, **said)

    def _engine(self, source, name):
        spec = SyncSpec(
            name=name, source="erp", target="target", limits=self.limits, parallel=1,
            on_remove=self.on_remove,
        )  # fmt: skip
        return Engine(
            spec, source, self.target, self.store, now=lambda: NOW, neighbours=self.others
        )

    def items(self, kind=Kind.BUDGET):
        return [item for page in self.target.list(kind) for item in page.items]

    def edit(self, name, **said):
        (item,) = [each for each in self.items() if each.model.name == name]
        row = self.target._rows[item.id]
        row.model = structs.replace(row.model, **said)

    def amounts(self):
        return {
            each.model.name: str(each.model.amount)
            for each in self.items()
            if each.model.status is Status.ACTIVE
        }


@pytest.fixture
def store(tmp_path):
    with closing(Store.open("sqlite:///state.db", tmp_path, lambda: NOW)) as opened:
        yield opened


@pytest.fixture
def world(store):
    return World(store)


def left(report):
    return {each.ref: each.losses[0].reason for each in report.plan.changes if each.op == "blocked"}


def test_what_was_taken_out_of_use_is_taken_into_use_again(world):
    world.on_remove = OnRemove.RETIRE
    world.run(budget("A"), share("A", "ada"))
    ids = {item.id for item in world.items()}
    run = world.run()

    report = world.undo(run)

    assert (report.outcome, report.verified) == (Outcome.OK, True)
    assert [change.op for change in report.plan.changes] == [Op.UPDATE, Op.UPDATE]
    assert {item.id for item in world.items()} == ids
    assert world.amounts() == {"A": "100.00 USD"}
    assert world.undo(run).plan.changes == ()


def test_what_was_deleted_is_made_anew_with_what_was_in_it(store):
    world = World(store, removal=Removal.DELETE, revives=frozenset())
    world.run(budget("A", description="by rail"), share("A", "ada"))
    run = world.run()

    report = world.undo(run)

    assert report.outcome is Outcome.OK
    (made,) = world.items()
    assert made.model.description == "by rail"
    (part,) = world.items(Kind.ALLOCATION)
    assert part.container == made.id
    assert "without its history" in report.plan.changes[0].losses[0].reason


def test_nothing_is_made_beside_what_somebody_made_since(store):
    world = World(store, removal=Removal.DELETE, revives=frozenset())
    world.run(budget("A"))
    run = world.run()
    world.target.put(budget("by hand", name="A"))

    report = world.undo(run)

    assert "may be it" in left(report)["A"]
    assert len(world.items()) == 1
    assert report.exit_code == Exit.PARTIAL


def test_a_share_does_not_go_back_into_a_budget_that_is_not_there(store):
    world = World(store, removal=Removal.DELETE, revives=frozenset())
    world.run(budget("A"), share("A", "ada"))
    run = world.run()

    report = world.undo(run, "A-ada")

    assert "the budget A, in which it was, is not there" in left(report)["A-ada"]


def test_what_belongs_to_another_sync_by_now_is_left(world):
    world.run(budget("A"))
    run = world.run(budget("A", amount=usd(120)))
    with world.store.write() as connection:
        connection.exec_driver_sql("UPDATE links SET sync = 't'")
    world.others = {"t": lambda: None}

    report = world.undo(run)

    assert left(report) == {"A": "it belongs to the sync t now"}


def test_what_is_gone_since_is_left(world):
    world.run(budget("A"), budget("B"))
    run = world.run(budget("A", amount=usd(120)), budget("B"))
    gone = next(item.id for item in world.items() if item.model.name == "A")
    del world.target._rows[gone]

    report = world.undo(run)

    assert left(report) == {"A": "it is not there any more"}


def test_what_the_target_may_hide_is_left(world, monkeypatch):
    world.run(budget("A"), budget("B"))
    run = world.run(budget("A", amount=usd(120)), budget("B"))
    gone = next(item.id for item in world.items() if item.model.name == "A")
    del world.target._rows[gone]

    def hides(kind, id):
        raise Unseen("it may be hidden")

    monkeypatch.setattr(world.target, "get", hides)
    assert left(world.undo(run)) == {"A": "it may be hidden"}


def test_what_somebody_edited_is_not_removed_though_a_run_made_it(world):
    run = world.run(budget("A"), budget("B"))
    world.edit("A", amount=usd(130))

    report = world.undo(run)

    assert left(report) == {"A": "it was changed since: amount from 100.00 to 130.00"}
    assert world.amounts() == {"A": "130.00 USD"}


def test_a_budget_stays_as_long_as_one_of_its_shares_does(world):
    run = world.run(budget("A"), share("A", "ada"))
    world.run(budget("A"), share("A", "ada", 7))

    report = world.undo(run)

    assert left(report)["A"] == "allocation A-ada is in it"
    assert "wrote it since" in left(report)["A-ada"]
    assert report.operations == []


def test_through_what_something_was_spent_keeps_its_history(store):
    world = World(store, removal=Removal.RETIRE_OR_DELETE)
    run = world.run(budget("A"), budget("B"))
    (spent,) = [item for item in world.items() if item.model.name == "A"]
    actual = Actual(ref=spent.id, spent=Amount(Decimal(3), "USD"))
    world.target._rows[spent.id].actual = actual

    report = world.undo(run)

    assert report.outcome is Outcome.OK
    assert {each.ref: each.op for each in report.plan.changes} == {"A": "retire", "B": "delete"}
    assert world.undo(run).plan.changes == ()


def test_an_undo_of_an_undo_makes_again_what_the_run_had_made(world):
    run = world.run(budget("A"))
    first = world.undo(run)
    assert world.amounts() == {}

    assert world.undo(first.run_id).outcome is Outcome.OK

    assert world.amounts() == {"A": "100.00 USD"}


def test_what_it_lowers_is_weighed_by_the_guards(world):
    world.run(budget("A"), budget("B"))
    run = world.run(budget("A", amount=usd(300)), budget("B"))
    world.limits = Limits()

    report = world.undo(run)

    assert "max_budget_change" in {trip.rule for trip in report.plan.guards}
    assert report.exit_code == Exit.GUARD
    assert Stops(world.store).of("s") is None


def test_it_is_paused_before_the_first_write(world):
    world.run(budget("A"))
    run = world.run(budget("A", amount=usd(120)))
    seen = []
    world.target.before = lambda operation, subject: (
        seen.append(Stops(world.store).of("s")) if operation == "update" else None
    )

    world.undo(run)

    assert seen
    assert all(stop is not None for stop in seen)


def test_a_write_of_unknown_outcome_is_settled_before_it_is_undone(world):
    world.run(budget("A"))

    def lose(operation, subject):
        if operation == "update":
            raise Uncertain("the answer was lost")

    world.target.after = lose
    run = world.run(budget("A", amount=usd(120)))
    world.target.after = lambda operation, subject: None

    assert world.undo(run).outcome is Outcome.OK
    assert world.amounts() == {"A": "100.00 USD"}


def test_of_a_removal_that_was_journaled_in_part_nothing_is_guessed(world):
    world.target.capabilities = replace(world.target.capabilities, revives=frozenset())
    world.run(budget("A"))
    run = world.run()
    with world.store.write() as connection:
        connection.exec_driver_sql("""UPDATE operations SET before = '{"status": "active"}'""")

    report = world.undo(run)

    assert left(report) == {"A": "not all of it is known"}
    assert Journal(world.store, "s").of_run(report.run_id) == []


def test_next_to_an_undone_run_a_new_statement_is_a_change_by_the_source(world):
    world.run(budget("A"))
    stated = budget("A", amount=usd(120), name="Other")
    run = world.run(stated)
    world.undo(run)
    Stops(world.store).resume("s")

    source = Memory("erp")
    source.put(stated)
    plan = world._engine(source, "s").plan(TODAY)

    (change,) = plan.changes
    assert change.cause == "source"
    assert change.fields["amount"] == ("100.00", "120.00")


def test_a_new_object_of_the_same_name_is_not_taken_for_the_old_one(world):
    world.run(budget("A"), budget("B"))
    run = world.run(budget("A", amount=usd(120)), budget("B"))
    world.target.capabilities = replace(world.target.capabilities, revives=frozenset())
    world.run(budget("B"))
    world.run(budget("A", amount=usd(120)), budget("B"))

    report = world.undo(run)

    assert left(report) == {"A": "it is not there any more"}
    assert world.amounts()["A"] == "120.00 USD"


def test_what_was_edited_after_it_came_back_is_left_by_a_second_undo(world):
    world.on_remove = OnRemove.RETIRE
    world.run(budget("A"))
    run = world.run()
    world.undo(run)
    world.edit("A", amount=usd(130))

    report = world.undo(run)

    assert "from nothing to 130.00" in left(report)["A"]
    assert world.amounts() == {"A": "130.00 USD"}
