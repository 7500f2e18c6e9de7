"""Slots: which ones of a sync's schedule were taken, whoever took them.

A slot is taken by one row, which names the row of its sync that it comes after. No two rows of a
sync have the same slot, nor the same one before them: of two servers that look at one moment, one
takes what is due, and the other one learns what was taken and looks again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from sync.state.store import Store, slots

KEPT: Final = timedelta(days=40)
"""How long a slot that was taken is remembered; the last of each sync is for ever."""
BEGUN: Final = "begun "
"""How the name of a row begins that is no slot: a schedule counts from it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A slot that was taken: its place among all, the schedule it is of, its name and its time."""

    number: int
    schedule: str
    slot: str
    at: datetime


Along = Callable[[Connection, str, str, datetime, str | None], None]
"""Is given the sync, the slot, its time, and in words that it is late."""


class Slots:
    """The slots that were taken of every sync of a state.

    `along` puts down, in the transaction that takes a slot, what is to be known with it.
    """

    def __init__(self, store: Store, along: Along | None = None) -> None:
        self._store, self._along = store, along

    def last(self, sync: str) -> Taken | None:
        """The slot of the sync that was taken last; None where none ever was."""
        query = select(slots).where(slots.c.sync == sync).order_by(slots.c.number.desc()).limit(1)
        with self._store.read() as connection:
            row = connection.execute(query).first()
        return Taken(row.number, row.schedule, row.slot, row.at) if row else None

    def take(
        self,
        sync: str,
        schedule: str,
        slot: str,
        at: datetime,
        after: Taken | None,
        late: str | None = None,
    ) -> Taken | None:
        """Take a slot, if `after` is still the last of its sync; None where another server was
        quicker, or the slot was taken before. Raises `StoreError`."""
        now = self._store.now()
        row = {"sync": sync, "schedule": schedule, "slot": slot, "at": at, "fired_at": now}
        row |= {"after": after.number if after else 0, "by": self._store.author.called}
        try:
            with self._store.write() as connection:
                made = insert(slots).values(row).returning(slots.c.number)
                number = connection.execute(made).scalar_one()
                mine = (slots.c.sync == sync) & (slots.c.number < number)
                connection.execute(delete(slots).where(mine, slots.c.fired_at < now - KEPT))
                if self._along is not None and not slot.startswith(BEGUN):
                    self._along(connection, sync, slot, at, late)
        except IntegrityError:
            return None
        return Taken(number, schedule, slot, at)
