"""Target: the lines of listed budgets as what amounts are written into.

Lines, and when they count, are made in the ERP by a person; so what has none there cannot be told,
and is blocked by name while planning.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, TypeAlias

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.identity import natural_key
from canonical.loss import Effect, Loss
from connectors.contract.errors import Rejected, Stale, Unsupported
from connectors.erp.entries import Entry

_AMOUNTS: Final = frozenset({"amount", "phases"})
Overlaid: TypeAlias = Callable[[Sequence[Entry], Budget], Budget]
"""From the lines of a budget, and what is wanted, to what they will state."""


class Target:
    """What was last listed, and what of it can be told other amounts.

    `vendor` is how its losses name it; `overlaid` says what the lines of a budget will state, and
    raises `Rejected` where they cannot. `unit` is that of the books, None before anything was
    listed; `lines` are those of each budget, by ref.
    """

    def __init__(self, vendor: str, overlaid: Overlaid) -> None:
        self._vendor, self._overlaid = vendor, overlaid
        self.unit: str | None = None
        self.lines: dict[str, Sequence[Entry]] = {}
        self.budgets: Mapping[str, Budget] = {}
        self._named: dict[str, list[Budget]] = {}

    def listed(
        self, unit: str, lines: Mapping[str, Sequence[Entry]], budgets: Mapping[str, Budget]
    ) -> None:
        """Take these for what is there."""
        self.unit, self.lines, self.budgets = unit, dict(lines), budgets
        self._named = defaultdict(list)
        for budget in budgets.values():
            self._named[natural_key(budget)].append(budget)

    def held(self, model: Budget) -> tuple[Budget, Sequence[Loss]]:
        """`model` as the lines will state it, with what it does not speak of as it stands there;
        and what of its amounts, and of when they count, no line can be told."""
        if self.unit and model.amount and model.amount.unit != self.unit:
            reason = f"the company keeps its books in {self.unit}"
            return model, [self.blocked("currency", reason)]
        there = self.counterpart(model)
        if there is None:
            return model, ()
        if model.cadence is not there.cadence:
            reason = f"the lines of {there.ref} count {there.cadence}"
            return model, [self.blocked("cadence", reason)]
        try:
            return self._overlaid(self.lines[there.ref], model), ()
        except Rejected as error:
            return model, [self.blocked("phases", f"{error}")]

    def counterpart(self, model: Budget) -> Budget | None:
        """The budget as it was listed: of that ref, or else the only one of that name."""
        if model.ref in self.budgets:
            return self.budgets[model.ref]
        named = self._named.get(natural_key(model), ())
        return named[0] if len(named) == 1 else None

    def ensure_written(
        self, system: str, model: Budget | Allocation, fields: Collection[str], made: str
    ) -> Budget:
        """The budget, where it and the fields can be written.

        Raises `Unsupported`, which says where all else is `made`.
        """
        others = set(fields) - _AMOUNTS
        if isinstance(model, Allocation) or others:
            what = ", ".join(sorted(others)) or "allocations"
            raise Unsupported(f"{system}: {made}, and no {what}")
        return model

    def take_as_listed(self, system: str, id: str, now: Sequence[Entry]) -> Sequence[Entry]:
        """The lines of that budget as they are `now`; raises as `unchanged` does."""
        self.unchanged(system, id, now)
        self.lines[id] = now
        return now

    def unchanged(self, system: str, id: str, now: Sequence[Entry]) -> None:
        """Raise `Stale` unless the lines of that budget are `now` as they were listed."""
        amounts = {each.line: each.amount for each in now}
        if any(amounts.get(each.line) != each.amount for each in self.lines.get(id, ())):
            raise Stale(f"{system}: the amounts of {id} are others by now")

    def blocked(self, field: str, reason: str) -> Loss:
        """What cannot be told, and why."""
        return Loss(field, Effect.BLOCKED, f"{self._vendor}: {reason}")
