"""Tables: a csv file or a worksheet as rows of text, each with the number an editor shows for it.

A csv file is read as a stream, so that its size does not matter. Worksheets hold amounts as
binary floats; their shortest decimal spelling is taken, and must then be exact.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from connectors.contract.errors import Unreadable
from connectors.file.layout import Layout, Position, Row, Wrong, header, pick


@dataclass(frozen=True, slots=True)
class Form:
    """How the text of a file is written."""

    encoding: str = "utf-8-sig"
    delimiter: str = ","
    point: str = "."


def open_file(path: Path) -> BinaryIO:
    """The file, open for reading; raises `Unreadable` with what would be right."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise Unreadable(
            f"{path}: there is no such file",
            hint="Correct the path in the settings file, or put the file there",
        ) from None
    except IsADirectoryError:
        raise Unreadable(f"{path} is a folder", hint="Name a file in it") from None
    except PermissionError:
        raise Unreadable(
            f"{path} may not be read by this user", hint="Give it read permission"
        ) from None
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or error}") from None


@contextmanager
def readable_text(path: Path, encoding: str) -> Iterator[None]:
    """Turns text that is not in `encoding` into `Unreadable`, with its byte and line."""
    try:
        yield
    except UnicodeError:
        raw = path.read_bytes()
        try:
            raw.decode(encoding)
            start, said = 0, "the text breaks off"
        except UnicodeDecodeError as error:
            start, said = error.start, f"byte {error.start + 1} ({raw[error.start]:#04x})"
        line = raw.count(b"\n", 0, start) + 1
        raise Unreadable(
            f"{path} line {line}: {said} is not {encoding}",
            hint='Save the file as UTF-8, or set encoding, such as "cp1252"',
        ) from None


class CsvTable:
    """A csv file; the first row that is not blank is its header."""

    noun = "column"

    def __init__(self, file: BinaryIO, path: Path, layout: Layout, form: Form) -> None:
        self.label = path.name
        self.point = form.point
        self._path, self._form = path, form
        self._text = io.TextIOWrapper(file, encoding=form.encoding, newline="")
        line, cells = next(self._records(), (1, []))
        if not cells:
            raise Unreadable(
                f"{path} is empty", hint=f"Its first line is {','.join(layout.columns)}"
            )
        self.columns = header(cells, layout, f"{path} line {line}", self._other_delimiter(cells))

    def rows(self) -> Iterator[Row]:
        names, width = self.columns, len(self.columns)
        records = self._records()
        next(records)
        for line, cells in records:
            if len(cells) == width:
                yield line, dict(zip(names, cells, strict=True)), None
            else:
                said = f"has {len(cells)} columns where the header has {width}"
                found = dict.fromkeys(names, "") | dict(zip(names, cells, strict=False))
                yield line, found, Wrong(None, f"{said}; quote a cell that holds a {self._shown}")

    def picked(self, columns: Sequence[str]) -> Iterator[tuple[Position, Sequence[str]]]:
        names = self.columns
        cut = itemgetter(*(names.index(each) if each in names else -1 for each in columns))
        records = self._records()
        next(records)
        for line, cells in records:
            cells += [""] * (len(names) - len(cells) + 1)
            yield line, cut(cells)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Records that are not blank, each with the number of its first line."""
        self._text.seek(0)
        reader = csv.reader(self._text, delimiter=self._form.delimiter, strict=True)
        line = 1
        try:
            with readable_text(self._path, self._form.encoding):
                for cells in reader:
                    if any(cells):
                        yield line, cells
                    line = reader.line_num + 1
        except csv.Error as error:
            raise Unreadable(
                f"{self._path} line {line}: {error}",
                hint='Close every quote, and write a quote inside quotes twice: "a ""b"" c"',
            ) from None

    @property
    def _shown(self) -> str:
        return "tab" if self._form.delimiter == "\t" else self._form.delimiter

    def _other_delimiter(self, cells: Sequence[str]) -> str:
        if len(cells) > 1:
            return ""
        found = next((each for each in ";,\t|" if each in cells[0]), None)
        return f"Set delimiter = {found!r} if that is what parts its columns" if found else ""


class SheetTable:
    """A worksheet; the first row that is not blank is its header."""

    noun = "column"

    def __init__(self, sheet: CalamineSheet, label: str, where: str, layout: Layout, point: str):
        self.label = label
        self.point = point
        self._sheet = sheet
        self._first, cells = next(self._records(), (1, []))
        if not cells:
            raise Unreadable(
                f"{where} is empty", hint=f"Its first row is {','.join(layout.columns)}"
            )
        while not cells[-1]:
            cells.pop()
        self.columns = header(cells, layout, f"{where} row {self._first}")

    def rows(self) -> Iterator[Row]:
        names, width = self.columns, len(self.columns)
        for number, cells in self._records():
            if number == self._first:
                continue
            wrong = None
            if any(cells[width:]):
                wrong = Wrong(None, f"has a value in column {len(cells)}, which has no header")
            cells += [""] * (width - len(cells))
            yield number, dict(zip(names, cells, strict=False)), wrong

    def picked(self, columns: Sequence[str]) -> Iterator[tuple[Position, Sequence[str]]]:
        return pick(self.rows(), columns)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        for number, values in enumerate(self._sheet.iter_rows(), start=1):
            cells = [cell_text(value, self.point) for value in values]
            if any(cells):
                yield number, cells


def open_workbook(file: BinaryIO, path: Path) -> CalamineWorkbook:
    """The workbook in `file`; raises `Unreadable` for what is none."""
    try:
        return CalamineWorkbook.from_filelike(file)
    except CalamineError as error:
        raise Unreadable(
            f"{path} is not an xlsx workbook ({error})",
            hint="Save it as an Excel workbook without a password",
        ) from None


def open_sheet(
    book: CalamineWorkbook, path: Path, sheet: str | None, layout: Layout, point: str
) -> SheetTable:
    """The sheet of that name, the first without one; raises `Unreadable` where there is none."""
    names = book.sheet_names
    name = sheet or next(iter(names), None)
    if name is None or name not in names:
        raise Unreadable(
            f"{path} has no sheet {name!r}", hint=f"It has {', '.join(map(repr, names)) or 'none'}"
        )
    label = f"{path.name} sheet {name}" if sheet else path.name
    where = f"{path} sheet {name}"
    return SheetTable(book.get_sheet_by_name(name), label, where, layout, point)


def cell_text(value: Any, point: str) -> str:
    """What a worksheet's cell says; 7.0 is "7", text "007" stays as it is."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        number = Decimal(repr(value))
        whole = number.to_integral_value()
        return f"{whole if whole == number else number:f}".replace(".", point)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
