"""Link and unlink: which object of the target is meant by a ref, and which is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from sync.outcome import Exit
from trueup.output import plain

if TYPE_CHECKING:
    from sync.link import Linking
    from sync.unlink import Unlinking
    from trueup.session import Session


def link(
    session: Session, sync: str, ref: str, id: str, budget: str | None = None, yes: bool = False
) -> int:
    """`trueup link`."""
    session.must_ask("link", yes)

    def approve(linking: Linking) -> bool:
        if yes:
            return True
        _tell(session, _link_lines(linking))
        return typer.confirm(f"Is {linking.target_id} {linking.key[1]}?", err=True)

    with session.workspace() as workspace:
        found = workspace.link(sync, ref, id, budget=budget, approve=approve)
    if session.as_json:
        session.print(found.to_data())
    elif not found.done:
        session.console.say("not approved; nothing was linked")
    else:
        if yes:
            _tell(session, _link_lines(found))
        session.console.say(plain(f"linked; the next run of {sync} adopts it: trueup plan {sync}"))
    return Exit.OK if found.done else Exit.PARTIAL


def unlink(
    session: Session,
    sync: str,
    ref: str,
    budget: str | None = None,
    anew: bool = False,
    yes: bool = False,
) -> int:
    """`trueup unlink`."""
    session.must_ask("unlink", yes)

    def approve(unlinking: Unlinking) -> bool:
        if yes:
            return True
        _tell(session, _unlink_lines(unlinking))
        return typer.confirm("Forget it?", err=True)

    with session.workspace() as workspace:
        found = workspace.unlink(sync, ref, budget=budget, anew=anew, approve=approve)
    if session.as_json:
        session.print(found.to_data())
    elif not found.done:
        session.console.say("not approved; nothing was unlinked")
    else:
        if yes:
            _tell(session, _unlink_lines(found))
        session.console.say(plain(f"unlinked; nothing was written into the target of {sync}"))
    return Exit.OK if found.done else Exit.PARTIAL


def _tell(session: Session, lines: Iterator[str]) -> None:
    for line in lines:
        session.console.say(plain(line))


def _link_lines(found: Linking) -> Iterator[str]:
    from trueup.planned import shown

    yield f"{found.kind} {found.key[1]}, as the source states it, and {found.target_id}"
    if found.stamp not in (None, found.key[1]):
        yield f"  it bears the stamp of {found.stamp}, which it gives up"
    width = max(map(len, found.sides), default=0)
    for name, (ours, theirs) in found.sides.items():
        said, there = shown(ours) or "-", shown(theirs) or "-"
        if (said, there) != ("-", "-"):
            yield f"  {name:<{width}}  {said} {'=' if said == there else '≠'} {there}"
    yield from _next_lines(found)


def _next_lines(found: Linking) -> Iterator[str]:
    from trueup.planned import shown

    change = found.change
    said = [*(each.reason for each in found.conflicts), *(each.reason for each in found.waits)]
    if change is None and not said:
        yield "the next run writes nothing into it"
    elif change is not None:
        yield f"the next run: {change.op}"
        for name, (before, after) in change.fields.items():
            yield f"  {name}: {shown(before) or '-'} → {shown(after) or '-'}"
        said += [f"{each.name}: {each.reason}" for each in change.losses]
    yield from (f"  {each}" for each in said)
    yield from (f"  a guard would stop it: {each}" for each in found.guards)


def _unlink_lines(found: Unlinking) -> Iterator[str]:
    yield f"{found.kind} {found.key[1]} is {', '.join(found.target_ids)} no more"
    if found.below:
        yield f"  {len(found.below)} of its allocations are forgotten with it"
    if found.next == "create":
        yield "  the next run makes another one where the source states it; the old one stays"
    elif found.next == "ask":
        yield "  the next plan asks whether it is that again, or another one is made"
    else:
        yield "  it was not adopted yet; the next plan looks for its object as for any new one"
