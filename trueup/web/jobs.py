"""What the console does beside pages: it makes plans, carries them out, and reads what was spent.

Each is a thread of its own, one at a time of a kind and sync, and what came of the last is kept
in memory.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event, Lock
from typing import Any, Generic, TypeVar

from sync.outcome import Done
from sync.watch import Watch
from trueup.endings import KNOWN, lines_of, odd
from trueup.refusal import Refusal

_Made = TypeVar("_Made")
_log = logging.getLogger("trueup")


@dataclass(frozen=True, slots=True)
class Job(Generic[_Made]):
    """What is being made, was made, or could not be: `ended` is None while it goes on.

    `about` says what it is and who began it. `stage` is the step that it is at, with `count` of
    `total` operations done, None before they are known. `error` says why nothing came of it.
    """

    begun: datetime
    stage: str = ""
    about: str = ""
    count: int = 0
    total: int | None = None
    ended: datetime | None = None
    made: _Made | None = None
    error: str | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it is being made."""
        return self.ended is None

    @property
    def step(self) -> str:
        """How far it is, in words."""
        if self.total is None or self.stage != "apply":
            return self.stage
        return f"{self.count:,} of {self.total:,} done"


class Jobs:
    """The jobs by their names, (kind, sync or system). `stop` ends them, as it ends a run of the
    command line; each begins when `start` is called, or where four go on already, later."""

    def __init__(self, now: Callable[[], datetime], stop: Event) -> None:
        self._now, self._stop = now, stop
        self._last: dict[tuple[str, str], Job[Any]] = {}
        self._good: dict[tuple[str, str], Job[Any]] = {}
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="console")

    def start(self, kind: str, name: str, make: Callable[[Watch], Any], about: str = "") -> bool:
        """Begin, unless the same goes on already; whether it was begun."""
        key = kind, name
        with self._lock:
            last = self._last.get(key)
            if last is not None and last.goes_on:
                return False
            self._last[key] = Job(self._now(), "waiting for its turn", about)
        self._pool.submit(self._make, key, make)
        return True

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
        def stage(step: str) -> None:
            self._change(key, stage=step)

        def planned(count: int) -> None:
            self._change(key, stage="apply", total=count, count=0)

        def done(_: Done) -> None:
            with self._lock:
                self._last[key] = replace(self._last[key], count=self._last[key].count + 1)

        try:
            made = make(Watch(stage=stage, planned=planned, done=done, stop=self._stop))
        except Exception as error:
            _log.debug("what led to it:", exc_info=error)
            said = lines_of(error) if isinstance(error, (*KNOWN, Refusal)) else odd(error)
            self._change(key, ended=self._now(), error=said)
        else:
            self._change(key, ended=self._now(), made=made)

    def _change(self, key: tuple[str, str], **said: Any) -> None:
        with self._lock:
            self._last[key] = job = replace(self._last[key], **said)
            if job.made is not None:
                self._good[key] = job
