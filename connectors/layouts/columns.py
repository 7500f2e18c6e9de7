"""Named values of a row: by header or position, constants, put together, split, indented paths.

What identifies something (`code`) is text: a worksheet's number has lost its leading zeros, and a
date was never one, so they are `Wrong` unless the layout says that numbers are codes.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

from connectors.layouts.headers import Bound, cell_words
from connectors.layouts.language import Column, Layout
from connectors.layouts.sheet import Cells
from connectors.layouts.stored import Exact, Value, cell_text
from connectors.rows.layout import Wrong

Getter: TypeAlias = Callable[[Cells], str]
"""The text of a value in a row, without blanks around it; raises `Wrong`."""

_DEEPEST = 16
_SIGNS = re.compile(r"[^\w\s]|_")


class Columns:
    """The named values of the rows below one header."""

    def __init__(self, layout: Layout, bound: Bound) -> None:
        self._layout, self._bound = layout, bound
        self.paths: dict[str, Path] = {}
        """The columns that grow with the rows that they stand below."""
        self.cuts: dict[str, Cut] = {}
        """The columns that are pieces of others."""

    def has(self, name: str | None) -> bool:
        """Whether the file has what the name stands for."""
        if name is None:
            return False
        column = self._layout.columns.get(name)
        if name in self._bound.places:
            return True
        if column is None:
            return False
        if column.first:
            return any(self.has(each) for each in column.first)
        if column.of:
            return self.has(column.of)
        return column.value is not None or column.text is not None

    def place(self, name: str) -> int | None:
        """The column of the sheet in which the value stands, if it is one."""
        seen = 0
        while seen < _DEEPEST and name not in self._bound.places:
            column = self._layout.columns.get(name)
            if column is None or not (column.of or column.first):
                return None
            name = column.of or next(filter(self.has, column.first), name)
            seen += 1
        return self._bound.places.get(name)

    def getter(self, name: str, *, code: bool = False, depth: int = 0) -> Getter:
        """What reads the value of that name; blank where the file has none."""
        if depth > _DEEPEST:
            raise Wrong(None, f"column {name} is made of itself")
        column = self._layout.columns.get(name)
        found = self._plain(name, column, code, depth)
        if column is not None and column.path is not None:
            path = self.paths.setdefault(name, Path(column.path, column.path_from, found))
            found = path.now
        if column is not None and column.default is not None:
            return _or(found, column.default)
        return found

    def _plain(self, name: str, column: Column | None, code: bool, depth: int) -> Getter:
        place = self._bound.places.get(name)
        if place is not None:
            numbers = column is not None and column.numbers
            return _at(place, name, code and not numbers)
        if column is None:
            return _nothing
        if column.value is not None:
            return _always(column.value)
        if column.first:
            each = [self.getter(one, code=code, depth=depth + 1) for one in column.first]
            return _first(each)
        if column.of:
            whole = self.getter(column.of, code=code, depth=depth + 1)
            if column.split is not None and column.part is not None:
                return self.cuts.setdefault(name, Cut(column.split, column.part)).of(whole)
            return _found(whole, column.find) if column.find is not None else whole
        if column.text is not None:
            parts = re.split(r"\{([^{}]+)\}", column.text)
            gets = [
                self.getter(part, code=code, depth=depth + 1) if number % 2 else _always(part)
                for number, part in enumerate(parts)
            ]
            return lambda cells: "".join([get(cells) for get in gets])
        return _nothing


class Path:
    """A column of indented texts: what stands above with less indent is put before."""

    def __init__(self, between: str, leave_out: int, get: Getter) -> None:
        self._between, self._leave_out, self._get = between, leave_out, get
        self._above: list[tuple[int, str]] = []
        self._now = ""

    def see(self, cells: Cells, place: int | None) -> None:
        """Take note of a row, also of one without amounts."""
        text = self._get(cells)
        raw = cells[place] if place is not None and place < len(cells) else ""
        if not text or not isinstance(raw, str):
            return
        indent = len(raw) - len(raw.lstrip())
        while self._above and self._above[-1][0] >= indent:
            self._above.pop()
        self._above.append((indent, text))
        names = [name for _, name in self._above]
        self._now = self._between.join(names[self._leave_out :] or names[-1:])

    def now(self, cells: Cells) -> str:
        """The path of the row that was seen last."""
        return self._now


def _nothing(cells: Cells) -> str:
    return ""


def _always(text: str) -> Getter:
    return lambda cells: text


def _or(get: Getter, default: str) -> Getter:
    return lambda cells: get(cells) or default


def _first(gets: list[Getter]) -> Getter:
    def found(cells: Cells) -> str:
        for get in gets:
            if text := get(cells):
                return text
        return ""

    return found


class Cut:
    """A piece of a text between signs, with whether any text had them."""

    def __init__(self, sign: str, part: int) -> None:
        self.sign, self._part = sign, part
        self.uncut = ""
        """A text without the sign, and with others between its letters and digits."""
        self._done = False

    @property
    def others(self) -> Sequence[str]:
        """The signs at which texts may be cut, where none of them had the one that is said."""
        return () if self._done else sorted({*_SIGNS.findall(self.uncut)})

    def of(self, whole: Getter) -> Getter:
        """What reads the piece; blank where a text has fewer."""

        def cut(cells: Cells) -> str:
            text = whole(cells)
            pieces = text.split(self.sign)
            if len(pieces) > 1:
                self._done = True
            elif not self._done and _SIGNS.search(text):
                self.uncut = self.uncut or text
            return pieces[self._part - 1].strip() if self._part <= len(pieces) else ""

        return cut


def _found(whole: Getter, find: str) -> Getter:
    pattern = re.compile(find)

    def found(cells: Cells) -> str:
        text = whole(cells)
        match = pattern.search(text)
        return text if match is None else (match[1] if match.re.groups else match[0]).strip()

    return found


def _at(place: int, name: str, code: bool) -> Getter:
    def found(cells: Cells) -> str:
        value = cells[place] if place < len(cells) else ""
        if type(value) is str:
            text = value.strip()
            return _quoted(text) if text.startswith('="') else text
        return _typed(value, name, code)

    return found


def _quoted(text: str) -> str:
    """The text of a csv cell that keeps its zeros from a spreadsheet as a formula: ="0100"."""
    inner = text[2:-1]
    return inner.strip() if len(text) > 2 and text.endswith('"') and '"' not in inner else text


def _typed(value: Value, name: str, code: bool) -> str:
    """What a cell that is no text says; raises `Wrong` where that is no code."""
    try:
        text = cell_text(value, ".")
    except Wrong as error:
        raise Wrong(name, error.message) from None
    if not code or isinstance(value, str):
        return cell_words(value) if isinstance(value, datetime) else text
    if isinstance(value, Exact) and value == value.to_integral_value():
        return text
    kind = "true or false" if isinstance(value, bool) else "a date"
    if isinstance(value, Decimal):
        raise Wrong(
            name,
            f"{text} is a number, so its leading zeros are lost; format the column as text, or "
            f"say columns.{name}.numbers = true",
        )
    if isinstance(value, date):
        text = value.isoformat()
    raise Wrong(name, f"{text} is {kind} where a code belongs; format the column as text")
