"""The audit: what was done, by whom, in rows of which each holds the digest of the one before.

Rows are appended and never changed, in the transaction of what they tell of: a kill loses both or
neither. There is one chain per state, and whoever appends has it alone until the transaction ends;
so append last of all. Only `sync.state.retention` removes rows, the oldest ones, and says so in a
row of its own.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select, text, type_coerce
from sqlalchemy.engine import Connection
from sqlalchemy.types import Text

from sync.state.author import Author
from sync.state.chain import NOTHING, canonical, digest_of
from sync.state.store import Store, audit, moment_text

_BATCH: Final = 1000
_CHAIN: Final = 0x61756469740001  # "audit": the name of the lock that appending takes at PostgreSQL
_ALONE: Final = text("SELECT pg_advisory_xact_lock(:chain)").bindparams(chain=_CHAIN)
_HEAD: Final = text("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1")
_APPEND: Final = text(
    "INSERT INTO audit (number, at, kind, sync, run_id, budget_ref, ref, entry, previous, digest)"
    " VALUES (:number, :at, :kind, :sync, :run_id, :budget_ref, :ref, :entry, :previous, :digest)"
)


# the moment as text: whatever somebody made of it, it can be read
_ROWS: Final = select(
    *(type_coerce(each, Text).label(each.name) if each.name == "at" else each for each in audit.c)
).order_by(audit.c.number)


class Event(StrEnum):
    """What a row tells of; docs/audit.md says what each of them says."""

    GENESIS = "genesis"
    RUN = "run"
    PLAN = "plan"
    OPERATION = "operation"
    ABANDON = "abandon"
    OVERRIDE = "override"
    DECISION = "decision"
    APPROVAL = "approval"
    PAUSE = "pause"
    RESUME = "resume"
    UNDO = "undo"
    HANDOVER = "handover"
    REPOINT = "repoint"
    RENAME = "rename"
    LINK = "link"
    UNLINK = "unlink"
    FORGET = "forget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is to be appended; `said` is JSON-ready data, without a float.

    `run_id`, `budget_ref` and `ref` are "" where it is about none. `by` is who did it, the store's
    author where that is not said.
    """

    kind: Event
    sync: str = ""
    run_id: str = ""
    budget_ref: str = ""
    ref: str = ""
    said: Mapping[str, Any] = field(default_factory=dict)
    by: Author | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as it is stored; what it says is in `entry`, and the columns before it repeat that."""

    number: int
    at: str
    kind: str
    sync: str
    run_id: str
    budget_ref: str
    ref: str
    entry: str
    previous: str
    digest: str

    @property
    def data(self) -> dict[str, Any]:
        """The entry as data; raises `ValueError` where somebody made it unreadable."""
        found = json.loads(self.entry)
        if not isinstance(found, dict):
            raise ValueError("an entry is a JSON object")
        return found


class Audit:
    """The audit of one state."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def append(self, connection: Connection, *entries: Entry) -> str:
        """Put them at the end, within the caller's transaction; returns the head's digest.

        To be called last in it: others wait from here to its end. No secret reaches a row.
        """
        self.have_alone(connection)
        last = connection.execute(_HEAD).first()
        number, previous = (last.number, last.digest) if last else (0, NOTHING)
        at, rows = moment_text(self._store.now()), []
        for number, entry in enumerate(entries, number + 1):  # noqa: B020  # goes on from the head
            row = self._row(number, at, entry)
            row |= {"previous": previous, "digest": digest_of(previous, row["entry"])}
            previous = row["digest"]
            rows.append(row)
        if rows:
            connection.execute(_APPEND, rows)
        return previous

    def have_alone(self, connection: Connection) -> None:
        """Let nobody else append until the caller's transaction ends."""
        if not self._store.is_sqlite:  # there whoever writes has all of it alone
            connection.execute(_ALONE)

    def head(self) -> tuple[int, str]:
        """The number and the digest of the last row."""
        with self._store.read() as connection:
            last = connection.execute(_HEAD).first()
        return (last.number, last.digest) if last else (0, NOTHING)

    def rows(
        self, sync: str | None = None, since: datetime | None = None, ref: str | None = None
    ) -> Iterator[Row]:
        """The rows in their order: all, those of a sync, since a moment, of a ref (of a budget's
        ref its allocations' too). Read in batches; no transaction stays open between them."""
        query = _ROWS.limit(_BATCH)
        if sync is not None:
            query = query.where(audit.c.sync == sync)
        if since is not None:
            query = query.where(audit.c.at >= since)
        if ref is not None:
            query = query.where((audit.c.ref == ref) | (audit.c.budget_ref == ref))
        last: int | None = None
        while True:
            some = query if last is None else query.where(audit.c.number > last)
            with self._store.read() as connection:
                found = [Row(**each) for each in connection.execute(some).mappings()]
            if not found:
                return
            yield from found
            last = found[-1].number

    def rows_until(self, connection: Connection, last: int) -> Iterator[Row]:
        """The rows up to that number, as the caller's transaction sees them."""
        query, number = _ROWS.where(audit.c.number <= last).limit(_BATCH), -1
        while found := connection.execute(query.where(audit.c.number > number)).mappings().all():
            yield from (Row(**each) for each in found)
            number = found[-1]["number"]

    def knows(self, sync: str) -> bool:
        """Whether a row tells of that sync."""
        query = select(audit.c.number).where(audit.c.sync == sync).limit(1)
        with self._store.read() as connection:
            return connection.execute(query).first() is not None

    def tells_end_of(self, run_id: str) -> bool:
        """Whether a row says how that run ended."""
        rows = select(audit.c.entry).where(audit.c.run_id == run_id, audit.c.kind == Event.RUN)
        with self._store.read() as connection:
            return any('"ended_at"' in entry for entry in connection.execute(rows).scalars())

    def _row(self, number: int, at: str, entry: Entry) -> dict[str, Any]:
        author = entry.by or self._store.author
        columns = {
            "kind": entry.kind.value,
            "sync": entry.sync,
            "run_id": entry.run_id,
            "budget_ref": self._store.mask(entry.budget_ref),
            "ref": self._store.mask(entry.ref),
        }
        told = {
            "number": number,
            "at": at,
            "by": {
                "user": author.user,
                "host": author.host,
                "name": None if author.name is None else self._store.mask(author.name),
            },
            "settings": author.settings,
            "said": self._store.masked(entry.said),
        }
        return {"number": number, "at": at, **columns, "entry": canonical(columns | told)}
