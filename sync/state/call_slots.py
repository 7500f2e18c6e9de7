"""Slots in the state: each credential's window is one row, changed in one short transaction.

The clock is the database's own where it has one, so the clocks of several machines need not agree.
A state that is away holds nobody back: each process goes by its own count until it is there again.
"""

import logging
import time
from collections.abc import Callable
from math import inf
from typing import Final

import msgspec
from sqlalchemy import select, text, update
from sqlalchemy.engine import Connection

from connectors.contract.slots import Grant, Visit
from sync.state.store import Store, StoreError, call_slots
from sync.state.window import Window

log = logging.getLogger("trueup.state")

_MAKE: Final = text(
    "INSERT INTO call_slots (credential, state) VALUES (:credential, '{}') "
    "ON CONFLICT (credential) DO NOTHING"
)
_AWAY: Final = 5.0
"""Seconds for which a state that did not answer is not asked again."""


class StoredSlots:
    """The slots of all credentials. `store` gives the state, None while there is none open."""

    def __init__(
        self, store: Callable[[], Store | None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._monotonic = monotonic
        self._away_until = -inf

    def visit(self, credential: str, visit: Visit) -> Grant | None:
        """Come by; None where no state is open, or it is away."""
        store = self._store()
        if store is None or self._monotonic() < self._away_until:
            return None
        try:
            with store.write() as connection:
                return _visit(store, connection, credential, visit)
        except StoreError as error:
            self._away_until = self._monotonic() + _AWAY
            log.warning("each run counts its calls by itself for now: %s", error)
            return None


def _visit(store: Store, connection: Connection, credential: str, visit: Visit) -> Grant:
    own = call_slots.c.credential == credential
    query = select(call_slots.c.state).where(own).with_for_update()
    found = connection.execute(query).scalar()
    if found is None:
        connection.execute(_MAKE, {"credential": credential})
        found = connection.execute(query).scalar_one()
    window = _window(found)
    grant = window.visit(visit, _now(store, connection))
    state = msgspec.json.encode(window).decode()
    connection.execute(update(call_slots).where(own).values(state=state))
    return grant


def _window(state: str) -> Window:
    try:
        return msgspec.json.decode(state, type=Window)
    except msgspec.MsgspecError:
        return Window()  # it lasts for a window or so: nobody is kept from calling for its sake


def _now(store: Store, connection: Connection) -> int:
    """Milliseconds, after the row is ours: who waited for it must not come with an old moment."""
    if store.is_sqlite:
        return int(store.now().timestamp() * 1000)
    said = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)")
    return int(connection.execute(said).scalar_one())
