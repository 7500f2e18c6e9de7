"""The days that a text stands for: a header, a date, a period's number in a fiscal year.

Raises `Wrong` for what is no period, and `Unsettled` for what a person has to say something about.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from canonical.period import Period
from connectors.layouts.calendars import Calendar, UnknownName, around, ending, label, month
from connectors.layouts.dates import Ambiguous, DateForm
from connectors.layouts.language import Layout
from connectors.layouts.periods import Named, gaps, named, year_in, years_in
from connectors.layouts.questions import Question
from connectors.layouts.settled import Unsettled
from connectors.layouts.stored import serial
from connectors.rows.layout import Wrong

_SERIAL = re.compile(r"[2-7][0-9]{4}(\.0+)?")
_STEPS: Final = {1: "month", 3: "quarter", 12: "year"}


class Meaning:
    """What texts about periods mean under one layout; `headers` are those of all columns."""

    def __init__(self, layout: Layout, headers: Sequence[Named | None]) -> None:
        self._layout, self._headers = layout, headers
        self._said = layout.periods
        self.form = DateForm(layout.dates)
        self.calendar = Calendar(layout.fiscal)

    def forget(self) -> None:
        """Begin anew to note what is taken for granted."""
        self.calendar = Calendar(self._layout.fiscal)

    def counted(self, begins: str, order: int) -> Period:
        """The nth of columns that all have one name."""
        if isinstance(self._said.begins, date):
            first = self._said.begins
        elif begins:
            first = self.day(begins)
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

    def between(self, start: str, end: str) -> Period:
        first = self.day(start)
        if not end:
            return around(first, self._said.step or "month")
        last = self.day(end)
        if last < first:
            raise Wrong(None, f"the period ends on {last}, before its start {first}")
        return Period(first, last)

    def of_text(self, text: str, year: str | None) -> Period:
        said = named(text, self._said.headers, year is not None)
        if said is None:
            raise Wrong(None, f"{text!r} names no period; periods.headers says how it is written")
        return self.of_named(said, year, None)

    def numbered(self, text: str, year: str) -> Period:
        digits = re.fullmatch(r"\D{0,3}0*([0-9]{1,3})(?:\.0+)?", text)
        if digits is None:
            raise Wrong(None, f"{text!r} is no number of a period")
        number = int(digits[1])
        calendar, called = self._year(year)
        try:
            if self._said.step == "quarter":
                return calendar.quarter(called, number)
            return calendar.period(called, number)
        except UnknownName:
            raise self._name_question(called) from None

    def of_named(self, said: Named, year: str | None, column: int | None) -> Period:
        if said.length > 1:
            last = self.of_named(replace(said, length=1), year, None)
            return ending(last, said.length)
        if said.day is not None:
            return self._of_day(self.day(said.day), column)
        calendar, number = self.calendar, said.year
        if number is None:
            calendar, number = self._year(year or "")
        try:
            if said.month is not None:
                return self._month(said, calendar, number)
            if said.quarter is not None:
                return calendar.quarter(number, said.quarter)
            if said.number is not None:
                return calendar.period(number, said.number)
            return calendar.year(number)
        except UnknownName:
            raise self._name_question(number) from None

    def _month(self, said: Named, calendar: Calendar, year: int) -> Period:
        """A month by its name: of the calendar year that stands beside it, or of a fiscal one."""
        assert said.month is not None
        if said.year is not None:
            return month(year, said.month)
        starts = self._layout.fiscal.starts or 1
        return calendar.period(year, (said.month - starts) % 12 + 1)

    def calendar_year(self, text: str) -> Period:
        """The fiscal year that a text names."""
        calendar, year = self._year(text)
        try:
            return calendar.year(year)
        except UnknownName:
            raise self._name_question(year) from None

    def _year(self, text: str) -> tuple[Calendar, int]:
        """The fiscal year that a text names, and the calendar by which it is called so: 2026/27
        says itself in which years it starts and ends, and that it does not start in January."""
        both = years_in(text)
        if both is None:
            return self.calendar, _one_year(text)
        fiscal = self._layout.fiscal
        if fiscal.weeks or fiscal.begins:
            return self.calendar, both[fiscal.named == "end"]
        if fiscal.starts is None:
            ways = tuple(f"fiscal.starts={number}" for number in (4, 7, 10))
            raise Unsettled(
                Question(f"in which month fiscal year {text} starts", ways, "fiscal.starts")
            )
        if fiscal.starts == 1:
            raise Wrong(None, f"{text!r} is two years, and fiscal.starts = 1 makes it one")
        return Calendar(fiscal.model_copy(update={"named": "start"})), both[0]

    def _name_question(self, year: int) -> Unsettled:
        starts = self._layout.fiscal.starts or 1
        readings = tuple(
            f"{month(year - (word == 'end'), starts, 12)} with fiscal.named={word}"
            for word in ("end", "start")
        )
        return Unsettled(Question(f"which months fiscal year {year} has", readings, "fiscal.named"))

    def day(self, text: str) -> date:
        if _SERIAL.fullmatch(text):
            found = serial(Decimal(text), False, False)
            if isinstance(found, date):
                return found
        day = self.form.read(text)
        if isinstance(day, Ambiguous):
            readings = tuple(f"{each} with dates.order={order}" for order, each in day.readings)
            raise Unsettled(Question(f"which day {text} is", readings, "dates.order"))
        if day is None:
            order = f" in the order {self.form.order}" if self.form.order else ""
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
        days = sorted(self.day(each.day) for each in self._headers if each is not None and each.day)
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

    def spread(self, whole: Period) -> tuple[Period, ...]:
        """The periods among which a yearly amount is spread; itself where it is not."""
        if not self._said.spread:
            return (whole,)
        fiscal, count = self._layout.fiscal, len(self._said.spread)
        calendar = Calendar(fiscal.model_copy(update={"named": fiscal.named or "start"}))
        for year in (whole.start.year, whole.start.year + 1):
            if fiscal.weeks and str(year) not in fiscal.begins:
                continue
            parts = calendar.all(year, count)
            if (parts[0].start, parts[-1].end) == (whole.start, whole.end):
                return tuple(parts)
        raise Wrong(None, f"{label(whole)} is no fiscal year, which periods.spread is for")


def _one_year(text: str) -> int:
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
