"""Tables: a csv file as rows of text, each with the number that an editor shows for it.

The file is read as a stream, so that its size does not matter. Text that a spreadsheet would take
for a formula is written behind an apostrophe and read without it.
"""

import csv
import io
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from connectors.contract.errors import Unreadable
from connectors.rows.layout import Layout, Position, Row, Wrong, header


@dataclass(frozen=True, slots=True)
class Form:
    """How the text of a file is written."""

    encoding: str = "utf-8-sig"
    delimiter: str = ","
    point: str = "."


_FORMULA = re.compile("'*[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""How a cell begins that a spreadsheet takes for a formula, or would without its apostrophe."""


def guarded(text: str) -> str:
    """`text` as a csv file holds it: behind an apostrophe where it would be a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(text: str) -> str:
    """What `guarded` made it of."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def open_file(path: Path) -> BinaryIO:
    """The file, open for reading; raises `Unreadable` with what would be right."""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        if kind not in (stat.S_IFREG, stat.S_IFDIR):  # to open a pipe may wait for ever
            raise Unreadable(f"{path} is no file but a device or a pipe", hint="Name a file")
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
    except (OSError, ValueError) as error:  # a path may have a character that no path has
        said = error.strerror if isinstance(error, OSError) else None
        raise Unreadable(f"{path}: {said or error}") from None


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
            if "'" in "".join(cells):
                cells = [unguarded(each) for each in cells]
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
            picked = cut(cells) if len(columns) > 1 else (cut(cells),)
            if "'" in "".join(picked):
                picked = tuple(unguarded(each) for each in picked)
            yield line, picked

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Records that are not blank, each with the number of its first line."""
        self._text.seek(0)
        reader = csv.reader(self._text, delimiter=self._form.delimiter, strict=True)
        line = 1
        try:
            with readable_text(self._path, self._form.encoding):
                for cells in reader:
                    if any(cells) and (cells[0].strip() or any(map(str.strip, cells))):
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
