"""Where in its schedule a sync is: how long until a run is due, and taking what is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor
from typing import Final, Protocol

from sync.schedule import Clock, Schedule, Slot
from sync.state.slots import BEGUN, Taken

_IDLE: Final = 3600.0
"""Seconds to wait where no slot is in sight."""
_GRACE: Final = timedelta(seconds=60)
"""A slot that is run by so much later than it was due is late."""
_COUNTED: Final = 1000
_BACK: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=40))
"""How far it is looked back for the last of more slots than are counted."""


class Book(Protocol):
    """Where it is kept which slots were taken, as `sync.state.slots.Slots` does."""

    def last(self, sync: str) -> Taken | None:
        """The slot of the sync that was taken last."""

    def take(
        self,
        sync: str,
        schedule: str,
        slot: str,
        at: datetime,
        after: Taken | None,
        late: str | None = None,
    ) -> Taken | None:
        """Take a slot; None where it was taken, or another one was after `after`. `late` as of
        `Claimed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A slot that this service has taken and is to run now, once.

    `slot` is its local time; `late` says in words that it is run later than it should be, and what
    slots before it have become one run with it, None where it is in time and alone.
    """

    sync: str
    slot: str
    at: datetime
    schedule: Schedule | None
    late: str | None = None

    def following(self, now: datetime) -> datetime | None:
        """When the sync is run next, as far as the schedule goes; None where never."""
        if self.schedule is None:
            return None
        if self.schedule.every is not None:
            due = self.schedule.due_after(self.at, self.slot)
            return None if due is None else max(due, now)
        slot = self.schedule.slot(self.at)
        return None if slot is None else max(slot.due, now)


class Position:
    """One sync, its schedule, and up to where that is run. Raises `StoreError`."""

    def __init__(self, name: str, schedule: Schedule, book: Book, clock: Clock) -> None:
        self._name, self._schedule, self._book, self._clock = name, schedule, book, clock
        self._key = schedule.key
        self._last = book.last(name)
        self._due = clock.monotonic()  # of an interval
        self._seen = clock.now()  # of cron: slots up to here are taken
        self._kept: str | None = None
        self._learned = False
        self._ahead: tuple[datetime, Slot | None] | None = None  # after `_seen`
        if self._last is not None and self._last.schedule == self._key:
            self._learn(self._last)
        elif schedule.every is None:
            self._begin()

    def wait(self) -> float:
        """Seconds until a run is due; none or less where one is."""
        now = self._clock.now()
        if self._schedule.every is not None:
            return self._until_interval(now)
        self._seen = min(self._seen, now)  # a clock that was set back
        if self._ahead is None or self._ahead[0] != self._seen:
            self._ahead = self._seen, self._schedule.slot(self._seen)
        slot = self._ahead[1]
        return _IDLE if slot is None else (slot.due - now).total_seconds()

    def take(self) -> Claimed | None:
        """What is due, be it one slot or several that have passed; None where it was taken by
        another service, or before."""
        return self._take_slot() if self._schedule.every is None else self._take_interval()

    # -- cron --------------------------------------------------------------------------------

    def _begin(self) -> None:
        """From now on slots count, also those that pass while nothing serves."""
        name = f"{BEGUN}{self._seen.isoformat()}"
        taken = self._book.take(self._name, self._key, name, self._seen, self._last)
        self._last = taken or self._book.last(self._name)

    def _take_slot(self) -> Claimed | None:
        now = self._clock.now()
        first = self._schedule.slot(self._seen)
        if first is None or first.due > now:
            return None
        slot, count = self._passed(first, now)
        at = slot.at if count < _COUNTED else now
        late = _late(slot, count, now, first.kept)
        if not self._take(slot.name, at, late):
            if not self._learned:  # it was run before the clock was set back
                self._seen = max(self._seen, slot.at)
            return None
        self._seen = at
        return Claimed(sync=self._name, slot=slot.name, at=at, schedule=self._schedule, late=late)

    def _passed(self, slot: Slot, now: datetime) -> tuple[Slot, int]:
        """The last slot that is due, and how many there are from `slot` on, as far as counted."""
        slot, count = self._up_to(slot, now)
        if count < _COUNTED:
            return slot, count
        for back in _BACK:
            later = self._schedule.slot(now - back)
            if later is not None and slot.at < later.at and later.due <= now:
                return self._last_of(later, now), count
        return slot, count

    def _up_to(self, slot: Slot, now: datetime) -> tuple[Slot, int]:
        count = 1
        while count < _COUNTED:
            later = self._schedule.slot(slot.at)
            if later is None or later.due > now:
                break
            slot, count = later, count + 1
        return slot, count

    def _last_of(self, slot: Slot, now: datetime) -> Slot:
        counted = _COUNTED
        while counted == _COUNTED:
            slot, counted = self._up_to(slot, now)
        return slot

    # -- intervals ---------------------------------------------------------------------------

    def _until_interval(self, now: datetime) -> float:
        delay = self._schedule.delay(self._last.slot) if self._last else timedelta()
        wait = self._due + delay.total_seconds() - self._clock.monotonic()
        if wait > 0:
            return wait
        free, kept = self._schedule.free(now)
        self._kept = kept or self._kept
        return _IDLE if free is None else (free - now).total_seconds()

    def _take_interval(self) -> Claimed | None:
        every, now = self._schedule.every, self._clock.now()
        assert every is not None
        after = self._last.number if self._last else 0
        name = f"{now.astimezone(self._schedule.zone):%Y-%m-%dT%H:%M:%S} after {after}"
        late = f'after the blackout "{self._kept}"' if self._kept else None
        if not self._take(name, now, late):
            return None
        passed = floor((self._clock.monotonic() - self._due) / every)
        self._due += every * (max(passed, 0) + 1)
        self._kept = None
        return Claimed(sync=self._name, slot=name, at=now, schedule=self._schedule, late=late)

    # -- both --------------------------------------------------------------------------------

    def _take(self, slot: str, at: datetime, late: str | None) -> bool:
        """Whether the slot is ours now; if it is not, what others took is known afterwards."""
        taken = self._book.take(self._name, self._key, slot, at, self._last, late)
        if taken is not None:
            self._last = taken
            return True
        last = self._book.last(self._name)
        self._learned = last != self._last
        if last is not None and self._learned:
            self._last = last
            self._learn(last)
        return False

    def _learn(self, last: Taken) -> None:
        """Go on from a slot that was taken, by whomever."""
        now, every = self._clock.now(), self._schedule.every
        if last.schedule != self._key:
            return
        if every is None:
            self._seen = last.at if last.at <= now else self._seen
            return
        left = (last.at - now).total_seconds() + every
        self._due = self._clock.monotonic() + min(max(left, 0.0), every)


def _late(slot: Slot, count: int, now: datetime, kept: str | None) -> str | None:
    """In words that a slot is late, or that it or others were kept back; None where neither is."""
    if count == 1 and kept is None and now - slot.due < _GRACE:
        return None
    far = now - slot.at > timedelta(hours=20)
    said = f"the slot of {slot.name[:10]} {slot.time}" if far else f"the slot of {slot.time}"
    if count >= _COUNTED:
        said += f", and {_COUNTED - 1:,} or more before it"
    elif count > 1:
        said += f", and {count - 1:,} before it"
    return f'after the blackout "{kept}": {said}' if kept else f"late: {said}"
