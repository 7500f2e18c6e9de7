"""Messages: what somebody is to be told, until it was sent.

Who sends one takes it for a while; where it is killed meanwhile, or the receiver does not answer,
it is sent again later. So a message may come twice, with the same id, and is not lost.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection

from sync.state.store import Store, messages

_TAKEN: Final = timedelta(minutes=1)
"""How long who took a message has it alone."""
_PAUSE: Final = timedelta(minutes=1)
_LONGEST: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=7)
"""A message that nobody took for so long is let go of."""
AT_ONCE: Final = 20
"""So many are taken for one receiver at a time."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message for one notifier; `tries` is how often it was sent in vain."""

    number: int
    notifier: str
    said: Mapping[str, Any]
    tries: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A notifier that does not take what it is sent: how many messages wait, since when, why."""

    notifier: str
    waiting: int
    since: datetime
    error: str


class Messages:
    """All messages of a state that are still to be sent."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, connection: Connection, said: Mapping[str, Mapping[str, Any]]) -> None:
        """Put down a message for each of these notifiers, within the caller's transaction; what
        waits there already is tried again along with it."""
        if not said:
            return
        now = self._store.now()
        behind = messages.c.notifier.in_(said) & (messages.c.again_at > now)
        failed = messages.c.error.is_not(None)
        connection.execute(update(messages).where(behind, failed).values(again_at=now))
        made = {"made_at": now, "again_at": now, "tries": 0}
        rows = [{"notifier": name, "said": dict(each), **made} for name, each in said.items()]
        connection.execute(insert(messages), rows)

    def take(self, notifiers: Collection[str]) -> list[Message]:
        """What is due for these notifiers, in order; for a minute nobody else is given it."""
        now = self._store.now()
        due = messages.c.notifier.in_(notifiers) & (messages.c.again_at <= now)
        query = select(messages).where(due).order_by(messages.c.number)
        with self._store.read() as connection:
            if not connection.execute(query.limit(1)).first():
                return []
        taken: list[Message] = []
        with self._store.write() as connection:
            connection.execute(delete(messages).where(messages.c.made_at < now - KEPT))
            for row in connection.execute(query.limit(AT_ONCE)).all():
                mine = (messages.c.number == row.number) & (messages.c.again_at == row.again_at)
                done = connection.execute(
                    update(messages).where(mine).values(again_at=now + _TAKEN)
                )
                if done.rowcount:
                    taken.append(Message(row.number, row.notifier, row.said, row.tries))
        return taken

    def sent(self, numbers: Sequence[int]) -> None:
        """These arrived."""
        if numbers:
            with self._store.write() as connection:
                connection.execute(delete(messages).where(messages.c.number.in_(numbers)))

    def failed(self, some: Sequence[Message], error: str) -> None:
        """These did not, so far as is known; they are sent again later, ever less often."""
        now = self._store.now()
        with self._store.write() as connection:
            for each in some:
                pause = min(_PAUSE * 2 ** min(each.tries, 10), _LONGEST)
                said = {"tries": each.tries + 1, "error": error, "again_at": now + pause}
                mine = messages.c.number == each.number
                connection.execute(update(messages).where(mine).values(**said))

    def troubles(self) -> list[Trouble]:
        """The notifiers that do not take what they are sent, by name."""
        failed = messages.c.error.is_not(None)
        query = (
            select(
                messages.c.notifier,
                func.count().label("waiting"),
                func.min(messages.c.made_at).label("since"),
                func.max(messages.c.error).label("error"),
            )
            .where(failed)
            .group_by(messages.c.notifier)
            .order_by(messages.c.notifier)
        )
        with self._store.read() as connection:
            return [Trouble(*row) for row in connection.execute(query)]
