"""Processes that call one vendor under one credential, in a time that passes when all sleep."""

import heapq
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from connectors.calling.limiter import Limiter
from connectors.contract.runtime import Runtime
from connectors.contract.slots import Grant, Visit
from sync.state.window import Window


class Killed(BaseException):
    """The process is no more."""


class Time:
    """A clock that goes on to the next who wakes once all threads sleep or are done."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._awake = 0
        self._asleep: list[tuple[float, int, threading.Event]] = []
        self._lock = threading.Lock()
        self._count = 0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        woken = threading.Event()
        with self._lock:
            self._count += 1
            heapq.heappush(self._asleep, (self.now + max(seconds, 0.001), self._count, woken))
            self._awake -= 1
            self._go_on()
        woken.wait()

    def run(self, works: Sequence[Callable[[], None]]) -> None:
        """Run all of them in threads, until they are done."""

        def run(work: Callable[[], None]) -> None:
            try:
                work()
            except Killed:
                pass
            finally:
                with self._lock:
                    self._awake -= 1
                    self._go_on()

        threads = [threading.Thread(target=run, args=(each,), daemon=True) for each in works]
        self._awake = len(threads) + 1
        for each in threads:
            each.start()
        with self._lock:
            self._awake -= 1
            self._go_on()
        for each in threads:
            each.join(timeout=60)
        assert not any(each.is_alive() for each in threads)

    def _go_on(self) -> None:
        if self._awake == 0 and self._asleep:
            self.now, _, woken = heapq.heappop(self._asleep)
            self._awake += 1
            woken.set()


@dataclass
class Vendor:
    """Counts calls in a window, as a vendor does, and refuses those above its limit."""

    time: Time
    calls: int
    window: float
    took: list[float] = field(default_factory=list)
    refused: int = 0
    by: dict[str, int] = field(default_factory=dict)
    _recent: deque[float] = field(default_factory=deque)

    def call(self, who: str) -> bool:
        now = self.time.now
        while self._recent and self._recent[0] <= now - self.window:
            self._recent.popleft()
        if len(self._recent) >= self.calls:
            self.refused += 1
            return False
        self._recent.append(now)
        self.took.append(now)
        self.by[who] = self.by.get(who, 0) + 1
        return True


@dataclass
class Kept:
    """Where the slots are kept: the window itself, by the time that all share."""

    time: Time
    window: Window = field(default_factory=Window)
    visits: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def visit(self, credential: str, visit: Visit) -> Grant | None:
        with self.lock:
            self.visits += 1
            return self.window.visit(visit, int(self.time.now * 1000))


def most_in_a_window(took: Sequence[float], window: float) -> int:
    """The most calls that any window of that length holds."""
    most, first = 0, 0
    for last, at in enumerate(took):
        while took[first] <= at - window:
            first += 1
        most = max(most, last - first + 1)
    return most


class Process:
    """A process with a limiter of its own and some threads that call as often as they may."""

    def __init__(
        self,
        name: str,
        vendor: Vendor,
        kept: Kept,
        *,
        threads: int = 8,
        until: float = 1e9,
        start: float = 0,
        rate: tuple[int, float] | None = None,
        ahead: float = 0,
    ) -> None:
        self.name, self.vendor, self.until, self.start = name, vendor, until, start
        self.time, self.threads = vendor.time, threads
        runtime = Runtime(
            monotonic=lambda: self.time.now + ahead,
            sleep=self._sleep,
            slots=kept,
            credential="shop",
        )
        self.limiter = Limiter(*(rate or (vendor.calls, vendor.window)), runtime)
        self.killed = False
        self._running = threads

    def _sleep(self, seconds: float) -> None:
        self.time.sleep(seconds)
        if self.killed:
            raise Killed

    def works(self) -> list[Callable[[], None]]:
        return [self._work] * self.threads

    def _work(self) -> None:
        self._sleep(self.start)
        while self.time.now < 1000 + self.until:
            with self.limiter.slot():
                if self.time.now >= 1000 + self.until:
                    break
                self._sleep(0.02)
                if not self.vendor.call(self.name):
                    self.limiter.pause(1)
                self._sleep(0.05)
        self._running -= 1
        if not self._running:
            self.limiter.close()
