"""Spent: what a system has seen spent, by the refs of the source that its objects stand for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Context, Decimal
from typing import Final

from canonical.allocation import Allocation, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.errors import CanonicalError
from canonical.kind import Kind
from canonical.period import Cadence, Period

_TEN_THOUSANDTH: Final = Decimal("0.0001")
_WIDE: Final = Context(prec=80)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One budget, or one allocation of a budget, in a system: what it may spend, and has spent.

    `ref` and `budget_ref` are the source's, None where no sync links the object; `target_id` is the
    system's, as is `above`, of the budget that it is part of. `remaining` is what is left to spend:
    nothing where the object is no longer in use. `pending` is the part of `spent` that is not
    settled yet. Amounts are of the current period, None where the system does not say; `period` is
    which one that is, None where that cannot be told. `source` is the system whose refs they are.
    """

    system: str
    sync: str | None
    kind: Kind
    ref: str | None
    budget_ref: str | None
    name: str
    target_id: str
    above: str | None
    status: Status
    amount: Amount | None
    spent: Amount | None
    pending: Amount | None
    remaining: Amount | None
    at: datetime | None
    source: str | None = None
    period: Period | None = None

    @property
    def share(self) -> Decimal | None:
        """The share of the amount that is spent; None where there is no amount to have one of."""
        return share_of(self.spent, self.amount)


def share_of(spent: Amount | None, amount: Amount | None) -> Decimal | None:
    """`spent` as a share of `amount`, to four digits after the point."""
    if spent is None or amount is None or spent.unit != amount.unit or not amount.value:
        return None
    return _WIDE.divide(spent.value, amount.value).quantize(_TEN_THOUSANDTH, context=_WIDE)


@dataclass(frozen=True, slots=True)
class Place:
    """What an amount spent belongs to, whichever systems have seen it spent."""

    kind: Kind
    budget_ref: str | None
    ref: str
    period: Period
    unit: str


def place_of(row: Spent) -> Place | None:
    """Where the row belongs; None where it says too little."""
    if row.ref is None or row.period is None or row.spent is None:
        return None
    return Place(row.kind, row.budget_ref, row.ref, row.period, row.spent.unit)


def by_place(rows: Iterable[Spent]) -> Mapping[Place, Sequence[Spent]]:
    """The rows that belong to one object, period and unit; without those that say too little."""
    found: dict[Place, list[Spent]] = defaultdict(list)
    for row in rows:
        if (place := place_of(row)) is not None:
            found[place].append(row)
    return found


def summed(rows: Iterable[Spent]) -> Mapping[Place, Amount]:
    """What was spent in each place, whichever systems have seen it."""
    return {
        place: sum((row.spent for row in own if row.spent), Amount.from_minor(0, place.unit))
        for place, own in by_place(rows).items()
    }


def period_now(stated: Budget | Allocation, day: date) -> Period | None:
    """The period of `stated` that `day` is in, else its first or its last one; what counts once has
    those that it states. None where there is no telling."""
    budget = stated if isinstance(stated, Budget) else Budget.of_share(stated)
    start, end = _time(budget)
    if budget.cadence is not Cadence.ONCE:
        begun = day if start is None else max(start, day)
        try:
            return budget.period_of(begun if end is None else min(end, begun))
        except CanonicalError:  # at an end of the calendar
            return None
    phase = next((each for each in budget.phases if day in each.period), None)
    if phase is not None:
        return phase.period
    return None if start is None else Period(start, end)


def _time(budget: Budget) -> tuple[date | None, date | None]:
    if not budget.phases:
        return budget.start, budget.end
    first, last = budget.phases[0].period, budget.phases[-1].period
    return budget.start or first.start, budget.end or last.end
