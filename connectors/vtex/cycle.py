"""Cycles: a budget's cadence, start and end as the one stretch of time that VTEX holds.

A budget that counts once is a cycle that does not renew. Of any other, VTEX gets the calendar
period that we are in and renews it; start and end stand as a note behind the description, which
counts for as long as the cycle is one that the note would make. Pure: no clock is read here.
"""

import re
from dataclasses import dataclass, replace
from datetime import date, time

from canonical.period import Cadence, moved, period_of
from connectors.vtex.wire import VtexCycle, moment

_NOTE = re.compile(
    r"\s*\[(?P<cadence>daily|weekly|monthly|quarterly|yearly) from (?P<start>\d{4}-\d\d-\d\d)"
    r"(?: until (?P<end>\d{4}-\d\d-\d\d))?\]\s*$"
)
_BY_DAYS = {1: Cadence.DAILY, 7: Cadence.WEEKLY}
_BY_MONTHS = {1: Cadence.MONTHLY, 3: Cadence.QUARTERLY, 12: Cadence.YEARLY}


@dataclass(frozen=True, slots=True)
class Recurrence:
    """When a budget counts, in our words; the days are inclusive."""

    cadence: Cadence
    start: date | None = None
    end: date | None = None

    def note(self) -> str | None:
        """What the cycle cannot say, None where it says it all."""
        if self.cadence is Cadence.ONCE:
            return None
        until = f" until {self.end}" if self.end else ""
        return f"[{self.cadence} from {self.start}{until}]"


@dataclass(frozen=True, slots=True)
class Cycle:
    """What VTEX holds: first and last day, and whether another follows."""

    first: date
    last: date | None
    renews: bool


def noted(text: str | None) -> tuple[str | None, Recurrence | None]:
    """The text without its note, and what the note says (None: it had none)."""
    found = _NOTE.search(text or "")
    if not text or not found:
        return text, None
    try:
        start = date.fromisoformat(found["start"])
        end = date.fromisoformat(found["end"]) if found["end"] else None
    except ValueError:
        return text, None
    return text[: found.start()] or None, Recurrence(Cadence(found["cadence"]), start, end)


def cycle_on(recurrence: Recurrence, day: date) -> Cycle:
    """The cycle that VTEX is to have on `day`: the period of that day, the last one not renewing.

    Before its start a budget has its first period, after its end the last one.
    """
    start, end = recurrence.start or day, recurrence.end
    if recurrence.cadence is Cadence.ONCE:
        return Cycle(start, end, renews=False)
    day = max(day, start) if end is None else min(max(day, start), max(start, end))
    whole = period_of(recurrence.cadence, day, start.month)
    if end is not None and whole.end is not None and end <= whole.end:
        return Cycle(max(whole.start, start), end, renews=False)
    return Cycle(whole.start, whole.end, renews=True)


def recurrence_of(cycle: Cycle | None, note: Recurrence | None, today: date) -> Recurrence:
    """When a budget with that `cycle` counts; a `note` that the cycle does not fit is ignored.

    One that renews where the note has it end is seen without an end, so that a run stops it.
    """
    if cycle is None:
        return Recurrence(Cadence.ONCE)
    if note is not None and cycle.renews:
        endless = replace(note, end=None)
        if cycle == cycle_on(endless, cycle.first):
            renews = cycle_on(note, max(today, cycle.first)).renews
            return note if renews else endless
    elif note is not None and cycle == cycle_on(note, cycle.first):
        return note
    if not cycle.renews or cycle.last is None:
        return Recurrence(Cadence.ONCE, cycle.first, cycle.last)
    cadence = _cadence(cycle.first, moved(cycle.last, 1))
    return Recurrence(cadence or Cadence.ONCE, cycle.first)


def _cadence(first: date, following: date) -> Cadence | None:
    """The cadence whose periods last from one day to another, if there is one."""
    if first.day == following.day:
        months = (following.year - first.year) * 12 + following.month - first.month
        return _BY_MONTHS.get(months)
    return _BY_DAYS.get((following - first).days)


def cycle_of(wire: VtexCycle, *, inclusive: bool) -> Cycle:
    """Their cycle in days. The day of an `inclusive` end is the last one, else the one before.

    Raises `CanonicalError` where no day is before.
    """
    last = None
    if wire.end_date is not None:
        end = moment(wire.end_date)
        before = not inclusive and end.time() == time.min
        last = moved(end.date(), -1) if before else end.date()
    return Cycle(moment(wire.start_date).date(), last, wire.auto_reset_on_period_end)


def cycle_said(cycle: Cycle, *, carry_over: bool, inclusive: bool) -> VtexCycle:
    """A cycle in their words, with the midnights that it runs between."""
    after = 0 if inclusive else 1
    return VtexCycle(
        start_date=_midnight(cycle.first),
        end_date=_midnight(moved(cycle.last, after)) if cycle.last else None,
        auto_reset_on_period_end=cycle.renews,
        carry_over_balance=carry_over,
    )


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00.0000000Z"
