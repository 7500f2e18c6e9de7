"""Books: a workbook held whole, to change some cells of one sheet and keep all else.

Formulas on a sheet of budgets or allocations are refused. A workbook whose sheet cannot be changed
in its place (it has no such sheet yet) is written anew from its values, and refused where it holds
more than those: formulas, merged cells, data validation, named ranges, charts and the like.
"""

import io
import re
import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import IO, Any, BinaryIO, Final

from connectors.contract.errors import Rejected
from connectors.file.formats import ALLOCATIONS_SHEET, Place
from connectors.file.grids import NUMBERS, Grid, Match
from connectors.file.package import readable_workbook
from connectors.file.patches import Unpatched, patched
from connectors.file.sheets import find_sheet, first_sheet, open_book
from connectors.file.tables import open_file
from connectors.file.workbooks import Book, Filled, Sheet
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
    """A workbook: the values of all its sheets, and which cells of one of them change."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._sheets: dict[str, _Held] = {}
        self._name = place.sheet or place.layout.noun
        self._raw = io.BytesIO()
        self._part: str | None = None
        self._changes: dict[int, dict[int, Any]] = {}
        self._elsewhere = False
        """Whether other sheets have formulas."""
        if place.path.exists():
            with open_file(place.path) as file:
                self._raw = io.BytesIO(file.read())
            book = open_book(self._raw, place.path)
            found = find_sheet(book, place.sheet) if place.sheet else first_sheet(book)
            if found is not None:
                self._name, self._part = found.name, found.part
                with readable_workbook(place.path):
                    self._elsewhere = _formulas(place, self._raw, _own(book, found.part))
                    self._sheets[found.name] = _held(book, found)

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
        were = [[*row] for row in found]
        at = next((i for i, row in enumerate(found) if any(map(self._text, row))), len(found))
        grid = Grid(self._place, self._value, self._text, [*_header(found[at : at + 1])])
        grid.rows = found[at + 1 :]
        grid.replace(match, rows, taken_for_granted, before)
        self._note(at, were, found, grid)
        held.rows = [*found[:at], grid.header, *grid.rows]

    def _note(
        self, at: int, were: Sequence[list[Any]], found: Sequence[list[Any]], grid: Grid
    ) -> None:
        """Which cells change: a row that goes is emptied, a new one comes below all others."""
        stay = {id(row) for row in grid.rows}
        now = {at: grid.header} | {
            n: row if id(row) in stay else [] for n, row in enumerate(found[at + 1 :], start=at + 1)
        }
        known = {id(row) for row in found[at + 1 :]}
        new = [row for row in grid.rows if id(row) not in known]
        now |= dict(enumerate(new, start=max(len(found), at + 1)))
        for n, row in now.items():
            was = were[n] if n < len(were) else []
            if changed := _changed(was, row):
                self._changes[n + 1] = changed

    def content(self) -> bytes:
        """The workbook as it should be."""
        if self._part is not None:
            try:
                return self._patched(self._part)
            except Unpatched:
                _ensure_kept(self._place, self._raw)
        elif self._raw.getbuffer():
            _ensure_kept(self._place, self._raw)
        return self._anew()

    def _patched(self, part: str) -> bytes:
        """The workbook with those cells written; raises `Unpatched` where that is not to be
        seen."""
        with readable_workbook(self._place.path):
            book = Book(self._raw)
            raw = patched(self._raw, book, part, self._changes, reckon=self._elsewhere)
            again = Book(io.BytesIO(raw))
            now = find_sheet(again, self._name)
            assert now is not None
            rows = dict(again.rows(now))
        for n, cells in self._changes.items():
            seen = rows.get(n, {})
            if any(self._text(seen.get(c, "")) != self._text(v) for c, v in cells.items()):
                raise Unpatched("it does not show what was written")
        return raw

    def _anew(self) -> bytes:
        from openpyxl import Workbook  # only who writes a workbook pays for it

        sheets: dict[str, _Held] = {}
        if self._raw.getbuffer():
            with readable_workbook(self._place.path):
                old = Book(self._raw)
                sheets = {each.name: _held(old, each) for each in old.sheets}
        book = Workbook(write_only=True)
        for name, held in (sheets | self._sheets).items():
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


def _held(book: Book, sheet: Sheet) -> _Held:
    rows: list[list[Any]] = []
    for number, filled in book.rows(sheet):
        rows += [[] for _ in range(number - len(rows) - 1)]
        rows.append(_line(filled, f"{sheet.name} row {number}"))
    return _Held(rows, sheet.hidden)


def _own(book: Book, part: str) -> list[str]:
    """The parts that hold budgets and allocations."""
    shares = find_sheet(book, ALLOCATIONS_SHEET)
    first = first_sheet(book)
    parts = [part, *(each.part for each in (shares, first) if each is not None)]
    return [each.casefold() for each in parts]


def _changed(was: Sequence[Any], row: Sequence[Any]) -> dict[int, Any]:
    """The cells that are another; text stays text, where a number was written as one."""
    wide = max(len(was), len(row))
    pairs = zip([*was, *[""] * (wide - len(was))], [*row, *[""] * (wide - len(row))], strict=True)
    changed = {n: (old, new) for n, (old, new) in enumerate(pairs) if old != new}
    return {
        n: f"{new}" if old and isinstance(old, str) and isinstance(new, Decimal) else new
        for n, (old, new) in changed.items()
    }


def _formulas(place: Place, file: BinaryIO, own: Collection[str]) -> bool:
    """Whether another sheet has formulas. Raises `Rejected` for one on a sheet of ours, whose
    result would not be that of the cells any more, and for a sheet that is protected."""
    elsewhere = False
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            part = name.replace("\\", "/").lstrip("/").casefold()
            if not part.startswith("xl/worksheets/") or part.endswith(".rels"):
                continue
            content = archive.read(name)
            found = _FORMULA.search(content)
            if part not in own:
                elsewhere = elsewhere or found is not None
            elif found:
                said = f"a formula in cell {found[1].decode()} on {part}"
                raise Rejected(
                    f"{place.path} holds {said}, whose result would be an old one",
                    hint="Keep formulas on a sheet of their own, or put values in their place",
                )
            elif re.search(rb"<(?:[A-Za-z0-9]+:)?sheetProtection[\s/>]", content):
                raise Rejected(f"{place.path} holds a protected sheet, {part}", hint="Unprotect it")
    return elsewhere


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
