"""Untaken: what of the target's values the source cannot be told, and why, part by part.

A part is one field, or all of those that say how much counts when: these come from one side.
"""

from collections.abc import Container, Iterator
from dataclasses import replace
from datetime import date
from typing import Final

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.kind import FIELDS
from canonical.loss import Effect, Loss
from sync.overlay import covering
from sync.taking import TakeBack
from sync.unread import TOGETHER

UNSHOWN: Final = "the source does not show it any more as it stated it"
ELSEWHERE: Final = "it hangs below another budget there, and is named by its own in the source"


def parts(back: TakeBack) -> Iterator[TakeBack]:
    """What may be taken back without the rest, in the order of the fields."""
    counted = {name: value for name, value in back.fields.items() if name in TOGETHER}
    for name in FIELDS[back.wanted.kind]:
        if name not in back.fields:
            continue
        if name not in counted:
            yield replace(back, fields={name: back.fields[name]})
        elif name == first(back, counted):
            yield replace(back, fields=counted)


def first(back: TakeBack, among: Container[str]) -> str:
    """The field that stands for several."""
    return next(name for name in FIELDS[back.wanted.kind] if name in among)


def blocked(back: TakeBack, reason: str) -> Loss:
    """The loss that says so."""
    return Loss(first(back, back.fields), Effect.BLOCKED, reason)


def rated(part: TakeBack) -> str | None:
    """Why its conversion stands against a part, whatever the source is told."""
    if part.wanted.converted is None:
        return None
    counted = sorted({"limits", "currency", "alerts"} & part.fields.keys())
    if counted:
        return f"its {counted[0]} is converted at a rate, and is not converted back"
    if isinstance(part.wanted.model, Allocation) and {"amount", "phases"} & part.fields.keys():
        return "it is converted together with the other shares of its budget"
    return None


def unsaid(part: TakeBack, day: date) -> str:
    """Why no statement of the source makes the target's values, on that day."""
    if part.wanted.converted is not None:
        return "it is converted at a rate, and no amount of the source comes to just that"
    whole = part.wanted.stated
    if "amount" in part.fields and whole.phases:
        budget = whole if isinstance(whole, Budget) else Budget.of_share(whole)
        if covering(budget, day) is None:
            return f"the source states no amount for {day}"
    if whole.cadence != part.wanted.model.cadence:
        return "its amounts are split over other periods there"
    return "no statement of the source comes to just what the target shows"
