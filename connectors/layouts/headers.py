"""The header: which row it is, and which of its columns is meant by each name of the layout."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import Final

from connectors.contract.errors import Unreadable
from connectors.layouts.language import Column, Layout
from connectors.layouts.periods import Named, named
from connectors.layouts.questions import Question
from connectors.layouts.sheet import Cells, Row, Sheet, column_name, column_number
from connectors.layouts.stored import Fault, Value, cell_text
from connectors.rows.layout import Wrong

DEEPEST: Final = 300
"""How many rows are looked through for a header."""
_SIGNS = re.compile(r"[\W_]+")


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """A header without capitals, blanks and signs: "G/L Account No." is glaccountno."""
    return _SIGNS.sub("", text.casefold())


def cell_words(value: Value) -> str:
    """What a cell says, for looking; blank where it cannot be read."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Fault):
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    try:
        return value.isoformat() if isinstance(value, date) else cell_text(value, ".")
    except Wrong:
        return ""


@dataclass(slots=True)
class Bound:
    """A header that was found: the texts over the columns, where each named column is, and the
    columns that are periods."""

    row: int
    last: int
    texts: list[str]
    places: dict[str, int]
    periods: dict[int, Named | None]
    """By column; None where only the order counts (`periods.repeat`)."""
    missing: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    lettered: bool = True
    """Whether a column has a letter, as in a spreadsheet, besides the text over it."""

    def title(self, column: int) -> str:
        """How a person finds the column."""
        text = self.texts[column] if column < len(self.texts) else ""
        if text and not self.lettered:
            return text
        return f"{column_name(column)} ({text})" if text else column_name(column)


class Titles:
    """What stands over the columns, or would if the row were a header."""

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        self.folded = [fold(text) for text in texts]
        self.first: dict[str, int] = {}
        """The first column of each."""
        for at, text in enumerate(self.folded):
            self.first.setdefault(text, at)


class Head:
    """The first rows of a sheet. Several layouts may look at them: each is folded once."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._titles: dict[tuple[int, int, bool], Titles] = {}

    def titles(self, start: int, count: int, fill_right: bool) -> Titles:
        """What `count` rows from `start` on say together."""
        key = start, count, fill_right and count > 1
        if key not in self._titles:
            self._titles[key] = Titles(_joined(self.rows[start : start + count], fill_right))
        return self._titles[key]


def find_header(sheet: Sheet, layout: Layout, head: Head | None = None) -> Bound | None:
    """The first row that has the columns of the layout; None where there is none.

    Where the layout has no header, or names the row, that is what is bound. `head` is the sheet's,
    where somebody has it already.
    """
    head = head or Head([*head_of(sheet)])
    if layout.header.none:
        width = max((len(cells) for _, cells, _ in head.rows), default=0)
        first = head.rows[0][0] if head.rows else 1
        return bind(layout, first - 1, first - 1, [""] * width)
    best: Bound | None = None
    wanted = {fold(each) for each in layout.header.has}
    for start, row in enumerate(head.rows):
        if layout.header.row is not None and row[0] != layout.header.row:
            continue
        titles = head.titles(start, layout.header.rows, layout.header.fill_right)
        if not wanted <= titles.first.keys():
            continue
        last = head.rows[min(start + layout.header.rows, len(head.rows)) - 1]
        found = bind(layout, row[0], last[0], titles.texts, titles)
        if _fits(found, layout):
            return found
        if best is None or len(found.missing) < len(best.missing):
            best = found
    named_row = layout.header.row is not None or layout.header.has
    return best if best is not None and named_row else None


def head_of(sheet: Sheet) -> Iterator[Row]:
    """The first rows, up to where the file breaks off: with another delimiter it may read on."""
    try:
        yield from islice(sheet.rows(), DEEPEST)
    except Unreadable:
        if sheet.typed:
            raise


def _fits(found: Bound, layout: Layout) -> bool:
    if found.missing:
        return False
    return layout.is_long or bool(found.periods)


def _joined(rows: Sequence[Row], fill_right: bool) -> list[str]:
    if len(rows) == 1:
        return [cell_words(each) for each in rows[0][1]]
    width = max((len(cells) for _, cells, _ in rows), default=0)
    parts: list[list[str]] = []
    for number, (_, cells, _) in enumerate(rows):
        texts = [cell_words(each) for each in cells] + [""] * (width - len(cells))
        if fill_right and number < len(rows) - 1:
            for column in range(1, width):
                texts[column] = texts[column] or texts[column - 1]
        parts.append(texts)
    return [" ".join(filter(None, column)) for column in zip(*parts, strict=True)]


def bind(
    layout: Layout, row: int, last: int, texts: list[str], titles: Titles | None = None
) -> Bound:
    """The columns of the layout among `texts`; `titles` are those folded, if somebody did that."""
    titles = titles or Titles(texts)
    found, first = Bound(row, last, texts, {}, {}), titles.first
    for name, column in sorted(layout.columns.items(), key=lambda each: bool(each[1].beside)):
        place = _place(name, column, titles, found)
        if place is not None:
            found.places[name] = place
        elif (column.any or column.match or column.at is not None) and not column.optional:
            found.missing.append(name)
    for name in _references(layout):
        if name not in layout.columns and name not in found.places:
            if fold(name) in first:
                found.places[name] = _first_of(name, fold(name), titles, found)
            else:
                found.missing.append(name)
    for said in (layout.periods.year, layout.periods.begins, layout.periods.end):
        if isinstance(said, str) and said not in layout.columns and fold(said) in first:
            found.places.setdefault(said, first[fold(said)])  # else it is a year itself
    if not layout.header.none and not found.missing:  # most rows are no header: spare the forms
        found.periods = dict(_periods(layout, titles, {*found.places.values()}))
    return found


def _place(name: str, column: Column, titles: Titles, found: Bound) -> int | None:
    texts = titles.texts
    if column.at is not None:
        at = column_number(column.at.upper()) if isinstance(column.at, str) else column.at - 1
        return at if 0 <= at < len(texts) else None
    for spelling in column.any:
        if fold(spelling) in titles.first and _is_beside(spelling, column, titles, found):
            return _first_of(name, fold(spelling), titles, found)
    if column.match:
        fits = [
            at for at, text in enumerate(texts) if re.fullmatch(column.match, text, re.IGNORECASE)
        ]
        if len(fits) > 1:
            readings = tuple(f"columns.{name}={texts[at]}" for at in fits)
            what = f"which column is the {name.replace('_', ' ')}"
            found.questions.append(Question(what, readings, f"columns.{name}"))
        return fits[0] if fits else None
    return None


def _is_beside(spelling: str, column: Column, titles: Titles, found: Bound) -> bool:
    """Whether a column is read under the header that the spelling goes with, if there is one."""
    other = column.beside.get(spelling)
    return other is None or fold(other) in {titles.folded[at] for at in found.places.values()}


def _first_of(name: str, folded: str, titles: Titles, found: Bound) -> int:
    """The column of that header; which of several is asked."""
    places = [at for at, text in enumerate(titles.folded) if text == folded]
    if len(places) > 1 and folded:
        setting = f"""columns.{f'"{name}"' if "." in name else name}.at"""
        readings = tuple(f"{setting}={column_name(at)}" for at in places)
        text = titles.texts[places[0]]
        what = f"which of the {len(places)} columns {text!r} is the {name.replace('_', ' ')}"
        found.questions.append(Question(what, readings, setting))
    return places[0]


def _references(layout: Layout) -> Iterator[str]:
    """The names that the layout uses for columns: of its own, or headers as they stand."""
    group, share, periods = layout.budget, layout.allocation, layout.periods
    if "ref" in group.model_fields_set:
        yield group.ref
    said = (
        group.name, group.currency, group.description, group.parent, group.owners, share.entity,
        share.name, layout.amount, periods.day, periods.start, periods.name,
        periods.number, layout.rows.fill_at,
    )  # fmt: skip
    yield from filter(None, said)
    yield from (*layout.rows.fill, *layout.rows.single, *layout.rows.required, *layout.rows.only)
    yield from group.dimensions.values()
    for each in layout.columns.values():
        yield from filter(None, (each.of, *each.first))
        yield from re.findall(r"\{([^{}]+)\}", each.text or "")


def _periods(layout: Layout, titles: Titles, taken: set[int]) -> Iterator[tuple[int, Named | None]]:
    periods = layout.periods
    if layout.is_long:
        return
    ignored = {fold(each) for each in layout.ignore}
    bare = periods.year is not None
    for at, text in enumerate(titles.texts):
        if at in taken or titles.folded[at] in ignored:
            continue
        if periods.repeat:
            if titles.folded[at] == fold(periods.repeat):
                yield at, None
        elif (said := named(text, periods.headers, bare)) and (bare or not said.needs_year):
            yield at, said


def all_blank(cells: Cells) -> bool:
    """Whether nothing stands in the row."""
    return not any(each if not isinstance(each, str) else each.strip() for each in cells) and not (
        any(isinstance(each, Decimal | bool) for each in cells)
    )
