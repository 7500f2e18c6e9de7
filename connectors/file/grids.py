"""Grids: a csv file held whole, to change some rows and keep all others."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from connectors.contract.errors import Rejected
from connectors.file.formats import Place
from connectors.file.tables import guarded, open_file, unguarded
from connectors.rows.layout import LIMITS, Cells

Match: TypeAlias = Callable[[Cells], bool]

QUOTE: Final = '"'
_QUOTED = re.compile('["\r\n]|^\\s|\\s$')
"""What a cell holds that must stand in quotes; readers differ in which blanks they leave."""
NUMBERS: Final = frozenset({"amount", *LIMITS})


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
        self._grid = Grid(place, self._value, _text)
        if place.path.exists():
            self._load(place)

    def _load(self, place: Place) -> None:
        with open_file(place.path) as file:
            raw = file.read()
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
        rows = [self._grid.header, *self._grid.rows]
        return encoded("".join(map(self._line, rows)), self._encoding)

    def _line(self, cells: Sequence[str]) -> str:
        delimiter = self._form.delimiter
        said = [_quoted(each) if _QUOTED.search(each) or delimiter in each else each
                for each in cells]  # fmt: skip
        line = delimiter.join(said)
        return (line or '""') + self._newline if len(cells) == 1 else line + self._newline

    def _value(self, column: str, text: str) -> str:
        return text.replace(".", self._form.point) if column in NUMBERS else guarded(text)


def encoded(text: str, encoding: str) -> bytes:
    """`text` in `encoding`; raises `Rejected` for a character that it does not have."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        character = error.object[error.start]
        raise Rejected(
            f"{character!r} cannot be written in {encoding}",
            hint='Save the file as UTF-8 and set encoding = "utf-8"',
        ) from None


def _quoted(text: str) -> str:
    return f'"{text.replace(QUOTE, QUOTE * 2)}"'


def _text(cell: str) -> str:
    return unguarded(cell).strip()
