"""Budgets: money, or a count, promised to a purpose for a period."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from canonical.allocation import Alert, Allocation, Enforcement, Status
from canonical.amount import Amount
from canonical.period import FAR, Cadence, Period, moved, period_of, periods
from canonical.phase import Phase as Phase
from canonical.records import as_dataclass

_NONE: Final[Mapping[str, Any]] = MappingProxyType({})  # one for all: an empty dict is 64 bytes


@as_dataclass
class Budget(Struct, frozen=True, kw_only=True, gc=False):
    """A budget as one side states it. `amount` counts per period of `cadence`.

    None means "this side does not say", and is never compared; only an `end` of None says
    something: an open end, as one from 2150 on is. `phases` carry differing amounts in time order;
    without them the amount is the same throughout. `extensions` holds vendor-only fields by vendor
    name.
    """

    ref: str
    name: str
    amount: Amount | None
    description: str | None = None
    limits: tuple[Amount, ...] = ()
    cadence: Cadence = Cadence.ONCE
    start: date | None = None
    end: date | None = None
    phases: tuple[Phase, ...] = ()
    status: Status = Status.ACTIVE
    enforcement: Enforcement | None = None
    carry_over: bool | None = None
    parent: str | None = None
    owners: tuple[str, ...] | None = None
    dimensions: Mapping[str, str] = _NONE
    alerts: tuple[Alert, ...] | None = None
    allocations: tuple[Allocation, ...] = ()
    extensions: Mapping[str, Mapping[str, Any]] = _NONE

    def __post_init__(self) -> None:
        if self.end is not None and self.end >= FAR:
            force_setattr(self, "end", None)

    @classmethod
    def of_share(cls, share: Allocation) -> "Budget":
        """The budget that `share` is by itself; where it says no cadence, once."""
        return cls(
            ref=share.ref,
            name="",
            amount=share.amount,
            cadence=share.cadence or Cadence.ONCE,
            start=share.start,
            end=share.end,
            phases=share.phases,
        )

    def complete(self, share: Allocation) -> Allocation:
        """`share`, an allocation of this budget, with what it leaves unsaid taken from here.

        The time of a share with phases is theirs, its amount that of the first unless it starts
        before; a last one that is open ends with its budget. A budget that is not active takes its
        allocations with it.
        """
        start, end, amount = share.start or self.start, share.end or self.end, share.amount
        if phases := share.phases:
            phases = self._ended(phases)
            first, end = phases[0], phases[-1].period.end
            start = min(share.start or first.period.start, first.period.start)
            amount = share.amount if start < first.period.start else first.amount
        return replace(
            share,
            amount=amount,
            status=share.status if self.status is Status.ACTIVE else self.status,
            cadence=share.cadence or self.cadence,
            start=start,
            end=end,
            phases=phases,
            enforcement=share.enforcement or self.enforcement,
            carry_over=self.carry_over if share.carry_over is None else share.carry_over,
        )

    def in_force(self, day: date) -> Amount | None:
        """The amount that counts on `day`.

        Before the first phase that is `amount`, or where none is stated the first phase's, so that
        a budget can be made ahead of time; in a gap and after the end it is what counted last.
        """
        current = self.amount
        for phase in self.phases:
            if phase.period.start > day:
                return phase.amount if current is None else current
            current = phase.amount
        return current

    def stretches(self) -> tuple[Phase, ...]:
        """The phases with those joined that say one amount more often than they need to; none
        where what is left is the budget's own amount and time.

        Two are one where they have the same amount, follow each other, meet where a period of the
        cadence ends, and hold a whole period between them: `by_period` cuts there again. What
        counts once is never joined.
        """
        if self.cadence is Cadence.ONCE:
            return self.phases
        found: list[Phase] = []
        for phase in self.phases:
            if found and self._goes_on(found[-1], phase):
                found[-1] = Phase(Period(found[-1].period.start, phase.period.end), phase.amount)
            else:
                found.append(phase)
        if len(found) == 1:
            (only,) = found
            whole = only.amount, only.period.start, only.period.end
            if whole == (self.amount, self.start, self.end):
                return ()
        return tuple(found)

    def all_phases(self) -> tuple[Phase, ...]:
        """The phases, before them what counts from the start on; none where none is stated."""
        first = self.phases[0].period.start if self.phases else None
        if first is None or self.start is None or self.amount is None or self.start >= first:
            return self.phases
        before = Period(self.start, moved(first, -1))
        return (Phase(before, self.amount), *self.phases)

    def by_period(self, until: date) -> tuple[Phase, ...]:
        """One phase per period of the cadence, from start to end, an open end up to `until`.

        A phase that is shorter than a period stays as it is stated. None without phases and
        without a start; what counts once has only the periods that it states.
        """
        if self.stretches():
            stated = self.all_phases()
            if self.cadence is Cadence.ONCE:
                return stated
            return tuple(cut for phase in stated for cut in self._cut(phase, until))
        if self.start is None or self.amount is None:
            return ()
        return self._each(self.start, self.end or until, self.amount)

    def since(self, day: date) -> "Budget":
        """The budget without the periods that ended before `day`; with its last, where all did.

        What counts once has no such periods, and what has no start begins when it is asked.
        """
        first = self.start or (self.phases[0].period.start if self.phases else None)
        if first is None or first >= day or self.cadence is Cadence.ONCE:
            return self
        end = self.phases[-1].period.end if self.phases else self.end
        begins = self.period_of(min(day, end or day)).start
        if begins <= first:
            return self
        phases = tuple(
            Phase(Period(max(each.period.start, begins), each.period.end), each.amount)
            for each in self.all_phases()
            if each.period.end is None or each.period.end >= begins
        )
        return replace(self, start=begins, phases=phases)

    def period_of(self, day: date) -> Period:
        """The calendar period of the cadence that holds `day`; raises `CanonicalError` for `once`.

        Quarters and years begin where the budget's own do.
        """
        return period_of(self.cadence, day, self._year_starts())

    def restated(self, cadence: Cadence, until: date) -> "Budget":
        """The same money per period of a finer `cadence`: each period's amount split exactly.

        An open end is written out to the period that holds `until`, and goes on from there.
        Without a start there is nothing to split: the budget as it is.
        """
        if self.start is None or self.amount is None:
            return self
        year_starts = self.start.month
        if self.end is None and self.cadence is not Cadence.ONCE:
            begins = max(self.start, *(each.period.start for each in self.phases), until)
            until = self.period_of(begins).end or until
        phases: list[Phase] = []
        for whole in self.by_period(until):
            last = whole.period.end or until
            parts = [*periods(cadence, whole.period.start, last, year_starts)]
            shares = whole.amount.split([1] * len(parts))
            phases += [Phase(part, share) for part, share in zip(parts, shares, strict=True)]
        if self.end is None:
            phases[-1] = Phase(Period(phases[-1].period.start), phases[-1].amount)
        flat = len({phase.amount for phase in phases}) == 1 and not self.phases
        return replace(
            self, cadence=cadence, amount=phases[0].amount, phases=() if flat else tuple(phases)
        )

    def _ended(self, phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
        """The phases of a share, the last one no longer than the budget where it has no end."""
        last = phases[-1]
        if last.period.end is not None or self.end is None or self.end < last.period.start:
            return phases
        return (*phases[:-1], Phase(Period(last.period.start, self.end), last.amount))

    def _cut(self, phase: Phase, until: date) -> Sequence[Phase]:
        """The phase in each period of the cadence, where it holds a whole one."""
        first, last = phase.period.start, phase.period.end
        found = self._each(first, last or until, phase.amount)
        whole = (self.period_of(each.period.start) for each in found)
        return found if last is None or any(map(phase.period.holds, whole)) else (phase,)

    def _each(self, first: date, last: date, amount: Amount) -> tuple[Phase, ...]:
        found = periods(self.cadence, first, last, self._year_starts())
        return tuple(Phase(period, amount) for period in found)

    def _goes_on(self, before: Phase, after: Phase) -> bool:
        last, first = before.period.end, after.period.start
        if before.amount != after.amount or last is None or moved(last, 1) != first:
            return False
        ending, beginning = self.period_of(last), self.period_of(first)
        return ending.end == last and (before.period.holds(ending) or after.period.holds(beginning))

    def _year_starts(self) -> int:
        return self.start.month if self.start and self.cadence in _FISCAL else 1


_FISCAL = frozenset({Cadence.QUARTERLY, Cadence.YEARLY})
"""Cadences whose periods begin where the budget's own year does."""
