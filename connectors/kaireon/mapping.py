"""Kaireon's rows as budgets and allocations, and ours as rows. Pure: no call is made here."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from msgspec.structs import replace

from canonical.allocation import Allocation
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.identity import EntityMap
from canonical.period import Period
from connectors.contract.records import Observed
from connectors.kaireon.fitting import is_one_amount, whole_periods
from connectors.kaireon.scopes import enforced
from connectors.kaireon.series import Series, Title, age
from connectors.kaireon.wire import (
    CADENCE,
    COUNT_FIELD,
    LIMIT_FIELDS,
    KaireonRow,
    KaireonRowWrite,
    key_of,
)

PERIOD_TYPE = {ours: theirs for theirs, ours in CADENCE.items()}


def budget_of(series: Series, entities: EntityMap, currency: str, today: date) -> Observed:
    """Their rows as a budget: one phase each, and the amount and limits that count today.

    Rows of one category, offer or channel have it as the dimension.
    """
    name, scope, scope_id = series.title
    field = _amount_field(row for _, row in series.rows)
    budget = Budget(
        ref=series.id,
        name=name,
        amount=None,
        limits=_common_limits([row for _, row in series.current(today)], field, currency),
        cadence=series.cadence,
        start=series.rows[0][0].start,
        end=series.rows[-1][0].end,
        phases=_phases_of(series, currency),
        enforcement=enforced(scope),
        dimensions={scope: entities.our_id(scope, scope_id)} if scope_id else {},
    )
    return Observed(series.id, replace(budget, amount=budget.in_force(today)))


def allocation_of(
    series: Series, container: str | None, entities: EntityMap, currency: str, today: date
) -> Observed:
    """Their rows as an allocation.

    It has phases where its periods have different amounts, or one is missing between them. Passed
    periods count as all others do. Without a budget, as where the rename of one broke off, it has
    its amount all the same.
    """
    title, rows = series.title, series.rows
    phases = _phases_of(series, currency)
    allocation = Allocation(
        ref=series.id,
        budget=container or "",
        entity=entities.ours(title.scope, title.scope_id or ""),
        amount=phases[0].amount if phases else None,
        cadence=series.cadence,
        start=rows[0][0].start,
        end=rows[-1][0].end,
        enforcement=enforced(title.scope),
    )
    if len(phases) < len(rows) or not is_one_amount(phases):
        whole = replace(Budget.of_share(allocation), amount=None, phases=phases)
        allocation = replace(allocation, amount=whole.in_force(today), phases=phases)
    return Observed(series.id, allocation, container=container)


def _phases_of(series: Series, currency: str) -> tuple[Phase, ...]:
    """One for each row that has an amount."""
    field = _amount_field(row for _, row in series.rows)
    return tuple(
        Phase(period, Amount.of(value, _unit(field, currency)))
        for period, row in series.rows
        if (value := getattr(row, field)) is not None
    )


def wanted(
    model: Budget | Allocation, today: date, series: Series | None = None
) -> dict[Period, Amount]:
    """The amount of each period that a fitted `model` has.

    Where it says no start, that is from today on, or from the first row that `series` has: an
    amount without phases counts throughout, in what has passed too.
    """
    if model.phases:
        return {phase.period: phase.amount for phase in model.phases}
    if model.amount is None or model.cadence is None or model.end is None:
        return {}
    there = series.periods if series else ()
    first = model.start or min([today, model.end, *(each.start for each in there)])
    spans = whole_periods(model.cadence, first, model.end)
    return dict.fromkeys(spans, model.amount)


@dataclass(frozen=True, slots=True)
class Steps:
    """What brings rows to what is wanted, in this order; `left` are those that stay as they are."""

    delete: Sequence[KaireonRow]
    put: Sequence[KaireonRowWrite]
    post: Sequence[KaireonRowWrite]
    left: Sequence[KaireonRow]


def steps(
    series: Series | None,
    title: Title,
    model: Budget | Allocation,
    fields: Collection[str],
    today: date,
) -> Steps:
    """How the rows of `series` become those of a fitted `model` under `title`, in its `fields`.

    A row goes where its period is not wanted any more, unless an overlapping one takes it over.
    The oldest is changed last, so that an object that is half renamed keeps its id.
    """
    there = dict(series.rows) if series else {}
    amounts = {} if _PLACING.isdisjoint(fields) else wanted(model, today, series)
    spare = [each for each in there if each not in amounts] if amounts else []
    taken = _taken_over([each for each in amounts if each not in there], spare)
    said: dict[str, dict[str, Any]] = {}
    for period, row in there.items():
        placing: dict[str, Any] = {}
        moves, at = fields, taken.get(period, period)
        if period in taken:
            placing, moves = _placing(model, at), {*fields, "amount"}
        said[row.id] = placing | _amount_said(model, amounts.get(at), moves, row)
    kept = [row for period, row in there.items() if period not in spare or period in taken]
    kept.sort(key=age, reverse=True)
    changed = {row.id: _changed(row, title._asdict() | said[row.id]) for row in kept}
    new = [each for each in amounts if each not in there and each not in taken.values()]
    return Steps(
        delete=[there[period] for period in reversed(spare) if period not in taken],
        put=[write for write in changed.values() if write],
        post=[_write(title, _placing(model, each), model, amounts[each]) for each in new],
        left=[row for row in kept if not changed[row.id]],
    )


_PLACING = frozenset({"amount", "currency", "phases", "cadence", "start", "end"})
"""Fields that say in which periods there are rows: an amount counts in all of them."""


def _taken_over(new: Iterable[Period], spare: Iterable[Period]) -> dict[Period, Period]:
    """Spare period → the new one that takes over its row: one that overlaps, each once."""
    taken: dict[Period, Period] = {}
    for each in new:
        free = (old for old in spare if old not in taken and old.overlaps(each))
        if (old := next(free, None)) is not None:
            taken[old] = each
    return taken


def renamed(row: KaireonRow, name: str) -> KaireonRowWrite:
    """The whole row under another name."""
    return _changed(row, {"name": name}) or KaireonRowWrite(id=row.id, name=name)


def _placing(model: Budget | Allocation, period: Period) -> dict[str, Any]:
    assert model.cadence is not None
    key = key_of(model.cadence, period.start)
    return {"period_type": PERIOD_TYPE[model.cadence], "period_key": key}


def _amount_said(
    model: Budget | Allocation, amount: Amount | None, fields: Collection[str], row: KaireonRow
) -> dict[str, Any]:
    """The limits that one row gets; None takes one away."""
    said: dict[str, Any] = {}
    ours = _field(model.amount.unit) if model.amount else None
    limits = _limits_said(model)
    if "limits" in fields:
        said = {name: limits.get(name) for name in LIMIT_FIELDS if name != ours}
    if amount is not None and not {"amount", "currency", "phases"}.isdisjoint(fields):
        theirs = _amount_field([row])
        if theirs != ours and "currency" in fields:
            said[theirs] = limits.get(theirs)
        said[_field(amount.unit)] = amount.value
    return said


def _limits_said(model: Budget | Allocation) -> dict[str, Any]:
    limits = model.limits if isinstance(model, Budget) else ()
    return {_field(limit.unit): limit.value for limit in limits}


def _write(
    title: Title, placing: Mapping[str, Any], model: Budget | Allocation, amount: Amount
) -> KaireonRowWrite:
    """A new row."""
    whole = {**title._asdict(), **placing, **_limits_said(model), _field(amount.unit): amount.value}
    return KaireonRowWrite(**{name: value for name, value in whole.items() if value is not None})


def _changed(row: KaireonRow, said: Mapping[str, Any]) -> KaireonRowWrite | None:
    """The whole row with what is `said`, as a PUT that replaces needs it; None if it says so."""
    before = row.model_dump(exclude={"id", "created_at"})
    if all(before[name] == value for name, value in said.items()):
        return None
    after = {
        name: value
        for name, value in (before | dict(said)).items()
        if value is not None or before[name] is not None
    }
    return KaireonRowWrite(id=row.id, **after)


def _field(unit: str) -> str:
    return COUNT_FIELD.get(unit, "max_spend")


def _unit(field: str, currency: str) -> str:
    return next((unit for unit, name in COUNT_FIELD.items() if name == field), currency)


def _amount_field(rows: Iterable[KaireonRow]) -> str:
    """The limit that is the amount: the first that any of the rows has."""
    rows = [*rows]
    return next(
        (name for name in LIMIT_FIELDS if any(getattr(row, name) is not None for row in rows)),
        LIMIT_FIELDS[0],
    )


def _common_limits(rows: Sequence[KaireonRow], amount: str, currency: str) -> tuple[Amount, ...]:
    """The limits beside the amount, where all rows have the same; none where they differ."""
    found = {
        tuple(
            Amount.of(value, _unit(name, currency))
            for name in LIMIT_FIELDS
            if name != amount and (value := getattr(row, name)) is not None
        )
        for row in rows
    }
    return found.pop() if len(found) == 1 else ()
