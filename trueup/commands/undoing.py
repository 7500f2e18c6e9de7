"""Undo: what a run did, taken back."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING

import typer

from trueup.commands.syncing import known_rules, reported
from trueup.output import plain

if TYPE_CHECKING:
    from datetime import date

    from canonical.change import Plan
    from sync.state.history import Run
    from trueup.session import Session


def undo(
    session: Session,
    run_id: str,
    only: Collection[str] = (),
    as_of: date | None = None,
    allow: Collection[str] = (),
    yes: bool = False,
    because: str | None = None,
) -> int:
    """`trueup undo`."""
    from trueup.undone import how_to_go_on, undone_data

    known_rules(allow, because)
    session.must_ask("undo", yes)
    with session.workspace() as workspace:
        run = workspace.history.get(run_id)
        approve = partial(_ask, session, run, yes=yes)
        report = workspace.undo(
            run.run_id, only=only, as_of=as_of, allow=allow, because=because, approve=approve
        )
        stop = workspace.stop_of(run.sync)
    if session.as_json:
        session.print(undone_data(report, stop))
        return report.exit_code
    code = reported(session, [report])
    for line in how_to_go_on(run, report, stop):
        session.console.say(plain(line))
    return code


def _ask(session: Session, run: Run, plan: Plan, *, yes: bool) -> bool:
    """Shown before anything is written, also where nobody is asked."""
    from trueup.undone import heading, not_as_before

    if not session.as_json:
        session.console.say(plain(heading(run)))
        session.console.plan(plan)
        for line in not_as_before(plan):
            session.console.say(plain(line))
    return yes or typer.confirm("Undo it?", err=True)
