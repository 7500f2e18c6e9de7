"""The journal: every write that was meant, on the disk before it leaves, with its outcome after.

A row is made when an operation is planned and never removed; each step fills columns once, and
only from a state that can come before it. Every step is checked against the lease in its own
transaction, so a run that was taken over can neither send nor report. No transaction is open
across a call.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Select, func, insert, literal, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from canonical.kind import Kind, Op
from canonical.side import Side
from sync.state.audit import Audit
from sync.state.audited import abandoned, ended
from sync.state.store import Moment, Store, operations, runs

_BATCH = 1000
_FOR_READING = "the journal was opened for reading; take the lease to write in it"


class JournalError(Exception):
    """A step that cannot follow the one before it; the operation must not go on."""


class State(StrEnum):
    """How far an operation came.

    LOST was sent and proved not to have happened; ABANDONED was planned by a run that ended
    before sending it; DEFERRED waits for a later run.
    """

    PLANNED = "planned"
    SENT = "sent"
    APPLIED = "applied"
    REJECTED = "rejected"
    UNCERTAIN = "uncertain"
    DEFERRED = "deferred"
    SKIPPED = "skipped"
    LOST = "lost"
    ABANDONED = "abandoned"


_MAY_HAVE_WRITTEN: Final = (State.SENT, State.APPLIED, State.UNCERTAIN, State.LOST)
_BEFORE: Final = {
    State.SENT: (State.PLANNED, State.UNCERTAIN),
    State.APPLIED: (State.SENT, State.UNCERTAIN),
    State.REJECTED: (State.PLANNED, State.SENT, State.UNCERTAIN),
    State.UNCERTAIN: (State.SENT, State.UNCERTAIN),
    State.DEFERRED: (State.PLANNED, State.SENT),
    State.SKIPPED: (State.PLANNED, State.SENT),
    State.LOST: (State.SENT, State.UNCERTAIN),
    State.ABANDONED: (State.PLANNED,),
}
"""The states that a state can follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One write: what it is, what it is for, and how far it came.

    `sync` is the journal's own once it is planned.
    `key` is the idempotency key; `fingerprint` and `draft` are what was sent, `before` what the
    target held then. `sent_at` is when it was first sent: a key's life counts from there. `side` is
    the system that it writes to; `target_id` is the object's id there.
    """

    id: str
    run_id: str
    sync: str = ""
    seq: int
    op: Op
    kind: Kind
    ref: str
    budget_ref: str = ""
    target_id: str | None = None
    key: str
    fingerprint: str = ""
    fields: tuple[str, ...] = ()
    before: Any = None
    draft: Any = None
    state: State = State.PLANNED
    error: str | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    side: Side = Side.TARGET


class Fence(Protocol):
    """What the journal asks of a lease."""

    def guard(self, connection: Connection) -> None:
        """Raise where another process has taken over."""

    def ensure(self) -> None:
        """Raise where another process may have taken over, most times without the database."""


def new_operation_id() -> tuple[str, str]:
    """An id that no other operation has, and its idempotency key, which `key_of` derives again."""
    id = uuid4().hex
    return id, key_of(id)


def key_of(operation_id: str) -> str:
    """The idempotency key of an operation: always the same, and of no other one."""
    return str(UUID(hex=operation_id))


class Journal:
    """The operations of one sync, written under a lease.

    What is asked about objects is asked of one side; a run, and what it planned, is of both.
    """

    def __init__(
        self, store: Store, sync: str, lease: Fence | None = None, side: Side = Side.TARGET
    ) -> None:
        """Without a lease the journal can only be read."""
        self._store = store
        self._sync = sync
        self._lease = lease
        self._side = side
        self._audit = Audit(store)

    def of_side(self, side: Side) -> "Journal":
        """The same journal, asked about the objects of that side."""
        return Journal(self._store, self._sync, self._lease, side)

    def ensure(self) -> None:
        """Raise where another process may have taken the run over; asked before a call leaves."""
        if self._lease is None:
            raise JournalError(_FOR_READING)
        self._lease.ensure()

    def plan(self, operations: Iterable[Operation]) -> None:
        """Put down what a run means to do: all of it or, raising `JournalError`, nothing."""
        rows = [
            asdict(each) | {"sync": self._sync, "before": self._store.masked(each.before)}
            for each in operations
        ]
        if not rows:
            return
        with self._store.write() as connection:
            self._guard(connection)
            try:
                connection.execute(insert(_table), rows)
            except IntegrityError as error:
                raise JournalError("an operation is in the journal already") from error

    def sent(self, id: str, fingerprint: str, draft: Any) -> None:
        """To be called just before a request leaves: when this returns, the row is on the disk.

        Raises `JournalError` where the operation has an outcome, or where a request under the same
        key was another one: a vendor would answer it with the first one's result.
        """
        same = or_(_table.c.sent_at.is_(None), _table.c.fingerprint == fingerprint)
        values = {
            "fingerprint": fingerprint,
            "draft": draft,
            "sent_at": func.coalesce(_table.c.sent_at, literal(self._store.now(), Moment)),
        }
        with self._store.write() as connection:
            self._step(connection, id, State.SENT, values, same)

    def applied(
        self,
        id: str,
        target_id: str | None,
        remember: Callable[[Connection], None] | None = None,
        request_ids: Sequence[str] = (),
    ) -> None:
        """It happened: the outcome, and what `remember` writes, are kept together or not at all.

        `request_ids` are what the vendor calls the requests, for the audit.
        """
        values = {"target_id": target_id, "error": None, "ended_at": self._store.now()}
        with self._store.write() as connection:
            self._step(connection, id, State.APPLIED, values)
            told = ended(connection, id, request_ids)
            if remember is not None:
                remember(connection)
            self._audit.append(connection, told)

    def ended(
        self,
        id: str,
        state: State,
        error: str | None,
        request_ids: Sequence[str] = (),
        remember: Callable[[Connection], None] | None = None,
    ) -> None:
        """Any other outcome; after UNCERTAIN another one may follow. Raises `JournalError`.

        What `remember` writes is kept with it or not at all; it is called last.
        """
        over = None if state is State.UNCERTAIN else self._store.now()
        error = error and self._store.mask(error)
        with self._store.write() as connection:
            same = (_table.c.id == id) & (_table.c.state == state) & (_table.c.error == error)
            again = connection.execute(select(_table.c.id).where(same)).first() is not None
            self._step(connection, id, state, {"error": error, "ended_at": over})
            if not again:  # one that waits is looked at by each run, and told of once
                self._audit.append(connection, ended(connection, id, request_ids))
            if remember is not None:
                remember(connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction under the lease, for what a run remembers without an operation."""
        with self._store.write() as connection:
            self._guard(connection)
            yield connection

    def open(self) -> list[Operation]:
        """What may or may not have happened, whichever run sent it, oldest first."""
        waiting = _table.c.state.in_([State.SENT, State.UNCERTAIN])
        return self._read(self._mine().where(waiting).order_by(_table.c.number))

    def open_on_both_sides(self) -> list[Operation]:
        """As `open`, those of the source first."""
        return [each for side in Side for each in self.of_side(side).open()]

    def abandon_planned(self, run_id: str) -> int:
        """Close what runs other than `run_id` planned and never sent; how many there were."""
        never = (
            (_table.c.sync == self._sync)
            & (_table.c.state == State.PLANNED)
            & (_table.c.run_id != run_id)
        )
        values = {"state": State.ABANDONED, "ended_at": self._store.now()}
        with self._store.write() as connection:
            self._guard(connection)
            count = connection.execute(update(_table).where(never).values(values)).rowcount
            if count:
                self._audit.append(connection, abandoned(self._sync, run_id, count))
            return count

    def unfinished(
        self, kind: Kind, keys: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], Operation]:
        """The last operation of each of `keys`, (budget_ref, ref), where it was not applied.

        One that was planned before a run that ended well is over: what it meant is done, or is
        meant no more.
        """
        settled = (
            select(func.max(runs.c.number))
            .where(runs.c.sync == self._sync, runs.c.outcome == "ok")
            .scalar_subquery()
        )
        over = _table.c.run_id.in_(
            select(runs.c.run_id).where(runs.c.sync == self._sync, runs.c.number <= settled)
        )
        wanted, found = set(keys), dict[tuple[str, str], Operation]()
        refs = sorted({ref for _, ref in wanted})
        for start in range(0, len(refs), _BATCH):
            these = _table.c.ref.in_(refs[start : start + _BATCH])
            query = self._mine().where(_table.c.kind == kind, these, ~over)
            for each in self._read(query.order_by(_table.c.number)):
                key = each.budget_ref, each.ref
                found[key] = _with_parts(found.get(key), each)
        return {
            key: each
            for key, each in found.items()
            if key in wanted and each.state is not State.APPLIED
        }

    def since(
        self, run_id: str, kind: Kind, keys: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], list[Operation]]:
        """What later runs than that one wrote for each of `keys`, or may have begun to, in its
        order: also what is lost may have broken off in the middle."""
        last = select(func.max(_table.c.number)).where(_table.c.run_id == run_id).scalar_subquery()
        wanted, found = set(keys), dict[tuple[str, str], list[Operation]]()
        refs = sorted({ref for _, ref in wanted})
        for start in range(0, len(refs), _BATCH):
            these = _table.c.ref.in_(refs[start : start + _BATCH])
            later = (_table.c.number > last) & _table.c.state.in_(_MAY_HAVE_WRITTEN)
            query = self._mine().where(_table.c.kind == kind, these, later)
            for each in self._read(query.order_by(_table.c.number)):
                if (each.budget_ref, each.ref) in wanted:
                    found.setdefault((each.budget_ref, each.ref), []).append(each)
        return found

    def lost(self, kind: Kind, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of `keys` of which a create was sent once and nothing came of it."""
        return self._creates(kind, keys, _table.c.state == State.LOST)

    def removed(self, kind: Kind, ids: Collection[str]) -> set[str]:
        """Those ids of objects that any run of this sync has removed."""
        found: set[str] = set()
        wanted = sorted(ids)
        gone = _table.c.op.in_((Op.RETIRE, Op.DELETE)) & (_table.c.kind == kind)
        for start in range(0, len(wanted), _BATCH):
            some = wanted[start : start + _BATCH]
            query = self._mine().where(gone, _table.c.target_id.in_(some))
            found.update(str(each.target_id) for each in self._read(query))
        return found

    def made_since(self, moment: datetime) -> list[Operation]:
        """The creates that were applied after `moment`, whichever run sent them, in their order."""
        made = (_table.c.state == State.APPLIED) & (_table.c.op == Op.CREATE)
        query = self._mine().where(made, _table.c.ended_at > moment)
        return self._read(query.order_by(_table.c.number))

    def written_since(self, moment: datetime) -> set[tuple[str, str | None]]:
        """Of what any run sent, or saw the end of, after `moment`: (budget_ref, target id)."""
        late = (_table.c.sent_at > moment) | (_table.c.ended_at > moment)
        sent = _table.c.sent_at.is_not(None) & late & (_table.c.side == self._side)
        query = select(_table.c.budget_ref, _table.c.target_id).where(sent)
        with self._store.read() as connection:
            rows = connection.execute(query.where(_table.c.sync == self._sync)).all()
        return {(budget_ref, target_id) for budget_ref, target_id in rows}

    def of_run(self, run_id: str) -> list[Operation]:
        """What one run of this sync meant to do, on either side, in its order."""
        return self._read(select(_table).where(_table.c.run_id == run_id).order_by(_table.c.seq))

    def counts(self, run_id: str) -> dict[str, int]:
        """How many operations of that run came how far, by state; states without any are absent."""
        query = (
            select(_table.c.state, func.count())
            .where(_table.c.sync == self._sync, _table.c.run_id == run_id)
            .group_by(_table.c.state)
        )
        with self._store.read() as connection:
            return {state: n for state, n in connection.execute(query)}  # noqa: C416

    def counts_of(self, run_ids: Collection[str]) -> dict[str, dict[str, int]]:
        """As `counts`, of several runs, of whichever syncs; runs without any are absent."""
        query = (
            select(_table.c.run_id, _table.c.state, func.count())
            .where(_table.c.run_id.in_(run_ids))
            .group_by(_table.c.run_id, _table.c.state)
        )
        found: dict[str, dict[str, int]] = {}
        with self._store.read() as connection:
            for run_id, state, count in connection.execute(query):
                found.setdefault(run_id, {})[state] = count
        return found

    def _creates(
        self, kind: Kind, keys: Sequence[tuple[str, str]], *also: ColumnElement[bool]
    ) -> set[tuple[str, str]]:
        wanted = set(keys)
        refs = sorted({ref for _, ref in wanted})
        found: set[tuple[str, str]] = set()
        with self._store.read() as connection:
            for start in range(0, len(refs), _BATCH):
                query = select(_table.c.budget_ref, _table.c.ref).where(
                    _table.c.sync == self._sync,
                    _table.c.kind == kind,
                    _table.c.op == Op.CREATE,
                    _table.c.side == self._side,
                    _table.c.ref.in_(refs[start : start + _BATCH]),
                    *also,
                )
                found.update((each.budget_ref, each.ref) for each in connection.execute(query))
        return found & wanted

    def _guard(self, connection: Connection) -> None:
        if self._lease is None:
            raise JournalError(_FOR_READING)
        self._lease.guard(connection)

    def _mine(self) -> Select[Any]:
        return select(_table).where(_table.c.side == self._side)

    def _read(self, query: Select[Any]) -> list[Operation]:
        with self._store.read() as connection:
            rows = connection.execute(query.where(_table.c.sync == self._sync)).mappings().all()
            return [_operation(dict(row)) for row in rows]

    def _step(
        self,
        connection: Connection,
        id: str,
        state: State,
        values: dict[str, Any],
        *also: ColumnElement[bool],
    ) -> None:
        self._guard(connection)
        this = (_table.c.id == id) & (_table.c.sync == self._sync)
        ready = _table.c.state.in_(_BEFORE.get(state, ()))
        query = update(_table).where(this, ready, *also).values(state=state, **values)
        if connection.execute(query).rowcount == 1:
            return
        found = connection.execute(select(_table.c.state).where(this)).scalar()
        where = f"is {found}" if found else "is not in the journal"
        raise JournalError(f"operation {id} {where} and cannot become {state} by this request")


_table = operations


def _with_parts(before: Operation | None, operation: Operation) -> Operation:
    """The last operation of an object, as one with those that its run sent for it before."""
    if before is None or before.run_id != operation.run_id or operation.op is not Op.UPDATE:
        return operation
    applied = operation.state is State.APPLIED
    return replace(
        operation,
        fields=tuple({**dict.fromkeys(before.fields), **dict.fromkeys(operation.fields)}),
        before={**(before.before or {}), **(operation.before or {})},
        state=before.state if applied else operation.state,
        sent_at=before.sent_at or operation.sent_at,
    )


def _operation(row: dict[str, Any]) -> Operation:
    del row["number"]
    row |= {
        "op": Op(row["op"]),
        "kind": Kind(row["kind"]),
        "fields": tuple(row["fields"]),
        "state": State(row["state"]),
        "side": Side(row["side"]),
    }
    return Operation(**row)
