"""What the audit is told of runs, plans and operations."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import text
from sqlalchemy.engine import Connection

from canonical.kind import FIELDS, Kind
from canonical.side import Side
from sync.state.audit import Entry, Event
from sync.state.deeds import REMOVALS, moved, sent
from sync.state.store import moment_text

if TYPE_CHECKING:
    from canonical.change import Plan
    from sync.state.waits import Wait

_OPERATION: Final = text(
    "SELECT id, run_id, sync, seq, op, kind, ref, budget_ref, target_id, key, fields, before,"
    " draft, state, error, sent_at, side FROM operations WHERE id = :id"
)
_AGREED: Final = text(
    "SELECT b.echo FROM links AS l JOIN baselines AS b ON b.link_id = l.id"
    " WHERE l.sync = :sync AND l.kind = :kind AND l.budget_ref = :budget_ref AND l.ref = :ref"
)


def began(run_id: str, sync: str, command: str, at: datetime) -> Entry:
    """A run that begins."""
    said = {"command": command, "started_at": moment_text(at)}
    return Entry(kind=Event.RUN, sync=sync, run_id=run_id, said=said)


def over(run_id: str, sync: str, outcome: str, at: datetime, report: dict[str, Any]) -> Entry:
    """A run that ended: how, and what it counted; its guards, as nothing else tells of them."""
    plan = report.get("plan") or {}
    said = {
        "ended_at": moment_text(at),
        "outcome": outcome,
        "counts": report.get("counts") or {},
        "verified": bool(report.get("verified")),
        "error": report.get("error"),
        "guards": [
            {name: trip[name] for name in ("rule", "limit", "actual")}
            for trip in plan.get("guards") or ()
        ],
    }
    return Entry(kind=Event.RUN, sync=sync, run_id=run_id, said=said)


def passed(run_id: str, sync: str, report: Mapping[str, Any]) -> Entry:
    """What another sync handed over, because a person said so."""
    objects = [
        {name: each.get(name) for name in ("kind", "budget_ref", "ref", "target_id", "outcome")}
        for each in report.get("operations") or ()
    ]
    said = {"from": report.get("from"), "objects": objects}
    return Entry(kind=Event.HANDOVER, sync=sync, run_id=run_id, said=said)


def repointed(sync: str, before: str | None, account: str) -> Entry:
    """A target at a new address, which somebody said is the account of before."""
    return Entry(kind=Event.REPOINT, sync=sync, said={"before": before, "account": account})


def renamed(
    sync: str, old: tuple[str, str], new: tuple[str, str], objects: Sequence[Mapping[str, Any]]
) -> Entry:
    """A ref that changed in the source and keeps its object, with its allocations."""
    said = {"from": old[1], "to": new[1], "objects": [*objects]}
    return Entry(kind=Event.RENAME, sync=sync, budget_ref=new[0], ref=new[1], said=said)


def linked(sync: str, kind: str, key: tuple[str, str], id: str) -> Entry:
    """An object of the target that somebody said is meant by a ref."""
    said = {"kind": str(kind), "target_id": id}
    return Entry(kind=Event.LINK, sync=sync, budget_ref=key[0], ref=key[1], said=said)


def unlinked(sync: str, kind: str, key: tuple[str, str], data: Mapping[str, Any]) -> Entry:
    """What somebody said is not meant by a ref; with it its allocations are forgotten."""
    said = {name: data[name] for name in ("target_ids", "anew", "below")}
    said = {"kind": str(kind), **said}
    return Entry(kind=Event.UNLINK, sync=sync, budget_ref=key[0], ref=key[1], said=said)


def paused(sync: str, because: str | None) -> Entry:
    """A sync that is not to run for now."""
    return Entry(kind=Event.PAUSE, sync=sync, said={"because": because})


def resumed(sync: str) -> Entry:
    """A sync that may run again."""
    return Entry(kind=Event.RESUME, sync=sync)


def undone(run_id: str, sync: str, undoes: str, refs: Collection[str]) -> Entry:
    """A run that takes back what another run did; of `refs` alone, where some are named."""
    said = {"run": undoes, "only": sorted(refs)}
    return Entry(kind=Event.UNDO, sync=sync, run_id=run_id, said=said)


def overridden(run_id: str, sync: str, rules: Collection[str], because: str | None = None) -> Entry:
    """Guards that somebody switched off for a run, or gave another limit, and why."""
    said: dict[str, Any] = {"allow": sorted(rules)}
    if because is not None:
        said["because"] = because
    return Entry(kind=Event.OVERRIDE, sync=sync, run_id=run_id, said=said)


def planned(run_id: str, plan: Plan) -> Entry:
    """The plan that a run is about to apply: how much of what it changes, and by how much money."""
    said = {
        "plan_id": plan.plan_id,
        "as_of": plan.as_of.isoformat(),
        "summary": plan.summary,
        "money": {unit: f"{step:f}" for unit, step in sorted(_moved(plan).items())},
        "adopted": plan.adopted,
        "allowed": [*plan.allowed],
        "taken_over": [
            f"{each.kind} {each.target_id} from {each.giver}" for each in plan.handovers
        ],
    }
    return Entry(kind=Event.PLAN, sync=plan.sync, run_id=run_id, said=said)


def _moved(plan: Plan) -> dict[str, Decimal]:
    """How far all budgets of a currency move together on the plan's day: up, or with a minus down.

    As the amounts of each one's own periods, as the plan shows them.
    """
    found: dict[str, Decimal] = defaultdict(Decimal)
    for change in plan.pending:
        for move in change.money if change.kind is Kind.BUDGET else ():
            if move.day == plan.as_of:
                for counted, sign in ((move.before, -1), (move.after, 1)):
                    if counted is not None:
                        found[counted.unit] += sign * counted.amount
    return found


def decided(wait: Wait, row: Mapping[str, Any], replaced: int | None) -> Entry:
    """What somebody decided of what waited: `row` is the decision as it is kept, `replaced` the
    number of the one that it takes the place of."""
    said = {
        "wait": wait.number,
        "rule": row["rule"],
        "kind": row["kind"],
        "field": row["field"],
        "take": row["take"],
        **row["said"],
        "note": row["note"],
        "replaces": replaced,
    }
    if wait.waiting.side is Side.SOURCE:
        said["side"] = str(Side.SOURCE)
    return Entry(
        kind=Event.DECISION,
        sync=wait.sync,
        budget_ref=row["budget_ref"],
        ref=row["ref"],
        said=said,
    )


def abandoned(sync: str, run_id: str, count: int) -> Entry:
    """What earlier runs planned and never sent, closed by this one."""
    return Entry(kind=Event.ABANDON, sync=sync, run_id=run_id, said={"operations": count})


def ended(connection: Connection, id: str, request_ids: Sequence[str]) -> Entry:
    """An operation as it is in the journal by now; read before its link goes."""
    row = dict(connection.execute(_OPERATION, {"id": id}).mappings().one())
    fields, before, draft = (_data(row[name]) for name in ("fields", "before", "draft"))
    if row["op"] in REMOVALS and row["side"] == Side.TARGET:
        before = _as_agreed(connection, row) or before
    after = sent(draft)
    said = {name: row[name] for name in ("id", "seq", "op", "kind", "target_id", "key", "state")}
    if row["side"] != Side.TARGET:
        said["side"] = row["side"]
    said |= {
        "error": row["error"],
        "sent_at": row["sent_at"],
        "request_ids": [*request_ids],
        "fields": moved(row["op"], row["kind"], fields, before or {}, after),
        "currency": after.get("currency") or (before or {}).get("currency"),
    }
    return Entry(
        kind=Event.OPERATION,
        sync=row["sync"],
        run_id=row["run_id"],
        budget_ref=row["budget_ref"],
        ref=row["ref"],
        said=said,
    )


def _as_agreed(connection: Connection, row: dict[str, Any]) -> dict[str, Any]:
    """What the target held of what is removed, when both sides last agreed."""
    keys = {name: row[name] for name in ("sync", "kind", "budget_ref", "ref")}
    echo = connection.execute(_AGREED, keys).scalar()
    if echo is None:
        return {}
    named = zip(FIELDS[Kind(row["kind"])], json.loads(echo), strict=True)
    return {name: value for name, value in named if value is not None}


def _data(text: str | None) -> Any:
    return None if text is None else json.loads(text)
