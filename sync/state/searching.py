"""Searching the audit: its rows newest first, some at a time, and those of one run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, func, select, type_coerce
from sqlalchemy.types import Text

from sync.state.audit import Event, Row
from sync.state.store import Store, audit

_ROWS: Final = select(
    *(type_coerce(each, Text).label(each.name) if each.name == "at" else each for each in audit.c)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows are looked for: of a sync, of a kind, of a ref (of a budget's its allocations'
    too), from a moment on, and with a text in them, in small or capital letters of the alphabet."""

    sync: str | None = None
    kind: str | None = None
    ref: str | None = None
    since: datetime | None = None
    text: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As the database is asked."""
        found: list[ColumnElement[bool]] = []
        if self.sync is not None:
            found.append(audit.c.sync == self.sync)
        if self.kind is not None:
            found.append(audit.c.kind == self.kind)
        if self.ref is not None:
            found.append((audit.c.ref == self.ref) | (audit.c.budget_ref == self.ref))
        if self.since is not None:
            found.append(audit.c.at >= self.since)
        if self.text is not None:
            found.append(audit.c.entry.icontains(self.text, autoescape=True))
        return found


class Searching:
    """The audit of one state, to be looked through."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self, wanted: Wanted, limit: int, before: int | None = None) -> Sequence[Row]:
        """The last rows that are wanted, newest first; of those before that number, where given."""
        query = _ROWS.where(*wanted.conditions()).order_by(audit.c.number.desc()).limit(limit)
        return self._read(query if before is None else query.where(audit.c.number < before))

    def oldest(self, wanted: Wanted, limit: int, after: int = 0) -> Sequence[Row]:
        """The first rows that are wanted, of those after that number, in their order."""
        query = _ROWS.where(*wanted.conditions(), audit.c.number > after)
        return self._read(query.order_by(audit.c.number).limit(limit))

    def of_run(self, run_id: str, began: datetime) -> Sequence[Row]:
        """The rows of operations of one run, which began then, in their order.

        Rows are in the order of time, so those before it are not read: no index is by runs.
        """
        first = self._first_since(began)
        these = (audit.c.number >= first) & (audit.c.run_id == run_id)
        query = _ROWS.where(these, audit.c.kind == Event.OPERATION)
        return self._read(query.order_by(audit.c.number))

    def _first_since(self, moment: datetime) -> int:
        """The number of the first row from that moment on, by halves."""
        with self._store.read() as connection:
            ends = select(func.min(audit.c.number), func.max(audit.c.number))
            low, high = connection.execute(ends).one()
            if low is None:
                return 0
            while low < high:
                middle = (low + high) // 2
                here = select(audit.c.at >= moment).where(audit.c.number >= middle)
                late = connection.execute(here.order_by(audit.c.number).limit(1)).scalar()
                low, high = (low, middle) if late else (middle + 1, high)
            return int(low)

    def _read(self, query: Select[tuple[object, ...]]) -> Sequence[Row]:
        with self._store.read() as connection:
            return [Row(**each) for each in connection.execute(query).mappings()]
