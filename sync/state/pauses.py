"""Pauses: a system that asked for a longer wait than a run has is left alone by the next one too.

A vendor limits an account, not a process: who comes back too early may be kept out for longer. A
pause is kept under the system's name in the settings file; nothing of its credential is.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select

from connectors.contract.errors import RateLimited
from connectors.contract.interface import Connector
from sync.state.store import Store, pauses

LONGEST: Final = timedelta(days=1)
"""A vendor that asks for more is asked again after this, as no rate is counted per week."""


class Pauses:
    """The pauses of all systems, by the clock that all users of the state share."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, system: str, error: RateLimited) -> None:
        """Let nobody call `system` for as long as `error` says; what was said last counts."""
        if error.after is None:
            return
        seconds = min(error.after, LONGEST.total_seconds())
        until = self._store.now() + timedelta(seconds=seconds)
        with self._store.write() as connection:
            connection.execute(delete(pauses).where(pauses.c.system == system))
            connection.execute(insert(pauses).values(system=system, until=until))

    def until(self, system: str) -> datetime | None:
        """When `system` may be called again; None where it may be now."""
        query = select(pauses.c.until).where(pauses.c.system == system)
        with self._store.read() as connection:
            found: datetime | None = connection.execute(query).scalar()
        return found if found and found > self._store.now() else None

    def wait(self, connector: Connector) -> None:
        """Wait until the system may be called; raises `RateLimited` beyond its patience."""
        until = self.until(connector.name)
        if until is None:
            return
        left = (until - self._store.now()).total_seconds()
        if left > connector.runtime.patience:
            raise RateLimited(
                f"{connector.name} asked for no call before {until:%Y-%m-%d %H:%M:%S} UTC",
                after=left,
            )
        connector.runtime.sleep(left)
