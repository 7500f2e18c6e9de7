"""Copying a state into another database, from SQLite to PostgreSQL or the other way.

Every table of the schema goes, as it is stored, in one transaction: the new database has all of it
or nothing. Only who holds a lease, or slots, is left behind; a lease's fencing token goes on. What
was written is read back, and the old state is read once more, before the transaction ends. Rows
pass in batches, so the size of a state does not matter.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import (
    Column,
    Select,
    Table,
    TableClause,
    column,
    func,
    insert,
    null,
    select,
    table,
    text,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.types import TypeDecorator, TypeEngine

from sync.state.audit import Event
from sync.state.lease import FREE, Lease
from sync.state.store import Store, StoreError, audit, call_slots, leases, metadata
from sync.state.waiting import let_stand_idle

TABLES: Final = tuple(each for each in metadata.sorted_tables if each is not call_slots)
"""All that is remembered, none before one that it refers to; who calls at present is not."""
_BATCH: Final = 1000


@dataclass(slots=True)
class _Sum:
    """What a table holds, whatever the order of its rows: two that are equal hold the same."""

    rows: int = 0
    digest: int = 0

    def add(self, row: tuple[Any, ...]) -> None:
        said = repr(row).encode("utf-8", "surrogatepass")
        self.rows += 1
        self.digest = (self.digest + int.from_bytes(sha256(said).digest())) % 2**256


@contextmanager
def held(
    store: Store, syncs: Collection[str], now: Callable[[], datetime]
) -> Iterator[Callable[[], None]]:
    """All leases of the state and those of `syncs`, so that no run can write into it meanwhile.

    Gives what raises `LeaseLost` unless all are still held. Raises `LeaseHeld` while a run goes on.
    """
    with store.read() as connection:
        known = connection.execute(select(leases.c.name)).scalars().all()
    with ExitStack() as stack:
        taken = [
            stack.enter_context(Lease.take(store, name, now=now))
            for name in sorted({*known, *syncs})
        ]
        yield partial(_ensure, taken)


def _ensure(taken: Collection[Lease]) -> None:
    for each in taken:
        each.ensure()


def copy(old: Store, new: Store, ensure: Callable[[], None]) -> Mapping[str, int]:
    """Put all that `old` remembers into `new`, which must be empty; returns the rows by table.

    `ensure` is asked before the transaction ends, and raises where somebody else may have written.
    Raises `StoreError`; `new` is then as it was.
    """
    with new.write() as into:
        _have_alone(new, into)
        _ensure_empty(new, into)
        with old.snapshot() as source:
            read = {each.name: _copy(each, old, source, new, into) for each in TABLES}
        _number_on(new, into)
        _ensure_same(read, _sums(new, into), f"{new.where}: what was written reads otherwise")
        with old.snapshot() as source:
            _ensure_same(read, _sums(old, source), f"{old.where}: it was written meanwhile")
        ensure()
    return {name: each.rows for name, each in read.items()}


def ensure_something(store: Store) -> None:
    """Raise `StoreError` where the state holds nothing that could be copied."""
    with store.read() as connection:
        if not _held(connection, but=leases.name):
            raise StoreError(f"{store.where}: it holds nothing yet, so there is nothing to copy")


def _have_alone(new: Store, into: Connection) -> None:
    if not new.is_sqlite:  # where whoever writes has all of it alone
        names = ", ".join(each.name for each in TABLES)
        with _telling(new):
            let_stand_idle(into)
            into.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))


def _ensure_empty(new: Store, into: Connection) -> None:
    with _telling(new):
        found = _held(into)
        if found:
            said = ", ".join(f"{rows} {name}" for name, rows in found.items())
            raise StoreError(
                f"{new.where}: it is not empty, it holds {said}; a copy needs a database in which "
                "Trueup remembers nothing yet"
            )
        into.execute(audit.delete())  # the row of its own making; the old state's goes in its place


def _held(connection: Connection, but: str = "") -> dict[str, int]:
    """How many rows the tables hold that hold any; the row of a state's making counts for none."""
    found = {
        each.name: connection.execute(select(func.count()).select_from(each)).scalar_one()
        for each in TABLES
        if each.name != but
    }
    if found[audit.name] == 1:
        found[audit.name] -= connection.execute(select(audit.c.kind)).scalar() == Event.GENESIS
    return {name: rows for name, rows in found.items() if rows}


def _copy(each: Table, old: Store, source: Connection, new: Store, into: Connection) -> _Sum:
    found, plain, names = _Sum(), _plain(each), each.columns.keys()
    for batch in _batches(each, old, source):
        for row in batch:
            found.add(row)
        with _telling(new, each.name):
            into.execute(insert(plain), [dict(zip(names, row, strict=True)) for row in batch])
    return found


def _sums(store: Store, connection: Connection) -> dict[str, _Sum]:
    found = {}
    for each in TABLES:
        found[each.name] = _Sum()
        for batch in _batches(each, store, connection):
            for row in batch:
                found[each.name].add(row)
    return found


def _batches(each: Table, store: Store, connection: Connection) -> Iterator[list[tuple[Any, ...]]]:
    with _telling(store):
        rows = connection.execute(_rows(each).execution_options(yield_per=_BATCH))
        for some in rows.partitions():
            yield [tuple(row) for row in some]


def _rows(each: Table) -> Select[Any]:
    """The rows of a table as they are stored; a lease as one that nobody holds."""
    free = FREE if each is leases else {}
    columns = _plain(each).columns
    return select(*(null().label(of.name) if of.name in free else of for of in columns))


def _plain(each: Table) -> TableClause:
    return table(each.name, *(column(of.name, _stored(of)) for of in each.columns))


def _stored(of: Column[Any]) -> TypeEngine[Any]:
    """The type of what is on the disk, such as text where the code sees a moment or data."""
    kind = of.type
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


def _number_on(new: Store, into: Connection) -> None:
    """Let the next row of each table have the next number; SQLite sees to it by itself."""
    if new.is_sqlite:
        return
    for each in TABLES:
        own = each.autoincrement_column
        if own is not None:
            sequence = func.pg_get_serial_sequence(each.name, own.name)
            last = func.coalesce(func.max(own), 0)
            with _telling(new, each.name):
                into.execute(select(func.setval(sequence, last + 1, False)))


def _ensure_same(read: Mapping[str, _Sum], other: Mapping[str, _Sum], said: str) -> None:
    names = [name for name, each in read.items() if each != other[name]]
    if names:
        raise StoreError(f"{said} ({', '.join(names)}); nothing was copied, try again")


@contextmanager
def _telling(store: Store, name: str = "") -> Iterator[None]:
    """Say of which of the two databases it is, and of which table, that something went wrong."""
    try:
        yield
    except (IntegrityError, DataError) as error:
        said = " ".join(str(error.orig).split())
        raise StoreError(
            f"{store.where}: a row of {name} does not fit: {said}; nothing was copied"
        ) from error
    except DBAPIError as error:
        raise StoreError(store.explained(error)) from error
