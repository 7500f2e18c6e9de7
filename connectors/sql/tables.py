"""An answer as a table of our own columns, and as a sheet that a layout reads."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from connectors.contract.errors import Unreadable
from connectors.layouts.sheet import Row as SheetRow
from connectors.layouts.stored import Exact, Value, cell_text
from connectors.rows.layout import IDENTITY, Layout, Position, Row, Wrong, header, pick
from connectors.sql.answers import Answer

_DAYS: Final = frozenset({"start", "end"})
_MIDNIGHT = re.compile(r"(.{10})[T ]00:00(:00(\.0+)?)?")


def ensure_named_once(answer: Answer) -> None:
    """Raises `Unreadable` for a column that stands twice: which one is meant cannot be told."""
    seen: set[str] = set()
    for name in answer.names:
        folded = name.strip().casefold()
        if folded in seen:
            raise Unreadable(
                f"{answer.label}: column {name} stands there twice",
                hint=f"Name each column once: SELECT … AS {name}_2, or take one out",
            )
        seen.add(folded)


class AnswerTable:
    """An answer whose columns have our own names; rows count from 1 on."""

    noun = "column"
    point = "."

    def __init__(self, answer: Answer, layout: Layout) -> None:
        ensure_named_once(answer)
        self.label = answer.label
        self._answer = answer
        self.columns = header(answer.names, layout, answer.label, _hint(answer, layout))

    def rows(self) -> Iterator[Row]:
        for number, values in enumerate(self._answer.rows(), start=1):
            cells: dict[str, str] = {}
            wrong: Wrong | None = None
            for column, value in zip(self.columns, values, strict=True):
                try:
                    cells[column] = _text(column, value)
                except Wrong as error:
                    cells[column] = ""
                    wrong = wrong or Wrong(column, error.message)
            if wrong or any(cells.values()):
                yield number, cells, wrong

    def picked(self, columns: Sequence[str]) -> Iterator[tuple[Position, Sequence[str]]]:
        return pick(self.rows(), columns)


class AnswerSheet:
    """An answer as rows of cells; row 0 names its columns."""

    name: str | None = None
    hidden = False
    typed = True
    unsure = False

    def __init__(self, answer: Answer) -> None:
        ensure_named_once(answer)
        self.label = answer.label
        self._answer = answer

    def rows(self) -> Iterator[SheetRow]:
        yield 0, self._answer.names, ()
        for number, values in enumerate(self._answer.rows(), start=1):
            yield number, values, ()


def _text(column: str, value: Value) -> str:
    """What the value says; an identity that is no text is whole, as a key of a table is."""
    text = cell_text(value, ".")
    if column in IDENTITY and not isinstance(value, str):
        whole = isinstance(value, Exact) and value == value.to_integral_value()
        if not whole:
            raise Wrong(column, f"{text} is no text and no whole number; make a text of it")
    if column in _DAYS and isinstance(value, str) and (found := _MIDNIGHT.fullmatch(text)):
        return found[1]
    return text


def _hint(answer: Answer, layout: Layout) -> str:
    columns = ", ".join(layout.columns)
    return f"Name its columns with AS ({columns}), or say with a layout what they mean"
