"""Rename: which object of the target is meant, where a person has to say so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from sync.outcome import Exit
from trueup.output import plain

if TYPE_CHECKING:
    from sync.rename import Renaming
    from trueup.session import Session


def rename(
    session: Session, sync: str, old: str, new: str, budget: str | None = None, yes: bool = False
) -> int:
    """`trueup rename`."""
    session.must_ask("rename", yes)

    def approve(renaming: Renaming) -> bool:
        if yes:
            return True
        _tell(session, renaming)
        return typer.confirm("Let them keep their objects?", err=True)

    with session.workspace() as workspace:
        found = workspace.rename(sync, old, new, budget=budget, approve=approve)
    if session.as_json:
        session.print(found.to_data())
    elif not found.done:
        session.console.say("not approved; nothing was renamed")
    else:
        if yes:
            _tell(session, found)
        session.console.say(plain(f"renamed; the next run of {sync} brings what differs"))
    return Exit.OK if found.done else Exit.PARTIAL


def _tell(session: Session, renaming: Renaming) -> None:
    for line in _lines(renaming):
        session.console.say(plain(line))


def _lines(renaming: Renaming) -> Iterator[str]:
    for each, id in renaming.renames:
        if each.old[1] != each.new[1]:
            yield f"{each.kind} {each.old[1]} → {each.new[1]} ({id})"
    kept = sum(each.old[1] == each.new[1] for each, _ in renaming.renames) - len(renaming.left)
    if kept > 0:
        yield f"{kept} of its allocations stay as they are"
    for link in renaming.left:
        yield f"allocation {link.ref} is stated no more below it ({link.target_id})"
