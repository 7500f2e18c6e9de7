"""Schedules: when a sync runs by itself, and the loop that runs it.

A schedule is five fields as cron means them, or "every 15 minutes". APScheduler says when a slot of
cron's comes, by the machine's clock; an interval counts seconds that pass, whatever the clock says.
One thread per sync does the work, so a slow run delays the next and never overlaps it; slots that
pass meanwhile become one run.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import floor
from threading import Event, Thread
from typing import Any, Final

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
_LOOK: Final = 30.0
"""Seconds after which the clock is looked at again: somebody may have set it."""
_WRONG = 'is not a schedule such as "*/15 * * * *" or "every 15 minutes"'


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed schedule: `text` as written, and the triggers any of which starts a run.

    An interval has none: it is `every` so many seconds, counted from the start of the program, so
    its first run is at once.
    """

    text: str
    triggers: tuple[Any, ...] = ()
    every: int | None = None

    @property
    def at_once(self) -> bool:
        """Whether the first run waits for nothing."""
        return self.every is not None

    def following(self, moment: datetime) -> datetime | None:
        """The next slot after `moment` (with a time zone); None where none will ever come."""
        if self.every is not None:
            return moment + timedelta(seconds=self.every)
        slots = [trigger.get_next_fire_time(moment, moment) for trigger in self.triggers]
        return min((slot for slot in slots if slot is not None), default=None)


def parse_schedule(text: str) -> Schedule:
    """The schedule that `text` describes; raises `ValueError` saying what would be right.

    Weekdays are cron's: 0 and 7 are Sunday. Where both day of month and day of week are given,
    either starts a run, as cron has it. Times are those of the machine's time zone.
    """
    said = " ".join(text.lower().split())
    if every := _EVERY.fullmatch(said):
        # as text first: a number of a thousand digits is no number of seconds
        count = every["count"] or "1"
        seconds = int(count) * _SECONDS[every["unit"]] if len(count) < 12 else _LONGEST + 1
        if seconds > _LONGEST:
            raise ValueError(f"{text!r:.80} is longer than a year")
        return Schedule(text, every=seconds)
    fields = _MACROS.get(said, said).split()
    if len(fields) != 5:
        raise ValueError(f"{text!r:.80} {_WRONG}")
    try:
        schedule = Schedule(text, _triggers(*fields))
        comes = Schedule(text, _triggers(*fields, end_date=datetime.now(UTC) + _IN_SIGHT))
        never = comes.following(datetime.now(UTC)) is None
    except (ValueError, IndexError, OverflowError) as error:
        raise ValueError(f"{text!r:.80} {_WRONG}: {error}") from None
    if never:
        raise ValueError(f"{text!r:.80} never comes: no month that it names has that day")
    return schedule


def _triggers(
    minute: str, hour: str, day: str, month: str, weekday: str, **bounds: datetime
) -> tuple[Any, ...]:
    from apscheduler.triggers.cron import CronTrigger  # only who has a schedule pays for it

    times: dict[str, Any] = {"minute": minute, "hour": hour, "month": month, **bounds}
    times["timezone"] = LocalTime()
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


class WorkerDied(Exception):
    """A thread that runs a sync has ended, so its slots would pass unseen."""


class Scheduler:
    """Runs each sync on its schedule until `stop` is set; what is in hand is finished first.

    `run` tells by itself what goes wrong in it and raises nothing; should it raise all the same,
    the service ends, rather than go on without that sync.
    """

    def __init__(
        self,
        schedules: Mapping[str, Schedule],
        run: Callable[[str], None],
        stop: Event,
        clock: Clock | None = None,
    ) -> None:
        self._schedules, self._run, self._stop = dict(schedules), run, stop
        self._clock = clock or Clock(wait=stop.wait)
        self._died: list[tuple[str, BaseException]] = []

    def serve(self) -> None:
        """Block until stopped; then return once the runs in hand have ended.

        Raises `WorkerDied`, with what it died of as its cause.
        """
        workers = [
            Thread(target=self._watched, args=(name, schedule), name=f"sync-{name}")
            for name, schedule in self._schedules.items()
        ]
        started = []
        try:
            for worker in workers:
                worker.start()
                started.append(worker)
            self._stop.wait()
        finally:
            self._stop.set()
            for worker in started:
                worker.join()
        for name, error in self._died:
            said = f"{type(error).__name__}: {error}"
            raise WorkerDied(
                f"nothing runs {name} any more, so the service ends: {said}"
            ) from error

    def _watched(self, name: str, schedule: Schedule) -> None:
        try:
            self._work(name, schedule)
        except BaseException as error:  # told by `serve`, in the main thread
            self._died.append((name, error))
            self._stop.set()

    def _work(self, name: str, schedule: Schedule) -> None:
        slots = _Slots(schedule, self._clock)
        while not self._stop.is_set():
            wait = slots.wait()
            if wait > 0:
                self._clock.wait(min(wait, _LOOK))
                continue
            slots.take()
            self._run(name)


class _Slots:
    """Where in its schedule a sync is."""

    def __init__(self, schedule: Schedule, clock: Clock) -> None:
        self._schedule, self._clock = schedule, clock
        self._due = clock.monotonic()  # of an interval
        self._seen = clock.now()  # of cron: slots up to here are taken

    def wait(self) -> float:
        """Seconds until a run is due; none or less where one is."""
        if self._schedule.every is not None:
            return self._due - self._clock.monotonic()
        now = self._clock.now()
        self._seen = min(self._seen, now)  # a clock that was set back says its slots again
        slot = self._schedule.following(self._seen)
        return _LOOK if slot is None else (slot - now).total_seconds()

    def take(self) -> None:
        """What is due is run now, be it one slot or several that have passed."""
        every = self._schedule.every
        if every is not None:
            passed = floor((self._clock.monotonic() - self._due) / every)
            self._due += every * (passed + 1)
        self._seen = self._clock.now()
