"""What a look at the target says of each write whose answer was lost."""

from contextlib import closing
from dataclasses import replace as with_
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.compare import Baseline
from canonical.facts import facts
from canonical.kind import Kind, Op
from connectors.contract.capabilities import Removal
from connectors.contract.errors import Missing, Rejected, Transient
from connectors.contract.records import Draft, Page, Problem
from connectors.contract.runtime import Runtime
from connectors.memory.connector import Memory
from sync.send import Statement, draft_data, request_fingerprint
from sync.settle import Settler
from sync.state.journal import Journal, Operation, State, new_operation_id
from sync.state.ledger import Ledger
from sync.state.owners import Owners
from sync.state.store import Store

NOW = datetime(2026, 3, 10, tzinfo=UTC)
KEYLESS = {"key_lifetime": timedelta()}


def budget(**said):
    return Budget(**{"ref": "B", "name": "Travel", "amount": Amount.of(100, "USD")} | said)


class Fence:
    def guard(self, connection):
        pass

    def ensure(self):
        pass


class Shop(Memory):
    """`hidden` ids have no read by id; `garbled` records of budgets cannot be read; `fails` is what a
    create raises, and `unread` a read by id."""

    hidden, garbled, fails, unread = frozenset(), (), None, None

    def get(self, kind, id):
        if self.unread:
            raise self.unread
        if id in self.hidden:
            raise Missing("no such object")
        return super().get(kind, id)

    def list(self, kind, cursor=None, known=None):
        for page in super().list(kind, cursor):
            found = self.garbled if kind is Kind.BUDGET else ()
            yield Page(page.items, problems=[*page.problems, *found])

    def create(self, draft, key):
        if self.fails:
            raise self.fails
        return super().create(draft, key)


class World:
    def __init__(self, store, sync):
        self.store, self.now, self.waited = store, NOW, []
        self.target = Shop("shop", None, Runtime(now=lambda: self.now, sleep=self.sleep))
        self.ledger, self.journal = Ledger(store, sync), Journal(store, sync, Fence())
        self.owners, self.settler = Owners(store, sync, f"shop of {sync}"), None

    def able(self, **changed):
        self.target.capabilities = with_(self.target.capabilities, **changed)

    def sleep(self, seconds):
        self.waited.append(seconds)

    def lost(self, op, model=None, ref="B", *, container=None, error=None, stamp="B", **said):
        """A write that has left and of which nothing came back."""
        id, key = new_operation_id()
        draft = model and draft_data(
            Draft(model=model, container=container, stamp=stamp and ref), Statement(b"now")
        )
        kind = Kind.ALLOCATION if isinstance(model, Allocation) else Kind.BUDGET
        given = {"run_id": "r", "seq": 0, "kind": kind, "ref": ref, "draft": draft} | said
        operation = Operation(id=id, key=key, op=op, **given)
        self.journal.plan([operation])
        self.journal.sent(id, request_fingerprint(operation, draft), draft)
        if error:
            self.journal.ended(id, State.UNCERTAIN, error)
        return id

    def settled(self, id):
        """What becomes of it: its state, and what is said of it."""
        self.settler = Settler(
            self.target, self.ledger, self.owners, self.journal, lambda: self.now, Event()
        )
        self.remaining = [each.id for each in self.settler.settle()]
        (found,) = [each for each in self.journal.of_run("r") if each.id == id]
        return found.state, found.error

    def link(self, kind=Kind.BUDGET, ref="B", above=""):
        return self.ledger.by_refs(kind, [(above, ref)]).get((above, ref))

    def made(self, model, stamp="B"):
        return self.target.create(Draft(model=model, stamp=stamp), new_operation_id()[1]).id


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("settle")
    with closing(Store.open("sqlite:///state.db", folder, lambda: NOW)) as store:
        yield store


@pytest.fixture
def world(store, request):
    return World(store, request.node.name)


# -- updates and removals ------------------------------------------------------------------------


def test_an_update_that_shows_was_applied_and_is_agreed(world):
    id = world.made(budget(amount=Amount.of(120, "USD")))
    operation = world.lost(
        Op.UPDATE, budget(amount=Amount.of(120, "USD")), target_id=id, fields=("amount",)
    )

    assert world.settled(operation) == (State.APPLIED, None)
    assert world.link().target_id == id
    assert world.link().desired


def test_an_update_that_does_not_show_was_lost_and_what_was_said_of_it_stays(world):
    id = world.made(budget())
    operation = world.lost(
        Op.UPDATE, budget(name="Fares"), target_id=id, fields=("name",), error="no answer came"
    )

    assert world.settled(operation) == (
        State.LOST, "the object is not as it was sent: no answer came",
    )  # fmt: skip
    assert world.remaining == []


def test_only_what_was_sent_has_to_show(world):
    id = world.made(budget(name="Theirs"))
    operation = world.lost(Op.UPDATE, budget(), target_id=id, fields=("amount",))

    assert world.settled(operation)[0] is State.APPLIED


def test_an_update_of_what_is_gone_was_lost(world):
    operation = world.lost(Op.UPDATE, budget(), target_id="t9", fields=("amount",))

    assert world.settled(operation)[0] is State.LOST


@pytest.mark.parametrize(
    ("fields", "state"), [(("parent",), State.LOST), (("name",), State.APPLIED)]
)
def test_a_move_shows_by_where_the_object_hangs(world, fields, state):
    id = world.made(budget(name="Fares"))
    operation = world.lost(
        Op.UPDATE, budget(name="Fares", parent="A"), container="t-a", target_id=id, fields=fields
    )

    assert world.settled(operation)[0] is state


def test_a_move_that_was_done_is_applied_by_whatever_id_it_is_called(world):
    above = world.made(budget(ref="A", name="Above"), "A")
    id = world.made(budget())
    world.target.move(id, above)
    operation = world.lost(
        Op.UPDATE, budget(parent="A"), container=above, target_id=id, fields=("parent",)
    )

    assert world.settled(operation)[0] is State.APPLIED


@pytest.mark.parametrize("op", [Op.RETIRE, Op.DELETE])
def test_what_is_still_in_use_was_not_removed(world, op):
    id = world.made(budget())

    assert world.settled(world.lost(op, target_id=id)) == (State.LOST, "the object is still there")


@pytest.mark.parametrize("op", [Op.RETIRE, Op.DELETE])
def test_what_is_retired_was_removed_and_is_linked_no_more(world, op):
    world.able(removal=Removal.RETIRE_OR_DELETE)
    id = world.made(budget())
    world.settled(world.lost(Op.UPDATE, budget(), target_id=id, fields=("amount",)))
    assert world.link()
    world.target.edit(id, status=Status.RETIRED)

    assert world.settled(world.lost(op, target_id=id)) == (State.APPLIED, None)
    assert world.link() is None


def test_what_is_gone_was_removed(world):
    assert world.settled(world.lost(Op.RETIRE, target_id="t9"))[0] is State.APPLIED


def test_that_a_read_does_not_find_it_is_no_proof_that_it_is_gone(world):
    id = world.made(budget())
    world.target.hidden = {id}

    assert world.settled(world.lost(Op.DELETE, target_id=id))[0] is State.LOST


# -- creates -------------------------------------------------------------------------------------


def test_what_a_create_made_is_linked_and_agreed(world):
    id = world.made(budget())

    assert world.settled(world.lost(Op.CREATE, budget())) == (State.APPLIED, None)
    link = world.link()
    assert (link.target_id, link.origin, link.source) == (id, "created", b"now")
    assert link.desired


def test_what_is_otherwise_than_it_was_sent_is_linked_and_not_agreed(world):
    id = world.made(budget(amount=Amount.of(7, "USD")))
    fields = ("name", "amount")

    assert world.settled(world.lost(Op.CREATE, budget(), fields=fields))[0] is State.APPLIED
    assert (world.link().target_id, world.link().desired) == (id, b"")


def test_what_is_retired_is_not_what_a_create_made(world):
    world.able(**KEYLESS)
    world.target.edit(world.made(budget()), status=Status.RETIRED)

    assert world.settled(world.lost(Op.CREATE, budget())) == (
        State.LOST, "nothing of it is in the target",
    )  # fmt: skip
    assert world.link() is None


def test_what_this_sync_links_already_is_not_what_a_create_made(world):
    world.able(**KEYLESS)
    id = world.made(budget())
    world.settled(world.lost(Op.UPDATE, budget(), "A", target_id=id, fields=("amount",)))

    assert world.settled(world.lost(Op.CREATE, budget()))[0] is State.LOST
    assert world.link() is None


def test_what_another_sync_links_is_left_to_it_and_not_made_beside_it(world):
    id = world.made(budget())
    with world.store.write() as connection:
        Owners(world.store, "other", world.owners.account).say(connection)
        Ledger(world.store, "other").save(
            connection, kind=Kind.BUDGET, ref="B", budget_ref="", target_id=id, origin="created",
            baseline=Baseline(facts(budget()), facts(budget())), source=b"", run_id="r",
        )  # fmt: skip
    world.owners.refresh()

    state, said = world.settled(world.lost(Op.CREATE, budget()))

    assert (state, said) == (State.LOST, "it belongs to the sync other by now")
    assert len(world.target._rows) == 1


def test_what_does_not_show_is_sent_again_while_its_key_is_known(world):
    assert world.settled(world.lost(Op.CREATE, budget()))[0] is State.APPLIED
    assert len(world.target._rows) == 1
    assert world.link()


def test_a_repeat_that_is_refused_says_that_nothing_was_made(world):
    world.target.fails = Rejected("no such currency")

    state, said = world.settled(world.lost(Op.CREATE, budget()))

    assert (state, world.remaining) == (State.REJECTED, [])
    assert "no such currency" in said


def test_a_repeat_that_fails_says_nothing_of_the_first_sending(world):
    world.target.fails = Transient("a bad moment")
    operation = world.lost(Op.CREATE, budget())

    state, said = world.settled(operation)

    assert (state, world.remaining) == (State.UNCERTAIN, [operation])
    assert "a bad moment" in said


@pytest.mark.parametrize(("age", "count"), [(86_399, 1), (86_400, 0)])
def test_a_key_that_is_as_old_as_it_may_be_is_not_sent_again(world, age, count):
    operation = world.lost(Op.CREATE, budget())
    world.now += timedelta(seconds=age)

    world.settled(operation)

    assert len(world.target._rows) == count


def test_what_may_yet_be_shown_is_waited_for_and_stays_open(world):
    world.able(**KEYLESS, grace=timedelta(seconds=60))
    world.target.runtime = with_(world.target.runtime, patience=10.0)
    operation = world.lost(Op.CREATE, budget())

    state, said = world.settled(operation)

    assert (state, world.remaining) == (State.UNCERTAIN, [operation])
    assert said.startswith("nothing of it is shown, which may yet come within")
    assert sum(world.waited) <= 10
    assert world.waited[:2] == [1, 2]


def test_what_is_not_shown_within_the_time_was_not_made(world):
    world.able(**KEYLESS, grace=timedelta(seconds=5))

    assert world.settled(world.lost(Op.CREATE, budget()))[0] is State.LOST
    assert sum(world.waited) == 5


def test_a_record_that_cannot_be_read_may_be_what_was_made(world):
    world.able(**KEYLESS)
    world.target.garbled = [Problem("shop", Kind.BUDGET, "t7", "no amount")]
    operation = world.lost(Op.CREATE, budget())

    state, said = world.settled(operation)

    assert (state, world.remaining) == (State.UNCERTAIN, [operation])
    assert "cannot be read" in said


def test_an_unreadable_budget_is_no_allocation(world):
    world.able(**KEYLESS)
    world.target.garbled = [Problem("shop", Kind.BUDGET, "t7", "no amount")]
    share = Allocation(ref="a", budget="B", entity=Entity("user", "ada"), amount=None)

    operation = world.lost(Op.CREATE, share, "a", budget_ref="B")

    assert world.settled(operation)[0] is State.LOST


def test_of_several_that_it_may_have_made_a_person_says_which(world):
    ids = (world.made(budget()), world.made(budget(name="Fares")))
    operation = world.lost(Op.CREATE, budget())

    state, said = world.settled(operation)

    assert (state, world.remaining) == (State.UNCERTAIN, [operation])
    assert world.settler.candidates == {operation: ids}
    assert said == f"2 objects could be it: {ids[0]}, {ids[1]}"
    assert world.link() is None


def test_those_that_remain_are_in_the_order_in_which_they_were_sent(world):
    world.able(**KEYLESS, grace=timedelta(seconds=60))
    world.target.runtime = with_(world.target.runtime, patience=0.5)
    for name in ("Travel", "Fares"):
        world.made(budget(ref="C", name=name), "C")
    first = world.lost(Op.CREATE, budget(), seq=0)
    second = world.lost(Op.CREATE, budget(ref="C"), "C", seq=1)  # parked before the first

    world.settled(first)

    assert world.remaining == [first, second]


def test_without_a_look_nothing_is_decided(world):
    world.target.unread = Transient("a bad moment")
    removal = world.lost(Op.DELETE, target_id=world.made(budget()))

    with pytest.raises(Transient):
        world.settled(removal)

    (found,) = world.journal.of_run("r")
    assert (found.state, found.error) == (State.UNCERTAIN, "no answer was recorded")


def test_alike_creates_are_each_given_what_is_as_they_were_sent(world):
    """The second was made as sent; what the first made was edited since."""
    world.able(**KEYLESS, stamps=frozenset())
    share = Allocation(
        ref="a", budget="B", entity=Entity("user", "ada"), amount=Amount.of(5, "USD")
    )
    above = world.made(budget())
    for amount in (7, 9):
        world.target.create(
            Draft(model=replace(share, ref=f"t{amount}", amount=Amount.of(amount, "USD")),
                  container=above), f"k{amount}"
        )  # fmt: skip
    first, _ = (
        world.lost(
            Op.CREATE,
            replace(share, ref=ref, amount=Amount.of(amount, "USD")),
            ref,
            container=above,
            stamp=None,
            budget_ref="B",
            fields=("amount",),
        )
        for ref, amount in (("a", 5), ("b", 7))
    )

    world.settled(first)

    amounts = {
        ref: world.target.get(
            Kind.ALLOCATION, world.link(Kind.ALLOCATION, ref, "B").target_id
        ).model.amount.value
        for ref in ("a", "b")
    }
    assert amounts == {"a": 9, "b": 7}
    assert world.link(Kind.ALLOCATION, "a", "B").desired == b""
    assert world.link(Kind.ALLOCATION, "b", "B").desired
