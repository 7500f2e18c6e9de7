"""Status, history, show, audit and forget: what the state remembers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from config.wiring import sync_of
from sync.outcome import Exit
from sync.state.approvals import Approvals
from sync.state.audit import Audit
from sync.state.checking import check as check_chain
from sync.state.journal import Journal
from sync.state.retention import Retention
from trueup.approved import standing_text
from trueup.output import plain

if TYPE_CHECKING:
    from sync.state.history import Run
    from trueup.session import Session


def status(session: Session) -> int:
    """`trueup status`."""
    from trueup.standing import gone_data, gone_line, standing_lines, trouble_data, trouble_line

    with session.workspace(quiet=True) as workspace:
        found = [workspace.status(name) for name in workspace.settings.syncs]
        asked = [workspace.approval_of(name) for name in workspace.settings.syncs]
        gone = gone_data(workspace.settings, workspace.store, workspace.history)
        untold = trouble_data(workspace.store)
    if session.as_json:
        session.print({"syncs": found, "left_settings": gone, "not_told": untold})
        return Exit.OK
    now = datetime.now(UTC)
    for each in found:
        for line in standing_lines(each, now):
            session.console.line(line)
    for each in found:
        if each["paused"]:
            session.console.say(plain(each["paused"]))
    for request in asked:
        if request is not None:
            session.console.say(plain(standing_text(request)))
    for each in gone:
        session.console.say(plain(gone_line(each)))
    for each in untold:
        session.console.say(plain(trouble_line(each, now)))
    return Exit.OK


def history(session: Session, sync: str | None, limit: int) -> int:
    """`trueup history`."""
    with session.workspace(quiet=True) as workspace:
        if sync is not None:
            sync_of(workspace.settings, sync)
        runs = workspace.history.runs(sync, limit)
    if session.as_json:
        session.print({"runs": [_run_data(run) for run in runs]})
    else:
        session.console.runs(runs)
    return Exit.OK


def show(session: Session, run_id: str) -> int:
    """`trueup show`."""
    from trueup.deeds import COLUMNS, deed_data, table_rows

    with session.workspace(quiet=True) as workspace:
        run = workspace.history.get(run_id)
        done = Journal(workspace.store, run.sync).of_run(run.run_id)
        said = (run.report or {}).get("approval")
        asked = Approvals(workspace.store).get(said["plan_id"]) if said else None
    if session.as_json:
        became = {"approval": asked.to_data()} if asked else {}
        session.print(_run_data(run) | {"changes": [*map(deed_data, done)], **became})
    else:
        session.console.run(run, asked)
        if rows := table_rows(done):
            session.console.table(COLUMNS, rows)
    return Exit.OK


def audit(
    session: Session,
    sync: str | None,
    since: datetime | None = None,
    ref: str | None = None,
    said: str | None = None,
) -> int:
    """`trueup audit`."""
    from trueup.audited import form_of, tell_rows

    form = form_of(said or ("json" if session.as_json else None))
    with session.workspace(quiet=True) as workspace:
        audit = Audit(workspace.store)
        if sync is not None and not audit.knows(sync):  # one that is no more is told of
            sync_of(workspace.settings, sync)
        moment = since.replace(tzinfo=UTC) if since else None
        tell_rows(form, audit.rows(sync, moment, ref))
    return Exit.OK


def check_audit(session: Session, head: str | None) -> int:
    """`trueup audit --check`."""
    from trueup.audited import checked_data, checked_text, head_of

    head = head_of(head)
    with session.workspace(quiet=True) as workspace:
        found = check_chain(workspace.store, head)
    if session.as_json:
        session.print(checked_data(found))
    else:
        session.console.checked(found.fault is None, checked_text(found))
    return Exit.OK if found.fault is None else Exit.FAILED


def forget(session: Session, before: datetime, yes: bool = False) -> int:
    """`trueup forget`."""
    from trueup.audited import forgotten_data, forgotten_text, must_be_past

    session.must_ask("forget", yes)
    moment = must_be_past(before.replace(tzinfo=UTC), datetime.now(UTC))
    with session.workspace(quiet=True) as workspace:
        retention = Retention(workspace.store)
        found = retention.offer(moment)
        if not yes:
            session.console.say(forgotten_text(found))
            if not typer.confirm("Let go of them for good?", err=True):
                return Exit.PARTIAL
        found = retention.forget(moment)
    if session.as_json:
        session.print(forgotten_data(found))
    else:
        session.console.say(forgotten_text(found))
    return Exit.OK


def _run_data(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "sync": run.sync,
        "command": run.command,
        "outcome": run.outcome,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "report": run.report,
    }
