"""The window of slots that all who call under one credential share, as one row of the state.

Every function here takes the moment and is pure. Moments are whole milliseconds of the clock that
all users of the state share, lengths too; rests are rounded up.

Whoever waits comes to as many slots as there would be if all had the same number; the others owe
them that. What nobody waits for, anybody may have.
"""

from collections.abc import Iterable
from math import ceil
from typing import Final

import msgspec

from connectors.contract.slots import Grant, Left, Visit, stay

_LONGEST_PAUSE: Final = 24 * 3600 * 1000
_STAYS: Final = 4


class Holder(msgspec.Struct):
    """Somebody who calls, and until when that is believed if nothing more is heard."""

    calls: int
    window: int
    held: int
    until: int
    waits_since: int | None = None


class Counter(msgspec.Struct):
    """What the vendor's counter said last, and whom it told."""

    calls: int
    until: int
    holder: str
    at: int


class Window(msgspec.Struct):
    """All holders, and the slots that nobody holds but that rest still: (free again, how many)."""

    holders: dict[str, Holder] = {}
    resting: list[tuple[int, int]] = []
    paused_until: int = 0
    counter: Counter | None = None

    def visit(self, visit: Visit, now: int) -> Grant:
        """Answer somebody who comes by, and remember what was said."""
        self._reap(visit, now)
        mine, kept = self._mine(visit, now)
        self._learn(visit, now)
        if visit.over:
            self.holders.pop(visit.holder, None)
            return Grant(kept=kept)
        self.holders[visit.holder] = mine
        granted = self._granted(mine, visit.wants)
        mine.held += granted
        waits = visit.wants > granted
        mine.waits_since = (mine.waits_since or now) if waits else None
        others = self._waiting(mine)
        return Grant(
            slots=granted,
            kept=kept,
            owed=self._owed(mine, others),
            wanted=bool(others),
            sharers=len(self.holders),
            pause=max(0, self.paused_until - now) / 1000,
            left=self._told(visit.holder, now),
        )

    # -- who is there ------------------------------------------------------------------------

    def _reap(self, visit: Visit, now: int) -> None:
        """Let the slots of those who are no more rest for a window, and forget what has rested."""
        for name, each in [*self.holders.items()]:
            each.until = min(each.until, _until(now, each.window / 1000))
            if name != visit.holder and each.until <= now:
                self._rest([(each.until + each.window, each.held)])
                del self.holders[name]
        longest = max(each.window for each in [*self.holders.values(), _holder(visit, now)])
        # Further off than a window it can only be by a clock that was put back.
        soonest = ((min(at, now + longest), count) for at, count in self.resting)
        self.resting = [(at, count) for at, count in soonest if at > now]

    def _rest(self, slots: Iterable[tuple[int, int]]) -> None:
        found = dict[int, int]()
        for at, count in [*self.resting, *slots]:
            found[at] = found.get(at, 0) + count
        self.resting = sorted(found.items())

    def _mine(self, visit: Visit, now: int) -> tuple[Holder, bool]:
        """The visitor as it is from now on, and whether what it holds is its own still."""
        known, mine = self.holders.get(visit.holder), _holder(visit, now)
        if known is None and not visit.fresh:
            mine.held = 0
            return mine, False
        window = mine.window
        grain = max(1, window // 60)
        self._rest((_up(now + ceil(each * 1000), grain), 1) for each in visit.back if each > 0)
        if known is not None and (lost := known.held - visit.held - len(visit.back)) > 0:
            self._rest([(now + window, lost)])  # granted, and the answer was lost
        mine.waits_since = known.waits_since if known else None
        return mine, True

    # -- who gets what -----------------------------------------------------------------------

    def _capacity(self) -> int:
        """Where they go by different limits, the strictest counts."""
        return min(each.calls for each in self.holders.values())

    def _free(self) -> int:
        held = sum(each.held for each in self.holders.values())
        return self._capacity() - held - sum(count for _, count in self.resting)

    def _share(self) -> int:
        there = sum(1 for each in self.holders.values() if each.held or each.waits_since)
        return self._capacity() // max(1, there)

    def _waiting(self, mine: Holder) -> list[Holder]:
        """The others who wait and have less than their share, who came first first."""
        share = max(1, self._share())
        found = [
            each
            for each in self.holders.values()
            if each is not mine and each.waits_since and each.held < share
        ]
        return sorted(found, key=lambda each: each.waits_since or 0)

    def _granted(self, mine: Holder, wants: int) -> int:
        """How many slots the visitor gets: up to its share before those who came after it, and
        beyond it only what nobody waits for."""
        if not wants:
            return 0
        mine.waits_since = mine.waits_since or 1 << 62
        share, others = max(1, self._share()), self._waiting(mine)
        before = sum(share - each.held for each in others if _since(each) < _since(mine))
        after = sum(share - each.held for each in others) - before
        free = max(0, self._free() - before)
        within = min(wants, free, max(0, share - mine.held))
        beyond = min(wants - within, max(0, free - within - after))
        mine.waits_since = None if mine.waits_since == 1 << 62 else mine.waits_since
        return within + beyond

    def _owed(self, mine: Holder, others: list[Holder]) -> int:
        """How many slots the visitor is to give back: what others lack, and what is more than a
        limit that was lowered."""
        share = self._share()
        lacking = sum(max(1, share) - each.held for each in others)
        spare = self._capacity() - sum(each.held for each in self.holders.values())
        return max(0, min(mine.held - share, lacking - spare))

    # -- what the vendor said ----------------------------------------------------------------

    def _learn(self, visit: Visit, now: int) -> None:
        pause = min(ceil(visit.pause * 1000), _LONGEST_PAUSE)
        if pause > 0:
            self.paused_until = max(self.paused_until, now + pause)
        self.paused_until = min(self.paused_until, now + _LONGEST_PAUSE)
        if visit.left is not None:
            until = now + ceil(visit.left.seconds * 1000)
            self.counter = Counter(visit.left.calls, until, visit.holder, now)

    def _told(self, holder: str, now: int) -> Left | None:
        """What another was told, for each of them its part."""
        said = self.counter
        if said is None or said.holder == holder or said.until <= now:
            return None
        return Left(said.calls // len(self.holders), (said.until - now) / 1000)


def _holder(visit: Visit, now: int) -> Holder:
    window = ceil(visit.window * 1000)
    return Holder(visit.calls, window, visit.held, _until(now, visit.window))


def _until(now: int, window: float) -> int:
    """When a holder who says nothing from now on is no more."""
    return now + ceil(_STAYS * stay(window) * 1000)


def _since(holder: Holder) -> int:
    return holder.waits_since or 0


def _up(moment: int, grain: int) -> int:
    """The next moment on the grain: many slots that rest are few rows."""
    return -(-moment // grain) * grain
