"""Books: a workbook held whole, to change some rows of one sheet and keep all values.

A workbook that holds more than values and their formats is refused: formulas, merged cells, data
validation, conditional formats, named ranges, charts and the like would be lost. Fonts, colours and
widths of columns are not kept.
"""

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import IO, Any, BinaryIO, Final

from connectors.contract.errors import Rejected
from connectors.file.formats import Place
from connectors.file.grids import NUMBERS, Grid, Match
from connectors.file.package import readable_workbook
from connectors.file.sheets import find_sheet, first_sheet, open_book
from connectors.file.tables import open_file
from connectors.file.workbooks import Book, Filled
from connectors.layouts.sheet import column_name
from connectors.layouts.stored import DIGITS, Fault, Value, cell_text, escaped
from connectors.rows.layout import Cells, Wrong

_DAYS: Final = frozenset({"start", "end"})
_PARTS: Final = {
    "xl/charts/": "charts",
    "xl/drawings/": "drawings",
    "xl/tables/": "tables",
    "xl/pivot": "pivot tables",
    "xl/comments": "comments",
    "xl/threadedcomments": "comments",
    "xl/externallinks/": "links to other workbooks",
    "xl/vbaproject": "macros",
}
_ELEMENTS: Final = {
    "mergeCell": "merged cells",
    "dataValidation": "data validation",
    "conditionalFormatting": "conditional formats",
    "definedName": "named ranges",
    "sheetProtection": "a protected sheet",
}
_ELEMENT = re.compile(rb"<(?:[A-Za-z0-9]+:)?(" + "|".join(_ELEMENTS).encode() + rb")[\s/>]")
_FORMULA = re.compile(
    rb"<(?:[A-Za-z0-9]+:)?c\s(?:[^>]*?\s)?r=[\"']([A-Z]+[0-9]+)[\"'][^>]*>\s*<(?:[A-Za-z0-9]+:)?f[\s/>]"
)
"""What a workbook that is written again would not hold any more."""
_COLUMNS: Final = 1024
"""How far to the right a value may stand in a workbook that is written."""


@dataclass(slots=True)
class _Held:
    """A sheet: its rows, blank ones too, and whether people see it."""

    rows: list[list[Any]]
    hidden: bool = False


class BookDocument:
    """A workbook: the values of all its sheets."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._sheets: dict[str, _Held] = {}
        self._name = place.sheet or place.layout.noun
        if place.path.exists():
            with open_file(place.path) as file:
                book = open_book(file, place.path)
                _ensure_kept(place, file)
                with readable_workbook(place.path):
                    self._load(book)
                found = find_sheet(book, place.sheet) if place.sheet else first_sheet(book)
            self._name = found.name if found else self._name

    def _load(self, book: Book) -> None:
        for sheet in book.sheets:
            rows: list[list[Any]] = []
            for number, filled in book.rows(sheet):
                rows += [[] for _ in range(number - len(rows) - 1)]
                rows.append(_line(filled, f"{sheet.name} row {number}"))
            self._sheets[sheet.name] = _Held(rows, sheet.hidden)

    def replace(
        self,
        match: Match,
        rows: Sequence[Cells],
        taken_for_granted: Cells,
        before: Sequence[Cells] = (),
    ) -> None:
        """See `Grid.replace`."""
        held = self._sheets.setdefault(self._name, _Held([]))
        found = held.rows
        at = next((i for i, row in enumerate(found) if any(map(self._text, row))), len(found))
        grid = Grid(self._place, self._value, self._text, [*_header(found[at : at + 1])])
        grid.rows = found[at + 1 :]
        grid.replace(match, rows, taken_for_granted, before)
        held.rows = [*found[:at], grid.header, *grid.rows]

    def content(self) -> bytes:
        """The workbook as it should be."""
        from openpyxl import Workbook  # only who writes a workbook pays for it

        book = Workbook(write_only=True)
        for name, held in self._sheets.items():
            sheet = book.create_sheet(name)
            sheet.sheet_state = "hidden" if held.hidden else "visible"
            for row in held.rows:
                sheet.append([_stored(sheet, value) for value in row])
        raw = io.BytesIO()
        book.save(raw)
        return raw.getvalue()

    def _text(self, value: Value) -> str:
        try:
            return cell_text(value, self._place.form.point)
        except Wrong:
            return "#"  # something that is not blank and names no row

    def _value(self, column: str, text: str) -> Any:
        if not text:
            return ""
        if column in _DAYS:
            return date.fromisoformat(text)
        if column in NUMBERS:
            number = Decimal(text)
            if len(number.as_tuple().digits) <= DIGITS:
                return number
            return text.replace(".", self._place.form.point)  # more digits than a cell keeps
        return text


def _ensure_kept(place: Place, file: BinaryIO) -> None:
    """Raises `Rejected` where the workbook holds what a rewritten one would not."""
    with readable_workbook(place.path), zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            part = name.replace("\\", "/").lstrip("/").casefold()
            if found := next((said for begin, said in _PARTS.items() if begin in part), None):
                raise _lost(place, found)
            if part.startswith("xl/worksheets/") or part == "xl/workbook.xml":
                with archive.open(name) as stream:
                    _ensure_plain(place, part, stream)


def _ensure_plain(place: Place, part: str, stream: IO[bytes]) -> None:
    rest = b""
    while piece := stream.read(1 << 17):
        if found := _ELEMENT.search(rest + piece):
            said = found[1].decode()
            where = f" on {part}" if part != "xl/workbook.xml" else ""
            raise _lost(place, _ELEMENTS[said] + where)
        if found := _FORMULA.search(rest + piece):
            raise _lost(place, f"a formula in cell {found[1].decode()} on {part}")
        rest = piece[-512:]


def _lost(place: Place, said: str) -> Rejected:
    return Rejected(
        f"{place.path} holds {said}, which would be lost if it were written again",
        hint="Keep the budgets in a workbook of plain values, or in a csv file",
    )


def _line(filled: Filled, where: str) -> list[Any]:
    """The row with its blank cells; raises `Rejected` for what cannot be written again."""
    last = max(filled)
    if last >= _COLUMNS:
        raise Rejected(f"{where} has a value in column {column_name(last)}, too far to the right")
    for column, value in filled.items():
        if isinstance(value, Fault) and value.error is None:
            raise Rejected(f"{where}, column {column_name(column)} {value.message}")
    return [filled.get(column, "") for column in range(last + 1)]


def _header(rows: Sequence[list[Any]]) -> list[Any]:
    """The header's cells without the blank ones at its end."""
    cells = list(rows[0]) if rows else []
    while cells and cells[-1] == "":
        cells.pop()
    return cells


def _stored(sheet: Any, value: Value) -> Any:
    """Text stays text, also where it looks like a formula, and an error stays an error."""
    if isinstance(value, Fault):
        return _cell(sheet, value.error, "e")
    if not isinstance(value, str):
        return value
    if not value:
        return None
    text = escaped(value)
    return _cell(sheet, text, "s") if text[0] in "=#" else text


def _cell(sheet: Any, value: Any, kind: str) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value)
    cell.data_type = kind
    return cell
