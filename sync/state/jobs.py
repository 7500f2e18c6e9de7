"""Jobs: the slots that wait for a worker, in Procrastinate's tables beside the state.

A job is put down in the transaction that takes its slot, so neither is there without the other,
and each slot has one. At most one job of a sync waits: a later slot takes the place of one that
nobody has begun, and counts it. Jobs of one sync are run one at a time, by Procrastinate's `lock`;
who may write is decided by the sync's lease all the same.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.engine import Connection

from sync.state.job_tables import driver, ensure_tables
from sync.state.lease import TERM
from sync.state.store import Store, StoreError

QUEUE: Final = "trueup"
TASK: Final = "trueup.run_slot"
BEAT: Final = TERM / 6
"""Seconds between two signs of life of a worker, and between two looks for workers without."""
GONE: Final = TERM
"""Seconds without a sign of life after which a worker's jobs are given to others."""

_OUST: Final = text(
    "UPDATE procrastinate_jobs SET status = 'cancelled' "
    "WHERE queue_name = :queue AND lock = :sync AND status = 'todo' RETURNING args"
)
_STALLED: Final = text("""
    SELECT j.id, j.args ->> 'sync' AS sync FROM procrastinate_jobs j
    LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
    WHERE j.queue_name = :queue AND j.status = 'doing'
      AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => :gone))
    FOR UPDATE OF j SKIP LOCKED
""")
_BACK: Final = text("SELECT procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)")
_WAKE: Final = text(
    "SELECT pg_notify('procrastinate_queue_v1#' || :queue, "
    "json_build_object('type', 'job_inserted', 'job_id', CAST(:id AS bigint))::text)"
)
_FORGET: Final = text("""
    DELETE FROM procrastinate_jobs j
    WHERE j.queue_name = :queue AND j.status NOT IN ('todo', 'doing') AND NOT EXISTS (
        SELECT 1 FROM procrastinate_events e
        WHERE e.job_id = j.id AND e.at > now() - make_interval(days => :days))
""")
_KEPT_DAYS: Final = 7
_OFTEN: Final = 60.0
"""Seconds that a job may wait before its run says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One slot that is to be run; `put` is when it was put down, `before` how many slots it took
    the place of."""

    sync: str
    slot: str
    at: str
    put: str
    late: str | None = None
    before: int = 0

    def late_at(self, now: datetime) -> str | None:
        """In words that it is run late, or stands for others; None where neither is."""
        waited = (now - datetime.fromisoformat(self.put)).total_seconds()
        if waited < _OFTEN and not self.before:
            return self.late
        said = f"a worker came {max(waited, 0) / 60:.0f} min after the slot of {self.slot[11:16]}"
        if self.before:
            said += f", and {self.before:,} before it" if self.before > 1 else ", and one before it"
        return f"{self.late}; {said}" if self.late else f"late: {said}"


class Jobs:
    """The queue of a state. Use `open`: its tables are then there."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def open(cls, store: Store) -> "Jobs":
        """The queue in the state's database; raises `StoreError` where there can be none."""
        if store.is_sqlite:
            raise StoreError(
                f"workers share their work through PostgreSQL, and the state is {store.where}; "
                "`trueup state copy` brings it there, then set [state] url"
            )
        try:
            import procrastinate  # noqa: F401  # only who shares work pays for it
        except ImportError:
            raise StoreError("the queue is missing; pip install 'trueup[worker]'") from None
        ensure_tables(store)
        return cls(store)

    def put(
        self, connection: Connection, sync: str, slot: str, at: datetime, late: str | None
    ) -> None:
        """Put down that a slot is to be run, in the transaction that takes it."""
        import psycopg
        from procrastinate.exceptions import ConnectorException
        from procrastinate.jobs import Job as Deferred
        from procrastinate.manager import JobManager
        from procrastinate.sync_psycopg_connector import SyncPsycopgConnector

        ousted = connection.execute(_OUST, {"queue": QUEUE, "sync": sync}).scalars().all()
        before = sum(each.get("before", 0) + 1 for each in ousted)
        put = self._store.now().isoformat()
        job = Job(sync=sync, slot=slot, at=at.isoformat(), put=put, late=late, before=before)
        deferred = Deferred(
            queue=QUEUE, task_name=TASK, lock=sync, queueing_lock=None, task_kwargs=asdict(job)
        )
        try:
            JobManager(SyncPsycopgConnector()).defer_job(deferred, connection=driver(connection))
        except (ConnectorException, psycopg.Error) as error:
            said = " ".join(str(error.__cause__ or error).split())
            raise StoreError(f"{self._store.where}: {said}") from error

    def sweep(self, gone: float = GONE) -> list[str]:
        """Give back the jobs of workers that show no sign of life; the syncs that they are of."""
        with self._store.write() as connection:
            found = connection.execute(_STALLED, {"queue": QUEUE, "gone": gone}).all()
            for job in found:
                connection.execute(_BACK, {"id": job.id})
                connection.execute(_WAKE, {"queue": QUEUE, "id": job.id})
        return [job.sync for job in found]

    def forget(self) -> None:
        """Drop the jobs that ended a week ago; how their runs ended is in the history."""
        with self._store.write() as connection:
            connection.execute(_FORGET, {"queue": QUEUE, "days": _KEPT_DAYS})

    def standing(self) -> list[dict[str, Any]]:
        """The jobs that wait or are being run, the oldest first."""
        query = text(
            "SELECT args ->> 'sync' AS sync, args ->> 'slot' AS slot, status::text AS status, "
            "attempts FROM procrastinate_jobs WHERE queue_name = :queue "
            "AND status IN ('todo', 'doing') ORDER BY id"
        )
        with self._store.read() as connection:
            return [dict(row) for row in connection.execute(query, {"queue": QUEUE}).mappings()]

    def address(self) -> dict[str, Any]:
        """What a connection of the driver's own is opened with, as the state's are."""
        _, given = self._store.engine.dialect.create_connect_args(self._store.engine.url)
        return {**given, "prepare_threshold": None, "connect_timeout": 10}
