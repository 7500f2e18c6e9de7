"""Records: budgets in json (a list) and jsonl (one a line), as the rows that a table would have.

What has `phases` becomes a row per phase, and a budget's `allocations` become rows of their own.
Numbers are read as they are written, never through a float.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Final

from connectors.contract.errors import Unreadable
from connectors.file.exact import Beyond, Record, parse, repeated, shown
from connectors.file.tables import readable_text
from connectors.layouts.stored import digits
from connectors.rows.layout import (
    ALLOCATIONS,
    BUDGETS,
    DIMENSION,
    IDENTITY,
    LIMITS,
    Layout,
    Position,
    Row,
    Wrong,
    pick,
)

_NESTED: Final = ("phases", "allocations", "dimensions", "limits")
_PHASE: Final = ("start", "end", "amount")
TWICE: Final = "stands there twice; keep one of them"


class RecordTable:
    """Budgets or allocations of a json or jsonl file; `nested`: allocations inside its budgets.

    `apart`: allocations are in a file of their own, so that those inside budgets are wrong.
    """

    noun = "key"
    point = "."

    def __init__(
        self,
        file: BinaryIO,
        path: Path,
        layout: Layout,
        encoding: str,
        *,
        nested: bool = False,
        apart: bool = False,
    ) -> None:
        self.label = path.name
        self._file, self._path, self._encoding = file, path, encoding
        self._layout, self._nested, self._apart = layout, nested, apart
        self.columns = (*layout.columns, *layout.extra)

    def rows(self) -> Iterator[Row]:
        self._file.seek(0)
        for position, record in self._records():
            if self._nested:
                yield from _nested_allocations(position, record)
            elif isinstance(record, Wrong):
                yield position, {}, record
            elif self._layout.noun == "budgets":
                yield from _budget_rows(position, record, self._apart)
            else:
                yield from _allocation_rows(position, record)

    def picked(self, columns: Sequence[str]) -> Iterator[tuple[Position, Sequence[str]]]:
        return pick(self.rows(), columns)

    def _records(self) -> Iterator[tuple[str, Record | Wrong]]:
        if self._path.suffix.casefold() == ".jsonl":
            return self._lines()
        return self._listed()

    def _listed(self) -> Iterator[tuple[str, Record | Wrong]]:
        found = self._whole()
        noun = "budget" if self._layout.noun == "budgets" or self._nested else "allocation"
        if not isinstance(found, list):
            raise Unreadable(f"{self._path} is not a list of {noun}s", hint="Write [ {…}, {…} ]")
        for number, record in enumerate(found, start=1):
            yield f"{noun} {number}", _object(record)

    def _whole(self) -> Any:
        with readable_text(self._path, self._encoding):
            text = self._file.read().decode(self._encoding)
        if not text.strip():
            raise Unreadable(f"{self._path} is empty", hint="Write [] for no budgets")
        try:
            return parse(text)
        except json.JSONDecodeError as error:
            raise Unreadable(
                f"{self._path} line {error.lineno} column {error.colno}: {error.msg}",
                hint="Correct the JSON there",
            ) from None
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{self._path}: {error}", hint="Correct the JSON") from None

    def _lines(self) -> Iterator[tuple[str, Record | Wrong]]:
        for number, raw in enumerate(self._file, start=1):
            with readable_text(self._path, self._encoding):
                text = raw.decode(self._encoding).strip()
            if not text:
                continue
            try:
                yield f"line {number}", _object(parse(text))
            except json.JSONDecodeError as error:
                wrong = Wrong(None, f"is not JSON at column {error.colno}: {error.msg}")
                yield f"line {number}", wrong
            except (ValueError, RecursionError) as error:
                yield f"line {number}", Wrong(None, f"is not JSON: {error}")


def _object(record: Any) -> Record | Wrong:
    if isinstance(record, dict):
        return record
    return Wrong(None, f"{shown(record)} is not an object; write {{…}}")


def _budget_rows(position: str, record: Record, apart: bool) -> Iterator[Row]:
    shared = {key: value for key, value in record.items() if key not in _NESTED}
    _, cells, wrong = flat(position, shared, BUDGETS)
    _, cells, wrong = _told_of_twins(record, (position, cells, wrong))
    try:
        if wrong:
            raise wrong
        for key, prefix in (("dimensions", DIMENSION), ("limits", "")):
            cells = _joined(cells, _spread(record, key, prefix))
        _check_agreement(cells, _objects(record, "phases"))
        if _objects(record, "allocations") and apart:
            said = "stand in a file of their own by the settings; keep them in one place"
            raise Wrong("allocations", said)
    except Wrong as error:
        yield position, cells, error
        return
    yield from _by_phase(position, cells, record)


def _allocation_rows(position: str, record: Record) -> Iterator[Row]:
    shared = {key: value for key, value in record.items() if key != "phases"}
    _, cells, wrong = _told_of_twins(record, flat(position, shared, ALLOCATIONS))
    try:
        if wrong:
            raise wrong
        _check_agreement(cells, _objects(record, "phases"))
    except Wrong as error:
        yield position, cells, error
        return
    yield from _by_phase(position, cells, record)


def _by_phase(position: str, cells: dict[str, str], record: Record) -> Iterator[Row]:
    """A row for each phase of the record; that of the record itself where it has none."""
    phases = _objects(record, "phases")
    if not phases:
        yield position, cells, None
    for number, phase in enumerate(phases, start=1):
        where = f"{position}, phase {number}"
        _, own, wrong = flat(where, phase, Layout("phases", _PHASE, _PHASE))
        yield where, {**cells, **own}, wrong


def _told_of_twins(record: Record, row: Row) -> Row:
    """The row, wrong where one key of its record stands there twice."""
    if (key := repeated(record)) is None:
        return row
    return row[0], row[1], Wrong(key, TWICE)


def _joined(cells: dict[str, str], more: Mapping[str, str]) -> dict[str, str]:
    for column in more:
        if cells.get(column):
            raise Wrong(column, TWICE)
    return {**cells, **more}


def _check_agreement(cells: Mapping[str, str], phases: Sequence[Record]) -> None:
    """What is stated beside the phases is the first amount, the first start, the last end."""
    if not phases:
        return
    order = sorted(phases, key=lambda phase: str(phase.get("start")))
    for key, phase in (("amount", order[0]), ("start", order[0]), ("end", order[-1])):
        said, right = cells.get(key, ""), _text(key, phase.get(key))
        if said and said != right and not (key == "amount" and _same_number(said, right)):
            raise Wrong(key, f"{said!r} is not what its phases say: {right!r}; leave it out")


def _same_number(one: str, other: str) -> bool:
    try:
        return Decimal(one) == Decimal(other)
    except ArithmeticError:
        return False


def _nested_allocations(position: str, record: Record | Wrong) -> Iterator[Row]:
    if isinstance(record, Wrong):
        return  # reported with the budgets
    try:
        found = _objects(record, "allocations")
        budget = _text("ref", record.get("ref"))
    except Wrong:
        return
    for number, allocation in enumerate(found, start=1):
        for where, cells, wrong in _allocation_rows(f"{position}, allocation {number}", allocation):
            if cells["budget"] not in ("", budget):
                said = f"{cells['budget']!r} is not the budget that it stands in; leave it out"
                wrong = wrong or Wrong("budget", said)
            yield where, {**cells, "budget": budget}, wrong


def flat(position: str, record: Record, layout: Layout) -> Row:
    """The record's cells as text; the first key that cannot be one is told."""
    cells = dict.fromkeys((*layout.columns, *layout.extra), "")
    wrong: Wrong | None = None
    seen: set[str] = set()
    for key, value in record.items():
        try:
            name = layout.spelling(key)
            if name is None:
                raise Wrong(key, f"is not a key of {layout.noun}; write {layout.nearest(key)}")
            if name in seen:
                raise Wrong(name, TWICE)
            seen.add(name)
            cells[name] = _text(name, value)
        except Wrong as error:
            wrong = wrong or error
    return position, cells, wrong


def _text(key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if key == "carry_over" and isinstance(value, bool):
        return "true" if value else "false"
    if key == "owners" and isinstance(value, list):
        return _owners(value)
    if isinstance(value, Beyond):
        raise Wrong(key, f"{value} is beyond any amount")
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if key in IDENTITY and isinstance(value, Decimal):
            raise Wrong(key, f"{shown(value)} is a number; write it in quotes")
        return digits(value)
    raise Wrong(key, f"{shown(value)} is not text")


def _owners(value: list[Any]) -> str:
    for each in value:
        if not isinstance(each, str) or ";" in each:
            raise Wrong("owners", f"{shown(each)} is not an owner; write text without a ;")
    return ";".join(value) or ";"


def _spread(record: Record, key: str, prefix: str) -> dict[str, str]:
    """An object's entries as cells: {"limits": {"impressions": 1000}} is column impressions."""
    value = record.get(key)
    value = {} if value is None else value
    if not isinstance(value, dict):
        raise Wrong(key, f"{shown(value)} is not an object; write {{…}}")
    if not prefix:
        for name in value:
            if name not in LIMITS:
                raise Wrong(key, f"{name!r} cannot be limited; write {' or '.join(LIMITS)}")
    return {prefix + name: _text(key, each) for name, each in value.items()}


def _objects(record: Record, key: str) -> list[Record]:
    value = record.get(key)
    value = [] if value is None else value
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Wrong(key, f"{shown(value)} is not a list of objects; write [ {{…}} ]")
    return value
