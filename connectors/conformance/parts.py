"""Checks of what an update leaves as it was: behaviour 2.14.

They write as a run does where the system is a sync's source: what `get` shows, with one thing
changed, the fields that changed, and no stamp.
"""

from collections.abc import Mapping

import pytest
from msgspec import structs

from canonical.allocation import Allocation
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.conformance.drafts import WRITTEN, having
from connectors.conformance.reading import both_kinds
from connectors.conformance.world import World, said, writable
from connectors.contract.records import Draft, Observed

_TEXTS = ("name", "description")
_MEANT_LATER = "Somebody meant something else"


class Parts:
    """2.14: an update of a part leaves the rest."""

    @both_kinds
    def test_2_14_1_one_phase_of_several_changes_alone(self, world: World, kind: Kind) -> None:
        draft = writable(world, kind, "phases")
        phases = world.field_values(kind, "phases")[0]
        made = world.create(having(draft, "phases", phases))
        shown = world.connector.get(kind, made.id)
        if len(shown.model.phases) < 2:
            pytest.skip("capability: several phases of one object")
        first, *others = shown.model.phases
        last = others.pop()
        raised = structs.replace(last, amount=_more(last.amount))
        model = structs.replace(shown.model, phases=(first, *others, raised))
        changed = world.connector.update(made.id, _returned(shown, model), {"phases"}, world.key())
        stored = world.connector.get(kind, made.id)
        assert stored.model.phases == (first, *others, raised)
        assert said(changed) == said(stored)
        apart = {"phases"}
        assert _without(said(stored), apart) == _without(said(shown), apart)
        assert stored.stamp == made.stamp

    @both_kinds
    def test_2_14_2_what_was_not_sent_stays_with_stamp_and_text(
        self, world: World, kind: Kind
    ) -> None:
        draft = writable(world, kind, "amount")
        for field in _TEXTS:
            if kind is Kind.BUDGET and world.holds(kind, field) in WRITTEN:
                draft = having(draft, field, world.field_values(kind, field)[0])
        shown = world.connector.get(kind, world.create(draft).id)
        assert shown.model.amount is not None
        model = _raised(shown.model)
        if isinstance(model, Budget):
            model = structs.replace(model, name=_MEANT_LATER, description=_MEANT_LATER)
        fields = {"amount", "phases"} if model.phases else {"amount"}
        world.connector.update(shown.id, _returned(shown, model), fields, world.key())
        stored = world.connector.get(kind, shown.id)
        assert stored.model.amount == model.amount
        apart = {"amount", "phases"}
        assert _without(said(stored), apart) == _without(said(shown), apart)
        assert (stored.stamp, stored.container) == (shown.stamp, shown.container)


def _returned(shown: Observed, model: Budget | Allocation) -> Draft:
    """The draft by which a run changes its source: refs there are ids, and nothing is stamped."""
    return Draft(model=model, container=shown.container)


def _raised(model: Budget | Allocation) -> Budget | Allocation:
    """The object with a larger amount, in all phases that it has."""
    assert model.amount is not None
    phases = tuple(structs.replace(each, amount=_more(each.amount)) for each in model.phases)
    return structs.replace(model, amount=_more(model.amount), phases=phases)


def _more(amount: Amount) -> Amount:
    return Amount(amount.value + 1, amount.unit)


def _without(fields: Mapping[str, object], apart: set[str]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if name not in apart}
