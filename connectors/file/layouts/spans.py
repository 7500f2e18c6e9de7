"""When the amounts of a file count: what its headers, or its rows, say of their periods.

What a row says is only gathered while rows are read, as few different texts stand for all periods;
what they mean is settled when all of them are known, since one date may decide how others are read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final, TypeAlias

from canonical.amount import Amount
from canonical.period import Period
from connectors.file.layout import Wrong
from connectors.file.layouts.calendars import Calendar, UnknownName, around, label, month
from connectors.file.layouts.columns import Columns, Getter
from connectors.file.layouts.dates import Ambiguous, DateForm
from connectors.file.layouts.headers import Bound
from connectors.file.layouts.language import Layout
from connectors.file.layouts.numbers import PLACES
from connectors.file.layouts.periods import Named, gaps, named, year_in
from connectors.file.layouts.questions import Question
from connectors.file.layouts.sheet import Cells
from connectors.file.layouts.timelines import Timelines
from connectors.file.stored import serial

_CENTS: Final = "USD"
"""A unit of two digits: what amounts are split to, whichever currency they are in."""

Slot: TypeAlias = tuple[int, int]
"""A column of amounts and the number of its period."""
Key: TypeAlias = tuple[str, ...]

_SERIAL = re.compile(r"[2-7][0-9]{4}(\.0+)?")
_STEPS: Final = {1: "month", 3: "quarter", 12: "year"}


class Unsettled(Exception):
    """A period that a person has to say something about."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.what)
        self.question = question


@dataclass(slots=True)
class Settled:
    """What the periods turned out to be, by number, and what is to be told of them."""

    periods: dict[int, tuple[Period, ...]] = field(default_factory=dict)
    wrong: dict[int, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    spread: tuple[Decimal, ...] = ()
    """The ratios by which the amount of a period of several parts is split."""

    order: Sequence[Period] = ()
    """All periods in order of time."""
    places: Mapping[int, Sequence[int]] = field(default_factory=dict)
    """By number, where its periods stand among them."""
    timelines: Timelines = field(default_factory=lambda: Timelines(()))
    in_order: bool = False
    """Whether each number is one period, and that at the same place among them."""

    def sort(self) -> None:
        """Put the periods in order, once all are known."""
        self.order = sorted({each for parts in self.periods.values() for each in parts})
        at = {period: place for place, period in enumerate(self.order)}
        self.places = {
            number: [at[each] for each in parts] for number, parts in self.periods.items()
        }
        self.timelines = Timelines(self.order)
        self.in_order = not self.wrong and all(
            [number] == places for number, places in self.places.items()
        )

    def shares(self, amount: int) -> list[int]:
        """An amount in ten-thousandths by those ratios, in whole cents that sum to it."""
        parts = Amount(Decimal(amount).scaleb(-PLACES), _CENTS).split(self.spread)
        return [int(part.value.scaleb(PLACES)) for part in parts]


class Spans:
    """The periods of one sheet by number, in the order in which they were met."""

    def __init__(self, layout: Layout, bound: Bound, columns: Columns) -> None:
        self._layout, self._bound = layout, bound
        self._said = layout.periods
        self._form = DateForm(layout.dates)
        self._calendar = Calendar(layout.fiscal)
        self._keys: dict[Key, int] = {}
        self.texts: list[Key] = []
        self.rows: list[int] = []
        """The row, or for a header 0, in which each was met first."""
        self._slots: dict[str, Sequence[Slot]] = {}
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
                spans[column] = self._of_named(said, None, column)
            except (Wrong, Unsettled):
                return found
        totals = {column for column in spans if _is_total(column, spans)}
        totals |= set(_fiscal_totals(found, spans))
        self._calendar = Calendar(self._layout.fiscal)
        self.totals = [self._bound.title(column) for column in sorted(totals)]
        return {column: said for column, said in found.items() if column not in totals}

    totals: Sequence[str] = ()
    """Columns that hold what others add up to, and so are not counted."""

    def _learn_headers(self, found: dict[int, Named | None]) -> None:
        days = [said.day for said in found.values() if said is not None and said.day]
        self._form.learn(days)

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
                done.periods[number] = self._spread(whole, key)
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
            self._form.learn(text for key in self.texts for text in key if text)
        elif self._layout.is_long and self._said.name:
            found = (named(key[0], self._said.headers, True) for key in self.texts)
            self._form.learn(each.day for each in found if each is not None and each.day)
        elif self._said.repeat:
            self._form.learn(key[0] for key in self.texts if key[0])
        else:
            self._learn_headers(self._columns)

    def _notes(self) -> Iterator[str]:
        if self._form.decided_by is not None:
            yield f"dates are {self._form.order}: {self._form.decided_by} can be nothing else"
        elif self._form.order and self._layout.dates.likely and not self._layout.dates.order:
            yield f"taken for granted: dates are {self._form.order} (dates.order says otherwise)"
        if self._calendar.taken_for_granted:
            yield (
                "taken for granted: the fiscal year starts in January, which the file does not say "
                "(fiscal.starts says otherwise)"
            )
        if self.totals:
            yield f"not counted, as they add up others: {', '.join(self.totals)}"

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
            return self._of_text(said.whole, None)
        if said.start:
            return self._between(key[0], key[1] if len(key) > 1 else "")
        if said.day:
            return around(self._day(key[0]), said.step or "month")
        year = key[-1] if said.year else None
        if said.name:
            return self._of_text(key[0], year)
        if said.number:
            return self._numbered(key[0], year or "")
        return self._calendar_year(_year(key[0]))

    def _of_column(self, key: Key) -> Period:
        prefix, order, column = key
        if self._said.repeat:
            return self._counted(prefix, int(order))
        said = self._columns[int(column)]
        assert said is not None
        return self._of_named(said, prefix or None, int(column))

    def _counted(self, begins: str, order: int) -> Period:
        """The nth of columns that all have one name."""
        if isinstance(self._said.begins, date):
            first = self._said.begins
        elif begins:
            first = self._day(begins)
        else:
            raise Unsettled(
                Question(
                    f"when the first {self._said.repeat} begins",
                    ("periods.begins=2026-01-01",),
                    "periods.begins",
                )
            )
        length = {"month": 1, "quarter": 3, "year": 12}[self._said.step or "month"]
        if first.day != 1:
            raise Wrong(None, f"{first} is no first day of a month")
        index = first.year * 12 + first.month - 1 + order * length
        return month(index // 12, index % 12 + 1, length)

    def _between(self, start: str, end: str) -> Period:
        first = self._day(start)
        if not end:
            return around(first, self._said.step or "month")
        last = self._day(end)
        if last < first:
            raise Wrong(None, f"the period ends on {last}, before its start {first}")
        return Period(first, last)

    def _of_text(self, text: str, year: str | None) -> Period:
        said = named(text, self._said.headers, year is not None)
        if said is None:
            raise Wrong(None, f"{text!r} names no period; periods.headers says how it is written")
        return self._of_named(said, year, None)

    def _numbered(self, text: str, year: str) -> Period:
        digits = re.fullmatch(r"\D{0,3}0*([0-9]{1,3})(?:\.0+)?", text)
        if digits is None:
            raise Wrong(None, f"{text!r} is no number of a period")
        number = int(digits[1])
        try:
            if self._said.step == "quarter":
                return self._calendar.quarter(_year(year), number)
            return self._calendar.period(_year(year), number)
        except UnknownName:
            raise self._name_question(_year(year)) from None

    def _of_named(self, said: Named, year: str | None, column: int | None) -> Period:
        if said.day is not None:
            return self._of_day(self._day(said.day), column)
        number = said.year if said.year is not None else _year(year or "")
        try:
            if said.month is not None:
                return self._month(said, number)
            if said.quarter is not None:
                return self._calendar.quarter(number, said.quarter)
            if said.number is not None:
                return self._calendar.period(number, said.number)
            return self._calendar.year(number)
        except UnknownName:
            raise self._name_question(number) from None

    def _month(self, said: Named, year: int) -> Period:
        """A month by its name: of the calendar year that stands beside it, or of a fiscal one."""
        assert said.month is not None
        if said.year is not None:
            return month(year, said.month)
        starts = self._layout.fiscal.starts or 1
        return self._calendar.period(year, (said.month - starts) % 12 + 1)

    def _calendar_year(self, year: int) -> Period:
        try:
            return self._calendar.year(year)
        except UnknownName:
            raise self._name_question(year) from None

    def _name_question(self, year: int) -> Unsettled:
        starts = self._layout.fiscal.starts or 1
        readings = tuple(
            f"{month(year - (word == 'end'), starts, 12)} with fiscal.named={word}"
            for word in ("end", "start")
        )
        return Unsettled(Question(f"which months fiscal year {year} has", readings, "fiscal.named"))

    def _day(self, text: str) -> date:
        if _SERIAL.fullmatch(text):
            found = serial(Decimal(text), False, False)
            if isinstance(found, date):
                return found
        day = self._form.read(text)
        if isinstance(day, Ambiguous):
            readings = tuple(f"{each} with dates.order={order}" for order, each in day.readings)
            raise Unsettled(Question(f"which day {text} is", readings, "dates.order"))
        if day is None:
            order = f" in the order {self._form.order}" if self._form.order else ""
            raise Wrong(None, f"{text!r} is not a date{order}; dates.order says how dates are read")
        return day

    def _of_day(self, day: date, column: int | None) -> Period:
        """The period of a header that is a date."""
        said = self._said
        if said.step or said.dates_are == "within" or column is None:
            return around(day, said.step or "month")
        return self._by_distance(day)

    def _by_distance(self, day: date) -> Period:
        """The period that starts, or ends, on `day`, as long as it is to the header beside it."""
        ends = self._said.dates_are == "end"
        days = sorted(
            self._day(each.day) for each in self._columns_said() if each is not None and each.day
        )
        firsts = [each + timedelta(days=1) for each in days] if ends else days
        (distance,) = found if len(found := gaps(firsts)) == 1 else (None,)
        regular = distance in _STEPS and all(each.day == 1 for each in firsts)
        if regular and distance is not None:
            return around(day, _STEPS[distance]) if distance == 1 else _ranged(day, distance, ends)
        if len(days) == 1 and firsts[0].day == 1:
            raise Unsettled(
                Question(
                    f"how long the period of {day} is",
                    tuple(f"periods.step={each}" for each in _STEPS.values()),
                    "periods.step",
                )
            )
        return _neighbours(day, days, ends)

    def _columns_said(self) -> list[Named | None]:
        return [*self._bound.periods.values()]

    def _spread(self, whole: Period, key: Key) -> tuple[Period, ...]:
        """The periods among which a yearly amount is spread; itself where it is not."""
        if not self._said.spread:
            return (whole,)
        parts = self._calendar.all(_year_of(whole, key), len(self._said.spread))
        if (parts[0].start, parts[-1].end) != (whole.start, whole.end):
            raise Wrong(None, f"{label(whole)} is no fiscal year, which periods.spread is for")
        return tuple(parts)


def _year_of(whole: Period, key: Key) -> int:
    for text in reversed(key):
        if (year := year_in(text)) is not None:
            return year
    return whole.start.year


def _year(text: str) -> int:
    year = year_in(text)
    if year is None:
        raise Wrong(None, f"{text!r} names no year; periods.year says where it stands")
    return year


def _ranged(day: date, months: int, ends: bool) -> Period:
    if not ends:
        return month(day.year, day.month, months)
    index = day.year * 12 + day.month - months
    return month(index // 12, index % 12 + 1, months)


def _neighbours(day: date, days: Sequence[date], ends: bool) -> Period:
    """From the day to the day before the next, or from the day after the last one to the day."""
    at = days.index(day)
    one = timedelta(days=1)
    if ends and at > 0:
        return Period(days[at - 1] + one, day)
    if not ends and at < len(days) - 1:
        return Period(day, days[at + 1] - one)
    raise Unsettled(
        Question(
            f"how long the period of {day} is, which has none beside it",
            ("fiscal.weeks=4-4-5", "periods.step=month"),
            "periods.step",
        )
    )


def _is_total(column: int, spans: dict[int, Period]) -> bool:
    """Whether shorter periods of other columns fill this one's to the day."""
    whole = spans[column]
    parts = sorted(
        each for other, each in spans.items() if other != column and whole.holds(each) and
        each != whole
    )  # fmt: skip
    if not parts or whole.end is None:
        return False
    following = whole.start
    for part in parts:
        if part.start == following and part.end is not None:
            following = part.end + timedelta(days=1)
    return following == whole.end + timedelta(days=1)


def _fiscal_totals(found: dict[int, Named | None], spans: dict[int, Period]) -> Iterator[int]:
    """Columns of a year that has the months beside it, whichever month it starts in."""
    whole = {
        column
        for column, said in found.items()
        if said is not None and said == Named(year=said.year)
    }
    months = sorted(period for column, period in spans.items() if column not in whole)
    if len(whole) != 1 or len(months) != 12:
        return
    follow = all(
        before.end is not None and after.start == before.end + timedelta(days=1)
        for before, after in pairwise(months)
    )
    (column,) = whole
    said, last = found[column], months[-1].end
    if said is None or last is None or not follow:
        return
    if said.year in (months[0].start.year, last.year):
        yield column
