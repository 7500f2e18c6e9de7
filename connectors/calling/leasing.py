"""Leasing: how one limiter comes by its share of slots that other processes use too.

It takes few at first and twice as many each time it runs short, so that a command of three calls
holds next to nothing, and a long run alone soon holds all of them. From then on it only comes by
once in a while: a call costs nothing but a look at the clock.
"""

from collections.abc import Sequence
from math import inf
from typing import Final, Self
from uuid import uuid4

from connectors.contract.runtime import Runtime
from connectors.contract.slots import Grant, Left, Slots, Visit, stay

_FIRST: Final = 20
"""The first block is this part of all slots."""


class Leasing:
    """The lease of one limiter. Not safe between threads: one visits at a time."""

    def __init__(self, calls: int, window: float, slots: Slots, credential: str) -> None:
        self.calls = calls
        self.sharers = 1
        self.due = -inf
        self.more = True
        """Whether the last visit got all that it wanted, so that there may be more."""
        self.idle_from = -inf
        """From when on a slot that nobody used is not needed."""
        self.begun = False
        self._window = window
        self._slots = slots
        self._credential = credential
        self._holder = uuid4().hex
        self._stay = stay(window)
        self._ours_until = -inf
        self._owed = 0
        self._wanted = False
        self._fresh = True

    @classmethod
    def of(cls, calls: int, window: float, runtime: Runtime) -> Self | None:
        """None where nothing is shared."""
        if runtime.slots is None:
            return None
        return cls(calls, window, runtime.slots, runtime.credential)

    def holds(self, now: float) -> bool:
        """Whether a call may leave on a slot that is leased."""
        return now < self._ours_until

    def until_due(self, now: float, wait: float) -> float:
        """Seconds to sleep, of `wait`, before it is time to come by."""
        return min(wait, self.due - now if self.due > now else self._stay)

    def gives(self, idle: int) -> int:
        """How many slots go back: those that are owed, and those that lie idle while others wait;
        one stays, for the call that comes next."""
        return max(self._owed, idle - 1 if self._wanted else 0)

    def say(
        self,
        *,
        held: int,
        back: Sequence[float],
        hungry: bool,
        pause: float,
        left: Left | None,
        over: bool,
    ) -> Visit:
        """What is said at the next visit."""
        block = max(1, self.calls // _FIRST, held)
        return Visit(
            holder=self._holder,
            calls=self.calls,
            window=self._window,
            held=held,
            back=back,
            wants=min(block, max(0, self.calls - held)) if hungry else 0,
            fresh=self._fresh,
            pause=pause,
            left=left,
            over=over,
        )

    def visit(self, visit: Visit, now: float) -> Grant | None:
        """Come by; None where nothing is shared, so that all slots are our own."""
        grant = self._slots.visit(self._credential, visit)
        self.begun = grant is not None and not visit.over
        self._fresh = not self.begun
        if grant is None or visit.over:
            self.due, self.more, self.sharers, self._owed, self._wanted = -inf, True, 1, 0, False
            self._ours_until = -inf if grant else inf
            return grant
        self.due, self._ours_until = now + self._stay, now + 2 * self._stay
        if visit.wants:
            self.more = grant.slots >= visit.wants
        self.more = self.more and visit.held + grant.slots < self.calls
        if grant.slots:
            self.idle_from = self.due
        self.sharers, self._owed, self._wanted = grant.sharers, grant.owed, grant.wanted
        return grant
