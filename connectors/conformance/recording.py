"""Checks of what others have seen spent, and a system keeps: behaviour 2.13."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from canonical.allocation import Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.period import Period
from canonical.spent import Spent, period_now
from connectors.conformance.leaving import Shut, all_said, shut
from connectors.conformance.world import World
from connectors.contract.errors import ConnectorError, Unsupported
from connectors.contract.records import Keeping

_DONE = (Keeping.WRITTEN, Keeping.UNCHANGED)


class Recording:
    """2.13: what was spent is kept once, and nothing else is touched."""

    def test_2_13_1_the_same_again_changes_nothing(self, world: World) -> None:
        rows = [_row(world, 1), _row(world, 2)]
        first = world.connector.record_actuals(rows)
        assert [each.outcome for each in first] == [Keeping.WRITTEN] * 2
        assert [each.after for each in first] == [row.spent for row in rows]
        again = world.connector.record_actuals(rows)
        assert [each.outcome for each in again] == [Keeping.UNCHANGED] * 2

    def test_2_13_2_another_amount_takes_its_place_and_others_stay(self, world: World) -> None:
        row, other = _row(world, 1), _row(world, 2)
        world.connector.record_actuals([row, other])
        more = _of(row, 7)
        (said,) = world.connector.record_actuals([more])
        assert (said.outcome, said.before, said.after) == (Keeping.WRITTEN, row.spent, more.spent)
        assert _outcomes(world, [more, other]) == [Keeping.UNCHANGED] * 2

    def test_2_13_3_a_dry_run_says_the_same_and_writes_nothing(self, world: World) -> None:
        rows = [_row(world, 1)]
        dry = world.connector.record_actuals(rows, dry_run=True)
        assert world.connector.record_actuals(rows) == dry
        assert dry[0].outcome is Keeping.WRITTEN

    def test_2_13_4_a_row_without_a_place_is_refused_and_stops_no_other(self, world: World) -> None:
        row = _row(world, 1)
        if not world.connector.capabilities.sums_actuals:
            pytest.skip("capability: sums_actuals")
        nowhere = replace(row, ref=world.unknown_id, target_id="other")
        foreign = replace(row, spent=Amount.of("5", "XAF"))
        said = world.connector.record_actuals([nowhere, row, foreign])
        assert [each.outcome for each in said] == [
            Keeping.REFUSED, Keeping.WRITTEN, Keeping.REFUSED,
        ]  # fmt: skip
        assert said[0].reason
        assert said[2].reason

    def test_2_13_5_what_was_budgeted_is_never_touched(self, world: World) -> None:
        rows = [_row(world, 1), _row(world, 2)]
        before = all_said(world)
        world.connector.record_actuals(rows)
        assert all_said(world) == before

    def test_2_13_6_what_several_have_seen_spent_is_all_kept(self, world: World) -> None:
        row = _row(world, 1)
        assert row.spent is not None
        other = replace(_of(row, 3), system="another", target_id="x-2")
        said = world.connector.record_actuals([row, other])
        assert [each.outcome for each in said] == [Keeping.WRITTEN] * 2
        both = row.spent + Amount.of(3, row.spent.unit)
        sums = world.connector.capabilities.sums_actuals
        own = [both, both] if sums else [row.spent, other.spent]
        assert [each.after for each in said] == own
        assert _outcomes(world, [other, row]) == [Keeping.UNCHANGED] * 2

    def test_2_13_7_what_may_not_leave_is_not_kept(self, world: World) -> None:
        rows = [_row(world, 1)]
        with pytest.raises(Shut), shut():
            world.connector.record_actuals(rows)
        assert _outcomes(world, rows) == [Keeping.WRITTEN]

    @pytest.mark.parametrize("fault", ["lost_answer", "error_before", "error_after"])
    def test_2_13_8_what_broke_off_is_completed_by_the_same(self, world: World, fault: str) -> None:
        rows = [_row(world, 1), _row(world, 2)]
        world.connector.record_actuals(rows, dry_run=True)
        world.fail(fault, 1)
        with suppress(ConnectorError):
            world.connector.record_actuals(rows)
        assert set(_outcomes(world, rows)) <= {*_DONE}
        assert _outcomes(world, rows) == [Keeping.UNCHANGED] * 2

    def test_2_13_9_a_system_that_keeps_none_says_so(self, world: World) -> None:
        if world.connector.capabilities.takes_actuals:
            pytest.skip("capability: takes_actuals is something")
        with pytest.raises(Unsupported):
            world.connector.record_actuals([])


def _row(world: World, amount: int) -> Spent:
    """A row of an object of its own; skips the check where no actuals are kept."""
    if Kind.BUDGET not in world.connector.capabilities.takes_actuals:
        pytest.skip("capability: takes_actuals")
    if world.spent_of:
        return _of(world.spent_of(), amount)
    world.needs(Kind.BUDGET)
    _, made = world.make(Kind.BUDGET)
    assert isinstance(made.model, Budget)
    assert made.model.amount is not None
    ref, unit = made.model.ref, made.model.amount.unit
    return Spent(
        system="cards", sync="mirror", kind=Kind.BUDGET, ref=ref, budget_ref=None, name=ref,
        target_id=f"x-{ref}", above=None, status=Status.ACTIVE, amount=None,
        spent=Amount.of(amount, unit), pending=None, remaining=None, at=None,
        source=world.connector.name, period=period_now(made.model, world.day) or Period(world.day),
    )  # fmt: skip


def _of(row: Spent, amount: int) -> Spent:
    assert row.spent is not None
    return replace(row, spent=Amount.of(amount, row.spent.unit))


def _outcomes(world: World, rows: Sequence[Spent]) -> Sequence[Keeping]:
    return [each.outcome for each in world.connector.record_actuals(rows)]
