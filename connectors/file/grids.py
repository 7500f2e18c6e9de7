"""Grids: a csv file held whole, to change some rows and keep all others."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from connectors.contract.errors import Rejected
from connectors.file.formats import Place
from connectors.file.spelling import Spelled, SpelledRow, spelled_rows
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

    def replace(
        self,
        match: Match,
        rows: Sequence[Cells],
        taken_for_granted: Cells,
        before: Sequence[Cells] = (),
    ) -> None:
        """Makes the rows that `match`, which say `before`, say `rows`; new ones go below them.

        A cell that says the same as before stays as it is spelled. A column is added for what has
        none, unless it says what is `taken_for_granted`.
        """
        for cells in rows:
            for column, text in cells.items():
                if text and column not in self._names and taken_for_granted.get(column) != text:
                    self.header.append(column)
        names = self._names
        blank = dict.fromkeys(names, "")  # also of a row that ends early, or has no cell at all
        found = [
            number
            for number, row in enumerate(self.rows)
            if match(blank | dict(zip(names, map(self.text, row), strict=False)))
        ]
        said, left = self._begins(found, names), [*rows]
        gone = {*found}
        for number, cells in _paired(said, rows):
            was = _before(said[number], before)
            self._change(self.rows[number], names, was, cells, alike=len(found) == len(rows))
            left.remove(cells)
            gone.discard(number)
        new = [[self.value(name, cells.get(name, "")) for name in names] for cells in left]
        at = found[-1] + 1 if found else len(self.rows)
        below = [*new, *self.rows[at:]]
        self.rows = [row for n, row in enumerate(self.rows[:at]) if n not in gone] + below

    def _begins(self, found: Sequence[int], names: Sequence[str]) -> dict[int, str]:
        """The first day that each row says; blank where there is no column for it."""
        if "start" not in names:
            return dict.fromkeys(found, "")
        at = names.index("start")
        return {n: self.text(self.rows[n][at]) if at < len(self.rows[n]) else "" for n in found}

    def _change(
        self, row: list[Any], names: Sequence[str], was: Cells, cells: Cells, *, alike: bool
    ) -> None:
        row += [self.value("", "")] * (len(names) - len(row))
        for at, name in enumerate(names):
            text = cells.get(name, "")
            if was.get(name, "") != text or (not alike and text and not self.text(row[at])):
                row[at] = self.value(name, text)

    @property
    def _names(self) -> list[str]:
        spelling = self.place.layout.spelling
        return [spelling(self.text(cell)) or "" for cell in self.header]


def _paired(begins: Mapping[int, str], rows: Sequence[Cells]) -> list[tuple[int, Cells]]:
    """Which row says what: a period keeps its row, and what is left goes in order."""
    left = dict(begins)
    pairs: list[tuple[int, Cells]] = []
    rest: list[Cells] = []
    for cells in rows:
        number = next((n for n, day in left.items() if day == cells.get("start", "")), None)
        if number is None:
            rest.append(cells)
        else:
            del left[number]
            pairs.append((number, cells))
    return [*pairs, *zip(left, rest, strict=False)]


def _before(begin: str, before: Sequence[Cells]) -> Cells:
    """What the row of that first day said."""
    if len(before) == 1:
        return before[0]
    return next((each for each in before if each.get("start", "") == begin), {})


class CsvDocument:
    """A csv file in its own encoding, line ends and column order."""

    def __init__(self, place: Place) -> None:
        self._form, self._newline = place.form, "\n"
        self._encoding = "utf-8" if self._form.encoding == "utf-8-sig" else self._form.encoding
        self._grid = Grid(place, self._value, _text)
        self._above: list[SpelledRow] = []
        if place.path.exists():
            self._load(place)

    def _load(self, place: Place) -> None:
        with open_file(place.path) as file:
            raw = file.read()
        if raw.startswith(b"\xef\xbb\xbf"):
            self._encoding = "utf-8-sig"
        text = raw.decode(self._form.encoding)
        self._newline = "\r\n" if "\r\n" in text else "\n"
        rows = [*spelled_rows(text, self._form.delimiter)]
        at = next((i for i, row in enumerate(rows) if any(row)), None)
        if at is not None:
            self._above = rows[:at]
            self._grid.header, self._grid.rows = rows[at], [*rows[at + 1 :]]

    def replace(
        self,
        match: Match,
        rows: Sequence[Cells],
        taken_for_granted: Cells,
        before: Sequence[Cells] = (),
    ) -> None:
        """See `Grid.replace`."""
        width = len(self._grid.header)
        self._grid.replace(match, rows, taken_for_granted, before)
        added = len(self._grid.header) - width
        for row in self._grid.rows:
            if len(row) == width:
                row += [""] * added

    def content(self) -> bytes:
        """The file as it should be: what is not changed, to the letter."""
        rows = [*self._above, self._grid.header, *self._grid.rows]
        lines = [self._line(row, last=row is rows[-1]) for row in rows]
        return encoded("".join(lines), self._encoding)

    def _line(self, cells: Sequence[str], *, last: bool) -> str:
        end = cells.end if isinstance(cells, SpelledRow) else self._newline
        if not end and not last:
            end = self._newline
        delimiter = self._form.delimiter
        said = [each.spelling if isinstance(each, Spelled) else self._quoted(each)
                for each in cells]  # fmt: skip
        line = delimiter.join(said)
        return (line or '""' if len(cells) == 1 else line) + end

    def _quoted(self, cell: str) -> str:
        return _quoted(cell) if _QUOTED.search(cell) or self._form.delimiter in cell else cell

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
