"""What is called for an operation, and what is remembered of its answer."""

from contextlib import closing
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.compare import Baseline
from canonical.facts import facts
from canonical.kind import FIELDS, Kind, Op
from connectors.contract.records import Draft, Observed
from connectors.memory.connector import Memory
from sync.remembering import UNWRITTEN
from sync.send import Statement, draft_data, remember, send, stored_otherwise
from sync.state.journal import Operation, new_operation_id
from sync.state.ledger import Ledger
from sync.state.store import Store

NOW = datetime(2026, 3, 10, tzinfo=UTC)
AT = {name: index for index, name in enumerate(FIELDS[Kind.BUDGET])}
MONEY = ("100.00", "USD")
AGREED = Budget(ref="B", name="Travel", amount=Amount.of(100, "USD"), description="Trips")
RAISED = replace(AGREED, amount=Amount.of(120, "USD"))


class Memories:
    """A ledger, and what is put into it by answers."""

    def __init__(self, store, sync):
        self.store, self.ledger, self.target = store, Ledger(store, sync), Memory("shop")

    def linked(self, desired=AGREED, echo=AGREED, **more):
        with self.store.write() as connection:
            self.ledger.save(
                connection, kind=Kind.BUDGET, ref="B", budget_ref="", target_id="t1",
                origin="adopted", baseline=Baseline(facts(desired), facts(echo), **more),
                source=b"before", run_id="r0",
            )  # fmt: skip
        return self

    def answered(self, op, sent, echo, fields=(), *, whole=True, part=False, **stated):
        """The link and what is agreed after that answer; None where nothing is linked."""
        draft = draft_data(Draft(model=sent, stamp="B"), Statement(b"now", MONEY, **stated))
        operation = operation_of(op, fields=fields, draft=draft | ({"part": True} if part else {}))
        item = echo and Observed("t1", echo, None)
        with self.store.write() as connection:
            remember(self.target, self.ledger, connection, operation, item, whole=whole)
        link = self.ledger.by_refs(Kind.BUDGET, [("", "B")]).get(("", "B"))
        return link and (link, self.ledger.baselines([link.id])[link.id])


def operation_of(op, **said):
    id, key = new_operation_id()
    return Operation(id=id, key=key, run_id="r", op=op, seq=0, kind=Kind.BUDGET, ref="B", **said)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("send")
    with closing(Store.open("sqlite:///state.db", folder, lambda: NOW)) as store:
        yield store


@pytest.fixture
def memories(store, request):
    return Memories(store, request.node.name)


class Called(Memory):
    """Tells what it was called with."""

    def create(self, draft, key):
        return "create", draft, key

    def update(self, id, draft, fields, key):
        return "update", id, draft, fields, key

    def retire(self, kind, id, key):
        self.removed = "retire", kind, id, key

    def delete(self, kind, id, key):
        self.removed = "delete", kind, id, key


def test_a_create_is_sent_with_its_draft_and_its_key():
    draft, operation = Draft(model=AGREED), operation_of(Op.CREATE)

    assert send(Called("shop"), operation, draft) == ("create", draft, operation.key)


def test_an_update_is_sent_with_its_fields_and_its_key():
    draft = Draft(model=RAISED)
    operation = operation_of(Op.UPDATE, target_id="t1", fields=("amount",))

    said = send(Called("shop"), operation, draft)

    assert said == ("update", "t1", draft, ("amount",), operation.key)


@pytest.mark.parametrize("op", [Op.RETIRE, Op.DELETE])
def test_a_removal_is_the_one_that_was_meant(op):
    target, operation = Called("shop"), operation_of(op, target_id="t1")

    assert send(target, operation, None) is None
    assert target.removed == (op.value, Kind.BUDGET, "t1", operation.key)


def test_what_was_made_is_linked_as_sent_and_as_answered(memories):
    spelt = replace(AGREED, name="TRAVEL")

    link, agreed = memories.answered(Op.CREATE, AGREED, spelt, rates="EUR/USD 1.1")

    assert link[1:6] == (Kind.BUDGET, "B", "", "t1", "created")
    assert link.source == b"now"
    assert link.desired
    assert (agreed.desired, agreed.echo) == (facts(AGREED), facts(spelt))
    assert (agreed.stated, agreed.rates) == (MONEY, "EUR/USD 1.1")


def test_what_was_updated_without_a_link_is_adopted(memories):
    link, agreed = memories.answered(Op.UPDATE, RAISED, RAISED, ["amount"])

    assert link.origin == "adopted"
    assert (agreed.desired, agreed.echo) == (facts(RAISED), facts(RAISED))


def test_what_was_removed_is_linked_no_more(memories):
    assert memories.linked().answered(Op.RETIRE, AGREED, None) is None


def test_a_field_that_moved_and_was_not_sent_keeps_its_old_echo(memories):
    moved = replace(RAISED, name="Moved")

    _, agreed = memories.linked().answered(Op.UPDATE, RAISED, moved, ["amount"])

    assert agreed.echo == facts(RAISED)
    assert agreed.desired == facts(RAISED)


def test_money_that_was_stored_otherwise_is_not_taken_for_agreed(memories):
    link, agreed = memories.linked().answered(Op.UPDATE, RAISED, AGREED, ["amount"])

    assert link.desired == b""
    assert agreed.echo == facts(AGREED)


def test_of_a_part_only_what_was_sent_is_agreed(memories):
    named = replace(RAISED, name="Fares")
    moved = replace(named, description="Theirs")

    link, agreed = memories.linked().answered(Op.UPDATE, named, moved, ["name"], part=True)

    assert (link.origin, link.source, link.desired) == ("adopted", b"before", b"")
    assert agreed.desired == agreed.echo == facts(replace(AGREED, name="Fares"))


def test_a_part_of_what_has_no_link_is_agreed_as_it_is_there(memories):
    named = replace(AGREED, name="Fares")

    link, agreed = memories.answered(Op.UPDATE, named, named, ["name"], part=True)

    assert (link.target_id, link.source, link.desired) == ("t1", b"", b"")
    assert agreed.desired == agreed.echo == facts(named)


def test_of_what_broke_off_nothing_is_agreed_but_what_is_there(memories):
    unsaid = replace(AGREED, description=None)
    half = replace(unsaid, amount=None, description="By itself")

    link, agreed = memories.answered(Op.CREATE, unsaid, half, whole=False, shown=facts(unsaid))

    assert link.desired == b""
    assert agreed.echo == facts(half)
    assert agreed.desired[AT["amount"]] is None
    assert agreed.desired[AT["description"]] is None
    assert agreed.shown == UNWRITTEN


def test_of_what_broke_off_in_a_mirror_nothing_is_said_of_what_the_source_showed(memories):
    _, agreed = memories.answered(Op.CREATE, AGREED, AGREED, whole=False)

    assert agreed.shown is None


# -- where the source does not own every field ---------------------------------------------------


def test_what_was_sent_is_agreed_and_what_was_not_is_as_before(memories):
    sent = replace(RAISED, name="Ours")
    there = replace(RAISED, name="Theirs")

    link, agreed = memories.linked(shown=facts(AGREED)).answered(
        Op.UPDATE, sent, there, ["amount"], shown=facts(sent)
    )

    assert link.desired
    assert agreed.desired[AT["amount"]] == agreed.echo[AT["amount"]] == "120.00"
    assert agreed.desired[AT["name"]] == agreed.echo[AT["name"]] == "Travel"
    assert agreed.shown[AT["name"]] == "Travel"
    assert agreed.shown[AT["amount"]] == "120.00"


def test_what_was_never_remembered_of_the_source_is_what_it_shows_where_it_states_the_same(
    memories,
):
    named = replace(AGREED, name="Ours")
    with memories.store.write() as connection:
        memories.ledger.save(
            connection, kind=Kind.BUDGET, ref="B", budget_ref="", target_id="t1", run_id="r0",
            origin="adopted", baseline=Baseline(facts(AGREED), facts(AGREED)), source=b"now",
        )  # fmt: skip

    _, agreed = memories.answered(Op.UPDATE, named, RAISED, ["amount"], shown=facts(named))

    assert agreed.shown[AT["name"]] == "Ours"


def test_of_another_statement_all_counts_as_moved_that_was_never_remembered(memories):
    named = replace(AGREED, name="Ours")

    _, agreed = memories.linked().answered(Op.UPDATE, named, AGREED, ["amount"], shown=facts(named))

    assert agreed.shown[AT["name"]] is None


def test_of_money_that_was_stored_otherwise_nothing_is_agreed(memories):
    link, agreed = memories.linked(shown=facts(AGREED)).answered(
        Op.UPDATE, RAISED, AGREED, ["amount"], shown=facts(RAISED)
    )

    assert link.desired == b""
    assert agreed.echo[AT["name"]] == "Travel"
    assert agreed.desired[AT["amount"]] is agreed.echo[AT["amount"]] is None


def test_a_value_of_the_source_that_stands_unsent_is_looked_at_again(memories):
    link, agreed = memories.linked(shown=facts(AGREED)).answered(
        Op.UPDATE, RAISED, RAISED, ["amount"], shown=facts(RAISED), stands={"name": "Ours"}
    )

    assert link.desired == b""
    assert agreed.desired[AT["name"]] == "Ours"


def test_what_is_still_open_about_money_keeps_the_statement_to_be_weighed(memories):
    named = replace(AGREED, name="Fares")

    link, _ = memories.linked(shown=facts(AGREED)).answered(
        Op.UPDATE, named, named, ["name"], shown=facts(named), open=("amount",)
    )

    assert link.source == b"before"


def test_what_an_undo_writes_leaves_what_the_source_showed(memories):
    _, agreed = memories.linked(shown=facts(AGREED)).answered(Op.UPDATE, RAISED, RAISED, ["amount"])

    assert agreed.shown is not None
    assert agreed.shown[AT["amount"]] == "100.00"


@pytest.mark.parametrize(("stored", "said"), [(20, None), (15, "amount 15.00 instead of 20.00")])
def test_of_a_share_it_is_said_where_other_money_was_stored(stored, said):
    sent = Allocation(ref="b", budget="B", entity=Entity("user", "b"), amount=Amount.of(20, "USD"))
    echo = Observed("t1", replace(sent, amount=Amount.of(stored, "USD")), "t0")

    found = stored_otherwise(Memory("shop"), Kind.ALLOCATION, sent, echo)

    assert found == (said and f"memory stored {said}")
