"""Rename: which object of the target is meant, where a person has to say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from trueup.commands.saying import say

if TYPE_CHECKING:
    from sync.rename import Renaming
    from trueup.session import Session


def rename(
    session: Session, sync: str, old: str, new: str, budget: str | None = None, yes: bool = False
) -> int:
    """`trueup rename`."""
    session.must_ask("rename", yes)

    def act(approve: Callable[[Renaming], bool]) -> Renaming:
        with session.workspace() as workspace:
            return workspace.rename(sync, old, new, budget=budget, approve=approve)

    return say(
        session,
        act,
        _lines,
        lambda found: "Let them keep their objects?",
        yes=yes,
        past="renamed",
        then=f"the next run of {sync} brings what differs",
    )


def _lines(renaming: Renaming) -> Iterator[str]:
    for each, id in renaming.renames:
        if each.old[1] != each.new[1]:
            yield f"{each.kind} {each.old[1]} → {each.new[1]} ({id})"
    kept = sum(each.old[1] == each.new[1] for each, _ in renaming.renames) - len(renaming.left)
    if kept > 0:
        yield f"{kept} of its allocations stay as they are"
    for link in renaming.left:
        yield f"allocation {link.ref} is stated no more below it ({link.target_id})"
