"""Weigh: what a plan does to money, object by object, and the total it is a share of.

Money is weighed as the source states it: each stretch from the plan's day on, compared with what
the source stated when both sides last agreed, whether or not the target can be told of it yet. So
the calendar later brings nothing that was not weighed before. What the target's own hand has moved
is weighed as it is there.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.change import Kind, Op
from canonical.compare import Baseline, Cause, Difference
from canonical.facts import Fact, Facts, fields_of
from canonical.money import MONEY, Counted, Move, counted_on, money_of, moves
from canonical.period import Cadence
from sync.decide import Wanted
from sync.match import Key

_CADENCE, _START, _END = (MONEY.index(name) for name in ("cadence", "start", "end"))


@dataclass(frozen=True, slots=True)
class Weighed:
    """What becomes of one object's money, from the plan's day on.

    `op` is None where the target already holds all it can of a new statement. `before` is what
    counted on the day.
    """

    kind: Kind
    key: Key
    op: Op | None
    moves: tuple[Move, ...]
    before: Counted | None = None

    @property
    def largest(self) -> Move:
        """The move that weighs most in a year."""
        return max(self.moves, key=weight)


def weight(move: Move) -> Fraction:
    """How much more or less counts in a year, in the unit of afterwards."""
    after = move.after.in_a_year() if move.after else Fraction(0)
    if move.before is None or move.before.unit != move.unit:
        return abs(after)
    return abs(after - move.before.in_a_year()) or abs(move.step)


class Scales:
    """The money of one plan: what moves, and the total of what is linked.

    `finishing` are objects of which only the rest of an earlier writing is to be made.
    """

    def __init__(self, as_of: date = date.min) -> None:
        self._as_of = as_of
        self._still: dict[tuple[Kind, str, Cadence], Decimal] = defaultdict(Decimal)
        self.weighed: list[Weighed] = []
        self.finishing: set[tuple[Kind, Key]] = set()

    def keep(self, kind: Kind, stated: Budget | Allocation) -> None:
        """An object whose money stays as it was agreed."""
        phased = isinstance(stated, Budget) and stated.phases
        amount = stated.in_force(self._as_of) if phased else stated.amount  # type: ignore[union-attr]
        if amount is not None:
            self._still[kind, amount.unit, stated.cadence or Cadence.ONCE] += amount.value

    def put(self, weighed: Weighed) -> None:
        """An object whose money moves, or does not; without moves it counts in the total alone."""
        if weighed.moves:
            self.weighed.append(weighed)
        elif weighed.before is not None:
            before = weighed.before
            self._still[weighed.kind, before.unit, before.cadence] += before.amount

    def total(self, kind: Kind, unit: str) -> tuple[Fraction, Cadence | None]:
        """What counts in a year before the plan; and the cadence of it all, if it has but one."""
        counted = [
            Counted(amount, unit, cadence)
            for (of, named, cadence), amount in self._still.items()
            if (of, named) == (kind, unit) and amount
        ]
        counted += [
            each.before
            for each in self.weighed
            if each.kind is kind and each.before is not None and each.before.unit == unit
        ]
        cadences = {each.cadence for each in counted}
        whole = sum((each.in_a_year() for each in counted), Fraction(0))
        return whole, cadences.pop() if len(cadences) == 1 else None


def restated(baseline: Baseline, wanted: Wanted, now: Facts, as_of: date) -> tuple[Move, ...]:
    """How a new statement moves what was stated when both sides last agreed."""
    said = baseline.stated or money_of(fields_of(wanted.model), baseline.desired)
    return moves(_filled(said, now, wanted.kind), now, as_of)


def told(
    wanted: Wanted, found: Sequence[Difference], now: Facts, as_of: date
) -> tuple[tuple[Move, ...], Counted | None]:
    """How the differences move what the target holds, and what it holds on the day."""
    before, after = both(wanted, {each.field: each.before for each in found}, now)
    return moves(before, after, as_of), counted_on(before, as_of)


def both(wanted: Wanted, otherwise: dict[str, Fact], now: Facts) -> tuple[Facts, Facts]:
    """The money that the target holds, being as wanted but for some fields; and that wanted."""
    after = _filled(money_of(fields_of(wanted.model), wanted.facts), now, wanted.kind)
    before = tuple(otherwise.get(name, value) for name, value in zip(MONEY, after, strict=True))
    return before, after


def together(first: Sequence[Move], second: Sequence[Move]) -> tuple[Move, ...]:
    """Both, in order of their days; where two speak of one day, the first counts."""
    days = {move.day for move in first}
    all_days = (*first, *(move for move in second if move.day not in days))
    return tuple(sorted(all_days, key=lambda move: move.day))


def drifts(found: Sequence[Difference]) -> bool:
    """Whether somebody moved the money in the target itself."""
    return any(each.cause is Cause.DRIFT and each.field in MONEY for each in found)


def _filled(money: Facts, now: Facts, kind: Kind) -> Facts:
    """`money` with what follows from above: a share's cadence and time are its budget's."""
    silent = (_CADENCE, _START, _END) if kind is Kind.ALLOCATION else (_CADENCE,)
    return tuple(
        now[index] if value is None and index in silent else value
        for index, value in enumerate(money)
    )
