"""Target: the lines of listed budgets as what amounts are written into.

Lines, and when they count, are made in the ERP by a person; so what has none there cannot be told,
and is blocked by name while planning.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

from canonical.budget import Budget
from canonical.identity import natural_key
from canonical.loss import Effect, Loss
from connectors.contract.errors import Rejected, Stale
from connectors.lines.entries import Entry

Rewritten: TypeAlias = Callable[[Sequence[Entry], Budget], Mapping[int, Decimal]]
"""From the lines of a budget, and what is wanted, to the new amounts by line."""


class Target:
    """What was last listed, and what of it can be told other amounts.

    `vendor` is how its losses name it; `rewritten` says what amounts the lines of a budget get, and
    raises `Rejected` where they cannot. `unit` is that of the books, None before anything was
    listed; `lines` are those of each budget, by ref.
    """

    def __init__(self, vendor: str, rewritten: Rewritten) -> None:
        self._vendor, self._rewritten = vendor, rewritten
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

    def unheld(self, model: Budget) -> Iterator[Loss]:
        """What of the amounts of `model`, and of when they count, no line can be told."""
        if self.unit and model.amount and model.amount.unit != self.unit:
            yield self.blocked("currency", f"the company keeps its books in {self.unit}")
        elif there := self.counterpart(model):
            yield from self._unwritten(model, there)

    def counterpart(self, model: Budget) -> Budget | None:
        """The budget as it was listed: of that ref, or else the only one of that name."""
        if model.ref in self.budgets:
            return self.budgets[model.ref]
        named = self._named.get(natural_key(model), ())
        return named[0] if len(named) == 1 else None

    def unchanged(self, system: str, id: str, now: Sequence[Entry]) -> None:
        """Raise `Stale` unless the lines of that budget are `now` as they were listed."""
        amounts = {each.line: each.amount for each in now}
        if any(amounts.get(each.line) != each.amount for each in self.lines.get(id, ())):
            raise Stale(f"{system}: the amounts of {id} are others by now")

    def blocked(self, field: str, reason: str) -> Loss:
        """What cannot be told, and why."""
        return Loss(field, Effect.BLOCKED, f"{self._vendor}: {reason}")

    def _unwritten(self, model: Budget, there: Budget) -> Iterator[Loss]:
        if model.cadence is not there.cadence:
            yield self.blocked("cadence", f"the lines of {there.ref} count {there.cadence}")
            return
        try:
            self._rewritten(self.lines[there.ref], model)
        except Rejected as error:
            yield self.blocked("phases", f"{error}")
