"""What the console does beside pages: it makes plans, and reads what was spent.

Each is a thread of its own, one at a time of a kind and sync, and what came of the last is kept
in memory.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock
from typing import Any, Generic, TypeVar

from sync.watch import Watch
from trueup.endings import KNOWN, lines_of, odd

_Made = TypeVar("_Made")
_log = logging.getLogger("trueup")


@dataclass(frozen=True, slots=True)
class Job(Generic[_Made]):
    """What is being made, was made, or could not be: `ended` is None while it goes on.

    `stage` is the step that it is at; `error` says why nothing came of it.
    """

    begun: datetime
    stage: str = ""
    ended: datetime | None = None
    made: _Made | None = None
    error: str | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it is being made."""
        return self.ended is None


class Jobs:
    """The jobs by their names, (kind, sync or system); nothing is written by any. `stop` ends
    them; each begins when `start` is called, or where four go on already, later."""

    def __init__(self, now: Callable[[], datetime], stop: Event) -> None:
        self._now, self._stop = now, stop
        self._last: dict[tuple[str, str], Job[Any]] = {}
        self._good: dict[tuple[str, str], Job[Any]] = {}
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="console")

    def start(self, kind: str, name: str, make: Callable[[Watch], Any]) -> None:
        """Begin, unless the same goes on already."""
        key = kind, name
        with self._lock:
            last = self._last.get(key)
            if last is not None and last.goes_on:
                return
            self._last[key] = Job(self._now(), "waiting for its turn")
        self._pool.submit(self._make, key, make)

    def last(self, kind: str, name: str) -> Job[Any] | None:
        """The one that goes on, or ended last."""
        with self._lock:
            return self._last.get((kind, name))

    def good(self, kind: str, name: str) -> Job[Any] | None:
        """The last that something came of."""
        with self._lock:
            return self._good.get((kind, name))

    def close(self) -> None:
        """Begin no more, and wait for those that go on; they end early where `stop` is set."""
        self._pool.shutdown(cancel_futures=True)

    def _make(self, key: tuple[str, str], make: Callable[[Watch], Any]) -> None:
        begun = self._last[key].begun

        def stage(step: str) -> None:
            self._put(key, Job(begun, step))

        try:
            made = make(Watch(stage=stage, stop=self._stop))
        except Exception as error:
            _log.debug("what led to it:", exc_info=error)
            said = lines_of(error) if isinstance(error, KNOWN) else odd(error)
            self._put(key, Job(begun, ended=self._now(), error=said))
        else:
            self._put(key, Job(begun, ended=self._now(), made=made))

    def _put(self, key: tuple[str, str], job: Job[Any]) -> None:
        with self._lock:
            self._last[key] = job
            if job.made is not None:
                self._good[key] = job
