"""Send: one journaled operation made into a call, and its answer into memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.compare import Baseline, differences
from canonical.data import model_data, model_of
from canonical.facts import (
    MONEY_FIELDS,
    SAID_BY_NONE,
    Fact,
    Facts,
    facts,
    fields_of,
    lists,
    tuples,
)
from canonical.kind import Kind, Op, where
from connectors.contract.interface import Connector
from connectors.contract.records import Draft, Observed
from sync.decide import held
from sync.remembering import UNWRITTEN, agreed_after, agreed_statement, shown_before
from sync.state.journal import Operation
from sync.state.ledger import Ledger, Link
from sync.unread import TOGETHER


class Statement(NamedTuple):
    """What the source stated: its fingerprint, its money where the target is told less, and the
    rates at which it was converted.

    Where the source does not own every field, `shown` are its own facts, and `stands` and `open`
    tell of what is written what is agreed (`sync.remembering.agreed_after`).
    """

    fingerprint: bytes
    money: Facts | None = None
    rates: str | None = None
    shown: Facts | None = None
    stands: Mapping[str, Fact] = {}
    open: tuple[str, ...] = ()


def draft_data(draft: Draft, stated: Statement) -> dict[str, Any]:
    """What the journal keeps of a draft, with what the source stated."""
    said = {
        "model": model_data(draft.model),
        "container": draft.container,
        "stamp": draft.stamp,
        "stated": stated.fingerprint.hex(),
        "money": lists(stated.money),
    }
    if stated.shown is not None:
        said["shown"] = lists(stated.shown)
        said["stands"] = {name: lists(value) for name, value in stated.stands.items()}
        said["open"] = [*stated.open]
    return said if stated.rates is None else said | {"rates": stated.rates}


def draft_of(operation: Operation) -> tuple[Draft, Statement]:
    """The draft of a journaled create or update, and what the source stated."""
    data = operation.draft
    draft = Draft(model=model_of(data["model"]), container=data["container"], stamp=data["stamp"])
    money: Any = tuples(data.get("money"))
    said = Statement(bytes.fromhex(data["stated"]), money, data.get("rates"))
    if "shown" not in data:
        return draft, said
    stands = {name: tuples(value) for name, value in data["stands"].items()}
    return draft, said._replace(
        shown=tuples(data["shown"]), stands=stands, open=tuple(data["open"])
    )


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
    target: Connector,
    ledger: Ledger,
    connection: Connection,
    operation: Operation,
    echo: Observed | None,
    *,
    whole: bool = True,
) -> None:
    """Link and baseline after a create or update; no link after a removal.

    Of what is not `whole`, as it broke off in the middle, nothing is agreed but that it is ours;
    what was not said of it was not stated either, so that leaving it out takes nothing back.

    Money that the target stored otherwise than it was sent is not agreed. Nor is a field that was
    not sent and has moved all the same: it keeps its old echo, so that the next plan sees drift.

    A part of a change, as a name is, is remembered by itself: what the source stated is agreed
    with the last one.
    """
    key = operation.budget_ref, operation.ref
    if echo is None:
        ledger.forget_ref(connection, operation.kind, *key)
        return
    draft, stated = draft_of(operation)
    seen = facts(echo.model)
    if operation.draft.get("part"):
        _remember_part(ledger, connection, operation, echo, facts(draft.model))
        return
    agreed = stored_otherwise(target, operation.kind, draft.model, echo) is None
    wanted = facts(draft.model)
    if not whole:
        wanted = _as_far_as_said(fields_of(draft.model), wanted, seen)
    shown = stated.shown if whole or stated.shown is None else UNWRITTEN
    said = Baseline(wanted, seen, stated.money, stated.rates, shown)
    void = () if agreed else TOGETHER & set(operation.fields)
    known = agreed_before(ledger, operation) if operation.op is Op.UPDATE else None
    link, before = known or (None, None)
    ledger.save(
        connection,
        kind=operation.kind,
        ref=operation.ref,
        budget_ref=operation.budget_ref,
        target_id=echo.id,
        origin="created" if operation.op is Op.CREATE else "adopted",
        baseline=_agreed_now(operation, said, stated, void, link, before),
        source=agreed_statement(stated.open, link, stated.fingerprint),
        run_id=operation.run_id,
        agreed=agreed and whole and not stated.stands,
    )


def _agreed_now(
    operation: Operation,
    said: Baseline,
    stated: Statement,
    void: Collection[str],
    link: Link | None,
    before: Baseline | None,
) -> Baseline:
    """What both sides agree on after the write; nothing of the fields that are `void`, where the
    source does not own all."""
    if said.shown is None and before is not None:  # what an undo writes, the source has not stated
        said = replace(said, shown=before.shown)
    if said.shown is None:
        return said if before is None else _with_old_echo(operation, said, before)
    if link is not None and before is not None:
        same = link.source == stated.fingerprint
        before = replace(before, shown=shown_before(operation.kind, before, same, said.shown))
    return agreed_after(
        operation.kind,
        before,
        said,
        operation.fields,
        stands=stated.stands,
        open=stated.open,
        void=void,
    )


def _with_old_echo(operation: Operation, said: Baseline, before: Baseline) -> Baseline:
    """What an update left, its unsent fields as they were when both sides last agreed."""
    return replace(said, echo=where(operation.kind, operation.fields, said.echo, before.echo))


def _as_far_as_said(names: Sequence[str], said: Facts, seen: Facts) -> Facts:
    """What is there of the fields about which something was said."""
    return tuple(
        there if want is not None or name in SAID_BY_NONE else None
        for name, want, there in zip(names, said, seen, strict=True)
    )


def _remember_part(
    ledger: Ledger, connection: Connection, operation: Operation, echo: Observed, wanted: Facts
) -> None:
    """What was sent is agreed, and all else as it was; the next plan looks at it again."""
    seen = facts(echo.model)
    link, before = agreed_before(ledger, operation) or (None, Baseline(seen, seen))
    kind, sent = operation.kind, operation.fields
    desired = where(kind, sent, wanted, before.desired)
    ledger.save(
        connection,
        kind=operation.kind,
        ref=operation.ref,
        budget_ref=operation.budget_ref,
        target_id=echo.id,
        origin="adopted",
        baseline=replace(before, desired=desired, echo=where(kind, sent, seen, before.echo)),
        source=link.source if link else b"",
        run_id=operation.run_id,
        agreed=False,
    )


def agreed_before(ledger: Ledger, operation: Operation) -> tuple[Link, Baseline] | None:
    """The link of the operation's object, and what both sides last agreed; None where it has
    none."""
    key = operation.budget_ref, operation.ref
    link = ledger.by_refs(operation.kind, [key]).get(key)
    return None if link is None else (link, ledger.baselines([link.id])[link.id])


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
