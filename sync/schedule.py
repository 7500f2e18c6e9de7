"""Schedules: when a sync runs by itself.

A schedule is five fields as cron means them, or "every 15 minutes". A slot of cron's is a local
time of the schedule's zone. Where the clocks change, a slot of a fixed hour comes once: at its
first time in autumn, and in spring, when its hour is left out, as soon as that is over. Slots of
every hour (`*` for the hour) come in each hour that passes, also in the one that comes twice.
APScheduler reads the fields and knows the calendar; the zone is ours.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import sha256
from typing import Any, Final

from sync.blackout import Window, free_from
from sync.localtime import LocalTime

_EVERY = re.compile(r"every (?P<count>[1-9]\d*)? ?(?P<unit>second|minute|hour|day)s?")
_CRON_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_LONGEST: Final = 366 * 86400
_IN_SIGHT: Final = timedelta(days=366 * 28)  # the calendar begins anew after 28 years
_LOOKED_AT: Final = 400
"""So many slots that a blackout keeps back, one after the other, are taken for all."""
_INSTANT: Final = timedelta(microseconds=1)
_WRONG = 'is not a schedule such as "*/15 * * * *" or "every 15 minutes"'


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot: its name, when it is, when it is run, and the window that kept it back, if any."""

    name: str
    at: datetime
    due: datetime
    kept: str | None = None

    @property
    def time(self) -> str:
        """Its local time, as people say it."""
        return self.name[11:16]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed schedule: `text` as written, and the triggers any of which starts a run.

    An interval has none: it is `every` so many seconds. `hourly` is whether its slots are of every
    hour. `jitter` is how many seconds at most a slot is run later, always the same ones for the
    same slot of `sync`.
    """

    text: str
    triggers: tuple[Any, ...] = ()
    every: int | None = None
    hourly: bool = False
    zone: tzinfo = field(default_factory=LocalTime)
    sync: str = ""
    jitter: int = 0
    blackout: tuple[Window, ...] = ()

    @property
    def at_once(self) -> bool:
        """Whether the first run waits for nothing."""
        return self.every is not None

    @property
    def key(self) -> str:
        """What tells it from others: slots of another one say nothing about it."""
        return " ".join((*self.text.lower().split(), getattr(self.zone, "key", "")))

    def following(self, moment: datetime) -> datetime | None:
        """The next slot after `moment` (with a time zone); None where none will ever come."""
        if self.every is not None:
            return moment + timedelta(seconds=self.every)
        found = self._next(moment.astimezone(UTC))
        return None if found is None else found[0]

    def slot(self, after: datetime) -> Slot | None:
        """The next slot of cron's after that moment, and when it is run."""
        found = self._next(after.astimezone(UTC))
        if found is None:
            return None
        at, wall = found
        again = " again" if self.hourly and at.astimezone(self.zone).fold else ""
        name = f"{wall:%Y-%m-%dT%H:%M}{again}"
        due, kept = self.free(at + self.delay(name))
        return None if due is None else Slot(name, at, due, kept)

    def due_after(self, at: datetime, name: str) -> datetime | None:
        """When an interval is over that counts from the slot of that time and name."""
        return self.free(at + timedelta(seconds=self.every or 0) + self.delay(name))[0]

    def twice_after(self, moment: datetime) -> datetime | None:
        """When two more slots should have been run; None where they never come."""
        if self.every is not None:
            return self.free(moment + timedelta(seconds=2 * self.every + self.jitter))[0]
        first = self.slot(moment)
        second = self.slot(first.at) if first else None
        return second.due if second else None

    def free(self, moment: datetime) -> tuple[datetime | None, str | None]:
        """`moment`, or the end of the blackout that it is in, and which that is; None for the
        time where it never ends."""
        if not self.blackout:
            return moment, None
        wall = _wall(moment, self.zone)
        end, kept = free_from(self.blackout, wall)
        if end is None or end == wall:
            return (None if end is None else moment), kept
        return max(moment, _moment(end, self.zone)), kept

    def delay(self, name: str) -> timedelta:
        """How much later than its time a slot is run."""
        if not self.jitter:
            return timedelta()
        said = int.from_bytes(sha256(f"{self.sync} {name}".encode()).digest()[:8])
        return timedelta(seconds=said % (self.jitter + 1))

    def _next(self, moment: datetime) -> tuple[datetime, datetime] | None:
        """The next slot after a moment in UTC, and its local time."""
        offset = _offset(moment, self.zone)
        wall = moment.replace(tzinfo=None) + offset
        while (slot := self._calendar(wall)) is not None:
            at = (slot - offset).replace(tzinfo=UTC)
            if _offset(at, self.zone) == offset:
                if self.hourly or not at.astimezone(self.zone).fold:
                    return at, slot
                wall = slot  # it came before, in the hour that comes twice
                continue
            change = _change(moment, at, self.zone)
            before, offset = offset, _offset(change, self.zone)
            left_out = change.replace(tzinfo=None) + offset
            if not self.hourly and slot < left_out:
                return change, slot
            moment = change
            wall = left_out - _INSTANT
            if offset > before and not self.hourly:
                wall = max(wall, slot - _INSTANT)
        return None

    def _calendar(self, wall: datetime) -> datetime | None:
        """The next local time after `wall` that the fields name."""
        moment = wall.replace(tzinfo=UTC) + _INSTANT
        slots = [trigger.get_next_fire_time(None, moment) for trigger in self.triggers]
        found = min((slot for slot in slots if slot is not None), default=None)
        return None if found is None else found.replace(tzinfo=None)


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _wall(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _moment(wall: datetime, zone: tzinfo) -> datetime:
    """The first moment of that local time; of one that is left out, the end of what is."""
    at = wall.replace(tzinfo=zone).astimezone(UTC)
    if _wall(at, zone) == wall:
        return at
    return _change(at - timedelta(days=1), at + timedelta(days=1), zone)


def _change(moment: datetime, later: datetime, zone: tzinfo) -> datetime:
    """The first second, up to `later`, in which the zone has another offset than at `moment`."""
    before, moment = _offset(moment, zone), moment.replace(microsecond=0)
    step = timedelta(days=7)  # two changes are further apart, but for those of a few years
    while moment + step < later and _offset(moment + step, zone) == before:
        moment += step
    later = min(later, moment + step)
    while later - moment > timedelta(seconds=1):
        middle = moment + timedelta(seconds=int((later - moment).total_seconds()) // 2)
        if _offset(middle, zone) == before:
            moment = middle
        else:
            later = middle
    return later


def parse_schedule(
    text: str,
    zone: tzinfo | None = None,
    *,
    sync: str = "",
    jitter: int = 0,
    blackout: Sequence[str] = (),
) -> Schedule:
    """The schedule that `text` describes; raises `ValueError` saying what would be right.

    Weekdays are cron's: 0 and 7 are Sunday. Where both day of month and day of week are given,
    either starts a run, as cron has it. Times are those of `zone`, the machine's where none is
    given, and so are the windows of `blackout`.
    """
    more: dict[str, Any] = {"sync": sync, "jitter": jitter}
    more |= {"zone": zone or LocalTime(), "blackout": tuple(map(Window.of, blackout))}
    said = " ".join(text.lower().split())
    if every := _EVERY.fullmatch(said):
        # as text first: a number of a thousand digits is no number of seconds
        count = every["count"] or "1"
        seconds = int(count) * _SECONDS[every["unit"]] if len(count) < 12 else _LONGEST + 1
        if seconds > _LONGEST:
            raise ValueError(f"{text!r:.80} is longer than a year")
        return _ensure_free(Schedule(text, every=seconds, **more))
    fields = _MACROS.get(said, said).split()
    if len(fields) != 5:
        raise ValueError(f"{text!r:.80} {_WRONG}")
    now = datetime.now(UTC)
    hourly = fields[1].startswith("*")
    try:
        schedule = Schedule(text, _triggers(*fields), hourly=hourly, **more)
        comes = Schedule(text, _triggers(*fields, end_date=now + _IN_SIGHT))
        never = comes._calendar(now.replace(tzinfo=None)) is None
    except (ValueError, IndexError, OverflowError) as error:
        raise ValueError(f"{text!r:.80} {_WRONG}: {error}") from None
    if never:
        raise ValueError(f"{text!r:.80} never comes: no month that it names has that day")
    return _ensure_free(schedule)


def _ensure_free(schedule: Schedule) -> Schedule:
    """The schedule, of which some slot comes outside of its blackouts."""
    if schedule.blackout and not any(_are_free(schedule)):
        windows = ", ".join(f'"{each.text}"' for each in schedule.blackout)
        raise ValueError(f"{schedule.text!r:.80} never comes outside of its blackout {windows}")
    return schedule


def _are_free(schedule: Schedule) -> Iterator[bool]:
    """Of one slot after the other, passing those of the same window, whether no window has it."""
    moment = datetime.now(UTC)
    for _ in range(_LOOKED_AT):
        at = moment if schedule.every is not None else schedule.following(moment)
        end, _kept = schedule.free(at) if at is not None else (None, None)
        if at is None or end is None:
            return
        yield end == at
        moment = end - _INSTANT if schedule.every is None else end


def _triggers(
    minute: str, hour: str, day: str, month: str, weekday: str, **bounds: datetime
) -> tuple[Any, ...]:
    from apscheduler.triggers.cron import CronTrigger  # only who has a schedule pays for it

    times: dict[str, Any] = {"minute": minute, "hour": hour, "month": month, **bounds}
    times["timezone"] = UTC  # a calendar of local times
    weekdays = _weekdays(weekday)
    if day != "*" and weekday != "*":
        return CronTrigger(**times, day=day), CronTrigger(**times, day_of_week=weekdays)
    return (CronTrigger(**times, day=day, day_of_week=weekdays),)


def _weekdays(field: str) -> str:
    """cron's weekdays by name: APScheduler counts from Monday, cron from Sunday.

    A range is written out day by day, so that 5-7 and 0-2 need no wrapping.
    """
    return field if field == "*" else ",".join(_day_list(part) for part in field.split(","))


def _day_list(part: str) -> str:
    span, _, step = part.partition("/")
    if span == "*":
        span = "0-6"
    first, ranged, last = span.partition("-")
    start, end = _day(first), _day(last if ranged else first)
    if end < start:
        end += 7
    days = range(start, end + 1, int(step or 1))
    return ",".join(dict.fromkeys(_CRON_DAYS[day % 7] for day in days))


def _day(word: str) -> int:
    if word[:3] in _CRON_DAYS:
        return _CRON_DAYS.index(word[:3])
    if word.isdigit() and int(word) <= 7:
        return int(word)
    raise ValueError(f"{word!r} is no weekday")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What tells the time of a service: a date, seconds that pass, and waiting for some of them."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    wait: Callable[[float], object]
