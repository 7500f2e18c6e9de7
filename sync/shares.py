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
from canonical.period import Cadence, Period
from connectors.contract.capabilities import Capabilities

_ZERO: Final = Decimal()
_Dated: TypeAlias = tuple[date | None, date | None, Decimal]


class _Stated(Struct, gc=False):
    """What a budget has and gives away, as far as it was read.

    `dated` amounts have days of their own; of each share the largest, with those that are `given`
    throughout, come to `most`.
    """

    amount: Amount | None
    phases: tuple[Phase, ...]
    cadence: Cadence
    start: date | None
    end: date | None
    given: Decimal = _ZERO
    dated: list[_Dated] | None = None
    most: Decimal = _ZERO

    def give(self, share: Sequence[_Dated]) -> None:
        """One share more: its amounts, each with its days."""
        self.most += max(value for _, _, value in share)
        for start, end, value in share:
            if (start, end) == (self.start, self.end):
                self.given += value
            else:
                self.dated = self.dated or []
                self.dated.append((start, end, value))

    def take_back(self, share: Sequence[_Dated]) -> None:
        """As if the last share had never been given."""
        self.most -= max(value for _, _, value in share)
        for start, end, value in share:
            if (start, end) == (self.start, self.end):
                self.given -= value
            elif self.dated:
                self.dated.pop()


class Shares:
    """The budgets of one plan and what their shares come to, read one after the other."""

    def __init__(self, able: Capabilities, as_of: date) -> None:
        self._able, self._as_of = able, as_of
        self._budgets: dict[str, _Stated] = {}

    def state(self, budget: Budget) -> None:
        """Take note of what a budget has."""
        if budget.amount is not None or budget.phases:
            phases = budget.all_phases()
            said = (budget.amount, phases, budget.cadence, budget.start, budget.end)
            self._budgets[budget.ref] = _Stated(*said)

    def beyond(self, share: Allocation) -> Iterator[Loss]:
        """What is said of a share, filled from its budget, with which that gives too much away.

        One that blocks is not counted any further, as it is not written.
        """
        budget = self._budgets.get(share.budget)
        if budget is None or share.amount is None or share.status is not Status.ACTIVE:
            return
        if share.cadence is not budget.cadence:
            return
        given_to = _dated(share, share.amount.value)
        budget.give(given_to)
        excess = self._excess(budget, share.amount.unit)
        if excess is None:
            return
        had, given, period = excess
        if self._able.sums_shares:
            budget.take_back(given_to)
        often = f", {budget.cadence}, in {period}" if period else f", {budget.cadence}"
        reason = f"the shares of {share.budget} come to {given}, more than its {had}{often}"
        effect = Effect.BLOCKED if self._able.sums_shares else Effect.EMULATED
        yield Loss("amount", effect, f"{reason}; {self._able.shares_beyond}")

    def _excess(self, budget: _Stated, unit: str) -> tuple[Amount, Amount, Period | None] | None:
        """The first amount that is exceeded from the day on, by what, and the time it counts in."""
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
