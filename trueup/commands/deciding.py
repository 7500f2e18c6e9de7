"""Waiting and decide: the queue of what waits, and what people say to it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from canonical.waiting import Rule
from config.settings import nearest
from sync.outcome import Exit
from sync.state.waits import Undecidable
from trueup.deciding import Deed
from trueup.output import plain, tell
from trueup.refusal import Refusal
from trueup.waiting import (
    SHOWN,
    deed_data,
    deed_lines,
    lines_of,
    next_lines,
    queue_data,
    wait_lines,
)

if TYPE_CHECKING:
    from sync.state.decisions import Ruling
    from sync.state.waits import Wait
    from trueup.session import Session
    from trueup.workspace import Workspace

_HOW = "give numbers and what to take, as in `trueup decide 3 --take source`"
_SKIP, _QUIT = "skip", "quit"


def waiting(session: Session, sync: str | None) -> int:
    """`trueup waiting`."""
    whole = session.as_json or session.verbosity > 0
    with session.workspace(quiet=True) as workspace:
        queue = workspace.waiting(sync, limit=None if whole else SHOWN)
        elsewhere = [] if sync else _left_settings(workspace)
    if session.as_json:
        session.print(queue_data(queue))
        return Exit.OK
    for line in lines_of(queue, datetime.now(UTC)):
        tell(plain(line))
    for name in elsewhere:
        session.console.say(
            plain(f"more waits in {name}, which is no more in the settings: trueup waiting {name}")
        )
    return Exit.OK


def decide(
    session: Session,
    said: Sequence[str],
    take: str | None,
    note: str | None,
    all_of: str | None,
) -> int:
    """`trueup decide`."""
    if not said and take is None and all_of is None:
        return _ask_all(session, note)
    if take is None:
        raise Refusal(f"decide takes --take, which is not said; {_HOW}")
    if all_of is not None:
        return _decide_all(session, said, take, note, all_of)
    if not said:
        raise Refusal(f"there is no number; {_HOW}")
    numbers = [_number(each) for each in said]
    with session.workspace(quiet=True) as workspace:
        deed = workspace.decide(*numbers, take=take, note=note)
    return _told(session, deed)


def _decide_all(
    session: Session, said: Sequence[str], take: str, note: str | None, all_of: str
) -> int:
    if all_of not in list(Rule):
        raise Refusal(f'"{all_of}" is no rule{nearest(all_of, [*Rule])}; one of {", ".join(Rule)}')
    if len(said) > 1:
        raise Refusal("--all-of takes one sync, or none for all")
    sync = said[0] if said else None
    with session.workspace(quiet=True) as workspace:
        deed = workspace.decide_all(Rule(all_of), take=take, sync=sync, note=note)
    if not deed.rulings and not deed.refused and not session.as_json:
        session.console.say(f"nothing waits by the rule {all_of}")
        return Exit.OK
    return _told(session, deed)


def _told(session: Session, deed: Deed) -> int:
    if session.as_json:
        session.print(deed_data(deed))
    else:
        for line in deed_lines(deed):
            tell(plain(line))
    return Exit.PARTIAL if deed.refused else Exit.OK


def _ask_all(session: Session, note: str | None) -> int:
    """One after the other, on a terminal."""
    if session.as_json or not sys.stdin.isatty():
        why = "--json leaves no room to ask" if session.as_json else "there is no terminal"
        raise Refusal(f"decide asks when nothing is given, and {why}; {_HOW}")
    with session.workspace(quiet=True) as workspace:
        waits = [each for each in workspace.waiting().waits if each.answer is None]
        if not waits:
            tell("nothing waits")
        done: list[Ruling] = []
        for each in waits:
            said = _ask(workspace, each, note)
            if said is None:
                break
            done += said.rulings
    for line in next_lines(done):
        tell(plain(line))
    return Exit.OK


def _ask(workspace: Workspace, wait: Wait, note: str | None) -> Deed | None:
    """Show one and ask until it is decided or passed over; None to ask no more."""
    for line in wait_lines(wait, datetime.now(UTC)):
        tell(plain(line))
    words = [each for each in wait.question.ways if not each.startswith("trueup ")]
    if not words:
        return Deed(())
    while True:
        said = typer.prompt(f"take {', '.join(words)}, {_SKIP} or {_QUIT}", err=True).strip()
        if said == _QUIT:
            return None
        if said == _SKIP:
            return Deed(())
        try:
            return workspace.decide(wait.number, take=said, note=note)
        except Undecidable as error:
            tell(plain(error))


def _number(said: str) -> int:
    if not (said.isascii() and said.isdecimal() and len(said) < 10):
        raise Refusal(f'"{said}" is no number of `trueup waiting`; {_HOW}')
    return int(said)


def _left_settings(workspace: Workspace) -> list[str]:
    from sync.state.waits import Waits

    known = workspace.settings.syncs
    return [name for name in Waits(workspace.store).syncs() if name not in known]
