"""Count: how many periods a stretch of time holds, which is how often its amount counts.

A stretch that neither begins nor ends with a period of the calendar may hold one more of these than
of those that run from its own first day: a year of quarters from the 15th touches five quarters of
the calendar. Nobody can tell which was meant, so a target that cuts by the calendar may not guess.
"""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Final

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.period import Cadence, Period, period_of

_MONTHS: Final = {Cadence.MONTHLY: 1, Cadence.QUARTERLY: 3, Cadence.YEARLY: 12}


def stretches_of(model: Budget | Allocation) -> Sequence[Period]:
    """The stretches of time in which one amount of `model` counts; none without a start."""
    if model.phases:
        whole = model if isinstance(model, Budget) else Budget.of_share(model)
        return [phase.period for phase in whole.all_phases()]
    if model.start is None or (model.end is not None and model.end < model.start):
        return ()
    return (Period(model.start, model.end),)


def uncountable(model: Budget | Allocation, calendar: bool = False) -> str | None:
    """Why the amount of `model` counts another number of times by the calendar than by its own
    days; None where both are one. Where `calendar` is set, quarters and years begin in January."""
    cadence = model.cadence
    if cadence in (None, Cadence.ONCE, Cadence.DAILY):
        return None
    assert cadence is not None
    starts = year_starts(model, calendar)
    for span in stretches_of(model):
        own, touched = _both(cadence, span, starts)
        if own != touched:
            return f"{span} holds {own} {cadence} periods of its own and touches {touched}"
    return None


@lru_cache(maxsize=4096)
def _both(cadence: Cadence, span: Period, year_starts: int) -> tuple[int, int]:
    """The periods of its own that a stretch holds, and those of the calendar; none of either where
    its end is open. Asked for each budget and share of a plan, which mostly have one time."""
    if span.end is None:
        return 0, 0
    own = own_periods(cadence, span.start, span.end)
    return own, calendar_periods(cadence, span.start, span.end, year_starts)


def year_starts(model: Budget | Allocation, calendar: bool = False) -> int:
    """The month in which the quarters and years of `model` begin."""
    return 1 if calendar or model.start is None else model.start.month


def calendar_periods(cadence: Cadence, first: date, last: date, year_starts: int = 1) -> int:
    """How many periods of the calendar hold a day from `first` to `last`."""
    begins = period_of(cadence, first, year_starts).start
    if cadence not in _MONTHS:
        return (last - begins).days // _days(cadence) + 1
    return _months_between(begins, last) // _MONTHS[cadence] + 1


def own_periods(cadence: Cadence, first: date, last: date) -> int:
    """How many periods that begin on the weekday, or the day of the month, of `first` begin up to
    `last`; what has no 31st has its last day instead."""
    if cadence not in _MONTHS:
        return (last - first).days // _days(cadence) + 1
    months = _months_between(first, last)
    length = _MONTHS[cadence]
    comes = last.day >= min(first.day, monthrange(last.year, last.month)[1])
    return (months if comes else months - 1) // length + 1


def _days(cadence: Cadence) -> int:
    return 7 if cadence is Cadence.WEEKLY else 1


def _months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month
