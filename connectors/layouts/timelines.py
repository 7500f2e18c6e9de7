"""Timelines: the periods that an amount of a file has, in order of time, known once for all groups
that share them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import pairwise
from typing import Final, Self

from canonical.period import Cadence, Period, add_months

_CADENCES: Final = {1: Cadence.MONTHLY, 3: Cadence.QUARTERLY, 12: Cadence.YEARLY}

Amounts = dict[Period, int]
"""Ten-thousandths by period, in order of time."""


class Timeline:
    """Some periods in order of time."""

    def __init__(self, periods: Sequence[Period]) -> None:
        self.periods = tuple(periods)

    @cached_property
    def cadence(self) -> Cadence:
        """How often the amounts start afresh; once, where they are no months of a kind."""
        for months, cadence in _CADENCES.items():
            if all(_is_whole(each, months, self.periods[0]) for each in self.periods):
                return cadence
        return Cadence.ONCE

    @cached_property
    def follow(self) -> bool:
        """Whether each begins where the one before ends."""
        return all(
            before.end is not None and after.start == before.end + timedelta(days=1)
            for before, after in pairwise(self.periods)
        )

    @cached_property
    def overlap(self) -> tuple[Period, Period] | None:
        """Two that share a day, if there are such."""
        return next((pair for pair in pairwise(self.periods) if pair[0].overlaps(pair[1])), None)


class Timelines:
    """Those of one reading, by where their periods stand among all of them."""

    def __init__(self, order: Sequence[Period]) -> None:
        self._order = order
        self._known: dict[tuple[int, ...], Timeline] = {}

    def of(self, places: tuple[int, ...]) -> Timeline:
        """The timeline of the periods at `places`, which are in order."""
        found = self._known.get(places)
        if found is None:
            found = self._known[places] = Timeline([self._order[place] for place in places])
        return found


@dataclass(frozen=True, slots=True)
class Counted:
    """Amounts along a timeline; `places` are those of its periods among all of the file."""

    timeline: Timeline
    places: tuple[int, ...]
    values: Sequence[int]

    @classmethod
    def of(cls, amounts: Mapping[Period, int]) -> Self:
        """Amounts by period, which are in order of time."""
        return cls(Timeline([*amounts]), tuple(range(len(amounts))), [*amounts.values()])

    @property
    def amounts(self) -> Amounts:
        """The amounts by period, in order of time."""
        return dict(zip(self.timeline.periods, self.values, strict=True))


def summed(parts: Sequence[Counted], timelines: Timelines) -> Counted:
    """The sum of several, period by period; at least one."""
    first = parts[0]
    if len(parts) == 1:
        return first
    if all(each.places == first.places for each in parts):
        values = [sum(each) for each in zip(*[part.values for part in parts], strict=True)]
        return Counted(first.timeline, first.places, values)
    sums: dict[int, int] = {}
    for part in parts:
        for place, amount in zip(part.places, part.values, strict=True):
            sums[place] = sums.get(place, 0) + amount
    places = tuple(sorted(sums))
    return Counted(timelines.of(places), places, [sums[place] for place in places])


def _is_whole(period: Period, months: int, first: Period) -> bool:
    start = period.start
    if start.day != 1 or period.end is None:
        return False
    apart = (start.year - first.start.year) * 12 + start.month - first.start.month
    return apart % months == 0 and period.end == add_months(start, months) - timedelta(days=1)
