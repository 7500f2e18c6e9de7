"""The loop that runs each sync on its schedule.

One thread per sync does the work, so a slow run delays the next and never overlaps it. What is due
is taken in the state first, which tells a slot from one that was run already: by this service
before its clock was set back or it was stopped, or by another one. Slots that pass meanwhile become
one run, which says so. A slot of cron's is due by the clock; an interval counts seconds that pass,
whatever the clock says.
"""

from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Final

from sync.position import Book, Claimed, Position
from sync.schedule import Clock, Schedule
from sync.state.store import StoreError

_LOOK: Final = 30.0
"""Seconds after which the clock is looked at again: somebody may have set it."""
_GLANCE: Final = 0.5


class WorkerDied(Exception):
    """A thread that runs a sync has ended, so its slots would pass unseen."""


class Scheduler:
    """Runs each sync on its schedule until `stop` is set; what is in hand is finished first.

    `run` tells by itself what goes wrong in it and raises nothing; should it raise all the same,
    the service ends, rather than go on without that sync. `troubled` is told of a state that
    cannot be asked, which is tried again. `glance` is called now and then while nothing ends.
    """

    def __init__(
        self,
        schedules: Mapping[str, Schedule],
        book: Book,
        run: Callable[[Claimed], None],
        stop: Event,
        clock: Clock | None = None,
        *,
        troubled: Callable[[str, StoreError], None] = lambda name, error: None,
        glance: Callable[[], None] = lambda: None,
    ) -> None:
        self._schedules, self._book, self._run, self._stop = dict(schedules), book, run, stop
        self._left = Event()
        self._clock = clock or Clock(wait=self._left.wait)
        self._troubled, self._glance = troubled, glance
        self._died: list[tuple[str, BaseException]] = []
        self._started: list[Thread] = []

    @property
    def alive(self) -> bool:
        """Whether each sync is still run: False from the moment at which a thread of it died."""
        running = all(worker.is_alive() for worker in self._started)
        return not self._died and (running or self._over)

    def leave(self) -> None:
        """Take no more slots, and let `serve` return once the runs in hand have ended as ever."""
        self._left.set()

    def serve(self) -> None:
        """Block until stopped or left; then return once the runs in hand have ended.

        Raises `WorkerDied`, with what it died of as its cause.
        """
        workers = [
            Thread(target=self._watched, args=(name, schedule), name=f"sync-{name}")
            for name, schedule in self._schedules.items()
        ]
        try:
            for worker in workers:
                worker.start()
                self._started.append(worker)
            while not self._over and not self._stop.wait(_GLANCE):
                self._glance()
        except BaseException:
            self._stop.set()
            raise
        finally:
            self._left.set()
            for worker in self._started:
                worker.join()
        for name, error in self._died:
            said = f"{type(error).__name__}: {error}"
            raise WorkerDied(
                f"nothing runs {name} any more, so the service ends: {said}"
            ) from error

    @property
    def _over(self) -> bool:
        return self._stop.is_set() or self._left.is_set()

    def _watched(self, name: str, schedule: Schedule) -> None:
        try:
            self._work(name, schedule)
        except BaseException as error:  # told by `serve`, in the main thread
            self._died.append((name, error))
            self._stop.set()

    def _work(self, name: str, schedule: Schedule) -> None:
        position: Position | None = None
        while not self._over:
            try:
                position = position or Position(name, schedule, self._book, self._clock)
                wait = position.wait()
                claimed = position.take() if wait <= 0 else None
            except StoreError as error:
                self._troubled(name, error)
                claimed, wait = None, _LOOK
            if claimed is not None:
                self._run(claimed)
            elif wait > 0:
                self._clock.wait(min(wait, _LOOK))
