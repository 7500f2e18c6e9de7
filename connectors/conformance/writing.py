"""Checks of what a single write promises: behaviours 2.1 to 2.4."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Final

import pytest

from canonical.allocation import Status
from canonical.budget import Budget
from canonical.kind import FIELDS, Kind
from connectors.conformance.drafts import WRITTEN, having
from connectors.conformance.reading import both_kinds
from connectors.conformance.world import World, said, writable
from connectors.contract.capabilities import Removal
from connectors.contract.errors import ConnectorError, Missing, Rejected, Unsupported
from connectors.contract.interface import Connector
from connectors.contract.records import Draft, Observed

every_field = pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind in Kind for field in FIELDS[kind]]
)
_TOGETHER: Final[Mapping[str, set[str]]] = {
    "amount": {"currency", "phases"}, "currency": {"amount"}, "phases": {"amount", "start", "end"},
    "start": {"phases"}, "end": {"phases"}, "cadence": {"phases", "start"},
}  # fmt: skip
"""Fields that may move with the one that is written, because they say the same thing."""

_RETIRES: Final = (Removal.RETIRE, Removal.RETIRE_FOR_GOOD, Removal.RETIRE_OR_DELETE)


class Writing:
    """2: a write does what it says and no more, and its answer is the truth."""

    @both_kinds
    def test_2_1_1_create_returns_what_get_shows(self, world: World, kind: Kind) -> None:
        world.needs(kind)
        draft, made = world.make(kind)
        got = world.connector.get(kind, made.id)
        assert said(got) == said(made)
        assert (got.id, got.container, got.stamp) == (made.id, made.container, made.stamp)
        if draft.container is not None:
            assert made.container == draft.container

    @both_kinds
    def test_2_1_2_a_created_object_is_listed(self, world: World, kind: Kind) -> None:
        world.needs(kind)
        before = set(world.listed(kind))
        _, made = world.make(kind)
        after = world.listed(kind)
        assert set(after) - before == {made.id}
        assert after[made.id].stamp == made.stamp

    @both_kinds
    def test_2_1_3_a_stamp_reads_back_apart_from_the_text(self, world: World, kind: Kind) -> None:
        world.needs(kind)
        if kind not in world.connector.capabilities.stamps:
            pytest.skip(f"capability: stamps of {kind}")
        draft = replace(world.draft(kind), stamp=f"Ref {world.tag}/ü[1]")
        made = world.create(draft)
        assert made.stamp == draft.stamp
        assert world.connector.get(kind, made.id).stamp == draft.stamp
        exact = world.exact(kind)
        assert said(made, exact).items() >= said(draft, exact).items()

    @both_kinds
    def test_2_1_4_without_a_stamp_none_is_written(self, world: World, kind: Kind) -> None:
        world.needs(kind)
        if kind not in world.connector.capabilities.stamps:
            pytest.skip(f"capability: stamps of {kind}")
        assert world.create(replace(world.draft(kind), stamp=None)).stamp is None

    def test_2_1_5_creates_from_several_threads_make_one_object_each(self, world: World) -> None:
        world.needs(Kind.BUDGET)
        drafts = [world.draft(Kind.BUDGET) for _ in range(8)]
        with ThreadPoolExecutor(4) as pool:
            ids = [made.id for made in pool.map(world.create, drafts)]
        assert len(set(ids)) == len(drafts)
        assert set(ids) <= set(world.listed(Kind.BUDGET))

    @every_field
    def test_2_2_1_update_changes_the_named_field_alone(
        self, world: World, kind: Kind, field: str
    ) -> None:
        draft = writable(world, kind, field)
        values = world.field_values(kind, field, at_least=2)
        start = having(draft, field, values[0])
        made = world.create(start)
        before = said(made)
        wanted = having(start, field, values[1])
        changed = world.connector.update(made.id, wanted, {field}, world.key())
        after = said(changed)
        assert after[field] == said(wanted)[field], "the echo does not show the change"
        assert {n for n in after if after[n] != before[n]} <= {field} | _TOGETHER.get(field, set())
        assert said(world.connector.get(kind, made.id)) == after, "get differs from the echo"
        assert changed.stamp == made.stamp

    @every_field
    def test_2_2_2_a_clearable_field_can_be_emptied(
        self, world: World, kind: Kind, field: str
    ) -> None:
        if field not in world.connector.capabilities.clearable:
            pytest.skip(f"capability: clearable {field}")
        draft = writable(world, kind, field)
        full = having(draft, field, world.field_values(kind, field)[0])
        made = world.create(full)
        world.connector.update(made.id, having(full, field, None), {field}, world.key())
        assert said(world.connector.get(kind, made.id))[field] in (None, ())

    @both_kinds
    def test_2_2_3_update_of_nothing_changes_nothing(self, world: World, kind: Kind) -> None:
        world.needs(kind)
        draft, made = world.make(kind)
        other = having(draft, "amount", world.field_values(kind, "amount", at_least=2)[1])
        with suppress(Rejected):
            world.connector.update(made.id, other, (), world.key())
        assert said(world.connector.get(kind, made.id)) == said(made)

    @both_kinds
    def test_2_2_4_update_leaves_other_objects_alone(self, world: World, kind: Kind) -> None:
        draft = writable(world, kind, "amount")
        made, (_, other) = world.create(draft), world.make(kind)
        value = world.field_values(kind, "amount", at_least=2)[1]
        world.connector.update(made.id, having(draft, "amount", value), {"amount"}, world.key())
        assert said(world.connector.get(kind, other.id)) == said(other)

    @both_kinds
    def test_2_2_5_update_of_an_unknown_id_raises_missing(self, world: World, kind: Kind) -> None:
        draft = writable(world, kind, "amount")
        with pytest.raises(Missing):
            world.connector.update(world.unknown_id, draft, {"amount"}, world.key())

    @both_kinds
    def test_2_3_1_retire_takes_out_of_use_and_keeps_the_object(
        self, world: World, kind: Kind
    ) -> None:
        made = _retired(world, kind)
        kept = world.connector.get(kind, made.id)
        assert kept.model.status is world.connector.capabilities.retires_to
        wanted = {name: value for name, value in said(made).items() if name != "status"}
        assert said(kept).items() >= wanted.items()

    @both_kinds
    def test_2_3_2_retiring_twice_is_no_error(self, world: World, kind: Kind) -> None:
        made = _retired(world, kind)
        once = said(world.connector.get(kind, made.id))
        world.connector.retire(kind, made.id, world.key())
        assert said(world.connector.get(kind, made.id)) == once

    @both_kinds
    def test_2_3_3_what_is_retired_revives_or_does_not_as_declared(
        self, world: World, kind: Kind
    ) -> None:
        draft = writable(world, kind, "status")
        made = _retired(world, kind, draft)

        def revive() -> Observed:
            return world.connector.update(made.id, draft, {"status"}, world.key())

        if kind in world.connector.capabilities.revives:
            assert revive().model.status is Status.ACTIVE
        else:
            with pytest.raises((Rejected, Unsupported)):
                revive()

    @both_kinds
    def test_2_3_4_delete_leaves_nothing(self, world: World, kind: Kind) -> None:
        made = _deleted(world, kind)
        with pytest.raises(Missing):
            world.connector.get(kind, made.id)
        assert made.id not in world.listed(kind)

    @both_kinds
    def test_2_3_5_deleting_twice_is_no_error(self, world: World, kind: Kind) -> None:
        made = _deleted(world, kind)
        world.connector.delete(kind, made.id, world.key())

    @pytest.mark.parametrize("verb", ["retire", "delete"])
    @both_kinds
    def test_2_3_6_removing_leaves_other_objects_alone(
        self, world: World, kind: Kind, verb: str
    ) -> None:
        world.needs(kind)
        _, other = world.make(kind)
        (_retired if verb == "retire" else _deleted)(world, kind)
        assert said(world.connector.get(kind, other.id)) == said(other)

    @pytest.mark.parametrize("verb", ["retire", "delete"])
    def test_2_3_7_removal_that_is_not_declared_is_unsupported(
        self, world: World, verb: str
    ) -> None:
        removal = world.connector.capabilities.removal
        if removal is not Removal.NONE and (verb == "delete" or removal in _RETIRES):
            pytest.skip(f"capability: removal is {removal}")
        made = next(iter(world.make_some(Kind.BUDGET, 1)), world.unknown_id)
        with pytest.raises(Unsupported):
            getattr(world.connector, verb)(Kind.BUDGET, made, world.key())

    @pytest.mark.parametrize("verb", ["retire", "delete"])
    @both_kinds
    def test_2_3_8_not_found_as_the_answer_to_a_removal_is_no_proof(
        self, world: World, kind: Kind, verb: str
    ) -> None:
        world.needs(kind)
        broken, made = world.hook("break_off"), world.make(kind)[1]
        remove, before = getattr(world.connector, verb), said(world.connector.get(kind, made.id))
        mend = broken("404", 0, -1)
        with pytest.raises(ConnectorError) as failed:
            remove(kind, made.id, world.key())
        mend()
        if failed.errisinstance(Unsupported):
            pytest.skip(f"capability: removal is {world.connector.capabilities.removal}")
        assert said(world.connector.get(kind, made.id)) == before

    def test_2_4_1_a_refused_create_changes_nothing(self, world: World) -> None:
        world.needs(Kind.BUDGET)
        refused = world.hook("refused")()
        _changes_nothing(world, lambda: world.create(refused), (Rejected,))

    @both_kinds
    def test_2_4_2_nothing_is_made_below_what_is_not_there(self, world: World, kind: Kind) -> None:
        world.needs(kind)
        if kind is Kind.BUDGET and world.holds(kind, "parent") not in WRITTEN:
            pytest.skip("capability: budget.parent")
        draft = replace(world.draft(kind), container=world.unknown_id)
        _changes_nothing(world, lambda: world.create(draft), (Rejected, Missing))

    @pytest.mark.parametrize("verb", ["create", "update", "retire"])
    def test_2_4_3_a_read_only_system_writes_nothing(self, world: World, verb: str) -> None:
        if not world.read_only:
            pytest.skip("world: not read_only")
        draft = Draft(model=Budget(ref=world.unknown_id, name=world.tag, amount=None))
        calls: Mapping[str, Callable[[Connector], object]] = {
            "create": lambda it: it.create(draft, world.key()),
            "update": lambda it: it.update(draft.model.ref, draft, {"name"}, world.key()),
            "retire": lambda it: it.retire(Kind.BUDGET, draft.model.ref, world.key()),
        }
        _changes_nothing(world, lambda: calls[verb](world.connector), (Unsupported,))


def needs_retire(world: World) -> None:
    """Skip the check where nothing can be retired."""
    removal = world.connector.capabilities.removal
    if removal not in _RETIRES:
        pytest.skip(f"capability: removal is {removal}")


def _retired(world: World, kind: Kind, draft: Draft | None = None) -> Observed:
    world.needs(kind)
    needs_retire(world)
    made = world.create(draft or world.draft(kind))
    world.connector.retire(kind, made.id, world.key())
    return made


def _deleted(world: World, kind: Kind) -> Observed:
    """A deleted object. Beside retiring, a connector may delete or not."""
    world.needs(kind)
    removal = world.connector.capabilities.removal
    made = world.make(kind)[1]
    try:
        world.connector.delete(kind, made.id, world.key())
    except Unsupported:
        if removal in (Removal.DELETE, Removal.RETIRE_OR_DELETE):
            raise
        pytest.skip(f"capability: removal is {removal}")
    return made


def _changes_nothing(
    world: World, write: Callable[[], object], errors: tuple[type[ConnectorError], ...]
) -> None:
    before = world.everything()
    with pytest.raises(errors):
        write()
    after = world.everything()
    for kind, objects in before.items():
        assert {id: said(each) for id, each in objects.items()} == {
            id: said(each) for id, each in after[kind].items()
        }
