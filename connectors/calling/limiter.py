"""The limiter: calls of one credential never come faster than the vendor allows.

It is a window of slots. A call takes a slot when it leaves, and the slot is free again one window
after the answer came: however long an answer takes, the vendor never counts more calls in a window
than there are slots, and a burst may still use all of them at once.

Where other processes call under the same credential, the slots are leased from what all of them
share (`connectors.calling.leasing`), and used here as if they were our own.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from threading import Condition, Lock

from connectors.calling.leasing import Leasing
from connectors.contract.errors import RateLimited
from connectors.contract.runtime import Runtime
from connectors.contract.slots import Grant, Left, Visit


class Limiter:
    """At most `calls` in any `window` seconds, over all threads and processes that share it."""

    def __init__(self, calls: int, window: float, runtime: Runtime) -> None:
        self._window = window
        self._runtime = runtime
        self._leasing = Leasing.of(calls, window, runtime)
        self._unused = 0 if self._leasing else calls
        self._resting: deque[float] = deque()  # when each used slot is free again, soonest first
        self._line: list[object] = []  # who waits for a slot: who comes first, goes first
        self._changed = Condition()
        self._turn = Lock()
        self._paused_until = -inf
        self._out = 0
        self._gone = 0  # slots under way that are not ours any more
        self._left = inf  # calls that the vendor still takes until then
        self._left_until = -inf
        self._told: Left | None = None  # what no other process knows yet

    @contextmanager
    def slot(
        self, patience: float = inf, check: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Hold a slot for the length of one call, waiting for it as long as it takes.

        Only a pause may be refused, and what other processes use: one that lasts longer than
        `patience` seconds raises `RateLimited`, of a pause with the seconds that are left of it.
        `check` may end the wait by raising.
        """
        place = object()
        with self._changed:
            self._line.append(place)
        try:
            self._wait(place, patience, check)
        except BaseException:
            with self._changed:
                self._line.remove(place)
                self._changed.notify_all()
            raise
        try:
            yield
        finally:
            self._rest()

    def learn(self, left: int, seconds: float) -> None:
        """An answer says that `left` calls may follow within the next `seconds`.

        Calls under way are counted as not yet counted by the vendor. Called while its slot is held.
        """
        with self._changed:
            left = max(0, left - max(0, self._out - 1))
            sharers = self._leasing.sharers if self._leasing else 1
            self._left = left // sharers
            self._left_until = self._runtime.monotonic() + seconds
            self._told = Left(left, self._left_until)

    def pause(self, seconds: float) -> None:
        """Let no call leave for `seconds`; a longer pause that already runs stays as it is."""
        with self._changed:
            self._paused_until = max(self._paused_until, self._runtime.monotonic() + seconds)
        if self._leasing:
            with self._turn:
                self._visit(self._leasing)

    def close(self) -> None:
        """Give back what is leased; who calls after all leases anew."""
        if self._leasing and self._leasing.begun:
            with self._turn:
                self._visit(self._leasing, over=True)

    # -- waiting -----------------------------------------------------------------------------

    def _wait(self, place: object, patience: float, check: Callable[[], None]) -> None:
        began = self._runtime.monotonic()
        while True:
            check()
            self._tend()
            now = self._runtime.monotonic()
            with self._changed:
                paused = max(self._paused_until, self._none_left_until(now)) - now
                wait = max(self._free_in(place, now), paused)
                if wait <= 0 and (self._leasing is None or self._leasing.holds(now)):
                    self._leave(place, now)
                    return
                if wait == inf and self._leasing is None:
                    self._changed.wait()
                    continue
                starved = self._leasing is not None and not self._held()
            if paused > patience:
                raise RateLimited(f"the vendor wants no call for {paused:.0f} s", after=paused)
            if starved and now - began > patience:
                raise RateLimited("other runs use all calls that the vendor allows", after=None)
            if self._leasing:
                wait = self._leasing.until_due(now, wait)
            self._runtime.sleep(wait)

    def _free_in(self, place: object, now: float) -> float:
        """In how many seconds there is a slot for that place in the line, as far as is known."""
        behind = self._line.index(place) - self._unused
        if behind < 0:
            return 0
        return self._resting[behind] - now if behind < len(self._resting) else inf

    def _none_left_until(self, now: float) -> float:
        if now >= self._left_until:
            self._left = inf
        return self._left_until if self._left < 1 else -inf

    def _leave(self, place: object, now: float) -> None:
        self._line.remove(place)
        if self._unused:
            self._unused -= 1
        else:
            self._resting.popleft()
        self._out += 1
        self._left -= 1

    def _rest(self) -> None:
        with self._changed:
            self._out -= 1
            if self._gone:
                self._gone -= 1
            else:
                self._resting.append(self._runtime.monotonic() + self._window)
            self._changed.notify_all()

    # -- what is shared with other processes -------------------------------------------------

    def _held(self) -> int:
        return self._unused + len(self._resting) + self._out - self._gone

    def _tend(self) -> None:
        """Come by where slots are kept, if it is time to, or more of them are needed."""
        if self._leasing and self._is_due(self._leasing):
            with self._turn:
                if self._is_due(self._leasing):
                    self._visit(self._leasing)

    def _is_due(self, leasing: Leasing) -> bool:
        now = self._runtime.monotonic()
        return now >= leasing.due or (leasing.more and self._short(now))

    def _short(self, now: float) -> bool:
        with self._changed:
            free = self._resting and self._resting[0] <= now
            return not free and self._unused < len(self._line)

    def _visit(self, leasing: Leasing, over: bool = False) -> None:
        now = self._runtime.monotonic()
        with self._changed:
            visit = self._said(leasing, now, over)
        grant = leasing.visit(visit, now)
        with self._changed:
            self._heed(leasing, grant, now)
            self._changed.notify_all()

    def _said(self, leasing: Leasing, now: float, over: bool) -> Visit:
        idle = self._unused if now >= leasing.idle_from else 0
        back = self._give_up(now, self._held() if over else leasing.gives(idle))
        if over:  # what is under way is not mentioned, and so rests for a window
            self._gone = self._out
        short = self._unused < len(self._line)
        told, self._told = self._told, None
        return leasing.say(
            held=self._held(),
            back=back,
            hungry=short and not over,
            pause=max(0.0, self._paused_until - now),
            left=Left(told.calls, told.seconds - now) if told else None,
            over=over,
        )

    def _give_up(self, now: float, count: int) -> list[float]:
        """Take away so many slots, if there are as many; returns how long each has to rest."""
        unused = min(count, self._unused)
        self._unused -= unused
        used = [self._resting.popleft() for _ in range(min(count - unused, len(self._resting)))]
        return [0.0] * unused + [max(0.0, each - now) for each in used]

    def _heed(self, leasing: Leasing, grant: Grant | None, now: float) -> None:
        if grant is None:
            self._unused += max(0, leasing.calls - self._held())
            return
        if not grant.kept:
            self._unused, self._gone = 0, self._out
            self._resting.clear()
        self._unused += grant.slots
        if grant.pause > 0:
            self._paused_until = max(self._paused_until, now + grant.pause)
        if grant.left is not None:
            self._none_left_until(now)
            self._left = min(self._left, grant.left.calls)
            self._left_until = max(self._left_until, now + grant.left.seconds)
