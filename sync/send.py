"""Send: one journaled operation made into a call, and its answer into memory."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.change import Kind, Op
from canonical.compare import Baseline, differences
from canonical.facts import MONEY_FIELDS, Facts, facts, fields_of
from connectors.interface import Connector, Draft, Observed
from sync.decide import held
from sync.journal import Operation
from sync.ledger import Ledger

_DRAFT: TypeAdapter[Draft] = TypeAdapter(Draft)


def draft_data(draft: Draft, stated: bytes) -> dict[str, Any]:
    """What the journal keeps of a draft, with the fingerprint of what the source stated."""
    return {**_DRAFT.dump_python(draft, mode="json"), "stated": stated.hex()}


def draft_of(operation: Operation) -> tuple[Draft, bytes]:
    """The draft of a journaled create or update, and what the source stated."""
    data = dict(operation.draft or {})
    stated = bytes.fromhex(data.pop("stated"))
    return _DRAFT.validate_python(data), stated


def send(target: Connector, operation: Operation, draft: Draft | None) -> Observed | None:
    """Make the call that `operation` stands for; returns the vendor's echo, None for a removal."""
    if operation.op is Op.CREATE:
        assert draft is not None
        return target.create(draft, operation.key)
    assert operation.target_id is not None
    if operation.op is Op.UPDATE:
        assert draft is not None
        return target.update(operation.target_id, draft, operation.fields, operation.key)
    remove = target.retire if operation.op is Op.RETIRE else target.delete
    remove(operation.kind, operation.target_id, operation.key)
    return None


def remember(
    ledger: Ledger, connection: Connection, operation: Operation, echo: Observed | None
) -> None:
    """Link and baseline after a create or update; no link after a removal."""
    if echo is None:
        ledger.forget_ref(connection, operation.kind, operation.budget_ref, operation.ref)
        return
    draft, stated = draft_of(operation)
    ledger.save(
        connection,
        kind=operation.kind,
        ref=operation.ref,
        budget_ref=operation.budget_ref,
        target_id=echo.id,
        origin="created" if operation.op is Op.CREATE else "adopted",
        baseline=Baseline(_agreed(operation, draft, echo), facts(echo.model)),
        source=stated,
        run_id=operation.run_id,
    )


def _agreed(operation: Operation, draft: Draft, echo: Observed) -> Facts:
    """What was wanted; where the money that is there is other, or only half of it, what is there:
    so the next plan makes up the difference."""
    wanted, seen = facts(draft.model), facts(echo.model)
    money = MONEY_FIELDS.intersection(operation.fields)
    return seen if differences(fields_of(draft.model), money, wanted, seen) else wanted


def stored_otherwise(
    target: Connector, kind: Kind, model: Budget | Allocation, echo: Observed
) -> str | None:
    """Says where the vendor stored other money than was sent; None where it did not."""
    able = target.capabilities
    holds = able.budget if kind is Kind.BUDGET else able.allocation
    money = held(holds) & MONEY_FIELDS
    found = differences(fields_of(model), money, facts(model), facts(echo.model))
    if not found:
        return None
    said = ", ".join(f"{each.field} {each.before} instead of {each.after}" for each in found)
    return f"{able.vendor} stored {said}"


def request_fingerprint(operation: Operation, draft: Mapping[str, Any] | None) -> str:
    """Names what is sent: the same for a replay, another for any other request."""
    said = repr((operation.op.value, operation.target_id, operation.fields, draft))
    return sha256(said.encode()).hexdigest()
