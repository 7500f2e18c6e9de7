"""Schedules: when a sync runs by itself, and the loop that runs it.

A schedule is five fields as cron means them, or "every 15 minutes". APScheduler is the clock and
nothing more: it says when a slot comes. One thread per sync does the work, so a slow run delays the
next and never overlaps it; slots that pass meanwhile become one run.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any

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
_WRONG = 'is not a schedule such as "*/15 * * * *" or "every 15 minutes"'


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed schedule: `text` as written, and the triggers any of which starts a run.

    An interval counts from the start of the program, so its first run is `at_once`.
    """

    text: str
    triggers: tuple[Any, ...]
    at_once: bool = False

    def following(self, moment: datetime) -> datetime | None:
        """The next slot after `moment` (with a time zone)."""
        slots = [trigger.get_next_fire_time(moment, moment) for trigger in self.triggers]
        return min((slot for slot in slots if slot is not None), default=None)


def parse_schedule(text: str) -> Schedule:
    """The schedule that `text` describes; raises `ValueError` saying what would be right.

    Weekdays are cron's: 0 and 7 are Sunday. Where both day of month and day of week are given,
    either starts a run, as cron has it. Times are those of the machine's time zone.
    """
    from apscheduler.triggers.cron import CronTrigger  # only who has a schedule pays for it
    from apscheduler.triggers.interval import IntervalTrigger

    said = " ".join(text.lower().split())
    every = _EVERY.fullmatch(said)
    if every:
        length = {f"{every['unit']}s": int(every["count"] or 1)}
        return Schedule(text, (IntervalTrigger(**length),), at_once=True)
    fields = _MACROS.get(said, said).split()
    if len(fields) != 5:
        raise ValueError(f"{text!r} {_WRONG}")
    minute, hour, day, month, weekday = fields
    try:
        times = {"minute": minute, "hour": hour, "month": month}
        weekdays = _weekdays(weekday)
        triggers: tuple[Any, ...] = (CronTrigger(**times, day=day, day_of_week=weekdays),)
        if day != "*" and weekday != "*":
            triggers = (CronTrigger(**times, day=day), CronTrigger(**times, day_of_week=weekdays))
    except (ValueError, IndexError) as error:
        raise ValueError(f"{text!r} {_WRONG}: {error}") from None
    return Schedule(text, triggers)


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


class Scheduler:
    """Runs each sync on its schedule until `stop` is set; what is in hand is finished first."""

    def __init__(
        self,
        schedules: Mapping[str, Schedule],
        run: Callable[[str], None],
        stop: Event,
    ) -> None:
        from apscheduler.schedulers.background import BackgroundScheduler

        self._run, self._stop = run, stop
        self._due = {name: Event() for name in schedules}
        for name, schedule in schedules.items():
            if schedule.at_once:
                self._due[name].set()
        self._clock = BackgroundScheduler(timezone=UTC)
        for name, schedule in schedules.items():
            for trigger in schedule.triggers:
                # A slot only rings a bell; without grace a busy clock would drop it silently.
                self._clock.add_job(
                    self._due[name].set, trigger, misfire_grace_time=None, coalesce=True
                )

    def serve(self) -> None:
        """Block until stopped; then return once the runs in hand have ended."""
        workers = [
            Thread(target=self._work, args=(name, due), name=f"sync-{name}")
            for name, due in self._due.items()
        ]
        for worker in workers:
            worker.start()
        self._clock.start()
        self._stop.wait()
        self._clock.shutdown(wait=False)
        for due in self._due.values():
            due.set()
        for worker in workers:
            worker.join()

    def _work(self, name: str, due: Event) -> None:
        while not self._stop.is_set():
            due.wait()
            if self._stop.is_set():
                return
            due.clear()
            self._run(name)
