"""Approve and reject: a plan that waits, shown, and allowed to be applied once, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from sync.outcome import Exit
from trueup.output import plain

if TYPE_CHECKING:
    from trueup.session import Session


def approve(
    session: Session,
    name: str,
    as_name: str | None = None,
    note: str | None = None,
    yes: bool = False,
) -> int:
    """`trueup approve`."""
    from trueup.approved import approved_text, asked_text

    _ensure_name(as_name)
    session.must_ask("approve", yes)
    with session.workspace(quiet=True) as workspace:
        request, plan = workspace.waiting_plan(name)
        if not session.as_json:
            session.console.plan(plan, whole=session.verbosity > 0, steps=False)
            session.console.say(plain(asked_text(request)))
        if not yes and not typer.confirm("Let the next run apply this plan?", err=True):
            session.console.say("not approved; it waits on")
            return Exit.PARTIAL
        request = workspace.approve(request.plan_id, name=as_name, note=note)
        stop = workspace.stop_of(request.sync)
    if session.as_json:
        session.print(request.to_data())
    else:
        session.console.say(plain(approved_text(request)))
        if stop is not None:
            session.console.say(plain(f"{stop}; `trueup resume {request.sync}` lets it run again"))
    return Exit.OK


def reject(session: Session, name: str, as_name: str | None = None, note: str | None = None) -> int:
    """`trueup reject`."""
    from trueup.approved import rejected_text

    _ensure_name(as_name)
    with session.workspace(quiet=True) as workspace:
        request = workspace.reject(name, name=as_name, note=note)
    if session.as_json:
        session.print(request.to_data())
    else:
        session.console.say(plain(f"{rejected_text(request)}; a run whose plan differs asks anew"))
    return Exit.OK


def _ensure_name(as_name: str | None) -> None:
    from trueup.refusal import Refusal

    if as_name is not None and not as_name.strip():
        raise Refusal("--as takes the name of a person")
