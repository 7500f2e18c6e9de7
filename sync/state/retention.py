"""Retention: what is older than a day goes, and a sealed row of the audit says what it was.

Of the audit the oldest rows go. The row that stands for them is appended like any other: it counts
them, sums the money that moved, and holds the digest of the last of them, which the first row that
stays follows. So the chain can still be checked, and so can what was exported before.

Of the journal and the history goes what nothing needs any more: no write of unknown outcome, no
run that may still be going on, none of the last runs of a sync, and nothing since the last run of a
sync that ended well, as what was meant since then may be meant still. A run that a baseline names
stays as a line without its report. Waits, decisions and approvals go that are over
(`sync.state.closed`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import delete, func, null, or_, select, update
from sqlalchemy.engine import Connection

from sync.state.audit import Audit, Entry, Event
from sync.state.checking import check
from sync.state.closed import count_closed, forget_closed
from sync.state.journal import State
from sync.state.store import Store, audit, baselines, moment_text, operations, runs

_LAST: Final = 10
"""How many runs of each sync stay, whatever their age."""
_BATCH: Final = 500
_OPEN: Final = (State.PLANNED, State.SENT, State.UNCERTAIN)


class BrokenChain(Exception):
    """The audit is not as it was written: to forget a part of it would hide that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How much goes, or went: rows of the audit, runs of the history, operations of the journal;
    and of `closed` waits, decisions and approvals how many of each.

    `head` is the digest of the audit's last row afterwards, None where nothing went.
    """

    before: datetime
    rows: int
    runs: int
    operations: int
    closed: Mapping[str, int] = field(default_factory=dict)
    head: str | None = None


@dataclass(slots=True)
class _Sum:
    """What the rows say that go: how many of each kind, how operations ended, what money moved."""

    rows: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    raised: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    lowered: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, kind: str, said: Mapping[str, Any]) -> None:
        """Count a row; one that stands for others itself counts as all of them."""
        self.rows += 1
        self.kinds[kind] += 1
        if kind == Event.FORGET:
            self.rows += said["rows"]
            self.kinds.update(said["kinds"])
            self.states.update(said["states"])
            for unit, both in said["money"].items():
                self.raised[unit] += Decimal(both["raised"])
                self.lowered[unit] += Decimal(both["lowered"])
        if kind == Event.OPERATION:
            self.states[said["state"]] += 1
            if said["state"] == State.APPLIED:
                self._add_money(said)

    def _add_money(self, said: Mapping[str, Any]) -> None:
        amount, unit = said["fields"].get("amount"), said["currency"]
        if amount is None or unit is None:
            return
        step = Decimal(amount["after"] or 0) - Decimal(amount["before"] or 0)
        side = self.raised if step > 0 else self.lowered
        side[unit] += abs(step)

    def data(self) -> dict[str, Any]:
        """As the sealed row says it."""
        units = sorted({*self.raised, *self.lowered})
        money = {
            unit: {"raised": f"{self.raised[unit]:f}", "lowered": f"{self.lowered[unit]:f}"}
            for unit in units
        }
        counts = {"rows": self.rows, "kinds": dict(self.kinds), "states": dict(self.states)}
        return counts | {"money": money}


class Retention:
    """Forgets what is old in one state."""

    def __init__(self, store: Store) -> None:
        self._store, self._audit = store, Audit(store)

    def offer(self, before: datetime) -> Forgotten:
        """What would go, of what was written before that moment; changes nothing."""
        with self._store.read() as connection:
            ids = self._runs_over(connection, before)
            last = self._last_row(connection, before)
            return Forgotten(
                before=before,
                rows=0 if last is None else self._count(connection, last),
                runs=len(ids) - len(self._named(connection, ids)),
                operations=sum(self._operations(connection, some) for some in _slices(ids)),
                closed=count_closed(connection, before),
            )

    def forget(self, before: datetime) -> Forgotten:
        """Let it go, all in one transaction; raises `BrokenChain`."""
        found = check(self._store)
        if found.fault is not None:
            raise BrokenChain(f"row {found.number} of the audit: {found.fault}")
        with self._store.write() as connection:
            self._audit.have_alone(connection)
            ids = self._runs_over(connection, before)
            many = sum(self._forget_operations(connection, some) for some in _slices(ids))
            gone = self._forget_runs(connection, ids)
            last = self._last_row(connection, before)
            closed = forget_closed(connection, before)
            rows = 0 if last is None else self._count(connection, last)
            head = None
            if rows or gone or many or any(closed.values()):
                counts = {"runs": gone, "operations": many, **closed}
                head = self._seal(connection, before, last, counts)
        went = {"rows": rows, "runs": gone, "operations": many}
        return Forgotten(before=before, closed=closed, head=head, **went)

    # -- the audit ---------------------------------------------------------------------------

    def _last_row(self, connection: Connection, before: datetime) -> int | None:
        """The number of the last row that goes: all after it stay, whatever their clock said."""
        first = select(func.min(audit.c.number)).where(audit.c.at >= before)
        stays: int | None = connection.execute(first).scalar()
        if stays is not None:
            return stays - 1
        found: int | None = connection.execute(select(func.max(audit.c.number))).scalar()
        return found

    def _count(self, connection: Connection, last: int) -> int:
        query = select(func.count()).select_from(audit).where(audit.c.number <= last)
        return connection.execute(query).scalar_one()

    def _seal(
        self,
        connection: Connection,
        before: datetime,
        last: int | None,
        counts: Mapping[str, int],
    ) -> str:
        """Put the row that stands for those that go, and let them go."""
        summed, digest = _Sum(), None
        for row in self._audit.rows_until(connection, last or 0):
            summed.add(row.kind, row.data["said"])
            digest = row.digest
        said = {"before": moment_text(before), **counts, **summed.data()}
        if digest is not None:
            said |= {"through": last, "digest": digest}
        # first, as it follows the last row that there is
        head = self._audit.append(connection, Entry(kind=Event.FORGET, said=said))
        connection.execute(delete(audit).where(audit.c.number <= (last or 0)))
        return head

    # -- the history and the journal ---------------------------------------------------------

    def _runs_over(self, connection: Connection, before: datetime) -> list[str]:
        """The runs that are old and of which nothing is needed any more."""
        found: list[str] = []
        for sync in connection.execute(select(runs.c.sync).distinct()).scalars().all():
            until = self._needed_from(connection, sync)
            ended = func.coalesce(runs.c.ended_at, runs.c.started_at)
            waiting = select(operations.c.run_id).where(
                operations.c.sync == sync,
                or_(operations.c.state.in_(_OPEN), operations.c.ended_at >= before),
            )
            query = select(runs.c.run_id).where(
                runs.c.sync == sync,
                runs.c.number < until,
                ended < before,
                runs.c.run_id.not_in(waiting),
            )
            found.extend(connection.execute(query).scalars())
        return found

    def _needed_from(self, connection: Connection, sync: str) -> int:
        """The number of the first run of that sync that stays."""
        mine = select(runs.c.number).where(runs.c.sync == sync).order_by(runs.c.number.desc())
        recent = connection.execute(mine.offset(_LAST - 1).limit(1)).scalar()
        well = connection.execute(mine.where(runs.c.outcome == "ok").limit(1)).scalar()
        return min(recent or 0, well or 0)

    def _named(self, connection: Connection, ids: Sequence[str]) -> set[str]:
        """Those of the runs that a baseline names."""
        found: set[str] = set()
        for some in _slices(ids):
            query = select(baselines.c.run_id).where(baselines.c.run_id.in_(some)).distinct()
            found.update(connection.execute(query).scalars())
        return found

    def _operations(self, connection: Connection, ids: Sequence[str]) -> int:
        these = operations.c.run_id.in_(ids)
        return connection.execute(
            select(func.count()).select_from(operations).where(these)
        ).scalar_one()

    def _forget_operations(self, connection: Connection, ids: Sequence[str]) -> int:
        return connection.execute(delete(operations).where(operations.c.run_id.in_(ids))).rowcount

    def _forget_runs(self, connection: Connection, ids: Sequence[str]) -> int:
        named, gone = self._named(connection, ids), 0
        for some in _slices(ids):
            these = runs.c.run_id.in_(some)
            connection.execute(update(runs).where(these).values(report=null()))
            others = [id for id in some if id not in named]
            gone += connection.execute(delete(runs).where(runs.c.run_id.in_(others))).rowcount
        return gone


def _slices(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))
