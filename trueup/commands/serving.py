"""Serve: every sync on its schedule, until told to stop."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from sync.outcome import Exit
from sync.state.lease import LeaseHeld
from sync.state.stops import Paused
from trueup.endings import KNOWN, lines_of, odd
from trueup.output import plain, tell_json
from trueup.refusal import Refusal

if TYPE_CHECKING:
    from sync.report import Report
    from sync.schedule import Clock
    from trueup.session import Session
    from trueup.workspace import Workspace

log = logging.getLogger("trueup")


def serve(session: Session, clock: Clock | None = None) -> int:
    """`trueup serve`: until SIGTERM or Ctrl-C, which let the operation in hand finish."""
    from sync.schedule import Scheduler, WorkerDied, parse_schedule  # nothing else keeps a clock
    from trueup.recording import name_of

    with session.workspace(quiet=True) as workspace:
        settings = workspace.settings
        tables = {name_of(name): each.schedule for name, each in settings.actuals.items()}
        tables |= {name: sync.schedule for name, sync in settings.syncs.items()}
        schedules = {name: parse_schedule(text) for name, text in tables.items() if text}
        if not schedules:
            raise Refusal(
                'no sync has a schedule; add schedule = "every 15 minutes" to one of '
                f"{', '.join(workspace.settings.syncs) or 'the syncs'} in {session.config}"
            )
        workspace.store  # noqa: B018  # a state that cannot be opened is told before waiting
        said = ", ".join(f"{name} ({each.text})" for name, each in schedules.items())
        session.console.say(f"serving {said}; Ctrl-C ends it")
        run = partial(_serve_one, session, workspace)
        try:
            Scheduler(schedules, run, session.stop, clock).serve()
        except WorkerDied as error:
            session.fail(lines_of(error), Exit.FAILED)
    return Exit.OK


def _serve_one(session: Session, workspace: Workspace, name: str) -> None:
    """One scheduled run. Whatever goes wrong is told; the next slot comes all the same."""
    if name not in workspace.settings.syncs:
        return _keep_one(session, workspace, name)
    begun = datetime.now(UTC)
    try:
        report = workspace.apply(name, command="serve")
    except (LeaseHeld, Paused) as error:
        session.console.say(plain(error))
    except Exception as error:
        log.debug("what led to it:", exc_info=error)
        said = lines_of(error) if isinstance(error, KNOWN) else odd(error)
        session.console.say(f"{name}: {said}")
        workspace.failed(name, begun, said)
    else:
        _tell(session, name, report)


def _keep_one(session: Session, workspace: Workspace, name: str) -> None:
    """One scheduled `actuals --into`, in the same manner."""
    from trueup.recorded import in_short, recording_data
    from trueup.recording import name_of

    try:
        (into,) = (each for each in workspace.settings.actuals if name_of(each) == name)
        kept = workspace.record_actuals(into)
        told = {system: lines_of(error) for system, error in kept.failed.items()}
        with session.printing:
            if session.as_json:
                tell_json({"failed": told, "recorded": recording_data(kept)}, indent=None)
            else:
                for text in (*map(": ".join, told.items()), *in_short(kept)):
                    session.console.say(plain(text))
    except Exception as error:
        log.debug("what led to it:", exc_info=error)
        said = lines_of(error) if isinstance(error, KNOWN) else odd(error)
        session.console.say(f"{name}: {said}")


def _tell(session: Session, name: str, report: Report) -> None:
    """How a scheduled run ended; that it cannot be shown is told too."""
    try:
        with session.printing:
            if session.as_json:
                tell_json(report.to_data(), indent=None)
            else:
                session.console.report(report)
    except Exception as error:
        log.debug("what led to it:", exc_info=error)
        said = f"{report.outcome}, and cannot be shown: {odd(error)}"
        session.console.say(f"{name}: {said} (run {report.run_id[:12]})")
