"""How a job's end is put down: only by the worker that has the job.

Procrastinate writes a job's end by the job's number alone. A worker that was stopped, and wakes
when its job was given to another one, would end the other's job, and let a third one begin beside
it. Here the row is asked whose it is in the statement that changes it.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from procrastinate.connector import BaseAsyncConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from procrastinate.psycopg_connector import PsycopgConnector

_END: Final = """
    WITH ours AS (
        SELECT id FROM procrastinate_jobs
        WHERE id = %(id)s
          AND (status = 'todo' OR (status = 'doing' AND worker_id = %(worker)s)) FOR UPDATE
    ), ended AS (
        SELECT procrastinate_finish_job_v1(id, %(status)s::procrastinate_job_status, false)
        FROM ours
    ) SELECT count(*) AS count FROM ended
"""
"""Where the job waits for another worker it is ended too: what it asks for is done."""
_BACK: Final = """
    WITH ours AS (
        SELECT id, queue_name FROM procrastinate_jobs
        WHERE id = %(id)s AND status = 'doing' AND worker_id = %(worker)s FOR UPDATE
    ), back AS (
        SELECT procrastinate_retry_job_v2(
            id, now() + make_interval(secs => %(seconds)s), NULL, NULL, NULL),
        CASE WHEN %(seconds)s <= 0 THEN pg_notify('procrastinate_queue_v1#' || queue_name,
            json_build_object('type', 'job_inserted', 'job_id', id)::text) END
        FROM ours
    ) SELECT count(*) AS count FROM back
"""
_PATIENCE: Final = 60
"""Seconds for which a database that does not answer is asked again to put down a job's end."""
_HURRY: Final = 5
"""The same where this worker is to end."""


class FencedJobs(JobManager):
    """Procrastinate's, but for the end of a job.

    `outrun` is told of a job that another worker has; `broken` that an end cannot be put down, so
    this worker has to register anew for its jobs to be found. `ending` is whether it is to end.
    """

    def __init__(
        self,
        connector: PsycopgConnector,
        *,
        outrun: Callable[[Job], None],
        broken: Callable[[], None],
        ending: Callable[[], bool],
    ) -> None:
        super().__init__(connector)
        self._outrun, self._broken, self._ending = outrun, broken, ending

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Put down that the job has ended; nothing where another worker has it."""
        await self._put_down(job, _END, status=status.value)

    async def retry_job(
        self, job: Job, retry_at: datetime | None = None, *_: Any, **__: Any
    ) -> None:
        """Give the job back, to be run at that time; nothing where another worker has it."""
        # as seconds: the queue goes by the database's clock
        seconds = (retry_at - datetime.now(UTC)).total_seconds() if retry_at else 0.0
        await self._put_down(job, _BACK, seconds=max(seconds, 0.0))

    async def _put_down(self, job: Job, query: str, **values: Any) -> None:
        connector = self.connector
        assert isinstance(connector, BaseAsyncConnector)
        values |= {"id": job.id, "worker": job.worker_id}
        began = time.monotonic()
        while True:
            try:
                row = await connector.execute_query_one_async(query, **values)
                break
            except ConnectorException:
                if time.monotonic() - began > (_HURRY if self._ending() else _PATIENCE):
                    self._broken()
                    raise
                await asyncio.sleep(1)
        if not row["count"]:
            self._outrun(job)
