"""Checks of when a write leaves: behaviour 4.1."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

import pytest

from canonical.kind import Kind
from connectors.conformance.drafts import having
from connectors.conformance.reading import both_kinds
from connectors.conformance.world import World, said
from connectors.contract.capabilities import Removal
from connectors.contract.departure import departing

_VERBS: Final = ("create", "update", "retire", "delete", "create_many")
every_verb = pytest.mark.parametrize("verb", _VERBS)


class Shut(Exception):
    """The gate lets nothing leave."""


class Leaving:
    """4: no call that may change something leaves without being asked for."""

    @every_verb
    @both_kinds
    def test_4_1_1_a_write_that_may_not_leave_changes_nothing(
        self, world: World, kind: Kind, verb: str
    ) -> None:
        write = _prepared(world, kind, verb)
        before = all_said(world)
        with pytest.raises(Shut), shut():
            write()
        assert all_said(world) == before

    @pytest.mark.parametrize("many", [1, 2, 3])
    @every_verb
    @both_kinds
    def test_4_1_2_each_call_of_a_write_asks_anew(
        self, world: World, kind: Kind, verb: str, many: int
    ) -> None:
        calls = world.hook("calls")
        write, before = _prepared(world, kind, verb), calls()

        def shuts() -> None:
            if calls() - before >= many:
                raise Shut

        with suppress(Shut), departing(shuts):
            write()
        assert calls() - before <= many

    @every_verb
    @both_kinds
    def test_4_1_3_a_write_that_may_leave_is_asked_for_and_done(
        self, world: World, kind: Kind, verb: str
    ) -> None:
        write = _prepared(world, kind, verb)
        before, asked = all_said(world), list[int]()
        with departing(lambda: asked.append(1)):
            write()
        assert asked
        assert all_said(world) != before


@contextmanager
def shut() -> Iterator[None]:
    """Within it nothing may leave."""

    def refuse() -> None:
        raise Shut

    with departing(refuse):
        yield


def all_said(world: World) -> Mapping[Kind, object]:
    """What all objects say, by kind and id."""
    found = world.everything()
    return {kind: {id: said(each) for id, each in found[kind].items()} for kind in found}


def _prepared(world: World, kind: Kind, verb: str) -> Callable[[], object]:
    """A write of that kind, all that it needs made before; skips what the connector has not."""
    world.needs(kind)
    connector, draft = world.connector, world.draft(kind)
    if verb == "create":
        return lambda: connector.create(draft, world.key())
    if verb == "create_many":
        return _many(world, kind)
    made = world.create(draft)
    if verb == "update":
        if f"{kind}.amount" in world.fixed:
            pytest.skip(f"world: {kind}.amount is fixed")
        other = having(draft, "amount", world.field_values(kind, "amount", at_least=2)[1])
        return lambda: connector.update(made.id, other, {"amount"}, world.key())
    removal = connector.capabilities.removal
    if removal is Removal.NONE or (verb == "delete") != (removal is Removal.DELETE):
        pytest.skip(f"capability: removal is {removal}")
    remove = connector.retire if verb == "retire" else connector.delete
    return lambda: remove(kind, made.id, world.key())


def _many(world: World, kind: Kind) -> Callable[[], object]:
    batch = world.connector.capabilities.batch
    if batch == 1 or kind is Kind.BUDGET:
        pytest.skip(f"capability: batch of {kind} is {batch}")
    budget = world.make(Kind.BUDGET)[1].id
    drafts = [world.below(world.draft(kind), budget) for _ in range(min(batch, 3))]
    return lambda: world.connector.create_many(drafts, [world.key() for _ in drafts])
