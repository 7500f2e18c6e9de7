"""Doable: which ways out of a wait no system could go, so that nobody is offered them.

A decision that cannot be done would end every later run as `partial`, and never be over.
"""

from collections.abc import Collection
from dataclasses import replace

from canonical.compare import Cause, Difference
from canonical.facts import Facts
from canonical.kind import FIELDS, Op
from canonical.loss import Effect
from canonical.waiting import Waiting
from connectors.contract.capabilities import Capabilities
from sync.counterpart import Counterpart
from sync.decide import Wanted, alteration
from sync.decided import Take
from sync.merge import Merged
from sync.taking import Returning, TakeBack
from sync.unread import TOGETHER


class Doable:
    """Tries the ways out of what waits; plans nothing."""

    def __init__(self, able: Capabilities, returns: Returning) -> None:
        self._able, self._returns = able, returns

    def of(
        self, wanted: Wanted, there: Counterpart, merged: Merged, ours: Facts, anew: str
    ) -> list[Waiting]:
        """What waits of the pair, without the ways that cannot be gone; `ours` is what the target
        shows, by our refs, and `anew` the command that makes another one there."""
        waits = [each.field for each in merged.waits if each.field is not None]
        return [
            self._without(each, wanted, there, _fields(each, waits), ours, anew)
            for each in merged.waits
        ]

    def _without(
        self,
        waiting: Waiting,
        wanted: Wanted,
        there: Counterpart,
        fields: Collection[str],
        ours: Facts,
        anew: str,
    ) -> Waiting:
        shown = dict(zip(FIELDS[wanted.kind], ours, strict=True))
        back = TakeBack(wanted=wanted, there=there, fields={name: shown[name] for name in fields})
        refused = {
            Take.SOURCE: self._unwritable(wanted, there, fields, ours, anew),
            Take.TARGET: self._returns.refusal(back),
        }
        return barring(waiting, refused)

    def _unwritable(
        self,
        wanted: Wanted,
        there: Counterpart,
        fields: Collection[str],
        ours: Facts,
        anew: str,
    ) -> str | None:
        """Why the target could not be given the source's values of all these fields."""
        each = zip(FIELDS[wanted.kind], ours, wanted.facts, strict=True)
        found = [
            Difference(name, now, then, Cause.DRIFT)
            for name, now, then in each
            if name in fields and now != then
        ]
        change = alteration(wanted, there.target_id, ours, found, self._able, anew=anew)
        reasons = [
            loss.reason
            for loss in change.losses
            if loss.effect is Effect.BLOCKED and (loss.field in fields or change.op is Op.BLOCKED)
        ]
        return reasons[-1] if reasons else None


def barring(waiting: Waiting, refused: dict[Take, str | None]) -> Waiting:
    """The same, without the ways that have a reason against them, which its text then tells."""
    told = {take: reason for take, reason in refused.items() if reason is not None}
    said = "".join(f'; not "{take}": {reason}' for take, reason in told.items())
    return replace(waiting, reason=waiting.reason + said, barred=tuple(told))


def _fields(waiting: Waiting, waits: Collection[str]) -> Collection[str]:
    """What is decided with it: of how much counts when, all that waits of it."""
    if waiting.field is None:
        return ("status",)
    if waiting.field not in TOGETHER:
        return (waiting.field,)
    return [name for name in waits if name in TOGETHER]
