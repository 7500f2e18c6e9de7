"""Checks of what reading promises: behaviours 1.1 to 1.7."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

import pytest

from canonical.kind import Kind
from connectors.conformance.drafts import having
from connectors.conformance.world import World, all_pages, said, writable
from connectors.contract.errors import ConnectorError, Malformed, Missing

both_kinds = pytest.mark.parametrize("kind", [*Kind])


class Reading:
    """1: reading is complete, repeatable and harmless."""

    @both_kinds
    def test_1_1_1_list_yields_every_object_once(self, world: World, kind: Kind) -> None:
        made = world.make_some(kind, 5)
        ids = [item.id for page in all_pages(world.connector, kind) for item in page.items]
        assert len(ids) == len(set(ids)), "an object is listed twice"
        assert made <= set(ids), "an object that exists is not listed"

    @pytest.mark.parametrize("size", [1, 2, 3, 1000])
    @both_kinds
    def test_1_1_2_list_yields_the_same_whatever_the_page_size(
        self, world: World, kind: Kind, size: int
    ) -> None:
        reopen = world.hook("reopen")
        made = world.make_some(kind, 5)
        with reopen(size) as connector:
            ids = [item.id for page in all_pages(connector, kind) for item in page.items]
        assert len(ids) == len(set(ids))
        assert made <= set(ids)
        assert set(ids) == set(world.listed(kind))

    @both_kinds
    def test_1_1_3_a_listing_goes_on_from_any_cursor(self, world: World, kind: Kind) -> None:
        reopen = world.hook("reopen")
        world.make_some(kind, 5)
        with reopen(2) as connector:
            pages = all_pages(connector, kind)
            for index, page in enumerate(pages):
                rest = [item.id for each in pages[index:] for item in each.items]
                again = all_pages(connector, kind, page.cursor)
                assert [item.id for each in again for item in each.items] == rest

    @both_kinds
    def test_1_1_4_what_is_known_unchanged_is_vouched_for(self, world: World, kind: Kind) -> None:
        world.make_some(kind, 3)
        budgets, there = world.listed(Kind.BUDGET), world.listed(kind)
        known = _Remembered({id: item.version for id, item in budgets.items()})
        *_, pages = (all_pages(world.connector, each, known=known) for each in _up_to(kind))
        vouched = {id for page in pages for id in page.unchanged}
        within = {budget for page in pages for budget in page.unchanged_within}
        vouched |= {id for id, item in there.items() if item.container in within}
        read = {item.id for page in pages for item in page.items}
        assert read | vouched == set(there)

    def test_1_1_5_what_changed_is_read_again(self, world: World) -> None:
        draft = writable(world, Kind.BUDGET, "amount")
        made = world.create(draft)
        version = world.listed(Kind.BUDGET)[made.id].version
        wanted = having(draft, "amount", world.field_values(Kind.BUDGET, "amount", at_least=2)[1])
        world.connector.update(made.id, wanted, {"amount"}, world.key())
        known = _Remembered({made.id: version})
        pages = all_pages(world.connector, Kind.BUDGET, known=known)
        read = {item.id: item for page in pages for item in page.items}
        assert said(read[made.id])["amount"] == said(wanted)["amount"]

    @both_kinds
    def test_1_1_6_a_version_moves_with_all_that_it_is_said_to_cover(
        self, world: World, kind: Kind
    ) -> None:
        covered = world.connector.capabilities.version_covers.get(kind, frozenset())
        if not covered:
            pytest.skip(f"capability: version_covers of {kind}")
        for field in sorted(covered):
            first, second, *_ = world.field_values(kind, field, at_least=2)
            draft = having(world.draft(kind), field, first)
            made = world.create(draft)
            budget = made.id if kind is Kind.BUDGET else made.container or ""
            before = world.listed(Kind.BUDGET)[budget].version
            world.connector.update(made.id, having(draft, field, second), {field}, world.key())
            assert world.listed(Kind.BUDGET)[budget].version != before, f"{field} does not show"

    @both_kinds
    def test_1_2_1_the_pages_of_a_listing_are_a_chain(self, world: World, kind: Kind) -> None:
        world.make_some(kind, 5)
        with world.paged(2) as connector:
            pages = all_pages(connector, kind)
        assert pages, "even an empty listing has a page"
        assert [page.next_cursor for page in pages[:-1]] == [page.cursor for page in pages[1:]]
        assert pages[-1].next_cursor is None

    @pytest.mark.parametrize("fault", ["error_before", "cut", "garbage", "lost_answer"])
    def test_1_2_2_a_listing_that_breaks_off_says_so(self, world: World, fault: str) -> None:
        reopen = world.hook("reopen")
        world.make_some(Kind.BUDGET, 6)
        with reopen(1) as connector:
            pages = connector.list(Kind.BUDGET)
            next(pages)
            world.fail(fault, -1)
            with pytest.raises(ConnectorError):
                list(pages)

    def test_1_2_3_an_object_made_meanwhile_hides_none(self, world: World) -> None:
        reopen = world.hook("reopen")
        world.needs(Kind.BUDGET)
        made = world.make_some(Kind.BUDGET, 5)
        with reopen(2) as connector:
            pages = connector.list(Kind.BUDGET)
            seen = {item.id for item in next(pages).items}
            world.make(Kind.BUDGET)
            seen |= {item.id for page in pages for item in page.items}
        assert made <= seen

    def test_1_2_4_pages_that_drift_hide_no_object(self, world: World) -> None:
        reopen = world.hook("reopen")
        made = world.make_some(Kind.BUDGET, 5)
        world.fail("page_drift", 1)
        with reopen(2) as connector:
            assert made <= set(world.listed(Kind.BUDGET, connector))

    @both_kinds
    def test_1_3_1_an_unreadable_record_is_a_problem_beside_the_others(
        self, world: World, kind: Kind
    ) -> None:
        garble = world.hook("garble")
        world.make_some(kind, 3)
        before = world.listed(kind)
        garble(kind)
        pages = all_pages(world.connector, kind)
        problems = [problem for page in pages for problem in page.problems]
        seen = {item.id for page in pages for item in page.items}
        assert len(problems) == 1
        assert problems[0].system == world.connector.name
        assert len(before.keys() - seen) == 1
        assert seen < before.keys()

    @both_kinds
    def test_1_3_2_an_unreadable_record_says_which_objects_it_may_be(
        self, world: World, kind: Kind
    ) -> None:
        garble = world.hook("garble")
        world.needs(kind)
        made = {item.id: draft for draft, item in (world.make(kind) for _ in range(3))}
        garble(kind)
        pages = all_pages(world.connector, kind)
        (problem,) = (problem for page in pages for problem in page.problems)
        (hidden,) = made.keys() - {item.id for page in pages for item in page.items}
        draft, other = made[hidden], world.draft(kind)
        assert problem.may_be(draft.stamp or draft.model.ref, draft.model, draft.container), (
            "what is hidden would be made a second time"
        )
        if problem.traces is not None and kind is Kind.BUDGET:
            assert not problem.may_be(other.stamp or other.model.ref, other.model, other.container)

    def test_1_4_1_a_repeated_page_token_ends_the_listing(self, world: World) -> None:
        world.make_some(Kind.BUDGET, 5)
        world.fail("repeat_cursor", -1)
        with world.paged(2) as connector, pytest.raises(Malformed):
            all_pages(connector, Kind.BUDGET)

    @both_kinds
    def test_1_5_1_get_returns_what_list_shows(self, world: World, kind: Kind) -> None:
        world.make_some(kind, 3)
        whole = world.connector.capabilities.complete_listing
        for id, listed in islice(world.listed(kind).items(), 5):
            got = world.connector.get(kind, id)
            assert (got.id, got.container, got.stamp) == (id, listed.container, listed.stamp)
            assert got.model.ref == listed.model.ref
            if whole:
                assert said(got) == said(listed)

    @both_kinds
    def test_1_5_2_get_of_an_unknown_id_raises_missing(self, world: World, kind: Kind) -> None:
        world.needs(kind, writing=False)
        with pytest.raises(Missing):
            world.connector.get(kind, world.unknown_id)

    def test_1_7_1_the_day_of_a_run_is_today_while_it_goes_on(self, world: World) -> None:
        connector, now = world.connector, world.day
        world.make_some(Kind.BUDGET, 1)
        for day in (now + timedelta(days=400), now - timedelta(days=400)):
            with connector.on(day), connector.on(day):
                assert connector.today() == connector.day() == day
                there = world.listed(Kind.BUDGET)
                for id, item in there.items():
                    assert said(connector.get(Kind.BUDGET, id)) == said(item)
            assert (connector.today(), connector.day()) == (now, None)

    def test_1_6_1_reading_changes_nothing(self, world: World) -> None:
        for kind in world.kinds():
            world.make_some(kind, 2)
        before = world.everything()
        written = world.calls() if world.calls else 0
        connector = world.connector
        connector.check()
        [*connector.actuals()]
        for kind, objects in before.items():
            for id in islice(objects, 3):
                connector.get(kind, id)
        after = world.everything()
        for kind, objects in before.items():
            assert {id: said(each) for id, each in objects.items()} == {
                id: said(each) for id, each in after[kind].items()
            }
        assert (world.calls() if world.calls else 0) == written

    def test_1_6_2_check_says_who_we_are(self, world: World) -> None:
        assert world.connector.check().identity

    def test_1_6_3_actuals_name_each_object_once(self, world: World) -> None:
        if not world.connector.capabilities.reads_actuals:
            pytest.skip("capability: reads_actuals")
        world.make_some(Kind.BUDGET, 1)
        spent = [actual.ref for actual in world.connector.actuals()]
        assert len(spent) == len(set(spent))
        assert set(spent) <= set(world.everything()[Kind.BUDGET])

    def test_1_6_4_actuals_of_shares_name_each_share_once(self, world: World) -> None:
        if not world.connector.capabilities.spent_by_share:
            pytest.skip("capability: spent_by_share")
        world.make_some(Kind.ALLOCATION, 2)
        shares = world.everything()[Kind.ALLOCATION].values()
        spent = [share.actual.ref for share in shares if share.actual is not None]
        assert len(spent) == len(set(spent))
        assert set(spent) <= set(world.everything()[Kind.ALLOCATION])


@dataclass(frozen=True)
class _Remembered:
    """What an earlier listing showed: unchanged is what still has the version it had."""

    versions: Mapping[str, str | None]

    def unchanged(self, versions: Mapping[str, str]) -> Collection[str]:
        return {id for id, version in versions.items() if self.versions.get(id) == version}


def _up_to(kind: Kind) -> Sequence[Kind]:
    """The kinds to list, in order, to have listed `kind`."""
    return [Kind.BUDGET] if kind is Kind.BUDGET else [Kind.BUDGET, kind]
