"""Checks of who entities of ours are in a system, and of whom it has: behaviours 1.8 and 1.9."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

import pytest
from msgspec import structs

from canonical.allocation import Allocation, Entity
from canonical.kind import Kind
from connectors.conformance.world import World, said
from connectors.contract.errors import Forbidden, Rejected, Unauthorized, Unsupported
from connectors.contract.interface import Connector
from connectors.contract.records import Draft, Listed, Resolved

_MANY: Final = 10_000
"""More than any sandbox has; a directory that does not end is longer."""


class Naming:
    """1: what is said of entities before a write is what the write does and a listing shows; a
    directory is whole, and what it lists can be named."""

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

    def test_1_9_1_a_directory_shows_everybody_once_whatever_the_page_size(
        self, world: World
    ) -> None:
        for type in world.listed_types or pytest.skip("world: listed_types"):
            shown = _directory(world.connector, type)
            assert shown, f"the directory lists no {type}"
            assert len({each.id for each in shown}) == len(shown)
            with world.paged(1) as connector:
                assert _directory(connector, type) == shown

    def test_1_9_2_whom_a_directory_shows_can_be_named_and_looking_changes_nothing(
        self, world: World
    ) -> None:
        types = world.listed_types or pytest.skip("world: listed_types")
        written = world.calls() if world.calls else 0
        for type in types:
            named = [Entity(type, each.id) for each in _directory(world.connector, type)]
            found = world.connector.resolve(named)
            assert not found.unknown
            assert not found.doubtful
        assert (world.calls() if world.calls else 0) == written

    def test_1_9_3_what_cannot_be_listed_is_said_with_the_reason(self, world: World) -> None:
        reason = "it was listed"
        try:
            _directory(world.connector, "type-that-nobody-has")
        except Unsupported as error:
            reason = error.message
        assert reason, "no reason is given"

    def test_1_9_4_a_wrong_credential_is_an_error_and_no_empty_directory(
        self, world: World
    ) -> None:
        for type in world.listed_types or pytest.skip("world: listed_types"):
            with pytest.raises((Unauthorized, Forbidden)):
                _directory(world.hook("wrong_credential")(), type)


def _directory(connector: Connector, type: str) -> Sequence[Listed]:
    return [*islice(connector.directory(type), _MANY)]


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
