"""Handover, repoint, pause and resume: what a person says of a sync."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import typer

from sync.outcome import Exit
from trueup.output import plain

if TYPE_CHECKING:
    from sync.handover import Offer
    from trueup.session import Session


def handover(
    session: Session, sync: str, giver: str, refs: Collection[str], yes: bool = False
) -> int:
    """`trueup handover`."""
    session.must_ask("handover", yes)
    with session.workspace() as workspace:
        approve = (lambda offer: True) if yes else partial(_ask_handover, session)
        handed = workspace.handover(sync, giver, refs, approve=approve)
    if session.as_json:
        session.print(handed.to_data())
    else:
        session.console.handed(handed)
    return handed.exit_code


def repoint(session: Session, sync: str) -> int:
    """`trueup repoint`."""
    with session.workspace() as workspace:
        before, account = workspace.repoint(sync)
    if session.as_json:
        session.print({"sync": sync, "before": before, "account": account})
    elif before is None:
        session.console.say(f"{sync}: {account} is the account that the state knows already")
    else:
        session.console.say(f"{sync}: {before} is {account} now")
    return Exit.OK


def pause(session: Session, sync: str, because: str | None = None) -> int:
    """`trueup pause`."""
    with session.workspace(quiet=True) as workspace:
        stop = workspace.pause(sync, because)
    if session.as_json:
        session.print(asdict(stop) | {"since": stop.since.isoformat()})
    else:
        session.console.say(plain(f"{stop}; `trueup resume {sync}` lets it run again"))
    return Exit.OK


def resume(session: Session, sync: str) -> int:
    """`trueup resume`."""
    with session.workspace(quiet=True) as workspace:
        stop = workspace.resume(sync)
    if session.as_json:
        session.print({"sync": sync, "was_paused": stop is not None})
    else:
        session.console.say(f"{sync} may run again" if stop else f"{sync} was not paused")
    return Exit.OK


def _ask_handover(session: Session, offer: Offer) -> bool:
    session.console.offer(offer)
    question = f"Make {plain(offer.sync)} the owner of these {len(offer.passing)} objects?"
    return typer.confirm(question, err=True)
