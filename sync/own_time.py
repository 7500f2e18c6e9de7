"""Shares: a time and amounts of their own, at a target where a share has its budget's time.

Where all amounts of a share are held at once, such a time is a phase. Where only the present ones
are, what lies outside of it is lost, and is told.
"""

from collections.abc import Iterator
from datetime import date

from msgspec.structs import replace

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.loss import Effect, Loss
from canonical.period import Period
from canonical.phase import Phase


def has_own_time(share: Allocation, budget: Budget | None) -> bool:
    """Whether `share`, filled from its `budget`, begins or ends otherwise."""
    return budget is not None and (share.start != budget.start or share.end != budget.end)


def alone(share: Allocation, in_phases: bool) -> Budget:
    """The share by itself: with phases where its amounts differ, and where `in_phases` says so for
    its time; else with none."""
    whole = Budget.of_share(share)
    if share.phases and whole.stretches():
        return whole
    if in_phases and share.start is not None and share.amount is not None:
        phase = Phase(Period(share.start, share.end), share.amount)
        return replace(whole, phases=(phase,))
    return replace(whole, phases=()) if share.phases else whole


def time_lost(share: Allocation, budget: Budget, day: date, vendor: str) -> Iterator[Loss]:
    """What becomes, from `day` on, of a share's own time where it has its budget's."""
    reason = f"{vendor} gives a share the time of its budget; this one"
    if share.start and share.start > max(day, budget.start or day):
        yield Loss("start", Effect.DROPPED, f"{reason} begins on {share.start}")
    if share.end and (budget.end is None or share.end < budget.end):
        yield Loss("end", Effect.DROPPED, f"{reason} ends on {share.end}")
