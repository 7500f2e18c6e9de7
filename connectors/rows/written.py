"""What a write should leave behind, checked by reading it as it would be read back.

Rows hold text only; what would not come back as it was said is refused before it is written.
"""

from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

from msgspec.structs import replace

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.facts import SAID_BY_NONE, facts, fields_of
from canonical.kind import Kind
from canonical.text import joined
from connectors.contract.errors import Rejected
from connectors.contract.records import Draft, Observed
from connectors.rows.layout import BUDGETS, Cells, Wrong
from connectors.rows.mapping import Reader, allocation_rows, budget_rows, settled
from connectors.rows.reading import Index, cycles

Model: TypeAlias = Budget | Allocation

_MONEY = frozenset({"amount", "currency", "phases"})


def drafted(draft: Draft) -> tuple[Kind, Model, str]:
    """The object that `draft` describes under the ref that it will have, and its id."""
    model = draft.model
    ref = draft.stamp or model.ref
    if isinstance(model, Budget):
        model = replace(model, ref=ref, parent=draft.container or model.parent)
        return Kind.BUDGET, model, ref
    model = replace(model, ref=ref, budget=draft.container or model.budget)
    return Kind.ALLOCATION, model, joined(model.budget, ref)


def as_wanted(id: str, wanted: Model, seen: Observed, held: Collection[str]) -> Observed:
    """What is there already of what is to be made; raises `Rejected` where it is another."""
    if differs := unlike(wanted, seen.model, held):
        raise Rejected(f"{id} is there already with another {', '.join(differs)}")
    return seen


def merged(current: Model, wanted: Model, fields: Collection[str]) -> Model:
    """`current` with `fields` as `wanted` has them."""
    if isinstance(current, Budget):
        assert isinstance(wanted, Budget)
        return _merged_budget(current, wanted, fields)
    assert isinstance(wanted, Allocation)
    return _merged_allocation(current, wanted, fields)


def _merged_budget(current: Budget, wanted: Budget, fields: Collection[str]) -> Budget:
    """`current` with `fields` as `wanted` has them; phases bring their own start and end."""
    changes: dict[str, Any] = {name: getattr(wanted, name) for name in fields if name not in _MONEY}
    if _MONEY & set(fields) or (wanted.phases and {"start", "end"} & set(fields)):
        changes |= {"amount": wanted.amount, "phases": wanted.phases}
        if wanted.phases:
            changes |= {"start": wanted.start, "end": wanted.end}
    return replace(current, **changes)


def _merged_allocation(
    current: Allocation, wanted: Allocation, fields: Collection[str]
) -> Allocation:
    """`current` with `fields` as `wanted` has them; its amount and its phases go together."""
    names = {*fields} - _MONEY | ({"amount", "phases"} if _MONEY & set(fields) else set())
    return replace(current, **{name: getattr(wanted, name) for name in names})


def checked_budget(
    budget: Budget, index: Index, held: Collection[str]
) -> tuple[Sequence[Cells], Budget]:
    """The rows of `budget` and what they read back as; raises `Rejected` for what would be lost."""
    whole = settled(budget)
    if whole.amount is None:
        raise Rejected(f"{budget.ref} has no amount", hint="A row of a budget needs one")
    if any(phase.amount.unit != whole.amount.unit for phase in whole.phases):
        raise Rejected(f"{budget.ref} has phases in several currencies")
    if budget.parent is not None:
        if budget.parent not in index.units:
            raise Rejected(f"there is no budget {budget.parent!r} to be the parent of {budget.ref}")
        rings = cycles({**index.parents, budget.ref: budget.parent})
        if budget.ref in rings:
            raise Rejected(f"the parents would go round in a circle: {rings[budget.ref]}")
    rows = budget_rows(whole)
    reader = Reader(tuple(rows[0]), ".", {budget.ref: whole.amount.unit})
    try:
        for column in rows[0]:
            if BUDGETS.spelling(column) != column:
                raise Wrong(column, "cannot be the name of a column")
        stored = reader.budget([(n, reader.budget_row(row)) for n, row in enumerate(rows, 1)])
    except Wrong as error:
        raise Rejected(f"{budget.ref}: {error.column} {error.message}") from None
    wanted = (
        replace(budget, amount=stored.amount, phases=stored.phases) if budget.phases else budget
    )
    _ensure_kept(budget.ref, wanted, stored, held)
    return rows, stored


def checked_allocation(
    allocation: Allocation, index: Index, held: Collection[str]
) -> tuple[Sequence[Cells], Allocation]:
    """The rows of `allocation` and what they read back as; raises `Rejected`."""
    if allocation.amount is None:
        raise Rejected(f"{allocation.ref} has no amount", hint="A row of an allocation needs one")
    rows = allocation_rows(allocation)
    currency = {"currency": allocation.amount.unit}
    reader = Reader((*rows[0], *currency), ".", index.units)
    try:
        said = [reader.allocation_row(row | currency) for row in rows]
        stored = reader.allocation([*enumerate(said, 1)])
    except Wrong as error:
        raise Rejected(f"{allocation.ref}: {error.column} {error.message}") from None
    wanted = replace(allocation, amount=stored.amount) if allocation.phases else allocation
    _ensure_kept(allocation.ref, wanted, stored, held)
    return rows, stored


def unlike(
    wanted: Budget | Allocation, stored: Budget | Allocation, held: Collection[str]
) -> list[str]:
    """The fields of `held` that `wanted` speaks about and `stored` has otherwise."""
    return [
        name
        for name, want, have in zip(fields_of(wanted), facts(wanted), facts(stored), strict=True)
        if name in held and want != have and (want is not None or name in SAID_BY_NONE)
    ]


def _ensure_kept(
    ref: str, wanted: Budget | Allocation, stored: Budget | Allocation, held: Collection[str]
) -> None:
    if stored.ref != ref or (lost := unlike(wanted, stored, held)):
        names = "ref" if stored.ref != ref else ", ".join(lost)
        raise Rejected(f"{ref}: a row cannot hold its {names} as it is")
