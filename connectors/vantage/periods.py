"""Vantage's periods as phases, and phases as periods. Pure: no call is made.

An amount counts per month, however long its period: periods of one amount that follow each other
are one stretch, and a period of nothing is no period, unless there is no other.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeAlias

from canonical.allocation import Allocation
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.errors import CanonicalError
from canonical.period import Period, moved
from connectors.contract.errors import Rejected
from connectors.vantage.wire import VantageBudget, VantagePeriod, VantagePeriodWrite

Phases: TypeAlias = tuple[Phase, ...]
Spans: TypeAlias = tuple[Period, ...]
"""Stretches of time with gaps between them."""

PERIOD_FIELDS = frozenset({"amount", "currency", "start", "end", "phases"})
"""Fields that are said by a budget's periods, and by nothing else."""

_DAY = timedelta(days=1)


def phases_of(wire: VantageBudget, currency: str) -> Phases:
    """What counts in each month, in time order."""
    found = [
        Phase(Period(each.start_at, each.end_at), Amount.of(each.amount, currency))
        for each in wire.periods
    ]
    return joined(sorted(found, key=lambda phase: phase.period.start))


def joined(phases: Iterable[Phase]) -> Phases:
    """Phases in time order without those of nothing, each as long as its amount lasts."""
    phases = tuple(phases)
    found: list[Phase] = []
    for phase in [each for each in phases if each.amount.value] or phases:
        last = found[-1] if found else None
        if last and last.amount == phase.amount and _meet(last.period, phase.period):
            found[-1] = Phase(Period(last.period.start, phase.period.end), phase.amount)
        else:
            found.append(phase)
    return tuple(found)


def _meet(before: Period, after: Period) -> bool:
    return before.end is not None and moved(before.end, 1) == after.start


def settled(phases: Phases) -> dict[str, Any]:
    """Amount, start, end and phases as a source states them: what is the same throughout is flat.

    The amount of a phased budget is that of its first phase.
    """
    if not phases:
        return {"amount": None}
    first, *_, last = phases[0], *phases
    return {
        "amount": first.amount,
        "start": first.period.start,
        "end": last.period.end,
        "phases": phases if len(phases) > 1 else (),
    }


def stated_phases(budget: Budget, first: date) -> Phases:
    """What `budget` states, one period per phase; without a start of its own from `first` on.

    Raises `Rejected` for a time that ends before it begins.
    """
    if budget.phases or budget.amount is None:
        return joined(budget.phases)
    try:
        return (Phase(Period(budget.start or first, budget.end), budget.amount),)
    except CanonicalError as error:
        raise Rejected(str(error)) from None


def share_phases(allocation: Allocation, budget: Phases) -> Phases:
    """What `allocation` holds: its phases, else its amount for as long as its `budget` lasts.

    Raises `Rejected` for no time.
    """
    if allocation.phases:
        return joined(allocation.phases)
    if not budget or allocation.amount is None:
        raise Rejected("its budget has no periods that it could have a share of")
    return throughout(allocation.amount, budget)


def spans_of(budget: Budget) -> Spans:
    """When a fitted `budget` has an amount; none where it states no start."""
    phases = budget.phases
    if not phases and budget.start is not None and budget.amount is not None:
        phases = (Phase(Period(budget.start, budget.end), budget.amount),)
    held = joined(phases)
    return tuple(each.period for each in throughout(held[0].amount, held)) if held else ()


def follows(share: Phases, budget: Phases) -> bool:
    """Whether a share has one amount for as long as its `budget` lasts, if that is known."""
    if not budget:
        return len({phase.amount for phase in share}) == 1
    return bool(share) and share == throughout(share[0].amount, budget)


def throughout(amount: Amount, phases: Phases) -> Phases:
    """The same `amount` for as long as `phases` last, gaps left out."""
    return joined(Phase(phase.period, amount) for phase in phases)


def summed(phases: Iterable[Phase], unit: str) -> Phases:
    """What all `phases` make together, cut on each day on which one of them begins or ends."""
    steps: dict[date, tuple[Amount, int]] = {}

    def step(day: date, amount: Amount, count: int) -> None:
        before, many = steps.get(day, (Amount.from_minor(0, unit), 0))
        steps[day] = before + amount, many + count

    for phase in phases:
        step(phase.period.start, phase.amount, 1)
        if phase.period.end is not None:
            step(moved(phase.period.end, 1), -phase.amount, -1)
    found, running, open_now = [], Amount.from_minor(0, unit), 0
    for day, following in pairwise([*sorted(steps), None]):
        assert day is not None
        running, open_now = running + steps[day][0], open_now + steps[day][1]
        if open_now:
            found.append(Phase(Period(day, following - _DAY if following else None), running))
    return joined(found)


def remainder(total: Phases, shares: Iterable[Phase], unit: str) -> Phases:
    """What `shares` leave of `total`; raises `Rejected` where they need more than there is."""
    used = [Phase(share.period, -share.amount) for share in shares]
    left = summed([*total, *used], unit)
    short = next((phase for phase in left if phase.amount.value < 0), None)
    if short is not None:
        raise Rejected(
            f"the budget would hold {-short.amount} a month less than its parts from "
            f"{short.period.start} on",
            hint="In Vantage a budget with parts is their sum: lower a part or raise the budget",
        )
    return left


def period_write(phases: Phases, stored: Sequence[VantagePeriod] = ()) -> list[VantagePeriodWrite]:
    """The whole list to send, cut where a stored period begins.

    A PUT may keep periods that it does not name: so none is left over within these.
    """
    said = []
    for phase in phases:
        period = phase.period
        starts = {each.start_at for each in stored}
        days = sorted(day for day in starts if day != period.start and day in period)
        ends = [*(day - _DAY for day in days), period.end]
        for start, end in zip([period.start, *days], ends, strict=True):
            said.append(VantagePeriodWrite(start_at=start, end_at=end, amount=phase.amount.value))
    return said


def emptied(phases: Phases, stored: Sequence[VantagePeriod]) -> list[VantagePeriodWrite]:
    """What is stored outside of `phases`, with nothing in it: no call removes a period."""
    said = []
    starts = sorted({phase.period.start for phase in phases} | {each.start_at for each in stored})
    for each in stored:
        period = Period(each.start_at, each.end_at)
        if any(each.start_at in phase.period for phase in phases):
            continue  # named, and so replaced
        if each.amount or any(period.overlaps(phase.period) for phase in phases):
            following = next((day - _DAY for day in starts if day > each.start_at), None)
            end = min(filter(None, (each.end_at, following)), default=None)
            said.append(VantagePeriodWrite(start_at=each.start_at, end_at=end, amount=Decimal(0)))
    return said
