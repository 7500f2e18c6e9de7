"""Which rows count: those below the header, without the skipped, to the end of the data.

Cells of grouped columns are handed down before anything is read of a row; what is skipped hands
nothing down.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeAlias

from connectors.contract.errors import Unreadable
from connectors.layouts.columns import Columns
from connectors.layouts.headers import Bound, all_blank, cell_words, fold
from connectors.layouts.language import Condition, Layout
from connectors.layouts.sheet import Cells, Row, Sheet
from connectors.layouts.stored import Value
from connectors.layouts.toml import value_text
from connectors.rows.layout import Wrong

Test: TypeAlias = Callable[[Cells, Collection[int]], bool]


class Taking:
    """The rows of a sheet that count, with what was passed over."""

    def __init__(
        self, sheet: Sheet, layout: Layout, bound: Bound, columns: Columns, amounts: Sequence[int]
    ) -> None:
        self._sheet, self._bound, self._rows = sheet, bound, layout.rows
        self._columns, self._then = columns, layout.header.then
        self._amounts = amounts
        self.skipped: Counter[str] = Counter()
        """How many rows each rule passed over, by how the rule is named."""
        self.ended: int | None = None
        """The row at which a rule ended the data."""
        self._skip = [self._test(each) for each in self._rows.skip]
        self._where = [self._test(each) for each in self._rows.where]
        self._refuse = [self._test(each) for each in self._rows.refuse]
        self._stop = [self._test(each) for each in self._rows.stop]
        self._fill = [
            place for each in self._rows.fill if (place := columns.place(each)) is not None
        ]
        self._fill_at = columns.place(self._rows.fill_at) if self._rows.fill_at else None

    def __iter__(self) -> Iterator[Row]:
        held: dict[int, Value] = {}
        blank = 0
        last = self._bound.last
        for number, cells, bold in self._data():
            if self._rows.stop_after_blank:
                blank = blank + 1 if all_blank(cells) else 0
                gap = number - last - 1 if self._sheet.typed else blank  # a sheet leaves them out
                if gap >= self._rows.stop_after_blank:
                    self.ended = number
                    return
                last = number
            if self._stop and any(test(cells, bold) for test in self._stop):
                self.ended = number
                return
            if self._skip and self._is_skipped(cells, bold):
                continue
            if self._fill:
                cells = self._filled(cells, held)
            if self._where and not self._is_wanted(cells, bold):
                continue
            yield number, cells, bold

    def ensure_read(self, cells: Cells) -> None:
        """Raises `Wrong` for a row that the layout says it cannot read."""
        for number, test in enumerate(self._refuse):
            if test(cells, ()):
                said = _told(self._rows.refuse[number])
                raise Wrong(self._rows.refuse[number].column, f"is what rows.refuse names: {said}")

    def _data(self) -> Iterator[Row]:
        begun = self._then is None
        test = self._test(self._then) if self._then is not None else None
        for row in self._sheet.rows():
            if row[0] <= self._bound.last:
                continue
            if begun:
                yield row
            elif test is not None and test(row[1], row[2]):
                begun = True
        if not begun:
            raise Unreadable(
                f"{self._sheet.label} has no row below its header as header.then says",
                hint="Take header.then out if the data follow the header",
            )

    def _is_skipped(self, cells: Cells, bold: Collection[int]) -> bool:
        skipped = False
        for number, test in enumerate(self._skip):
            if test(cells, bold) and not skipped:
                self.skipped[f"rows.skip {_told(self._rows.skip[number])}"] += 1
                skipped = True
        return skipped

    def _is_wanted(self, cells: Cells, bold: Collection[int]) -> bool:
        for number, test in enumerate(self._where):
            if not test(cells, bold):
                self.skipped[f"rows.where {_told(self._rows.where[number])}"] += 1
                return False
        return True

    def _filled(self, cells: Cells, held: dict[int, Value]) -> Cells:
        places = self._fill
        anew = self._fill_at
        if anew is not None and anew < len(cells) and cell_words(cells[anew]):
            held.clear()
        mine = [*cells, *[""] * (max(places) + 1 - len(cells))]
        if not any(each if not isinstance(each, str) else each.strip() for each in mine):
            return mine
        for place in places:
            value = mine[place]
            if isinstance(value, str) and not value.strip():
                mine[place] = held.get(place, "")
            else:
                held[place] = value
        return mine

    # Conditions

    def _test(self, said: Condition) -> Test:
        """What tells whether a row is as the condition says."""
        tests: list[Test] = []
        if said.only is not None:
            tests.append(_only(said.only.casefold()))
        tests += [_one(self._place_of(each), [_is_blank]) for each in said.without]
        if said.numbers is not None:
            tests.append(_has_numbers(self._amounts, said.numbers))
        cell = [_of_cell(said)] if _speaks_of_cells(said) else []
        if said.closes is not None:
            cell.append(self._closing(said.closes))
        if cell and said.column is None:
            tests.append(_some(cell))
        elif cell and said.column is not None:
            tests.append(_one(self._place_of(said.column), cell))
        return lambda cells, bold: all(test(cells, bold) for test in tests)

    def _place_of(self, name: str) -> int:
        place = self._columns.place(name)
        if place is None:
            folded = [fold(text) for text in self._bound.texts]
            place = folded.index(fold(name)) if fold(name) in folded else None
        if place is None:
            return 1 << 30  # the file may be without the column, which is blank then
        return place

    def _closing(self, begin: str) -> Callable[[Value, bool], bool]:
        """Whether a text is `begin` and one that stood above; takes note of every text."""
        above: set[str] = set()

        def closes(value: Value, bold: bool) -> bool:
            text = cell_words(value).casefold()
            if text.startswith(begin.casefold()) and text[len(begin) :].strip() in above:
                return True
            above.add(text)
            return False

        return closes


def _told(said: Condition) -> str:
    """The condition as a layout writes it, cut where it is long."""
    text = value_text(said.model_dump(exclude_unset=True))
    return text if len(text) <= 80 else f"{text[:79]}…"


def _speaks_of_cells(said: Condition) -> bool:
    return bool(said.equals) or any(each is not None for each in (said.like, said.blank, said.bold))


def _of_cell(said: Condition) -> Callable[[Value, bool], bool]:
    equals = {each.casefold() for each in said.equals}
    like = re.compile(said.like, re.IGNORECASE) if said.like else None

    def fits(value: Value, bold: bool) -> bool:
        text = value.strip() if isinstance(value, str) else cell_words(value)
        if said.blank is not None and _is_blank(value, bold) != said.blank:
            return False
        if said.bold is not None and bold != said.bold:
            return False
        if equals and text.casefold() not in equals:
            return False
        return like is None or like.fullmatch(text) is not None

    return fits


def _is_blank(value: Value, bold: bool) -> bool:
    return isinstance(value, str) and not value.strip()


def _some(fits: Sequence[Callable[[Value, bool], bool]]) -> Test:
    def found(cells: Cells, bold: Collection[int]) -> bool:
        for place, value in enumerate(cells):
            if value != "" and all(test(value, place in bold) for test in fits):
                return True
        return False

    return found


def _one(place: int, fits: Sequence[Callable[[Value, bool], bool]]) -> Test:
    def found(cells: Cells, bold: Collection[int]) -> bool:
        value = cells[place] if place < len(cells) else ""
        return all(test(value, place in bold) for test in fits)

    return found


def _only(word: str) -> Test:
    def found(cells: Cells, bold: Collection[int]) -> bool:
        said = {text.casefold() for each in cells if (text := cell_words(each))}
        return said == {word}

    return found


def _has_numbers(amounts: Sequence[int], wanted: bool) -> Test:
    def found(cells: Cells, bold: Collection[int]) -> bool:
        has = any(
            place < len(cells)
            and (not isinstance(cells[place], str) or bool(str(cells[place]).strip()))
            for place in amounts
        )
        return has == wanted

    return found
