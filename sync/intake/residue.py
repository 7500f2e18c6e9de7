"""Residue: converted shares that would come to another sum than they did, by rounding alone.

Each share is rounded by itself. Where those of a budget came to no more than it has, and come to
more once they are rounded, as many of them as that takes give up one smallest unit: first what
rounding had raised most, then by ref, so that the order of a listing does not matter. Where they
came to all of it and now come to less, as many get one, first what rounding had lowered most.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from canonical.allocation import Allocation
from canonical.budget import Budget


@dataclass(slots=True)
class Part:
    """An amount and the days on which it counts: exact, and as it is `rounded`.

    `at` is where it stands in its object: a phase's index, None for the amount itself. `moved` is
    how far `rounded` was moved since.
    """

    ref: str
    at: int | None
    start: date
    end: date
    exact: Decimal
    rounded: Decimal
    moved: Decimal = Decimal()

    def covers(self, day: date) -> bool:
        """Whether it counts on that day."""
        return self.start <= day <= self.end

    @property
    def raised(self) -> Decimal:
        """How far rounding raised it; below zero where it lowered it."""
        return self.rounded - self.exact


def spans(stated: Budget | Allocation) -> list[tuple[int | None, date, date]]:
    """Which amounts count on which days: the phases, with the amount before them or alone."""
    first, last = stated.start or date.min, stated.end or date.max
    if not stated.phases:
        return [(None, first, last)]
    found: list[tuple[int | None, date, date]] = [
        (at, phase.period.start, phase.period.end or date.max)
        for at, phase in enumerate(stated.phases)
    ]
    begins = found[0][1]
    if stated.start is not None and stated.start < begins and stated.amount is not None:
        found.insert(0, (None, first, date.fromordinal(begins.toordinal() - 1)))
    return found


def settle(
    budget: Sequence[Part], shares: Sequence[Part], step: Decimal, *, fills: bool
) -> list[Part]:
    """Move what is needed of `shares` by one `step`, in place; returns what has `moved`.

    Where it `fills`, shares that came to all that their budget has do so still.
    """
    if any(each.raised > 0 for each in shares):
        days = sorted({each.start for each in (*budget, *shares)})
        for had in budget:
            for day in sorted({had.start, *(each for each in days if had.covers(each))}):
                _move(_over(had, [each for each in shares if each.covers(day)], step), -step)
    for had in budget if fills else ():
        _move(_short(had, shares, step), step)
    return [each for each in shares if each.moved]


def _move(parts: Sequence[Part], step: Decimal) -> None:
    for each in parts:
        each.rounded += step
        each.moved += step


def _over(had: Part, shares: Sequence[Part], step: Decimal) -> Sequence[Part]:
    """Those of the shares of one day that give up a unit."""
    excess = _sum(shares) - had.rounded
    if excess <= 0 or _exact(shares) > had.exact:
        return ()
    raised = [each for each in shares if each.raised > 0]
    raised.sort(key=lambda each: (-each.raised, each.ref, -1 if each.at is None else each.at))
    return raised[: int((excess / step).to_integral_value(ROUND_CEILING))]


def _short(had: Part, shares: Sequence[Part], step: Decimal) -> Sequence[Part]:
    """Those that get a unit, where all of them count for just as long as the budget's amount."""
    there = [each for each in shares if each.start <= had.end and had.start <= each.end]
    if any((each.start, each.end) != (had.start, had.end) for each in there):
        return ()
    lack = had.rounded - _sum(there)
    if lack < step or _exact(there) != had.exact:
        return ()
    lowered = [each for each in there if each.raised < 0 and not each.moved]
    lowered.sort(key=lambda each: (each.raised, each.ref))
    return lowered[: int((lack / step).to_integral_value(ROUND_FLOOR))]


def _sum(parts: Sequence[Part]) -> Decimal:
    return _total(each.rounded for each in parts)


def _exact(parts: Sequence[Part]) -> Decimal:
    return _total(each.exact for each in parts)


def _total(values: Iterable[Decimal]) -> Decimal:
    with localcontext(prec=120):
        return sum(values, Decimal())
