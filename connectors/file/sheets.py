"""Worksheets as tables: rows of text, each with the number that a spreadsheet shows for it.

A cell that holds something which cannot be read is wrong, never blank; and where a ref belongs
only text is one, since a number has lost its leading zeros by then.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import BinaryIO

from connectors.contract.errors import Unreadable
from connectors.file.package import readable_workbook
from connectors.file.workbooks import Book, Filled, Sheet
from connectors.layouts.sheet import column_name
from connectors.layouts.stored import Value, cell_text
from connectors.rows.layout import IDENTITY, Layout, Position, Row, Wrong, header, pick


class SheetTable:
    """A worksheet; the first row that is not blank is its header."""

    noun = "column"

    def __init__(
        self, book: Book, sheet: Sheet, path: Path, layout: Layout, point: str, label: str
    ) -> None:
        self.label, self.point = label, point
        self._book, self._sheet, self._path = book, sheet, path
        where = f"{path} sheet {sheet.name}"
        self._first, cells = next(self._records(), (1, {}))
        if not cells:
            raise Unreadable(
                f"{where} is empty", hint=f"Its first row is {','.join(layout.columns)}"
            )
        where = f"{where} row {self._first}"
        texts = [_named(cells.get(n, ""), f"{where}, column {column_name(n)}", point)
                 for n in range(max(cells) + 1)]  # fmt: skip
        while not texts[-1]:
            texts.pop()
        self.columns = header(texts, layout, where)

    def rows(self) -> Iterator[Row]:
        width = len(self.columns)
        for number, filled in self._records():
            if number == self._first:
                continue
            cells = dict.fromkeys(self.columns, "")
            wrong: Wrong | None = None
            for place, value in filled.items():
                if place >= width:
                    said = f"has a value in column {column_name(place)}, which has no header"
                    wrong = wrong or Wrong(None, said)
                    break
                column = self.columns[place]
                try:
                    cells[column] = cell_text(value, self.point)
                    if column in IDENTITY and not isinstance(value, str):
                        raise Wrong(column, _no_text(value, cells[column]))
                except Wrong as error:
                    wrong = wrong or Wrong(column, error.message)
            yield number, cells, wrong

    def picked(self, columns: Sequence[str]) -> Iterator[tuple[Position, Sequence[str]]]:
        return pick(self.rows(), columns)

    def _records(self) -> Iterator[tuple[int, Filled]]:
        with readable_workbook(self._path):
            for number, filled in self._book.rows(self._sheet):
                if any(not isinstance(each, str) or each.strip() for each in filled.values()):
                    yield number, filled


def open_book(file: BinaryIO, path: Path) -> Book:
    """The workbook in `file`; raises `Unreadable` for what is none."""
    with readable_workbook(path):
        return Book(file)


def find_sheet(book: Book, name: str) -> Sheet | None:
    """The sheet of that name, in capitals or not; spreadsheets do not tell them apart either."""
    exact = [each for each in book.sheets if each.name == name]
    alike = [each for each in book.sheets if _folded(each.name) == _folded(name)]
    return next(iter(exact or alike), None)


def first_sheet(book: Book) -> Sheet | None:
    """The first sheet that people see."""
    return next((each for each in book.sheets if not each.hidden), None)


def open_sheet(book: Book, path: Path, name: str | None, layout: Layout, point: str) -> SheetTable:
    """The sheet of that name, without one the first that is not hidden; raises `Unreadable`."""
    sheet = first_sheet(book) if name is None else find_sheet(book, name)
    if sheet is None:
        names = ", ".join(repr(each.name) for each in book.sheets) or "none"
        said = "no sheet that is not hidden" if name is None else f"no sheet {name!r}"
        raise Unreadable(f"{path} has {said}", hint=f"It has {names}")
    label = path.name if len(book.sheets) == 1 else f"{path.name} sheet {sheet.name}"
    return SheetTable(book, sheet, path, layout, point, label)


def _no_text(value: Value, text: str) -> str:
    kind = "true or false" if isinstance(value, bool) else "a number"
    if isinstance(value, date):
        kind = "a date"
    return f"{text} is {kind}; format the column as text and write it as it is spelled"


def _named(value: Value, where: str, point: str) -> str:
    try:
        return cell_text(value, point)
    except Wrong as error:
        raise Unreadable(f"{where} {error.message}", hint="Write the column's name there") from None


def _folded(name: str) -> str:
    return name.strip().casefold()
