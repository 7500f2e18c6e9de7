"""Checks of names that no two objects may have: behaviour 2.12."""

from collections.abc import Collection
from dataclasses import replace

import pytest
from msgspec import structs

from canonical.allocation import Allocation, Entity
from canonical.budget import Budget
from canonical.identity import temporary_name
from canonical.kind import Kind
from connectors.conformance.reading import both_kinds
from connectors.conformance.world import World, said
from connectors.contract.errors import Rejected
from connectors.contract.records import Draft, Observed


class UniqueNames:
    """2.12: a name is free, or its taking is refused; and it is free once it was given up."""

    @both_kinds
    def test_2_12_1_a_name_that_another_has_is_refused(self, world: World, kind: Kind) -> None:
        field = _naming(world, kind)
        if not world.connector.capabilities.unique[kind].surely:
            pytest.skip(f"capability: unique names of {kind} surely")
        (first, _), (second, other) = _two(world, kind)
        before = {id: said(each) for id, each in world.listed(kind).items()}
        taking = _named_as(second, first)
        with pytest.raises(Rejected):
            world.connector.update(other.id, taking, {field}, world.key())
        with pytest.raises(Rejected):
            world.create(taking)
        assert {id: said(each) for id, each in world.listed(kind).items()} == before

    @both_kinds
    def test_2_12_2_two_names_are_swapped_by_way_of_a_temporary_one(
        self, world: World, kind: Kind
    ) -> None:
        field = _naming(world, kind)
        (first, one), (second, two) = _two(world, kind)
        for id, draft in (
            (one.id, _aside(first, one)),
            (two.id, _named_as(second, first)),
            (one.id, _named_as(first, second)),
        ):
            assert world.connector.update(id, draft, {field}, world.key()).id == id
        there = world.listed(kind)
        for each, other in ((one, two), (two, one)):
            assert said(there[each.id]) == said(each) | {field: said(other)[field]}


def _naming(world: World, kind: Kind) -> str:
    """The field that names an object of the kind; skips the check where names are not unique."""
    world.needs(kind)
    field = "name" if kind is Kind.BUDGET else "entity"
    if field not in getattr(world.connector.capabilities.unique.get(kind), "fields", ()):
        pytest.skip(f"capability: unique names of {kind}")
    if f"{kind}.{field}" in world.fixed:
        pytest.skip(f"world: {kind}.{field} is fixed")
    return field


def _two(world: World, kind: Kind) -> Collection[tuple[Draft, Observed]]:
    """Two objects, shares of one budget."""
    drafts = [world.draft(kind) for _ in range(2)]
    if kind is Kind.ALLOCATION:
        drafts = [world.below(each, str(drafts[0].container)) for each in drafts]
    return [(each, world.create(each)) for each in drafts]


def _named_as(draft: Draft, other: Draft) -> Draft:
    """What a draft says, under the name of another one."""
    model, named = draft.model, other.model
    if isinstance(model, Budget) and isinstance(named, Budget):
        return replace(draft, model=structs.replace(model, name=named.name))
    assert isinstance(model, Allocation)
    assert isinstance(named, Allocation)
    return replace(draft, model=structs.replace(model, entity=named.entity))


def _aside(draft: Draft, made: Observed) -> Draft:
    """What a draft says, under the temporary name of what was made of it."""
    model, name = draft.model, temporary_name(draft.model.ref, made.id, 255)
    if isinstance(model, Budget):
        return replace(draft, model=structs.replace(model, name=name))
    return replace(draft, model=structs.replace(model, entity=Entity(model.entity.type, name)))
