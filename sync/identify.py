"""Identify: who the people and things that objects name are in the target.

The target is asked about new objects and about those that name others than before, each entity
once in a plan; what is as agreed costs no question. Whom the target does not know is a loss that
blocks, and so stands in the plan.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from msgspec import structs

from canonical.allocation import Allocation, Entity
from canonical.budget import Budget
from canonical.compare import Baseline, Difference
from canonical.facts import Facts, facts, fields_of
from canonical.loss import Effect, Loss
from connectors.contract.interface import Connector

NAMING = frozenset({"entity", "owners"})
"""The fields that name somebody."""


class Identifier:
    """What the target says about the entities of one plan."""

    def __init__(self, target: Connector) -> None:
        self._target = target
        self._asked = set[Entity]()
        self._there: dict[Entity, Entity] = {}
        self._unknown: dict[Entity, str] = {}

    def ask(self, models: Iterable[Budget | Allocation]) -> None:
        """Look up whom the models name, as far as that was not done."""
        new = {each for model in models for each in _named(model)} - self._asked
        found = self._target.resolve(sorted(new))
        self._asked |= new
        self._there.update(found.there)
        self._unknown.update(found.unknown)

    def unknown(self, model: Budget | Allocation) -> Iterator[Loss]:
        """What blocks the model, where the target does not know whom it names."""
        if not self._unknown:
            return
        field = "owners" if isinstance(model, Budget) else "entity"
        reasons = [self._unknown[each] for each in _named(model) if each in self._unknown]
        if reasons:
            yield Loss(field, Effect.BLOCKED, "; ".join(reasons))

    def theirs(self, model: Budget | Allocation) -> Budget | Allocation:
        """The model, naming everybody as the target's listings do."""
        if isinstance(model, Allocation):
            return structs.replace(model, entity=self._there.get(model.entity, model.entity))
        if model.owners is None:
            return model
        users = [Entity("user", owner) for owner in model.owners]
        return structs.replace(
            model, owners=tuple(self._there.get(each, each).id for each in users)
        )

    def recognised(
        self, model: Budget | Allocation, observed: Facts, agreed: Baseline | None
    ) -> tuple[Facts, Baseline | None]:
        """What the target shows and last showed, in the model's names where it means the same."""
        names = fields_of(model)
        said = list(zip(names, facts(model), facts(self.theirs(model)), strict=True))

        def ours(shown: Facts) -> Facts:
            return tuple(
                our if name in NAMING and each == their else each
                for (name, our, their), each in zip(said, shown, strict=True)
            )

        return ours(observed), agreed and replace(agreed, echo=ours(agreed.echo))


def names_others(found: Sequence[Difference], others: Collection[str] = ()) -> bool:
    """Whether one of the differences, or of the other fields, is about who is named."""
    return not NAMING.isdisjoint(others) or any(each.field in NAMING for each in found)


def _named(model: Budget | Allocation) -> Iterable[Entity]:
    if isinstance(model, Allocation):
        return (model.entity,)
    return (Entity("user", owner) for owner in model.owners or ())
