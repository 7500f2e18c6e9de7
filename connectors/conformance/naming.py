"""Checks of who entities of ours are in a system: behaviour 1.8."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from msgspec import structs

from canonical.allocation import Allocation, Entity
from canonical.kind import Kind
from connectors.conformance.world import World, said
from connectors.contract.errors import Rejected
from connectors.contract.records import Draft, Resolved


class Naming:
    """1: what is said of entities before a write is what the write does and a listing shows."""

    def test_1_8_1_resolving_answers_for_whom_it_was_asked_and_changes_nothing(
        self, world: World
    ) -> None:
        entities = [*_entities(world), *(each for each in (world.named, world.nobody) if each)]
        before, written = world.everything(), world.calls() if world.calls else 0
        found = world.connector.resolve(entities)
        assert {*found.there, *found.unknown} <= {*entities}
        assert not {*found.there} & {*found.unknown}, "there, and unknown as well"
        assert all(found.unknown.values()), "no reason is given"
        assert world.connector.resolve(entities) == found
        assert world.connector.resolve(()) == Resolved()
        assert (world.calls() if world.calls else 0) == written
        for kind, objects in world.everything().items():
            assert {id: said(each) for id, each in objects.items()} == {
                id: said(each) for id, each in before[kind].items()
            }

    def test_1_8_2_who_is_there_is_listed_by_the_name_that_was_told(self, world: World) -> None:
        world.needs(Kind.ALLOCATION)
        named = [world.named] if world.named else []
        for entity in [*named, *_entities(world)]:
            found = world.connector.resolve([entity])
            assert not found.unknown
            told = found.there.get(entity, entity)
            made = world.create(_naming(world, entity))
            assert isinstance(made.model, Allocation)
            assert made.model.entity == told
            listed = world.listed(Kind.ALLOCATION)[made.id].model
            assert isinstance(listed, Allocation)
            assert listed.entity == told

    def test_1_8_3_who_is_unknown_is_refused_and_nothing_is_made(self, world: World) -> None:
        world.needs(Kind.ALLOCATION)
        nobody = world.nobody or pytest.skip("world: nobody")
        draft = _naming(world, nobody)
        assert world.connector.resolve([nobody]).unknown[nobody]
        before = [*world.listed(Kind.ALLOCATION)]
        with pytest.raises(Rejected):
            world.create(draft)
        assert [*world.listed(Kind.ALLOCATION)] == before


def _entities(world: World) -> Sequence[Entity]:
    """Those that new allocations name."""
    if world.read_only or not world.connector.capabilities.allocation:
        return ()
    models = [world.draft(Kind.ALLOCATION).model for _ in range(2)]
    return [model.entity for model in models if isinstance(model, Allocation)]


def _naming(world: World, entity: Entity) -> Draft:
    """A share of a budget of its own for `entity`."""
    draft = world.below(world.draft(Kind.ALLOCATION), world.make(Kind.BUDGET)[1].id)
    return replace(draft, model=structs.replace(draft.model, entity=entity))
