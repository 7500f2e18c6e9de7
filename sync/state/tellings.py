"""Tellings: how each sync stood when it was last told, so that of many processes one tells."""

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from sync.news import Event, Standing, news
from sync.state.store import Store, tellings


class Tellings:
    """What was told of all syncs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim(self, sync: str, after: Standing) -> Event | None:
        """What the caller has to tell now that `sync` stands so; nobody else is given it.

        It counts as told from here on: a message that then fails is lost rather than told twice.
        """
        query = select(tellings.c.standing).where(tellings.c.sync == sync)
        with self._store.read() as connection:
            found = connection.execute(query).scalar()
        before = None if found is None else Standing(found)
        if before is after or not self._moved(sync, before, after):
            return None
        return news(before, after)

    def _moved(self, sync: str, before: Standing | None, after: Standing) -> bool:
        """Whether the row went from `before` to `after` here; False when another was quicker."""
        if before is None:
            try:
                with self._store.write() as connection:
                    connection.execute(insert(tellings).values(sync=sync, standing=after.value))
            except IntegrityError:
                return False
            return True
        mine = (tellings.c.sync == sync) & (tellings.c.standing == before.value)
        with self._store.write() as connection:
            done = connection.execute(update(tellings).where(mine).values(standing=after.value))
            return bool(done.rowcount)
