"""Blackouts: windows of local time in which no scheduled run begins.

A window is hours of each day ("22:00-06:00"), days of the week ("sat,sun", "fri-mon"), or dates,
the last one included ("2026-12-24..2026-12-31", "2026-12-24").
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, Self

_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(([01]\d|2[0-3]):([0-5]\d)|24:00)")
_DATES: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:\.\.(\d{4}-\d\d-\d\d))?")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY: Final = timedelta(days=1)
_LONGEST: Final = timedelta(days=366 * 2)


@dataclass(frozen=True, slots=True)
class Window:
    """One window, as written; of hours, days or dates, one is given."""

    text: str
    hours: tuple[time, time] | None = None
    days: frozenset[int] = field(default_factory=frozenset)
    dates: tuple[date, date] | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """The window that `text` describes; raises `ValueError` saying what would be right."""
        said = "".join(text.lower().split())
        if found := _HOURS.fullmatch(said):
            begin = time(int(found[1]), int(found[2]))
            end = time() if found[3] == "24:00" else time.fromisoformat(found[3])
            if begin != end:
                return cls(text, hours=(begin, end))
        if found := _DATES.fullmatch(said):
            first, last = _date(found[1]), _date(found[2] or found[1])
            if first <= last:
                return cls(text, dates=(first, last))
            raise ValueError(f'"{text:.40}" ends before it begins')
        if days := _weekdays(said):
            return cls(text, days=days)
        raise ValueError(
            f'"{text:.40}" is no window such as "22:00-06:00", "sat,sun" or '
            '"2026-12-24..2026-12-31"'
        )

    def end(self, wall: datetime) -> datetime | None:
        """When the window ends that `wall`, a local time, is in; None where it is in none."""
        midnight = datetime.combine(wall.date(), time())
        if self.dates is not None:
            first, last = self.dates
            inside = first <= wall.date() <= last
            return datetime.combine(last, time()) + _DAY if inside else None
        if self.hours is None:
            return midnight + _DAY if wall.weekday() in self.days else None
        begin, end = self.hours
        today = datetime.combine(wall.date(), end)
        if begin < end:
            return today if begin <= wall.time() < end else None
        if wall.time() >= begin:
            return today + _DAY
        return today if wall.time() < end else None


def free_from(windows: Sequence[Window], wall: datetime) -> tuple[datetime | None, str | None]:
    """The first local time from `wall` on that is in no window, and the first window that kept it
    back; None for the time where none ever comes."""
    begun, kept = wall, None
    while True:
        ends = [(end, each.text) for each in windows if (end := each.end(wall)) is not None]
        if not ends:
            return wall, kept
        kept = kept or ends[0][1]
        wall = max(end for end, _ in ends)
        if wall - begun > _LONGEST:
            return None, kept


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is no date: no such day is in the calendar") from None


def _weekdays(said: str) -> frozenset[int]:
    found: set[int] = set()
    for part in said.split(","):
        first, ranged, last = (each[:3] for each in part.partition("-"))
        if first not in _DAYS or (ranged and last not in _DAYS):
            return frozenset()
        start, end = _DAYS.index(first), _DAYS.index(last if ranged else first)
        found.update(day % 7 for day in range(start, end + 1 + (7 if end < start else 0)))
    return frozenset(found)
