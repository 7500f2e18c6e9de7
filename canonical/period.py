"""Days, periods and cadences: when an amount counts.

A period's `end` is its last day, inclusive; None is an open end. What a budget, a phase or an
allocation says of an end from 2150 on is an open one: an ERP writes 9999-12-31 where it has none.
All dates are days without a time zone: a vendor that cuts its periods at an hour says so in its
own file.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from canonical.errors import CanonicalError
from canonical.records import as_dataclass


class Cadence(StrEnum):
    """How often an amount starts afresh; `once` counts a single time, from start to end."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


_MONTHS = {Cadence.MONTHLY: 1, Cadence.QUARTERLY: 3, Cadence.YEARLY: 12}
FAR: Final = date(2150, 1, 1)
"""The first day that no calendar of budgets reaches: an end from here on is none."""


@as_dataclass
class Period(Struct, frozen=True, order=True, gc=False):
    """From `start` to `end`, both days included; an `end` of None never comes."""

    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise CanonicalError(f"the period ends on {self.end}, before its start {self.start}")

    def __contains__(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day <= self.end)

    def __str__(self) -> str:
        return f"{self.start}..{self.end or ''}"

    def holds(self, other: "Period") -> bool:
        """Whether all days of the other are days of this one."""
        if self.end is None:
            return self.start <= other.start
        return self.start <= other.start and other.end is not None and other.end <= self.end

    def overlaps(self, other: "Period") -> bool:
        """Whether the two share a day."""
        return (self.end is None or other.start <= self.end) and (
            other.end is None or self.start <= other.end
        )


def moved(day: date, days: int) -> date:
    """`day` moved by so many days; raises `CanonicalError` beyond the years 1 to 9999."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise CanonicalError(f"the calendar has no day {days} days from {day}") from None


def add_months(first: date, months: int) -> date:
    """`first`, a first of a month, moved by whole months; raises as `moved` does."""
    index = first.year * 12 + first.month - 1 + months
    try:
        return date(index // 12, index % 12 + 1, 1)
    except ValueError:
        raise CanonicalError(f"the calendar has no day {months} months from {first}") from None


def period_of(cadence: Cadence, day: date, year_starts: int = 1) -> Period:
    """The calendar period of `cadence` that holds `day`.

    Weeks start on Monday (ISO 8601). Quarters and years start in month `year_starts`, so that a
    fiscal year from April has its quarters in April, July, October and January.
    Raises `CanonicalError` for `once`, which no calendar cuts.
    """
    if cadence is Cadence.DAILY:
        return Period(day, day)
    if cadence is Cadence.WEEKLY:
        monday = moved(day, -day.weekday())
        return Period(monday, moved(monday, 6))
    if cadence is Cadence.ONCE:
        raise CanonicalError("a budget that counts once has no calendar period, only its own")
    length = _MONTHS[cadence]
    start = add_months(day.replace(day=1), -((day.month - year_starts) % length))
    return Period(start, moved(add_months(start, length), -1))


def periods(cadence: Cadence, first: date, last: date, year_starts: int = 1) -> Iterator[Period]:
    """The periods of `cadence` from `first` to `last`, in order; the outer ones are cut to fit."""
    if cadence is Cadence.ONCE:
        if first <= last:
            yield Period(first, last)
        return
    day = first
    while day <= last:
        whole = period_of(cadence, day, year_starts)
        assert whole.end is not None
        yield Period(day, min(whole.end, last))
        if whole.end >= last:
            return
        day = moved(whole.end, 1)
