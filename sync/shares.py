"""Shares: where a budget gives away more than the source states that it has.

Only sums of one cadence and currency are compared, on the plan's day and on each later one on which
an amount begins to count. Of a budget whose amount is not stated nothing is said.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, TypeAlias

from msgspec import Struct

from canonical.allocation import Allocation, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.loss import Effect, Loss
from canonical.period import Period
from connectors.contract.capabilities import Capabilities
from sync.terms import Losses

_ZERO: Final = Decimal()
_Dated: TypeAlias = tuple[date | None, date | None, Decimal]


class _Stated(Struct, gc=False):
    """What a budget has and gives away, as far as it was read.

    `least` is the smallest amount that it has from the plan's day on. `dated` amounts have days of
    their own; of each share the largest, with those that are `given` throughout, come to `most`.
    """

    amount: Amount | None
    phases: tuple[Phase, ...]
    start: date | None
    end: date | None
    least: Decimal = _ZERO
    given: Decimal = _ZERO
    dated: list[_Dated] | None = None
    most: Decimal = _ZERO

    def give(self, share: Sequence[_Dated]) -> None:
        """One share more: its amounts, each with its days."""
        self.most += _largest(share)
        for start, end, value in share:
            if start == self.start and end == self.end:
                self.given += value
            else:
                self.dated = self.dated or []
                self.dated.append((start, end, value))

    def take_back(self, share: Sequence[_Dated]) -> None:
        """As if the last share had never been given."""
        self.most -= _largest(share)
        for start, end, value in share:
            if start == self.start and end == self.end:
                self.given -= value
            elif self.dated:
                self.dated.pop()


class Shares:
    """The budgets of one plan and what their shares come to, read one after the other.

    Most budgets have one amount, and many no share: until the first comes, such an amount is kept
    as its text, which takes a third of the memory.
    """

    def __init__(self, able: Capabilities, as_of: date) -> None:
        self._able, self._as_of = able, as_of
        self._budgets: dict[str, _Stated] = {}
        self._flat: dict[str, str] = {}

    def state(self, budget: Budget) -> None:
        """Take note of what a budget has."""
        if budget.phases:
            self._stated(budget.ref, budget, budget.amount, budget.all_phases())
        elif budget.amount is not None:
            self._flat[budget.ref] = str(budget.amount)

    def beyond(self, share: Allocation, budget: Budget) -> Losses:
        """What is said of a share, filled from its `budget`, with which that gives too much away.

        Of the budget its cadence and time are enough. A share that blocks is not counted any
        further, as it is not written.
        """
        if share.amount is None or share.status is not Status.ACTIVE:
            return ()
        if share.cadence is not budget.cadence:
            return ()
        stated = self._of(share.budget, budget)
        if stated is None:
            return ()
        given_to = _dated(share, share.amount.value)
        stated.give(given_to)
        excess = self._excess(stated, share.amount.unit)
        if excess is None:
            return ()
        had, given, period = excess
        if self._able.sums_shares:
            stated.take_back(given_to)
        often = f", {budget.cadence}, in {period}" if period else f", {budget.cadence}"
        reason = f"the shares of {share.budget} come to {given}, more than its {had}{often}"
        effect = Effect.BLOCKED if self._able.sums_shares else Effect.EMULATED
        return (Loss("amount", effect, f"{reason}; {self._able.shares_beyond}"),)

    def _of(self, ref: str, budget: Budget) -> _Stated | None:
        """What the budget of that ref has; None where that is not stated."""
        stated = self._budgets.get(ref)
        if stated is None and (flat := self._flat.pop(ref, None)):
            number, unit = flat.split()
            return self._stated(ref, budget, Amount(Decimal(number), unit))
        return stated

    def _stated(
        self, ref: str, budget: Budget, amount: Amount | None, phases: tuple[Phase, ...] = ()
    ) -> _Stated:
        stated = _Stated(amount, phases, budget.start, budget.end)
        values = [had.value for had, _ in self._amounts(stated)]
        stated.least = min(values, default=_ZERO)
        self._budgets[ref] = stated
        return stated

    def _excess(self, budget: _Stated, unit: str) -> tuple[Amount, Amount, Period | None] | None:
        """The first amount that is exceeded from the day on, by what, and the time it counts in."""
        if budget.most <= budget.least:
            return None
        for had, period in self._amounts(budget):
            if had.unit != unit or budget.most <= had.value:
                continue
            first = max(self._as_of, period.start) if period else self._as_of
            last = period.end if period else None
            given = budget.given + _peak(budget.dated or (), first, last)
            if given > had.value:
                return had, Amount(given, unit), period
        return None

    def _amounts(self, budget: _Stated) -> Iterator[tuple[Amount, Period | None]]:
        """What the budget has, from the day on, and when."""
        for phase in budget.phases:
            if phase.period.end is None or phase.period.end >= self._as_of:
                yield phase.amount, phase.period
        if budget.phases or budget.amount is None:
            return
        start, end = budget.start, budget.end
        if end is None or end >= max(self._as_of, start or self._as_of):
            yield budget.amount, None if start is None else Period(start, end)


def _dated(share: Allocation, value: Decimal) -> Sequence[_Dated]:
    """What a share takes, and when: each of its phases, or its amount throughout."""
    if not share.phases:
        return ((share.start, share.end, value),)
    phases = Budget.of_share(share).all_phases()
    return [(each.period.start, each.period.end, each.amount.value) for each in phases]


def _largest(share: Sequence[_Dated]) -> Decimal:
    return share[0][2] if len(share) == 1 else max(value for _, _, value in share)


def _peak(dated: Sequence[_Dated], first: date, last: date | None) -> Decimal:
    """The most that the dated shares come to on one day from `first` to `last`."""
    steps = []
    for start, end, value in dated:
        begins = max(start or first, first)
        if (end is None or end >= first) and (last is None or begins <= last):
            steps.append((begins, 0, value))
            steps.append((end or date.max, 1, -value))
    peak = running = _ZERO
    for *_, value in sorted(steps):
        running += value
        peak = max(peak, running)
    return peak
