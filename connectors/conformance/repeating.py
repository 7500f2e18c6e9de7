"""Checks of writes whose answer is lost, and of what is left behind: behaviours 2.5 to 2.7."""

from contextlib import suppress
from dataclasses import replace

import pytest

from canonical.kind import Kind
from connectors.conformance.drafts import having
from connectors.conformance.reading import both_kinds
from connectors.conformance.world import World, said, writable
from connectors.conformance.writing import needs_retire
from connectors.contract.errors import ConnectorError, Uncertain
from connectors.contract.records import Draft, Observed


class Repeating:
    """2: a write never doubles, and never vanishes without a word."""

    @pytest.mark.parametrize("fault", ["lost_answer", "error_after", "cut", "garbage"])
    @both_kinds
    def test_2_5_1_a_create_with_a_lost_answer_is_made_once(
        self, world: World, kind: Kind, fault: str
    ) -> None:
        world.needs(kind)
        draft = world.draft(kind)
        world.fail(fault, 1)
        with suppress(Uncertain):  # unless a key, or a vendor's own id, made repeating safe
            world.create(draft)
        assert len(world.connector.probe([draft]).get(0, ())) == 1

    @pytest.mark.parametrize("fault", ["error_before", "rate_limit"])
    @both_kinds
    def test_2_5_2_a_create_that_never_happened_is_no_success(
        self, world: World, kind: Kind, fault: str
    ) -> None:
        world.needs(kind)
        draft = world.draft(kind)
        world.fail(fault, 1)
        made: Observed | None = None
        with suppress(ConnectorError):
            made = world.create(draft)
        found = world.connector.probe([draft]).get(0, ())
        assert [each.id for each in found] == ([made.id] if made else [])

    @both_kinds
    def test_2_5_3_an_update_with_a_lost_answer_says_so_or_succeeds(
        self, world: World, kind: Kind
    ) -> None:
        draft = writable(world, kind, "amount")
        made = world.create(draft)
        wanted = having(draft, "amount", world.field_values(kind, "amount", at_least=2)[1])
        world.fail("lost_answer", 1)
        with suppress(Uncertain):
            world.connector.update(made.id, wanted, {"amount"}, world.key())
        now = world.connector.get(kind, made.id)
        assert said(now)["amount"] == said(wanted)["amount"]

    @both_kinds
    def test_2_5_4_a_removal_with_a_lost_answer_says_so_or_succeeds(
        self, world: World, kind: Kind
    ) -> None:
        world.needs(kind)
        needs_retire(world)
        _, made = world.make(kind)
        world.fail("lost_answer", 1)
        with suppress(Uncertain):
            world.connector.retire(kind, made.id, world.key())
        retired = world.connector.capabilities.retires_to
        assert world.connector.get(kind, made.id).model.status is retired

    @both_kinds
    def test_2_6_1_the_same_key_and_draft_make_one_object(self, world: World, kind: Kind) -> None:
        _needs_keys(world, kind)
        draft, key = world.draft(kind), world.key()
        before = set(world.listed(kind))
        ids = {world.connector.create(draft, key).id for _ in range(3)}
        assert len(ids) == 1
        assert set(world.listed(kind)) - before == ids

    def test_2_6_2_the_same_key_makes_one_object_after_a_restart(self, world: World) -> None:
        _needs_keys(world, Kind.BUDGET)
        reopen = world.hook("reopen")
        draft, key = world.draft(Kind.BUDGET), world.key()
        made = world.connector.create(draft, key)
        with reopen(100) as restarted:
            assert restarted.create(draft, key).id == made.id

    @both_kinds
    def test_2_6_3_the_same_key_updates_once(self, world: World, kind: Kind) -> None:
        _needs_keys(world, kind)
        draft, key = writable(world, kind, "amount"), world.key()
        made = world.create(draft)
        wanted = having(draft, "amount", world.field_values(kind, "amount", at_least=2)[1])
        first, second = (world.connector.update(made.id, wanted, {"amount"}, key) for _ in range(2))
        assert said(first) == said(second) == said(world.connector.get(kind, made.id))

    @both_kinds
    def test_2_6_4_another_key_makes_another_object(self, world: World, kind: Kind) -> None:
        world.needs(kind)
        assert world.make(kind)[1].id != world.make(kind)[1].id

    @pytest.mark.parametrize("stamped", [True, False])
    @both_kinds
    def test_2_7_1_probe_finds_each_draft_that_was_made(
        self, world: World, kind: Kind, stamped: bool
    ) -> None:
        drafts = [_probed(world, kind, stamped) for _ in range(4)]
        made = {index: world.create(drafts[index]).id for index in (0, 1, 3)}
        found = world.connector.probe(drafts)
        assert {index: [each.id for each in found.get(index, ())] for index in range(4)} == {
            index: [made[index]] if index in made else [] for index in range(4)
        }

    @both_kinds
    def test_2_7_2_probe_finds_nothing_where_another_stamp_is(
        self, world: World, kind: Kind
    ) -> None:
        draft = _probed(world, kind, stamped=True)
        world.create(draft)
        assert not world.connector.probe([replace(draft, stamp=f"other-{world.tag}")]).get(0)

    def test_2_7_3_probe_looks_in_the_drafts_own_container(self, world: World) -> None:
        world.needs(Kind.ALLOCATION)
        draft = _probed(world, Kind.ALLOCATION, stamped=False)
        world.create(draft)
        elsewhere = world.below(draft, world.make(Kind.BUDGET)[1].id)
        assert not world.connector.probe([elsewhere]).get(0)

    def test_2_7_4_probe_shows_the_object_as_get_does(self, world: World) -> None:
        world.needs(Kind.BUDGET)
        draft, made = world.make(Kind.BUDGET)
        (found,) = world.connector.probe([draft])[0]
        if world.connector.capabilities.complete_listing:
            assert said(found) == said(made)

    def test_2_7_5_probe_of_nothing_finds_nothing(self, world: World) -> None:
        assert not world.connector.probe([])


def _needs_keys(world: World, kind: Kind) -> None:
    world.needs(kind)
    if not world.connector.capabilities.key_lifetime:
        pytest.skip("capability: key_lifetime")


def _probed(world: World, kind: Kind, stamped: bool) -> Draft:
    """A draft to look for; skips the check where the kind takes no stamp."""
    world.needs(kind)
    if not stamped:
        return replace(world.draft(kind), stamp=None)
    if kind not in world.connector.capabilities.stamps:
        pytest.skip(f"capability: stamps of {kind}")
    return world.draft(kind)
