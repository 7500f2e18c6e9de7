"""When the amounts of a file count: what its headers, or its rows, say of their periods.

What a row says is only gathered while rows are read, as few different texts stand for all periods;
what they mean is settled when all of them are known, since one date may decide how others are read.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

from canonical.period import Period
from connectors.layouts.calendars import around
from connectors.layouts.columns import Columns, Getter
from connectors.layouts.headers import Bound, fold
from connectors.layouts.language import Layout
from connectors.layouts.meaning import Meaning
from connectors.layouts.periods import Named, named
from connectors.layouts.questions import Question
from connectors.layouts.settled import Settled, Unsettled
from connectors.layouts.sheet import Cells
from connectors.layouts.totals import fiscal_totals, is_total
from connectors.rows.layout import Wrong

Slot: TypeAlias = tuple[int, int]
"""A column of amounts and the number of its period."""
Key: TypeAlias = tuple[str, ...]


class Spans:
    """The periods of one sheet by number, in the order in which they were met."""

    def __init__(self, layout: Layout, bound: Bound, columns: Columns) -> None:
        self._layout, self._bound = layout, bound
        self._said = layout.periods
        self._meaning = Meaning(layout, [*bound.periods.values()])
        self._keys: dict[Key, int] = {}
        self.texts: list[Key] = []
        self.rows: list[int] = []
        """The row, or for a header 0, in which each was met first."""
        self._slots: dict[str, Sequence[Slot]] = {}
        self.totals: dict[int, Sequence[int]] = {}
        """Columns that hold what others add up to, and so are not counted, each with these."""
        self._columns = self._wanted()
        self._gets = self._getters(columns)
        self._prefix = self._prefix_getter(columns)

    @property
    def amounts(self) -> Sequence[int]:
        """The columns that hold amounts of a period each."""
        return [*self._columns]

    def slots(self, cells: Cells, row: int) -> Sequence[Slot]:
        """The columns of a row's amounts, each with its period's number."""
        prefix = self._prefix(cells) if self._prefix is not None else ""
        found = self._slots.get(prefix)
        if found is None:
            found = [
                (column, self._number((prefix, str(order), str(column)), row))
                for order, column in enumerate(self._columns)
            ]
            self._slots[prefix] = found
        return found

    def _wanted(self) -> dict[int, Named | None]:
        """The period columns without those that are totals of others."""
        found = dict(self._bound.periods)
        if self._said.repeat or self._said.year or len(found) < 2:
            return found
        self._learn_headers(found)
        spans: dict[int, Period] = {}
        for column, said in found.items():
            try:
                assert said is not None
                spans[column] = self._meaning.of_named(said, None, column)
            except (Wrong, Unsettled):
                return found
        totals = {column for column in spans if is_total(column, spans)}
        fiscal = set(fiscal_totals(found, spans))
        totals |= fiscal
        self._meaning.forget()
        counted = {column: said for column, said in found.items() if column not in totals}
        self.totals = {
            column: [
                each for each in counted if column in fiscal or spans[column].holds(spans[each])
            ]
            for column in sorted(totals)
        }
        return counted

    def _learn_headers(self, found: dict[int, Named | None]) -> None:
        days = [said.day for said in found.values() if said is not None and said.day]
        self._meaning.form.learn(days)

    def number(self, cells: Cells, row: int) -> int:
        """The number of the period that a row names; raises `Wrong` where it names none."""
        key = tuple([get(cells) for get in self._gets])
        found = self._keys.get(key)
        if found is None:
            if not all(key[:1]) or not any(key):
                raise Wrong(None, "names no period")
            found = self._number(key, row)
        return found

    def _number(self, key: Key, row: int) -> int:
        found = self._keys.get(key)
        if found is None:
            found = self._keys[key] = len(self.texts)
            self.texts.append(key)
            self.rows.append(row)
        return found

    def _getters(self, columns: Columns) -> list[Getter]:
        said = self._said
        if not self._layout.is_long:
            return []
        if said.whole:
            whole = said.whole
            return [lambda cells: whole]
        if said.start:
            both = [columns.getter(said.start)]
            return [*both, columns.getter(said.end)] if columns.has(said.end) and said.end else both
        if said.day:
            return [columns.getter(said.day)]
        parts = [each for each in (said.name, said.number) if each]
        gets = [columns.getter(each) for each in parts[:1]]
        return [*gets, self._year_getter(columns)] if said.year else gets

    def _year_getter(self, columns: Columns) -> Getter:
        year = self._said.year or ""
        if columns.has(year):
            return columns.getter(year)
        return lambda cells: year

    def _prefix_getter(self, columns: Columns) -> Getter | None:
        if self._layout.is_long:
            return None
        if self._said.repeat and isinstance(self._said.begins, str):
            begins = self._said.begins
            return columns.getter(begins) if columns.has(begins) else (lambda cells: "")
        return self._year_getter(columns) if self._said.year else None

    # Settling

    def settle(self) -> Settled:
        """What each number stands for, now that all are known."""
        done = Settled()
        self._learn()
        asked: dict[str, list[Question]] = {}
        for number, key in enumerate(self.texts):
            try:
                whole = self._period(key)
                done.periods[number] = self._meaning.spread(whole)
            except Unsettled as error:
                asked.setdefault(error.question.setting, []).append(error.question)
            except Wrong as error:
                done.wrong[number] = error.message
        for same in asked.values():
            more = f" (and {len(same) - 1} more)" if len(same) > 1 else ""
            first = same[0]
            done.questions.append(Question(first.what + more, first.readings, first.setting))
        done.questions += self._overlapping(done.periods)
        done.notes += self._notes()
        done.sort()
        return done

    def _learn(self) -> None:
        if self._layout.is_long and (self._said.day or self._said.start):
            self._meaning.form.learn(text for key in self.texts for text in key if text)
        elif self._layout.is_long and self._said.name:
            found = (named(key[0], self._said.headers, True) for key in self.texts)
            self._meaning.form.learn(each.day for each in found if each is not None and each.day)
        elif self._said.repeat:
            self._meaning.form.learn(key[0] for key in self.texts if key[0])
        else:
            self._learn_headers(self._columns)

    def _notes(self) -> Iterator[str]:
        form, said = self._meaning.form, self._layout.dates
        if form.decided_by is not None:
            yield f"dates are {form.order}: {form.decided_by} can be nothing else"
        elif form.order and said.likely and not said.order:
            yield f"taken for granted: dates are {form.order} (dates.order says otherwise)"
        if self._meaning.calendar.taken_for_granted:
            yield (
                "taken for granted: the fiscal year starts in January, which the file does not say "
                "(fiscal.starts says otherwise)"
            )
        if self.totals:
            titles = ", ".join(map(self._bound.title, self.totals))
            yield f"not counted, as they add up others: {titles}"
        if strange := [self._bound.title(column) for column in self._strange()]:
            yield f"not read, though they stand among the columns of periods: {', '.join(strange)}"

    def _strange(self) -> Iterator[int]:
        """Columns to the right of the first period that are none, and that nobody named."""
        known = {*self._bound.periods, *self._bound.places.values()}
        ignored = {fold(each) for each in self._layout.ignore}
        for column in range(min(self._bound.periods, default=0), len(self._bound.texts)):
            text = fold(self._bound.texts[column])
            if self._bound.periods and text and text not in ignored and column not in known:
                yield column

    def _overlapping(self, periods: dict[int, tuple[Period, ...]]) -> Iterator[Question]:
        """Columns that speak of the same days: which of them counts is asked."""
        if self._layout.is_long:
            return
        found = sorted(
            (self.texts[number][0], period, int(self.texts[number][2]))
            for number, parts in periods.items()
            for period in parts
        )
        for (one, before, first), (other, after, second) in pairwise(found):
            if one == other and first != second and before.overlaps(after):
                titles = self._bound.title(first), self._bound.title(second)
                texts = self._bound.texts[first], self._bound.texts[second]
                what = f"columns {titles[0]} and {titles[1]} are about the same days"
                yield Question(what, tuple(f"ignore={each}" for each in texts), "ignore")
                return

    def _period(self, key: Key) -> Period:
        said = self._said
        if not self._layout.is_long:
            return self._of_column(key)
        if said.whole:
            return self._meaning.of_text(said.whole, None)
        if said.start:
            return self._meaning.between(key[0], key[1] if len(key) > 1 else "")
        if said.day:
            return around(self._meaning.day(key[0]), said.step or "month")
        year = key[-1] if said.year else None
        if said.name:
            return self._meaning.of_text(key[0], year)
        if said.number:
            return self._meaning.numbered(key[0], year or "")
        return self._meaning.calendar_year(key[0])

    def _of_column(self, key: Key) -> Period:
        prefix, order, column = key
        if self._said.repeat:
            return self._meaning.counted(prefix, int(order))
        said = self._columns[int(column)]
        assert said is not None
        return self._meaning.of_named(said, prefix or None, int(column))
