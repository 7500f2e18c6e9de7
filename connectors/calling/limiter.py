"""The limiter: calls of one credential never come faster than the vendor allows.

It is a window of slots. A call takes a slot when it leaves, and the slot is free again one window
after the answer came: however long an answer takes, the vendor never counts more calls in a window
than there are slots, and a burst may still use all of them at once.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from threading import Condition

from connectors.contract.errors import RateLimited
from connectors.contract.runtime import Runtime


class Limiter:
    """At most `calls` in any `window` seconds, over all threads that share it."""

    def __init__(self, calls: int, window: float, runtime: Runtime) -> None:
        self._window = window
        self._runtime = runtime
        self._unused = calls
        self._resting: deque[float] = deque()  # when each used slot is free again, soonest first
        self._returned = Condition()
        self._paused_until = -inf
        self._out = 0
        self._left = inf  # calls that the vendor still takes until then
        self._left_until = -inf

    @contextmanager
    def slot(
        self, patience: float = inf, check: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Hold a slot for the length of one call, waiting for it as long as it takes.

        Only a pause may be refused: one that lasts longer than `patience` seconds raises
        `RateLimited` with the seconds that are left of it. `check` may end the wait by raising.
        """
        free_at = self._reserve()
        try:
            self._wait(free_at, patience, check)
        except BaseException:
            self._put_back(free_at)
            raise
        try:
            yield
        finally:
            self._rest()

    def learn(self, left: int, seconds: float) -> None:
        """An answer says that `left` calls may follow within the next `seconds`.

        Calls under way are counted as not yet counted by the vendor. Called while its slot is held.
        """
        with self._returned:
            self._left = max(0, left - max(0, self._out - 1))
            self._left_until = self._runtime.monotonic() + seconds

    def pause(self, seconds: float) -> None:
        """Let no call leave for `seconds`; a longer pause that already runs stays as it is."""
        with self._returned:
            self._paused_until = max(self._paused_until, self._runtime.monotonic() + seconds)

    def _reserve(self) -> float:
        """Make a slot the caller's own, before it is free: who comes first, goes first."""
        with self._returned:
            while not self._unused and not self._resting:
                self._returned.wait()
            if self._unused:
                self._unused -= 1
                return -inf
            return self._resting.popleft()

    def _wait(self, free_at: float, patience: float, check: Callable[[], None]) -> None:
        while True:
            check()
            now = self._runtime.monotonic()
            with self._returned:
                paused = max(self._paused_until, self._none_left_until(now)) - now
                wait = max(free_at - now, paused)
                if wait <= 0:
                    self._leave()
                    return
            if paused > patience:
                raise RateLimited(f"the vendor wants no call for {paused:.0f} s", after=paused)
            self._runtime.sleep(wait)

    def _none_left_until(self, now: float) -> float:
        if now >= self._left_until:
            self._left = inf
        return self._left_until if self._left < 1 else -inf

    def _leave(self) -> None:
        self._out += 1
        self._left -= 1

    def _rest(self) -> None:
        with self._returned:
            self._out -= 1
            self._resting.append(self._runtime.monotonic() + self._window)
            self._returned.notify()

    def _put_back(self, free_at: float) -> None:
        with self._returned:
            self._resting.appendleft(free_at)
            self._returned.notify()
