"""Calendars: which days a month, a quarter, a fiscal year or its nth period has.

A fiscal year starts in any month; or it is cut into weeks (4-4-5) and starts on a day of its own.
"""

from calendar import monthrange
from datetime import date, timedelta

from canonical.errors import CanonicalError
from canonical.period import Period, add_months
from connectors.layouts.language import Fiscal
from connectors.rows.layout import Wrong

MONTHS = {"month": 1, "quarter": 3, "year": 12}


def month(year: int, number: int, length: int = 1) -> Period:
    """So many months from that one on; raises `Wrong` where no calendar has them."""
    try:
        first = date(year, number, 1)
        return Period(first, add_months(first, length) - timedelta(days=1))
    except (CanonicalError, ValueError):
        raise Wrong(None, f"{year}-{number:02d} is at the end of the calendar, no time") from None


def ending(last: Period, months: int) -> Period:
    """So many months, of which `last` is the last one; raises `Wrong` as `month` does."""
    try:
        return Period(add_months(last.start, 1 - months), last.end)
    except CanonicalError:
        raise Wrong(None, f"{last.start} is at the begin of the calendar, no time") from None


def around(day: date, step: str) -> Period:
    """The calendar month, quarter or year that holds `day`."""
    length = MONTHS[step]
    return month(day.year, (day.month - 1) // length * length + 1, length)


def label(period: Period) -> str:
    """How a period is called: 2026-01, 2026-Q1, 2026, or its first and last day."""
    start, end = period.start, period.end
    if end is None:
        return f"{start}/"
    whole = start.day == 1 and end.day == monthrange(end.year, end.month)[1]
    if whole and start.year == end.year:
        months = end.month - start.month + 1
        if months == 1:
            return f"{start.year:04d}-{start.month:02d}"
        if months == 3 and start.month % 3 == 1:
            return f"{start.year:04d}-Q{start.month // 3 + 1}"
        if months == 12:
            return f"{start.year:04d}"
    return f"{start}/{end}"


class UnknownName(Wrong):
    """A fiscal year whose name may be that of the year in which it starts, or ends."""


class Calendar:
    """A fiscal calendar; where the layout does not say, the year starts in January."""

    def __init__(self, said: Fiscal) -> None:
        self._said = said
        self._starts = said.starts or 1
        self.taken_for_granted = False
        """Whether a period was counted from a January that nobody named."""

    def year(self, year: int) -> Period:
        """The fiscal year of that name."""
        if self._said.weeks:
            first = self._begin(year)
            return Period(first, self._next(year) - timedelta(days=1))
        first = self._first_month(year)
        return Period(first, add_months(first, 12) - timedelta(days=1))

    def quarter(self, year: int, number: int) -> Period:
        """Its nth quarter."""
        if not 1 <= number <= 4:
            raise Wrong(None, f"there is no quarter {number}")
        if self._said.weeks:
            parts = [self.period(year, 3 * number - 2), self.period(year, 3 * number)]
            return Period(parts[0].start, parts[1].end)
        first = add_months(self._first_month(year), 3 * (number - 1))
        return Period(first, add_months(first, 3) - timedelta(days=1))

    def period(self, year: int, number: int) -> Period:
        """Its nth month, or period of weeks; raises `Wrong` for one that it does not have."""
        if not 1 <= number <= 12:
            raise Wrong(
                None, f"period {number} is none of the year's twelve; take such rows out by rows"
            )
        if not self._said.weeks:
            first = add_months(self._first_month(year), number - 1)
            return Period(first, add_months(first, 1) - timedelta(days=1))
        weeks = [int(each) for each in self._said.weeks.split("-")] * 4
        first = self._begin(year) + timedelta(weeks=sum(weeks[: number - 1]))
        last = first + timedelta(weeks=weeks[number - 1])
        return Period(first, (self._next(year) if number == 12 else last) - timedelta(days=1))

    def all(self, year: int, count: int) -> list[Period]:
        """The year in so many periods: 1, 4 or 12."""
        if count == 1:
            return [self.year(year)]
        if count == 4:
            return [self.quarter(year, number) for number in range(1, 5)]
        if count == 12:
            return [self.period(year, number) for number in range(1, 13)]
        raise Wrong(None, f"{count} ratios do not go with a year: periods.spread has 4 or 12")

    def _first_month(self, year: int) -> date:
        if str(year) in self._said.begins:
            return self._said.begins[str(year)].replace(day=1)
        if self._said.starts is None:
            self.taken_for_granted = True
        if self._starts == 1:
            return date(year, 1, 1)
        if self._said.named is None:
            raise UnknownName(
                None,
                f"fiscal year {year} may start in {year} or in {year - 1}; "
                'fiscal.named = "start" or "end" says which',
            )
        return date(year - (self._said.named == "end"), self._starts, 1)

    def _begin(self, year: int) -> date:
        first = self._said.begins.get(str(year))
        if first is None:
            raise Wrong(
                None,
                f"on which day fiscal year {year} begins is not said; "
                f'write it: fiscal.begins."{year}" = {year}-01-01',
            )
        return first

    def _next(self, year: int) -> date:
        """The day after the fiscal year: where the next begins, else after 52 weeks."""
        after = self._said.begins.get(str(year + 1))
        return after or self._begin(year) + timedelta(weeks=52)
