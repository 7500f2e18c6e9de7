"""Stops: a sync that a person paused runs no more until somebody lets it.

What goes on when it is paused ends as it would have. Planning and verifying write nothing, and go
on as ever.
"""

from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from sync.state.audit import Audit
from sync.state.audited import paused, resumed
from sync.state.store import Store, stops


class Paused(Exception):
    """A sync is not to run; the message says since when, by whom, and how it goes on."""


@dataclass(frozen=True, slots=True)
class Stop:
    """That a sync is paused: since when, by whom, and why, where that was said."""

    sync: str
    since: datetime
    by: str
    because: str | None = None

    def __str__(self) -> str:
        why = f": {self.because}" if self.because else ""
        return f"{self.sync} is paused since {self.since:%Y-%m-%d %H:%M} UTC by {self.by}{why}"


class Stops:
    """Which syncs are paused."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def pause(self, sync: str, because: str | None = None) -> Stop:
        """Let the sync run no more; one that is paused already stays so since then, and for its
        reason where no new one is given."""
        with self._store.write() as connection:
            return self.pause_within(connection, sync, because)

    def pause_within(self, connection: Connection, sync: str, because: str | None) -> Stop:
        """As `pause`, within the caller's transaction; to be called last in it."""
        said = None if because is None else self._store.mask(because)
        stop = Stop(sync, self._store.now(), self._store.author.called, said)
        row = connection.execute(select(stops).where(stops.c.sync == sync)).first()
        if row is not None and said is None:
            stop = Stop(sync, row.since, row.by, row.because)
        elif row is not None:
            stop = replace(stop, since=row.since)
        connection.execute(delete(stops).where(stops.c.sync == sync))
        connection.execute(insert(stops).values(**asdict(stop)))
        Audit(self._store).append(connection, paused(sync, said))
        return stop

    def resume(self, sync: str) -> Stop | None:
        """Let the sync run again; returns what held it, None where nothing did."""
        stop = self.of(sync)
        with self._store.write() as connection:
            gone = connection.execute(delete(stops).where(stops.c.sync == sync)).rowcount
            if gone:
                Audit(self._store).append(connection, resumed(sync))
        return stop if gone else None

    def of(self, sync: str) -> Stop | None:
        """What holds the sync; None where nothing does."""
        with self._store.read() as connection:
            row = connection.execute(select(stops).where(stops.c.sync == sync)).first()
        return Stop(row.sync, row.since, row.by, row.because) if row else None

    def ensure_running(self, sync: str) -> None:
        """Raise `Paused` where the sync is not to run."""
        if stop := self.of(sync):
            raise Paused(f"{stop}; `trueup resume {sync}` lets it run again")
