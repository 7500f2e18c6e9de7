"""Scales: what a plan does to money, object by object, and the total that this is a share of."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.kind import Kind, Op
from canonical.money import Counted, Move
from canonical.period import Cadence
from canonical.records import as_dataclass
from sync.match import Key


@as_dataclass
class Weighed(Struct, frozen=True, gc=False):
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
        amount = stated.amount
        if stated.phases:
            whole = stated if isinstance(stated, Budget) else Budget.of_share(stated)
            amount = whole.in_force(self._as_of)
        if amount is not None:
            self._still[kind, amount.unit, stated.cadence or Cadence.ONCE] += amount.value

    def put(self, weighed: Weighed) -> None:
        """An object whose money moves, or does not; without moves it counts in the total alone."""
        if weighed.moves:
            self.weighed.append(weighed)
        elif weighed.before is not None:
            before = weighed.before
            self._still[weighed.kind, before.unit, before.cadence] += before.amount

    def leave(self, objects: Collection[tuple[Kind, Key]]) -> None:
        """Those objects stay as they are after all."""
        weighed, self.weighed = self.weighed, []
        for each in weighed:
            self.put(replace(each, moves=()) if (each.kind, each.key) in objects else each)

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
