"""A worker: it runs the slots that `trueup serve --defer` puts down, with any number of others.

Procrastinate brings the jobs and wakes who waits; `run_slot` does each, as it does for `serve`.
Who may write is decided by the sync's lease, whatever the queue believes: a job whose sync somebody
else has is given back for later. Jobs of workers that show no sign of life are given back by each
of the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from threading import Event
from typing import Any, Final

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.job_context import JobContext
from procrastinate.jobs import Job as Deferred
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.worker import Worker as Runner

from sync.outcome import Outcome
from sync.position import Claimed
from sync.state.jobs import BEAT, GONE, QUEUE, TASK, Job, Jobs
from sync.state.store import StoreError
from trueup.fenced_jobs import FencedJobs
from trueup.service import Ended, run_slot, runs_of
from trueup.workspace import Workspace

_GLANCE: Final = 0.2
_ANEW: Final = 5.0
"""Seconds after which a queue that does not answer is asked again."""
_ANSWERS: Final = 5.0
"""Seconds within which the queue is to answer."""
_TRIES: Final = 20
"""So often a job is tried again that this worker cannot run at all."""
_FORGET_EVERY: Final = 720
"""So many looks for workers that are gone come between two times that old jobs are dropped."""


class Again(Exception):
    """A job that is to be run again, in so many seconds, here or elsewhere."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:.0f} s")
        self.seconds = seconds


class _WhenAsked(BaseRetryStrategy):
    """Nothing is tried again but what asks for it."""

    def get_retry_decision(
        self, *, exception: BaseException, job: Deferred
    ) -> RetryDecision | None:
        if not isinstance(exception, Again):
            return None
        return RetryDecision(retry_in={"milliseconds": int(exception.seconds * 1000)})


class Worker:
    """Runs jobs until `stop` is set, `at_once` at the same time; what is in hand is finished first.

    `say` is told, in a line, what happens beside the runs, `heard` how each of them ended.
    """

    def __init__(
        self,
        workspace: Workspace,
        stop: Event,
        *,
        say: Callable[[str], None],
        heard: Sequence[Callable[[Ended], None]],
        at_once: int = 1,
        run: Callable[[Workspace, Claimed], Ended] = run_slot,
    ) -> None:
        """Raises `StoreError` where the state's database can hold no queue."""
        self._workspace, self._stop = workspace, stop
        self._say, self._heard, self._at_once, self._run = say, heard, at_once, run
        self._jobs = Jobs.open(workspace.store)
        self._runs = runs_of(workspace.settings)
        self._broken = False

    def work(self) -> None:
        """Block until stopped."""
        asyncio.run(self._work())

    # -- the queue ---------------------------------------------------------------------------

    async def _work(self) -> None:
        pool = ThreadPoolExecutor(self._at_once + 2, thread_name_prefix="job")
        asyncio.get_running_loop().set_default_executor(pool)
        while not self._stop.is_set():
            try:
                await self._registered()
            except (ConnectorException, psycopg.Error, OSError) as error:
                self._say(_of_queue(error))
                await self._wait(_ANEW)

    async def _registered(self) -> None:
        """Work until stopped, or until the queue takes this worker for gone."""
        connector = PsycopgConnector(
            kwargs=self._jobs.address(), min_size=1, max_size=4, timeout=_ANSWERS
        )
        opening = asyncio.create_task(connector.open_async())
        try:
            while not opening.done() and not self._stop.is_set():
                await asyncio.wait({opening}, timeout=_GLANCE)
            if not self._stop.is_set():
                await opening
                await self._take_jobs(connector)
        finally:
            opening.cancel()
            with suppress(asyncio.CancelledError, psycopg.Error):
                await opening
            await connector.close_async()

    async def _take_jobs(self, connector: PsycopgConnector) -> None:
        runner = self._runner(connector)
        running = asyncio.create_task(runner.run())  # type: ignore[no-untyped-call]
        sweeping = asyncio.create_task(self._sweep())
        try:
            await asyncio.wait({running}, timeout=_GLANCE)  # a stop before it ran is forgotten
            while not (running.done() or self._stop.is_set() or self._broken):
                await asyncio.wait({running}, timeout=_GLANCE)
            runner.stop()  # type: ignore[no-untyped-call]
            await running
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping

    def _runner(self, connector: PsycopgConnector) -> Runner:
        app = App(connector=connector)
        self._broken = False
        app.job_manager = FencedJobs(
            connector, outrun=self._outrun, broken=self._break, ending=self._stop.is_set
        )
        app.task(name=TASK, queue=QUEUE, pass_context=True, retry=_WhenAsked())(self._do)
        return Runner(
            app,
            queues=[QUEUE],
            concurrency=self._at_once,
            install_signal_handlers=False,
            fetch_job_polling_interval=BEAT,
            update_heartbeat_interval=BEAT,
            stalled_worker_timeout=GONE,
        )

    async def _sweep(self) -> None:
        """Give back, now and then, what workers had that are gone."""
        looks = 0
        while True:
            with suppress(StoreError):  # the queue tells it
                for sync in await asyncio.to_thread(self._jobs.sweep):
                    self._say(f"{sync}: the worker that had it shows no sign of life; given back")
                if looks % _FORGET_EVERY == 0:
                    await asyncio.to_thread(self._jobs.forget)
            looks += 1
            await asyncio.sleep(BEAT)

    async def _wait(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until and not self._stop.is_set():
            await asyncio.sleep(_GLANCE)

    def _break(self) -> None:
        self._broken = True

    def _outrun(self, job: Deferred) -> None:
        self._say(f"{job.lock}: another worker had been given it meanwhile")

    # -- one job, in a thread of its own -----------------------------------------------------

    def _do(self, context: JobContext, /, **said: Any) -> None:
        attempts = context.job.attempts
        if self._stop.is_set():
            raise Again(0)
        job = _job(said)
        if job is None or job.sync not in self._runs:
            self._unknown(str(said.get("sync")), job, attempts)
            return
        try:
            self._do_known(job, attempts)
        except Again:
            raise
        except BaseException as error:
            self._say(f"{job.sync}: {type(error).__name__}: {error}; its slot is over")
            raise

    def _do_known(self, job: Job, attempts: int) -> None:
        claimed = Claimed(
            sync=job.sync,
            slot=job.slot,
            at=datetime.fromisoformat(job.at),
            schedule=self._runs[job.sync],
            late=job.late_at(self._workspace.store.now()),
        )
        ended = self._run(self._workspace, claimed)
        for each in self._heard:
            each(ended)
        if self._stop.is_set() and not _is_done(ended):
            self._say(f"{job.sync}: given back for another worker to go on with")
            raise Again(0)
        if ended.again and (ended.kept_out or attempts < _TRIES):
            raise Again(_pause(attempts))

    def _unknown(self, sync: str, job: Job | None, attempts: int) -> None:
        """Perhaps what it needs comes to this worker, or another one has it."""
        over = attempts >= _TRIES
        why = "the settings of this worker name no such sync" if job else "no job of this version"
        self._say(f"{sync}: {why}; {'its slot is over' if over else 'tried again soon'}")
        if not over:
            raise Again(_pause(attempts))


def _job(said: dict[str, Any]) -> Job | None:
    """The job as it was put down; None where another version of Trueup put it down otherwise."""
    try:
        return Job(**said)
    except TypeError:
        return None


def _pause(attempts: int) -> float:
    return min(BEAT * (attempts + 1), GONE / 2)


def _is_done(ended: Ended) -> bool:
    if ended.report is not None:
        return ended.report.outcome is Outcome.OK
    return ended.kept is not None and not ended.kept.failed


def _of_queue(error: Exception) -> str:
    cause = error.__cause__ or error
    if isinstance(cause, psycopg.errors.ForeignKeyViolation):
        return "this worker stood still and was taken for gone; it begins anew"
    return f"the queue does not answer: {' '.join(str(cause).split())}; tried again soon"
