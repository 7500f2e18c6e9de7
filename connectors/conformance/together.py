"""Checks of allocations that are made together: behaviour 2.9."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from msgspec import structs

from canonical.currency import exponent
from canonical.kind import Kind
from connectors.conformance.world import World, said
from connectors.contract.errors import ConnectorError, Rejected, Uncertain
from connectors.contract.records import Draft, Observed


class Together:
    """2.9: many are made as each by itself would be."""

    def test_2_9_1_each_comes_back_as_get_shows_it_in_the_order_asked(self, world: World) -> None:
        drafts = _drafts(world)
        made = _made(world, drafts)
        for draft, each in zip(drafts, made, strict=True):
            assert isinstance(each, Observed), each
            assert said(each)["entity"] == said(draft)["entity"]
            assert said(each) == said(world.connector.get(Kind.ALLOCATION, each.id))
        listed = world.listed(Kind.ALLOCATION)
        assert {each.id for each in made if isinstance(each, Observed)} == listed.keys()

    def test_2_9_2_one_that_is_refused_stops_no_other(self, world: World) -> None:
        first, *others = _drafts(world)
        foreign = next(unit for unit in ("SEK", "NOK") if unit not in world.currencies)
        assert first.model.amount is not None
        amount = structs.replace(first.model.amount, unit=foreign).rounded(exponent(foreign))
        refused = replace(first, model=structs.replace(first.model, amount=amount))
        try:
            world.create(refused)
        except Rejected:
            pass
        else:
            pytest.skip(f"world: {foreign} is not refused")
        error, *made = _made(world, [refused, *others])
        assert isinstance(error, Rejected)
        assert {each.id for each in made if isinstance(each, Observed)} == {
            *world.listed(Kind.ALLOCATION)
        }
        assert len(world.listed(Kind.ALLOCATION)) == len(others)

    @pytest.mark.parametrize("fault", ["lost_answer", "error_after", "cut", "garbage"])
    def test_2_9_3_with_a_lost_answer_each_is_made_once(self, world: World, fault: str) -> None:
        drafts = _drafts(world)
        world.fail(fault, 1)
        for each in _made(world, drafts):
            assert isinstance(each, Observed | Uncertain), each
        found = world.connector.probe(drafts)
        assert [len(found.get(index, ())) for index, _ in enumerate(drafts)] == [1] * len(drafts)

    @pytest.mark.parametrize("fault", ["error_before", "rate_limit"])
    def test_2_9_4_what_never_happened_is_no_success(self, world: World, fault: str) -> None:
        drafts = _drafts(world)
        world.fail(fault, 1)
        made = _made(world, drafts)
        found = world.connector.probe(drafts)
        for index, each in enumerate(made):
            ids = [each.id] if isinstance(each, Observed) else []
            assert [item.id for item in found.get(index, ())] == ids


def _drafts(world: World) -> Sequence[Draft]:
    """As many allocations of one budget as go together, three at most."""
    world.needs(Kind.ALLOCATION)
    batch = world.connector.capabilities.batch
    if batch == 1:
        pytest.skip("capability: batch is 1")
    budget = world.make(Kind.BUDGET)[1].id
    drafts = [world.below(world.draft(Kind.ALLOCATION), budget) for _ in range(min(batch, 3))]
    if len({str(said(draft)["entity"]) for draft in drafts}) < len(drafts):
        pytest.skip(f"values: allocation.entity has fewer than {len(drafts)}")
    return drafts


def _made(world: World, drafts: Sequence[Draft]) -> Sequence[Observed | ConnectorError]:
    return world.connector.create_many(drafts, [world.key() for _ in drafts])
