"""Desire: what the source states, as this target should hold it."""

from dataclasses import replace
from datetime import date
from typing import Final

from msgspec import structs

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.errors import CanonicalError
from canonical.facts import Facts, facts, stated_money
from canonical.kind import FIELDS, Kind, kind_of
from canonical.loss import Effect, Loss
from canonical.problem import Problem
from connectors.contract.capabilities import Phasing
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.decide import Wanted, joined
from sync.findings import Findings
from sync.match import Key
from sync.past import keeps_past, present, share_with_past, with_earlier_start, with_past
from sync.project import LISTS, Projector
from sync.shares import Shares
from sync.spec import SyncSpec

_CURRENCY: Final = {kind: names.index("currency") for kind, names in FIELDS.items()}


class Desires:
    """Projects the source's records one by one: budgets first, as their allocations take from them.

    A record that cannot be placed is a problem in `found`.
    """

    def __init__(
        self, spec: SyncSpec, source: Connector, target: Connector, as_of: date, found: Findings
    ) -> None:
        able = target.capabilities
        self._source, self._target, self._as_of, self._found = source, target, as_of, found
        self._projector = Projector(able, as_of, spec.horizon_months, spec.past_months)
        self._keeps_past = keeps_past(source.capabilities, able)
        self._phasing = {Kind.BUDGET: able.phasing, Kind.ALLOCATION: able.share_phasing}
        self._shares = Shares(able, as_of)
        self._is_mirror = spec.fields.is_mirror
        self._budgets: dict[str, Budget] = {}
        self._shapes: dict[object, Budget] = {}

    def of(self, kind: Kind, key: Key, item: Observed) -> Wanted | None:
        """What is wanted of `item`; None where a page repeats it, or its budget is not known."""
        stated = item.model
        if isinstance(stated, Budget):
            if key[1] in self._budgets:
                return None
            self._budgets[key[1]] = self._shape(stated)
            return self._told(item, self._reckoned(kind, key, stated))
        budget = self._budgets.get(key[0])
        if budget is None:
            reason = f"its budget {key[0]!r} is not among the source's budgets"
            self._found.problems.append(Problem(self._source.name, item.id, reason, item.id))
            return None
        return self._told(item, self._reckoned(kind, key, budget.complete(stated)))

    def _told(self, item: Observed, wanted: Wanted) -> Wanted:
        """What is wanted, with what the source's own reading lost told first."""
        if not self._is_mirror:
            wanted = structs.replace(wanted, item=item)
        if not item.losses:
            return wanted
        return replace(wanted, losses=joined(item.losses, wanted.losses))

    def shape(self, ref: str) -> Budget | None:
        """What the source's budget of that ref says about time and state; None where it has none.

        Without a name and an amount: thousands of budgets share few shapes.
        """
        return self._budgets.get(ref)

    def projection(self, kind: Kind, key: Key, record: Budget | Allocation) -> Wanted | None:
        """What would be wanted were `record` what the source states; None without its budget.

        Nothing is kept of it, and what its shares come to is not looked at.
        """
        stated = record
        if isinstance(record, Allocation):
            budget = self._budgets.get(key[0])
            if budget is None:
                return None
            stated = budget.complete(record)
            projected, losses = self._projector.allocation(stated, budget)
            model, more = self._target.fit(projected, self._projector.horizon)
        else:
            whole, losses = self._projector.budget(record)
            model, more = self._target.fit(whole, self._projector.horizon)
        lost = joined(losses, more)
        return Wanted(kind, key, stated, model, lost, facts(model), self._beyond(stated, model))

    def restate(self, budget: Budget, ref: str) -> None:
        """The source is to state that budget so: its allocations are completed from it."""
        self._budgets[ref] = self._shape(budget)

    def with_past(self, wanted: Wanted, observed: Facts) -> Wanted:
        """What is wanted, with the periods that are over as the target has them, if they stay:
        those that the source cannot state any more, and those that are not written."""
        if not wanted.reckoned:
            return wanted
        model = self._past_kept(wanted.model, wanted.stated, observed)
        if model is wanted.model:
            return wanted
        model, _ = self._target.fit(model, self._projector.horizon)
        return replace(wanted, model=model, facts=facts(model))

    def _past_kept(
        self, model: Budget | Allocation, stated: Budget | Allocation, observed: Facts
    ) -> Budget | Allocation:
        phased = isinstance(model, Budget) or self._phasing[Kind.ALLOCATION] in LISTS
        if self._keeps_past and phased:
            since = present(stated, self._as_of)
            if isinstance(model, Allocation) and isinstance(stated, Allocation):
                return share_with_past(model, stated, observed, since)
            return with_past(model, observed, since)
        begins = self._projector.begins(stated)
        if begins is None:
            return model
        if isinstance(model, Allocation) and not phased:
            return with_earlier_start(model, observed, begins, stated.start)
        unit = observed[_CURRENCY[kind_of(model)]]
        counts_alike = model.amount and unit == model.amount.unit
        return with_past(model, observed, begins, stated.start) if counts_alike else model

    def _reckoned(self, kind: Kind, key: Key, stated: Budget | Allocation) -> Wanted:
        """What is wanted; blocked where reckoning with it fails, so that all others go on."""
        try:
            return self._fitted(kind, key, stated)
        except (ArithmeticError, CanonicalError) as error:
            said = str(error) if isinstance(error, CanonicalError) else type(error).__name__
            reason = f"its dates or amounts cannot be reckoned with: {said}"
            losses = (Loss("amount", Effect.BLOCKED, reason),)
            return Wanted(kind, key, stated, stated, losses, facts(stated), reckoned=False)

    def _fitted(self, kind: Kind, key: Key, stated: Budget | Allocation) -> Wanted:
        projected: Budget | Allocation
        if isinstance(stated, Budget):
            self._shares.state(stated)
            projected, losses = self._projector.budget(stated)
        else:
            budget = self._budgets[key[0]]
            projected, losses = self._projector.allocation(stated, budget)
            losses += self._shares.beyond(stated, budget)
        model, more = self._target.fit(projected, self._projector.horizon)
        if more:
            losses = joined(losses, more)
        return Wanted(kind, key, stated, model, losses, facts(model), self._beyond(stated, model))

    def _beyond(self, stated: Budget | Allocation, model: Budget | Allocation) -> Facts | None:
        """The money that is stated, where the target is told of fewer phases."""
        if not stated.phases or self._phasing[kind_of(stated)] is Phasing.ALL:
            return None
        return None if model is stated else stated_money(stated)

    def _shape(self, budget: Budget) -> Budget:
        said = (
            budget.cadence,
            budget.start,
            budget.end,
            budget.status,
            budget.enforcement,
            budget.carry_over,
        )
        shape = self._shapes.get(said)
        if shape is None:
            shape = self._shapes[said] = structs.replace(
                budget, ref="", name="", amount=None, phases=(), allocations=()
            )
        return shape
