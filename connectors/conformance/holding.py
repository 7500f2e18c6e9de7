"""Checks of behaviour 2.8: each field is held as the capabilities declare."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from canonical.amount import Amount
from canonical.currency import exponent
from canonical.kind import FIELDS, Kind
from canonical.loss import Effect
from canonical.period import Cadence
from connectors.conformance.drafts import having
from connectors.conformance.reading import both_kinds
from connectors.conformance.world import World, said
from connectors.conformance.writing import every_field
from connectors.contract.capabilities import Hold
from connectors.contract.records import Draft

_IDENTIFYING = {"name", "entity", "parent", "budget", "amount", "currency"}
"""Fields that a vendor must hold somehow, or that cannot be set aside to see what becomes of it."""

_LONG = "Budget for everything under the sun, at length; " * 20


class Holding:
    """2.8: exact is exact, and what is not is as declared."""

    @every_field
    @pytest.mark.parametrize("which", [0, 1])
    def test_2_8_1_an_exact_field_reads_back_as_written(
        self, world: World, kind: Kind, field: str, which: int
    ) -> None:
        _needs(world, kind, field, Hold.EXACT)
        value = world.field_values(kind, field, at_least=which + 1)[which]
        _reads_back(world, kind, having(world.draft(kind), field, value), {field})

    @both_kinds
    def test_2_8_2_all_exact_fields_at_once_read_back_as_written(
        self, world: World, kind: Kind
    ) -> None:
        world.needs(kind)
        _reads_back(world, kind, world.draft(kind), set(world.exact(kind)))

    @pytest.mark.parametrize("which", [0, 1, 2])
    @pytest.mark.parametrize("minor", [1, 999_999_999_999])
    @both_kinds
    def test_2_8_3_amounts_keep_every_digit_of_their_currency(
        self, world: World, kind: Kind, minor: int, which: int
    ) -> None:
        _needs(world, kind, "amount", Hold.EXACT)
        if which >= len(world.currencies):
            pytest.skip(f"world: {len(world.currencies)} currencies")
        unit = world.currencies[which]
        digits = world.connector.capabilities.amount_digits
        if digits is not None and digits < exponent(unit):
            pytest.skip(f"capability: amount_digits is {digits}")
        amount = Amount.from_minor(minor, unit)
        draft = having(world.draft(kind), "amount", amount)
        if kind is Kind.ALLOCATION:
            draft = world.below(draft, _budget_of(world, amount))
        _reads_back(world, kind, draft, {"amount", "currency"})

    @pytest.mark.parametrize(
        "cadence", ["once", "daily", "weekly", "monthly", "quarterly", "yearly"]
    )
    def test_2_8_4_every_declared_cadence_reads_back(self, world: World, cadence: str) -> None:
        _needs(world, Kind.BUDGET, "cadence", Hold.EXACT)
        found = [each for each in world.connector.capabilities.cadences if each == cadence]
        if not found:
            pytest.skip(f"capability: cadence {cadence}")
        draft = having(world.draft(Kind.BUDGET), "cadence", found[0])
        if found[0] is Cadence.WEEKLY:
            draft = _in_whole_weeks(draft)
        _reads_back(world, Kind.BUDGET, draft, {"cadence"})

    def test_2_8_5_every_declared_entity_type_reads_back(self, world: World) -> None:
        _needs(world, Kind.ALLOCATION, "entity", Hold.EXACT)
        if "allocation.entity" in world.values:
            pytest.skip("world: values of allocation.entity")
        capabilities = world.connector.capabilities
        for type in sorted(capabilities.entity_types or {"user", "cost_centre"}):
            draft = world.draft(Kind.ALLOCATION)
            entity = replace(draft.model.entity, type=type)  # type: ignore[union-attr]
            _reads_back(world, Kind.ALLOCATION, having(draft, "entity", entity), {"entity"})

    @pytest.mark.parametrize("text", ["Ops \"R&D\" <a>, b; c/d 100% 'x'", "=1+1", "007"])
    def test_2_8_6_marks_in_a_name_read_back(self, world: World, text: str) -> None:
        _needs(world, Kind.BUDGET, "name", Hold.EXACT)
        draft = having(world.draft(Kind.BUDGET), "name", f"{text} {world.tag}")
        _reads_back(world, Kind.BUDGET, draft, {"name"})

    def test_2_8_7_text_beyond_ascii_reads_back(self, world: World) -> None:
        _needs(world, Kind.BUDGET, "name", Hold.EXACT)
        if world.connector.capabilities.ascii_text:
            pytest.skip("capability: ascii_text")
        draft = having(world.draft(Kind.BUDGET), "name", f"Größe – 予算 {world.tag}")
        _reads_back(world, Kind.BUDGET, draft, {"name"})

    def test_2_8_8_a_budget_without_an_end_reads_back_so(self, world: World) -> None:
        _needs(world, Kind.BUDGET, "end", Hold.EXACT)
        made = world.create(having(world.draft(Kind.BUDGET), "end", None))
        assert said(world.connector.get(Kind.BUDGET, made.id))["end"] is None

    @both_kinds
    def test_2_8_9_a_rounded_amount_is_rounded_as_declared(self, world: World, kind: Kind) -> None:
        _needs(world, kind, "amount", Hold.ROUNDED)
        amount = Amount.of("1234.56", world.currencies[0])
        digits = world.connector.capabilities.amount_digits
        rounded = having(world.draft(kind), "amount", amount.rounded(digits))
        made = world.create(having(rounded, "amount", amount))
        assert said(made)["amount"] == said(rounded)["amount"]

    @pytest.mark.parametrize("field", ["name", "description"])
    def test_2_8_10_a_truncated_text_is_cut_at_its_end(self, world: World, field: str) -> None:
        _needs(world, Kind.BUDGET, field, Hold.TRUNCATED)
        made = world.create(having(world.draft(Kind.BUDGET), field, _LONG))
        kept = said(made)[field]
        assert isinstance(kept, str)
        assert _LONG.startswith(kept)

    @both_kinds
    def test_2_8_11_a_dropped_field_leaves_no_trace(self, world: World, kind: Kind) -> None:
        world.needs(kind)
        dropped = [each for each in FIELDS[kind] if world.holds(kind, each) is Hold.DROPPED]
        dropped = [each for each in dropped if each not in _IDENTIFYING]
        traces = []
        for which in (0, 1):
            draft = world.draft(kind)
            for field in dropped:
                values = world.values_of(kind, field)
                draft = having(draft, field, values[which]) if len(values) > which else draft
            made = world.create(draft)
            exact = [each for each in world.exact(kind) if each not in dropped]
            assert said(made, exact).items() >= said(draft, exact).items()
            traces.append(said(made, dropped))
        assert traces[0] == traces[1]

    @both_kinds
    def test_2_8_12_there_is_no_objection_to_what_can_be_held(
        self, world: World, kind: Kind
    ) -> None:
        world.needs(kind)
        losses = world.connector.objections(world.draft(kind).model)
        assert [loss.name for loss in losses if loss.effect is Effect.BLOCKED] == []

    def test_2_8_13_what_follows_the_budget_is_the_budgets(self, world: World) -> None:
        world.needs(Kind.ALLOCATION)
        fields = FIELDS[Kind.ALLOCATION]
        follows = [f for f in fields if world.holds(Kind.ALLOCATION, f) is Hold.FOLLOWS]
        draft = world.draft(Kind.ALLOCATION)
        assert draft.container is not None
        own = said(world.create(draft), follows)
        budgets = said(world.connector.get(Kind.BUDGET, draft.container), follows)
        for field, value in own.items():
            assert value in (None, budgets[field])

    @both_kinds
    def test_2_8_14_an_amount_below_zero_reads_back_where_it_is_held(
        self, world: World, kind: Kind
    ) -> None:
        _needs(world, kind, "amount", Hold.EXACT)
        if not world.connector.capabilities.below_zero:
            pytest.skip("capability: below_zero")
        draft = having(world.draft(kind), "amount", Amount.of("-12.50", world.currencies[0]))
        _reads_back(world, kind, draft, {"amount", "currency"})


def _in_whole_weeks(draft: Draft) -> Draft:
    """From a Monday to a Sunday: a target may refuse a part of a week."""
    start, end = draft.model.start, draft.model.end
    if start is not None:
        draft = having(draft, "start", start + timedelta(days=-start.weekday() % 7))
    return (
        draft
        if end is None
        else having(draft, "end", end - timedelta(days=(end.weekday() + 1) % 7))
    )


def _needs(world: World, kind: Kind, field: str, hold: Hold) -> None:
    world.needs(kind)
    if world.holds(kind, field) is not hold:
        pytest.skip(f"capability: {kind}.{field} is {world.holds(kind, field)}")


def _reads_back(world: World, kind: Kind, draft: Draft, fields: set[str]) -> None:
    """Write the draft; the answer, `get` and the listing all show what it says in `fields`."""
    wanted = said(draft, [*fields])
    made = world.create(draft)
    shown = {"answer": made, "get": world.connector.get(kind, made.id)}
    if world.connector.capabilities.complete_listing:
        shown["list"] = world.listed(kind)[made.id]
    for where, observed in shown.items():
        assert said(observed, [*wanted]) == wanted, f"not as written: {where}"


def _budget_of(world: World, amount: Amount) -> str:
    """The id of a budget that has as much, in the same currency."""
    return world.create(having(world.draft(Kind.BUDGET), "amount", amount)).id
