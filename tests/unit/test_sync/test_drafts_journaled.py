"""What is written down of a write before it leaves, and what is told of its answer."""

import json

import pytest
from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind, Op
from connectors.contract.records import Draft, Observed
from connectors.memory.connector import Memory
from sync.send import Statement, draft_data, draft_of, request_fingerprint, stored_otherwise
from sync.state.journal import Operation, new_operation_id

MONEY = ("5.00", "USD", "monthly", None, None, (("2026-01-01..", "5.00"),))
BUDGET = Budget(ref="B1", name="Travel", amount=Amount.of("5.00", "USD"))
SHARE = Allocation(ref="S", budget="B1", entity=Entity("user", "a"), amount=Amount.of("5", "USD"))


def operation(**said):
    id, key = new_operation_id()
    given = {"run_id": "r", "seq": 0, "op": Op.CREATE, "kind": Kind.BUDGET, "ref": "B1"} | said
    return Operation(id=id, key=key, **given)


@pytest.mark.parametrize("rates", [None, "EUR/USD 1.1"])
@pytest.mark.parametrize("model", [BUDGET, SHARE])
def test_a_draft_is_the_same_after_it_was_journaled(model, rates):
    draft = Draft(model=model, container="t-9", stamp="B1")
    stated = Statement(b"\x01\x02", MONEY, rates)
    kept = json.loads(json.dumps(draft_data(draft, stated)))
    assert draft_of(operation(draft=kept)) == (draft, stated)


def test_a_replay_is_the_same_request_and_any_other_is_another():
    said = draft_data(Draft(model=BUDGET, container=None, stamp="B1"), Statement(b"", MONEY))
    first = operation(target_id="t1", fields=("amount",))
    name = request_fingerprint(first, said)
    again = json.loads(json.dumps(said))
    assert request_fingerprint(operation(target_id="t1", fields=("amount",)), again) == name
    others = [
        request_fingerprint(operation(target_id="t2", fields=("amount",)), said),
        request_fingerprint(operation(target_id="t1", fields=("name",)), said),
        request_fingerprint(operation(target_id="t1", fields=("amount",), op=Op.UPDATE), said),
        request_fingerprint(first, said | {"stamp": None}),
        request_fingerprint(first, None),
    ]
    assert len({name, *others}) == 6


@pytest.mark.parametrize(("kind", "model"), [(Kind.BUDGET, BUDGET), (Kind.ALLOCATION, SHARE)])
def test_other_money_than_was_sent_is_told_with_both_amounts(kind, model):
    target = Memory("shop")
    less = replace(model, amount=Amount.of("4.99", "USD"))
    assert stored_otherwise(target, kind, model, Observed("t1", model, None)) is None
    told = stored_otherwise(target, kind, model, Observed("t1", less, None))
    assert "amount 4.99 instead of 5.00" in told


def test_another_name_than_was_sent_is_no_other_money():
    spelt = replace(BUDGET, name="TRAVEL")
    assert (
        stored_otherwise(Memory("shop"), Kind.BUDGET, BUDGET, Observed("t1", spelt, None)) is None
    )
