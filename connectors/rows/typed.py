"""Rows of typed values, which no file of text has: as a table of our own columns, and as a sheet
that a layout reads."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from connectors.layouts.sheet import Row as SheetRow
from connectors.layouts.stored import Exact, Value, cell_text
from connectors.rows.layout import IDENTITY, Position, Row, Wrong, pick

Text: TypeAlias = Callable[[str, Value], str]
"""What a value says in a column; raises `Wrong`."""


class TypedTable:
    """Rows whose columns have our own names; they count from 1 on.

    `values` are gone through once for each reading.
    """

    noun = "column"

    def __init__(
        self,
        label: str,
        columns: tuple[str, ...],
        values: Iterable[Sequence[Value]],
        text: Text,
        point: str = ".",
    ) -> None:
        self.label, self.point = label, point
        self.columns = columns
        self._values, self._text = values, text

    def rows(self) -> Iterator[Row]:
        """Each row that says something, by its number, with what is wrong in it."""
        for number, values in enumerate(self._values, start=1):
            cells: dict[str, str] = {}
            wrong: Wrong | None = None
            for column, value in zip(self.columns, values, strict=True):
                try:
                    cells[column] = self._text(column, value)
                except Wrong as error:
                    cells[column] = ""
                    wrong = wrong or Wrong(column, error.message)
            if wrong or any(cells.values()):
                yield number, cells, wrong

    def picked(self, columns: Sequence[str]) -> Iterator[tuple[Position, Sequence[str]]]:
        """Of each row only those columns."""
        return pick(self.rows(), columns)


class TypedSheet:
    """The same as rows of cells; row 0 names the columns."""

    name: str | None = None
    hidden = False
    typed = True
    unsure = False

    def __init__(self, label: str, names: Sequence[str], values: Iterable[Sequence[Value]]) -> None:
        self.label, self._names, self._values = label, names, values

    def rows(self) -> Iterator[SheetRow]:
        """The row of names, then the others."""
        yield 0, self._names, ()
        for number, values in enumerate(self._values, start=1):
            yield number, values, ()


def code_or_text(column: str, value: Value, point: str, instead: str) -> str:
    """What a value says; a code that is no text is a whole number. Raises `Wrong`, which says what
    to do `instead`."""
    text = cell_text(value, point)
    if column in IDENTITY and not isinstance(value, str):
        whole = isinstance(value, Exact) and value == value.to_integral_value()
        if not whole:
            raise Wrong(column, f"{text} is no text and no whole number; {instead}")
    return text
