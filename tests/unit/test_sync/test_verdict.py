"""How a write of unknown outcome ended, as a person says it."""

from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind, Op
from canonical.side import Side
from canonical.waiting import Rule, Waiting
from connectors.contract.records import Draft
from connectors.memory.connector import Memory
from sync.decided import Take
from sync.engine import Engine
from sync.send import Statement, draft_data
from sync.spec import Limits, SyncSpec
from sync.state.decisions import Decided, Ruling
from sync.state.journal import Journal, Operation, State, new_operation_id
from sync.state.lease import Lease, LeaseHeld
from sync.state.ledger import Ledger
from sync.state.owners import Owners
from sync.state.store import Store
from sync.state.waits import Question, Undecidable, Waits
from sync.verdict import Verdicts

NOW, TODAY = datetime(2026, 3, 10, tzinfo=UTC), date(2026, 3, 10)
OPEN = Limits(max_changes=None, max_removals=None, max_money=None, max_budget_change=None)


def budget(ref, number=100, **said):
    return Budget(ref=ref, name=ref, amount=Amount.of(number, "USD"), **said)


def share(ref, above):
    return Allocation(ref=ref, budget=above, entity=Entity("user", ref), amount=Amount.of(5, "USD"))


class World:
    def __init__(self, folder):
        self.source, self.target = Memory("erp"), Memory("target")
        self.store = Store.open("sqlite:///state.db", folder, lambda: NOW)
        self.waits = Waits(self.store)

    def run(self):
        spec = SyncSpec(name="s", source="erp", target="target", limits=OPEN, parallel=1)
        engine = Engine(spec, self.source, self.target, self.store, now=lambda: NOW)
        return engine.run(TODAY, command="test")

    def left_open(self, op, model, target_id=None, container=None):
        """A write of a run that was killed before it could note the answer; what waits of it."""
        id, key = new_operation_id()
        ref, above = model.ref, getattr(model, "budget", "")
        kind = Kind.ALLOCATION if above else Kind.BUDGET
        self.id = id
        draft = draft_data(Draft(model=model, container=container, stamp=ref), Statement(bytes(16)))
        with Lease.take(self.store, "s", now=lambda: NOW) as lease:
            journal = Journal(self.store, "s", lease)
            journal.plan(
                [
                    Operation(
                        id=id, run_id="killed", seq=1, op=op, kind=kind, ref=ref,
                        budget_ref=above, target_id=target_id, key=key, fields=("amount",),
                    )
                ]
            )  # fmt: skip
            journal.sent(id, "f", draft)
        said = Waiting(
            rule=Rule.UNCERTAIN, reason="lost", kind=kind, ref=ref, budget_ref=above or None
        )
        with self.store.write() as connection:
            question = Question(waiting=said, ways=("ID", "not-applied"))
            self.waits.record(connection, "s", "killed", [question], (Rule.UNCERTAIN,))
        (wait,) = self.waits.queue().waits
        return wait

    def end(self, wait, take, value=None):
        owners = Owners(self.store, "s", self.target.settings.account("target", self.folder))
        verdicts = Verdicts(
            self.store, "s", {Side.TARGET: lambda: self.target}, owners, lambda: NOW, TODAY
        )
        verdicts.end(Ruling(wait=wait, take=take, value=value))

    @property
    def folder(self):
        return self.target.runtime.base

    def made(self, *models):
        """The ids by which the target has them, made behind everybody's back."""
        before = self.ids()
        self.target.put(*models)
        return [id for id in self.ids() if id not in before]

    def ids(self):
        return [i.id for kind in Kind for page in self.target.list(kind) for i in page.items]

    def state(self):
        return next(e.state for e in Journal(self.store, "s").of_run("killed") if e.id == self.id)

    def linked(self, kind, key):
        return Ledger(self.store, "s").by_refs(kind, [key]).get(key)


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    with closing(world.store):
        yield world


def test_what_a_create_made_is_linked_and_put_right_by_the_next_run(world):
    world.source.put(budget("A"))
    (id,) = world.made(budget("other"))
    wait = world.left_open(Op.CREATE, budget("A"))

    world.end(wait, Take.ID, id)

    assert world.state() is State.APPLIED
    assert world.linked(Kind.BUDGET, ("", "A")).target_id == id
    assert world.waits.queue().count == 0
    assert Decided(world.store).open("s").numbers == []
    assert world.run().verified
    assert world.ids() == [id]
    assert world.target.get(Kind.BUDGET, id).model.name == "A"


def test_what_did_not_happen_is_made_anew_once(world):
    world.source.put(budget("A"))
    wait = world.left_open(Op.CREATE, budget("A"))

    world.end(wait, Take.NOT_APPLIED)

    assert world.state() is State.LOST
    assert world.run().verified
    assert len(world.ids()) == 1


def test_what_is_said_not_to_have_happened_and_did_is_adopted_and_makes_no_twin(world):
    world.source.put(budget("A"))
    world.target.create(Draft(model=budget("A"), stamp="A"), "key")
    wait = world.left_open(Op.CREATE, budget("A"))

    world.end(wait, Take.NOT_APPLIED)

    assert world.run().verified
    assert len(world.ids()) == 1


def test_an_update_that_is_said_to_have_happened_and_did_not_is_made_by_the_next_run(world):
    world.source.put(budget("A"))
    world.run()
    (id,) = world.ids()
    world.source.put(budget("A", 200))
    wait = world.left_open(Op.UPDATE, budget("A", 200), id)

    world.end(wait, Take.APPLIED)

    assert world.run().counts["applied"] == 1
    assert world.target.get(Kind.BUDGET, id).model.amount == Amount.of(200, "USD")


def test_a_removal_that_happened_leaves_no_link(world):
    world.source.put(budget("A"))
    world.run()
    (id,) = world.ids()
    wait = world.left_open(Op.DELETE, budget("A"), id)
    world.end(wait, Take.APPLIED)
    assert world.linked(Kind.BUDGET, ("", "A")) is None


def test_a_write_cannot_have_made_what_is_not_there_or_is_something_else(world):
    world.source.put(budget("A"), budget("B"), share("a", "A"))
    world.run()
    linked = {ref: world.linked(Kind.BUDGET, ("", ref)).target_id for ref in "AB"}
    (over,) = world.made(budget("over", status=Status.RETIRED))
    wait = world.left_open(Op.CREATE, budget("C"))
    for id, said in (
        ("nowhere", "has no budget nowhere"),
        (over, "is not in use"),
        (linked["B"], "is linked to B already"),
    ):
        with pytest.raises(Undecidable, match=said):
            world.end(wait, Take.ID, id)
    assert world.state() is State.SENT


def test_a_share_cannot_have_been_made_in_another_budget(world):
    world.source.put(budget("A"), budget("B"))
    world.run()
    a, b = (world.linked(Kind.BUDGET, ("", ref)).target_id for ref in "AB")
    made = world.target.create(Draft(model=share("a", "A"), container=a, stamp="a"), "key")
    wait = world.left_open(Op.CREATE, share("a", "B"), container=b)
    with pytest.raises(Undecidable, match="is not within B"):
        world.end(wait, Take.ID, made.id)


def test_nothing_is_said_while_a_run_goes_on(world):
    wait = world.left_open(Op.CREATE, budget("A"))
    with Lease.take(world.store, "s", now=lambda: NOW), pytest.raises(LeaseHeld):
        world.end(wait, Take.NOT_APPLIED)
    assert world.state() is State.SENT


def test_what_a_run_settled_meanwhile_is_not_said_again(world):
    world.source.put(budget("A"))
    wait = world.left_open(Op.CREATE, budget("A"))
    world.target.create(Draft(model=budget("A"), stamp="A"), "key")
    world.run()
    with pytest.raises(Undecidable, match="has an outcome by now"):
        world.end(wait, Take.NOT_APPLIED)
