"""Link and unlink: which object of the target is meant by a ref, and which is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from trueup.commands.saying import say

if TYPE_CHECKING:
    from sync.link import Linking
    from sync.unlink import Unlinking
    from trueup.session import Session


def link(
    session: Session, sync: str, ref: str, id: str, budget: str | None = None, yes: bool = False
) -> int:
    """`trueup link`."""
    session.must_ask("link", yes)

    def act(approve: Callable[[Linking], bool]) -> Linking:
        with session.workspace() as workspace:
            return workspace.link(sync, ref, id, budget=budget, approve=approve)

    return say(
        session,
        act,
        _link_lines,
        lambda found: f"Is {found.target_id} {found.key[1]}?",
        yes=yes,
        past="linked",
        then=f"the next run of {sync} adopts it: trueup plan {sync}",
    )


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

    def act(approve: Callable[[Unlinking], bool]) -> Unlinking:
        with session.workspace() as workspace:
            return workspace.unlink(sync, ref, budget=budget, anew=anew, approve=approve)

    return say(
        session,
        act,
        _unlink_lines,
        lambda found: "Forget it?",
        yes=yes,
        past="unlinked",
        then=f"nothing was written into the target of {sync}",
    )


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
