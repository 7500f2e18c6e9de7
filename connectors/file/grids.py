"""Grids: a csv file or a workbook held whole, to change some rows and keep all others."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeAlias

from python_calamine import CalamineWorkbook

from connectors.contract.errors import Rejected
from connectors.file.formats import Place
from connectors.file.layout import LIMITS
from connectors.file.tables import cell_text, open_file, open_workbook

Cells: TypeAlias = Mapping[str, str]
Match: TypeAlias = Callable[[Cells], bool]

_NUMBERS: Final = frozenset({"amount", *LIMITS})
_DAYS: Final = frozenset({"start", "end"})


@dataclass(slots=True)
class Grid:
    """Rows under a header. `value` turns a column's text into what a cell holds, `text` back."""

    place: Place
    value: Callable[[str, str], Any]
    text: Callable[[Any], str]
    header: list[Any] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.header:
            self.header = [*self.place.layout.columns]

    def replace(self, match: Match, rows: Sequence[Cells], taken_for_granted: Cells) -> None:
        """Puts `rows` where the rows that `match` stand; at the end where none does.

        A column is added for what has none, unless it says what is `taken_for_granted`.
        """
        for cells in rows:
            for column, text in cells.items():
                if text and column not in self._names and taken_for_granted.get(column) != text:
                    self.header.append(column)
        names = self._names
        new = [[self.value(name, cells.get(name, "")) for name in names] for cells in rows]
        kept: list[list[Any]] = []
        first: int | None = None
        for row in self.rows:
            if match(dict(zip(names, map(self.text, row), strict=False))):
                first = len(kept) if first is None else first
            else:
                kept.append(row)
        at = len(kept) if first is None else first
        self.rows = kept[:at] + new + kept[at:]

    @property
    def _names(self) -> list[str]:
        spelling = self.place.layout.spelling
        return [spelling(self.text(cell)) or "" for cell in self.header]


class CsvDocument:
    """A csv file in its own encoding, line ends and column order."""

    def __init__(self, place: Place) -> None:
        self._form, self._newline = place.form, "\n"
        self._encoding = "utf-8" if self._form.encoding == "utf-8-sig" else self._form.encoding
        self._grid = Grid(place, self._value, str.strip)
        if place.path.exists():
            self._load(place)

    def _load(self, place: Place) -> None:
        raw = place.path.read_bytes()
        if raw.startswith(b"\xef\xbb\xbf"):
            self._encoding = "utf-8-sig"
        text = raw.decode(self._form.encoding)
        self._newline = "\r\n" if "\r\n" in text else "\n"
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self._form.delimiter)
        rows = list(reader)
        at = next((i for i, row in enumerate(rows) if any(row)), None)
        if at is not None:
            self._grid.header, self._grid.rows = rows[at], rows[at + 1 :]

    def replace(self, match: Match, rows: Sequence[Cells], taken_for_granted: Cells) -> None:
        """See `Grid.replace`."""
        before = len(self._grid.header)
        self._grid.replace(match, rows, taken_for_granted)
        added = len(self._grid.header) - before
        for row in self._grid.rows:
            if len(row) == before:
                row += [""] * added

    def content(self) -> bytes:
        """The file as it should be."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self._form.delimiter, lineterminator=self._newline)
        writer.writerow(self._grid.header)
        writer.writerows(self._grid.rows)
        try:
            return text.getvalue().encode(self._encoding)
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            raise Rejected(
                f"{character!r} cannot be written in {self._encoding}",
                hint='Save the file as UTF-8 and set encoding = "utf-8"',
            ) from None

    def _value(self, column: str, text: str) -> str:
        return text.replace(".", self._form.point) if column in _NUMBERS else text


class BookDocument:
    """A workbook: the values of all its sheets; formulas become their results."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._sheets: dict[str, list[list[Any]]] = {}
        if place.path.exists():
            with open_file(place.path) as file:
                book: CalamineWorkbook = open_workbook(file, place.path)
                for name in book.sheet_names:
                    sheet = book.get_sheet_by_name(name)
                    self._sheets[name] = sheet.to_python(skip_empty_area=False)
        self._name = place.sheet or next(iter(self._sheets), place.layout.noun)

    def replace(self, match: Match, rows: Sequence[Cells], taken_for_granted: Cells) -> None:
        """See `Grid.replace`."""
        found = self._sheets.get(self._name, [])
        at = next((i for i, row in enumerate(found) if any(map(self._text, row))), len(found))
        grid = Grid(self._place, self._value, self._text, [*_header(found[at : at + 1])])
        grid.rows = found[at + 1 :]
        grid.replace(match, rows, taken_for_granted)
        self._sheets[self._name] = [*found[:at], grid.header, *grid.rows]

    def content(self) -> bytes:
        """The workbook as it should be."""
        from openpyxl import Workbook  # only who writes a workbook pays for it
        from openpyxl.utils.exceptions import IllegalCharacterError

        book = Workbook(write_only=True)
        try:
            for name, rows in self._sheets.items():
                sheet = book.create_sheet(name)
                for row in rows:
                    sheet.append([_plain(sheet, value) for value in row])
        except IllegalCharacterError:
            raise Rejected("a workbook cannot hold a control character") from None
        raw = io.BytesIO()
        book.save(raw)
        return raw.getvalue()

    def _text(self, value: Any) -> str:
        return cell_text(value, self._place.form.point)

    def _value(self, column: str, text: str) -> Any:
        if not text:
            return ""
        if column in _DAYS:
            return date.fromisoformat(text)
        if column in _NUMBERS:
            number = Decimal(text)
            if Decimal(repr(float(number))) == number:
                return number
            return text.replace(".", self._place.form.point)  # more digits than a float holds
        return text


def _header(rows: Sequence[list[Any]]) -> list[Any]:
    """The header's cells without the blank ones at its end."""
    cells = list(rows[0]) if rows else []
    while cells and cells[-1] == "":
        cells.pop()
    return cells


def _plain(sheet: Any, value: Any) -> Any:
    """Text stays text, also where it looks like a formula."""
    if value == "":
        return None
    if not isinstance(value, str) or value[0] not in "=#":
        return value
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    return cell
