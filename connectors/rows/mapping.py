"""Rows to budgets and allocations, and back.

A blank cell is not stated. Several rows of one ref are the phases of one budget, or of one share:
the first row speaks for all of them, and a later one that says something else is wrong.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, TypeAlias

from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.budget import Budget, Phase
from canonical.period import Period
from connectors.rows.cells import NO_END, PARSERS, amount, currency, spelled, words_of
from connectors.rows.layout import BUDGETS, DIMENSION, LIMITS, Position, Wrong, at

Said: TypeAlias = dict[str, Any]
"""What one row states: values by column, blank ones left out."""

_PLAIN = frozenset({*BUDGETS.columns, "enforcement", "carry_over"})
_OWN = frozenset({"amount", "start", "end"})


class WrongAt(Wrong):
    """`Wrong`, in the row at `position` among the several of one ref."""

    def __init__(self, position: Position, column: str | None, message: str) -> None:
        super().__init__(column, message)
        self.position = position


class Reader:
    """Reads rows under `columns` whose decimal sign is `point`; `units` tells budgets' currencies.

    Rows may have cells beyond `columns`.
    """

    def __init__(self, columns: Sequence[str], point: str, units: Mapping[str, str]) -> None:
        self._point, self._units = point, units
        self._width = len(columns)
        self._texts = tuple(column for column in columns if column not in PARSERS)
        self._words = tuple(column for column in columns if column in PARSERS)
        self._known = frozenset(columns)

    def _said(self, cells: Mapping[str, str]) -> Said:
        words, plain = self._words, _is_plain("".join(cells.values()))
        said: Said = {**words_of(words, tuple(map(cells.__getitem__, words)))}
        for column in self._texts:
            if text := cells[column].strip():
                said[column] = text if plain else spelled(column, text)
        if len(cells) != self._width:
            for column in cells.keys() - self._known:
                if text := cells[column].strip():
                    said[column] = text if plain else spelled(column, text)
        return said

    def budget_row(self, cells: Mapping[str, str]) -> Said:
        """What a row of a budget states; raises `Wrong` for the first cell that cannot be read."""
        said = self._said(cells)
        for column in ("ref", "amount"):
            if column not in said:
                raise Wrong(column, "is empty")
        unit = said.get("currency") or self._units.get(said["ref"])
        if not unit:
            right = "write a code such as USD, or set currency for the whole file"
            raise Wrong("currency", f"is empty; {right}")
        said["amount"] = amount(said["amount"], currency(unit), self._point)
        _check_time(said)
        return said

    def budget(self, rows: Sequence[tuple[Position, Said]]) -> Budget:
        """The budget that its rows state together; raises `WrongAt`."""
        position, said = rows[0]
        if "name" not in said:
            raise WrongAt(position, "name", "is empty")
        if len(rows) > 1:
            return _phased(rows)
        return _budget(said)

    def allocation_row(self, cells: Mapping[str, str]) -> Said:
        """What a row of an allocation states; raises `Wrong` for the first cell in the way."""
        said = self._said(cells)
        for column in ("budget", "entity_type", "entity", "amount"):
            if column not in said:
                raise Wrong(column, "is empty")
        budget = said["budget"]
        if budget not in self._units:
            raise Wrong("budget", f"there is no budget {budget!r}; name one by its ref")
        unit = self._units[budget]
        if said.get("currency", unit) != unit:
            raise Wrong("currency", f"{said['currency']} is not its budget's; write {unit}")
        said["amount"] = amount(said["amount"], currency(unit), self._point)
        _check_time(said)
        if "end" in said and "start" not in said:
            raise Wrong("start", "is empty; a share that has an end of its own states both")
        if "ref" not in said:
            said["ref"] = f"{said['entity_type']}:{said['entity']}"
        return said

    def allocation(self, rows: Sequence[tuple[Position, Said]]) -> Allocation:
        """The allocation that its rows state together; raises `WrongAt`."""
        _, said = rows[0]
        if len(rows) > 1:
            _agree(rows)
            _check_periods(rows)
        phases = [
            Phase(Period(each["start"], _end(each)), each["amount"])
            for _, each in rows
            if "start" in each
        ]
        phases.sort(key=lambda phase: phase.period.start)
        return Allocation(
            ref=said["ref"],
            budget=said["budget"],
            entity=Entity(said["entity_type"], said["entity"]),
            amount=phases[0].amount if phases else said["amount"],
            phases=tuple(phases),
            **({"status": said["status"]} if "status" in said else {}),
        )


def _check_time(said: Said) -> None:
    if "start" in said and "end" in said and said["end"] < said["start"]:
        raise Wrong("end", f"{said['end']} is before the start {said['start']}")


def _is_plain(text: str) -> bool:
    """Whether `spelled` would leave each cell of the text as it is: true of nearly every row."""
    return text.isascii() and text.isprintable() and "#" not in text


def _budget(said: Said) -> Budget:
    fields = dict(said)
    fields.pop("currency", None)
    fields["end"] = _end(fields)
    if not _PLAIN.issuperset(fields):
        _gather(fields)
    return Budget(**fields)


def _phased(rows: Sequence[tuple[Position, Said]]) -> Budget:
    _agree(rows)
    _check_periods(rows)
    position, first = rows[0]
    if "cadence" not in first:
        raise WrongAt(position, "cadence", "is empty; a budget of several rows states it")
    phases = [Phase(Period(said["start"], _end(said)), said["amount"]) for _, said in rows]
    return settled(replace(_budget(first), phases=tuple(phases)))


def _end(said: Said) -> date | None:
    end: date | None = said.get("end")
    return None if end == NO_END else end


def settled(budget: Budget) -> Budget:
    """A phased budget with start, end and amount of its phases, in order; none where they are one.

    Phases that follow each other without a gap and have the same amount are one.
    """
    phases = tuple(sorted(budget.phases, key=lambda phase: phase.period.start))
    if not phases:
        return budget
    first, last = phases[0], phases[-1]
    one = all(
        after.amount == before.amount
        and before.period.end is not None
        and after.period.start == before.period.end + timedelta(days=1)
        for before, after in pairwise(phases)
    )
    return replace(
        budget,
        amount=first.amount,
        start=first.period.start,
        end=last.period.end,
        phases=() if one else phases,
    )


def _gather(fields: Said) -> None:
    """Puts the columns of limits and dimensions together."""
    limits = [fields.pop(each) for each in LIMITS if each in fields]
    if limits:
        fields["limits"] = tuple(limits)
    dimensions = [each for each in fields if each.startswith(DIMENSION)]
    if dimensions:
        fields["dimensions"] = {each[len(DIMENSION) :]: fields.pop(each) for each in dimensions}


def _agree(rows: Sequence[tuple[Position, Said]]) -> None:
    first = rows[0][1]
    for position, said in rows[1:]:
        for column, value in said.items():
            if column not in _OWN and first.get(column) != value:
                stated = f"it is {first[column]}" if column in first else "it is empty"
                message = f"{value} is not what the first row of its ref says, where {stated}"
                raise WrongAt(position, column, message)


def _check_periods(rows: Sequence[tuple[Position, Said]]) -> None:
    seen: dict[tuple[Any, Any], Position] = {}
    for position, said in rows:
        period = said.get("start"), said.get("end")
        if period in seen:
            message = (
                f"{said['ref']!r} stands in {at(seen[period])} too, for the same time; "
                "give each row its own start and end, or take one out"
            )
            raise WrongAt(position, "ref", message)
        seen[period] = position
    for position, said in rows:
        for column in ("start", "end"):
            if column not in said:
                message = "is empty; each of several rows of one ref states start and end"
                raise WrongAt(position, column, message)
    order = sorted(rows, key=lambda row: row[1]["start"])
    for (earlier, before), (later, after) in pairwise(order):
        if after["start"] <= before["end"]:
            message = f"{after['start']} is not after {before['end']}, the end in {at(earlier)}"
            raise WrongAt(later, "start", f"{message}; rows of one ref may not overlap")


def budget_rows(budget: Budget) -> list[dict[str, str]]:
    """The rows that state `budget`, cells by column, numbers with a decimal point."""
    assert budget.amount is not None
    shared = {
        "ref": budget.ref,
        "name": budget.name,
        "description": budget.description or "",
        "currency": budget.amount.unit,
        "amount": budget.amount.text(),
        "cadence": budget.cadence.value,
        "start": budget.start.isoformat() if budget.start else "",
        "end": budget.end.isoformat() if budget.end else "",
        "status": budget.status.value,
        "parent": budget.parent or "",
        "owners": "" if budget.owners is None else ";".join(budget.owners) or ";",
        "enforcement": budget.enforcement.value if budget.enforcement else "",
        "carry_over": "" if budget.carry_over is None else str(budget.carry_over).lower(),
        **{each.unit: each.text() for each in budget.limits if each.unit in LIMITS},
        **{DIMENSION + name: value for name, value in budget.dimensions.items()},
    }
    return _rows(shared, budget.phases)


def allocation_rows(allocation: Allocation) -> list[dict[str, str]]:
    """The rows that state `allocation`; its currency is its budget's, and so not repeated."""
    assert allocation.amount is not None
    shared = {
        "budget": allocation.budget,
        "ref": allocation.ref,
        "entity_type": allocation.entity.type,
        "entity": allocation.entity.id,
        "amount": allocation.amount.text(),
        "status": allocation.status.value,
    }
    return _rows(shared, allocation.phases)


def _rows(shared: dict[str, str], phases: Sequence[Phase]) -> list[dict[str, str]]:
    """A row for each phase; the shared one where there are none."""
    return [
        shared
        | {
            "start": phase.period.start.isoformat(),
            "end": (phase.period.end or NO_END).isoformat(),
            "amount": phase.amount.text(),
        }
        for phase in phases
    ] or [shared]
