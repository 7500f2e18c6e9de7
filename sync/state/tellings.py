"""Tellings: how each sync stood when it was last told, so that of many processes one tells.

What is to be told is put down as messages in the same transaction: a process that is killed before
it has sent them leaves them to the next one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from sync.news import Event, Standing, Told, news
from sync.state.messages import Messages
from sync.state.store import Store, tellings

Compose = Callable[[Event], Mapping[str, Mapping[str, Any]]]
"""The messages of an event, by who is to have them."""


class Tellings:
    """What was told of all syncs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._messages = Messages(store)

    def stands(self, sync: str, standing: Standing, compose: Compose) -> Event | None:
        """A run of the sync has ended so: what is told of it, which is told by nobody else."""
        return self._move(sync, lambda told: told.after(standing), compose)

    def overdue(self, sync: str, compose: Compose) -> Event | None:
        """The sync has had no good run for too long: as `stands`."""
        return self._move(sync, Told.late, compose)

    def _move(self, sync: str, step: Callable[[Told], Told], compose: Compose) -> Event | None:
        with self._store.read() as connection:  # seldom is anything new, and nobody waits for it
            before = _told(connection, sync)
        after = step(before)
        if after == before:
            return None
        event = news(before, after)
        said = compose(event) if event is not None else {}
        try:
            with self._store.write() as connection:
                if not _moved(connection, sync, before, after):
                    return None
                self._messages.add(connection, said)
        except IntegrityError:
            return None
        return event


def _told(connection: Connection, sync: str) -> Told:
    row = connection.execute(select(tellings).where(tellings.c.sync == sync)).first()
    if row is None:
        return Told()
    return Told(Standing(row.standing) if row.standing else None, bool(row.overdue))


def _moved(connection: Connection, sync: str, before: Told, after: Told) -> bool:
    """Whether the row went from `before` to `after` here; False when another was quicker."""
    said = {"standing": after.standing or "", "overdue": int(after.overdue)}
    if before == Told():
        connection.execute(insert(tellings).values(sync=sync, **said))
        return True
    mine = (
        (tellings.c.sync == sync)
        & (tellings.c.standing == (before.standing or ""))
        & (tellings.c.overdue == int(before.overdue))
    )
    return bool(connection.execute(update(tellings).where(mine).values(**said)).rowcount)
