"""The history: which runs there were, and how each ended.

A run that was killed cannot say so. It is told by its lease: a run without an end is running while
the lease that it started under is held, and interrupted afterwards.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, null, select, update
from sqlalchemy.engine import Connection, RowMapping

from sync.state import audited
from sync.state.audit import Audit
from sync.state.lease import is_held
from sync.state.store import Store, leases, runs

RUNNING = "running"
INTERRUPTED = "interrupted"


class UnknownRun(LookupError):
    """No run has that id, or several have one that begins so; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run; `outcome` is "running" or "interrupted" where it has no end of its own."""

    run_id: str
    sync: str
    command: str
    outcome: str
    started_at: datetime
    ended_at: datetime | None = None
    report: dict[str, Any] | None = None


class History:
    """All runs of all syncs."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._audit = Audit(store)

    def start(
        self,
        run_id: str,
        sync: str,
        command: str,
        started_at: datetime,
        allow: Collection[str] = (),
        because: str | None = None,
    ) -> None:
        """Put a run down as begun, under the lease of its sync that is held now.

        `allow` says which guards somebody switched off for it, or gave another limit, and
        `because` why.
        """
        held = leases.c.until.is_not(None)
        token = select(leases.c.token).where(leases.c.name == sync, held).scalar_subquery()
        row = {"run_id": run_id, "sync": sync, "command": command, "started_at": started_at}
        with self._store.write() as connection:
            connection.execute(insert(runs).values(**row, token=token))
            told = [audited.began(run_id, sync, command, started_at)]
            if allow:
                told.append(audited.overridden(run_id, sync, allow, because))
            self._audit.append(connection, *told)

    def finish(
        self,
        run_id: str,
        outcome: str,
        ended_at: datetime,
        report: dict[str, Any],
        remember: Callable[[Connection], Mapping[str, Any]] | None = None,
    ) -> str:
        """Put down how a run ended; raises `UnknownRun` where none of that id goes on.

        Returns the digest of the audit's head then. No secret is kept of what is reported. What
        `remember` writes is kept with it or not at all, and what it returns is reported too.
        """
        this = runs.c.run_id == run_id
        values = {"outcome": outcome, "ended_at": ended_at}
        with self._store.write() as connection:
            ended = update(runs).where(this, runs.c.ended_at.is_(None)).values(values)
            if connection.execute(ended).rowcount != 1:
                raise UnknownRun(f"no run {run_id} is going on")
            sync = connection.execute(select(runs.c.sync).where(this)).scalar()
            if remember is not None:
                report = report | {**remember(connection)}
            report = self._store.masked(report)
            connection.execute(update(runs).where(this).values(report=report))
            told = audited.over(run_id, str(sync), outcome, ended_at, report)
            return self._audit.append(connection, told)

    def forget_reports(self, sync: str, keep: int) -> int:
        """Drop the reports of all but the last `keep` runs of that sync; the runs stay listed.

        How many were dropped. What was written stays in the journal.
        """
        mine = runs.c.sync == sync
        last = select(runs.c.number).where(mine).order_by(runs.c.number.desc())
        old = runs.c.number <= last.offset(keep).limit(1).scalar_subquery()
        query = update(runs).where(mine, old, runs.c.report.is_not(None)).values(report=null())
        with self._store.write() as connection:
            return connection.execute(query).rowcount

    def record(self, connection: Connection, run: Run) -> None:
        """Put down, within the caller's transaction, what began and ended in one; last in it."""
        run = replace(run, report=self._store.masked(run.report))
        connection.execute(insert(runs).values(**asdict(run)))
        report, at = run.report or {}, run.ended_at or run.started_at
        told = [audited.began(run.run_id, run.sync, run.command, run.started_at)]
        if run.command == "handover":
            told.append(audited.passed(run.run_id, run.sync, report))
        told.append(audited.over(run.run_id, run.sync, run.outcome, at, report))
        self._audit.append(connection, *told)

    def latest(self, sync: str) -> Run | None:
        """The run of that sync that began last."""
        return next(iter(self.runs(sync, limit=1)), None)

    def latest_good(self, sync: str) -> Run | None:
        """The run of that sync that did all it meant and began last."""
        good = (runs.c.sync == sync) & (runs.c.outcome == "ok")
        return next(iter(self._read(_QUERY.where(good).limit(1))), None)

    def runs(self, sync: str | None = None, limit: int = 20) -> list[Run]:
        """The last runs, newest first."""
        query = _QUERY if sync is None else _QUERY.where(runs.c.sync == sync)
        return self._read(query.limit(limit))

    def outlines(self, sync: str | None = None, limit: int = 20, skip: int = 0) -> list[Run]:
        """As `runs`, after the first `skip` of them, without their reports, which may be long."""
        query = _OUTLINES if sync is None else _OUTLINES.where(runs.c.sync == sync)
        return self._read(query.limit(limit).offset(skip))

    def syncs(self) -> list[str]:
        """The syncs that ever ran, as far as is remembered."""
        query = select(runs.c.sync).distinct().order_by(runs.c.sync)
        with self._store.read() as connection:
            return [*connection.execute(query).scalars()]

    def broke_off(self, run_ids: Collection[str]) -> bool:
        """Whether the last of those runs that is over did not do all that it meant."""
        found = self._read(_QUERY.where(runs.c.run_id.in_(run_ids)))
        over = [each.outcome for each in found if each.outcome != RUNNING]
        return bool(over) and over[0] != "ok"

    def count(self, sync: str | None) -> int:
        """How many runs of that sync there were, or of all."""
        query = select(func.count()).select_from(runs)
        if sync is not None:
            query = query.where(runs.c.sync == sync)
        with self._store.read() as connection:
            return connection.execute(query).scalar_one()

    def get(self, run_id: str) -> Run:
        """The run of that id, or the only one whose id begins so; raises `UnknownRun`."""
        found = self._read(_QUERY.where(runs.c.run_id == run_id))
        if not found and run_id:
            begins = runs.c.run_id.startswith(run_id, autoescape=True)
            found = self._read(_QUERY.where(begins).limit(3))
        if not found:
            raise UnknownRun(f"there is no run {run_id!r}; `trueup history` lists them")
        if len(found) > 1:
            some = ", ".join(each.run_id for each in found)
            raise UnknownRun(f"several runs begin with {run_id!r}: {some}; give more of the id")
        return found[0]

    def _read(self, query: Select[Any]) -> list[Run]:
        with self._store.read() as connection:
            rows = connection.execute(query).mappings().all()
            moment = self._store.now()
            return [_run(row, moment) for row in rows]


_LEASE = (
    leases.c.token.label("last"), leases.c.machine, leases.c.pid, leases.c.process, leases.c.until,
)  # fmt: skip
_QUERY = (
    select(runs, *_LEASE)
    .select_from(runs.outerjoin(leases, leases.c.name == runs.c.sync))
    .order_by(runs.c.number.desc())
)
_OUTLINES = _QUERY.with_only_columns(
    *(each for each in runs.c if each is not runs.c.report), null().label("report"), *_LEASE
)


def _run(row: RowMapping, moment: datetime) -> Run:
    outcome, report = row["outcome"], row["report"]
    if not isinstance(report, dict | None):
        raise TypeError("a report is by the names of what it tells")
    if outcome is None:
        going_on = row["token"] == row["last"] and is_held(row, moment)
        outcome = RUNNING if going_on else INTERRUPTED
    return Run(
        run_id=row["run_id"],
        sync=row["sync"],
        command=row["command"],
        outcome=outcome,
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        report=report,
    )
