"""Days as files write them, and the names of months.

Three numbers are a day in one order or another. What no layout says is decided by a date that has
one reading only, or not at all: then the days are `Ambiguous`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, get_args

from connectors.layouts.language import Dates, Order

_TIME = re.compile(r"[ T]\s*[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?\s*([AaPp]\.?[Mm]\.?)?Z?$")
_THREE = re.compile(r"([0-9]{1,4})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,4})")
_COMPACT = re.compile(r"(20[0-9]{2}|19[0-9]{2})([0-9]{2})([0-9]{2})")
_WORDY = re.compile(r"([0-9]{1,2})[-/. ]+([^\W\d_]+)\.?[-/. ,']+([0-9]{4}|[0-9]{2})")
_WORDY_US = re.compile(r"([^\W\d_]+)\.?[-/. ]+([0-9]{1,2})[, ]+([0-9]{4})")
ORDERS: Final[tuple[Order, ...]] = get_args(Order)
_PIVOT: Final = 80

_NAMES: Final = (
    "january jan januar jän jänner janvier janv enero ene janeiro gennaio gen januari",
    "february feb februar février fevrier févr fevr febrero fevereiro fev febbraio februari",
    "march mar märz mär mrz maerz mars marzo março marco maart mrt",
    "april apr avril avr abril abr aprile",
    "may mai mayo maio maggio mag mei",
    "june jun juni juin junio junho giugno giu",
    "july jul juli juillet juil julio julho luglio lug",
    "august aug août aout agosto ago augustus",
    "september sep sept septembre septiembre setembro set settembre",
    "october oct oktober okt octobre octubre outubro out ottobre ott",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre decembre déc diciembre dic dezembro dicembre",
)
_MONTHS: Final = {name: number for number, names in enumerate(_NAMES, 1) for name in names.split()}


def month_named(text: str) -> int | None:
    """The month that a word names, in one of the languages that are known; None for none."""
    return _MONTHS.get(text.casefold().rstrip("."))


def full_year(text: str) -> int:
    """The year written with two digits or four: 26 is 2026, 85 is 1985."""
    year = int(text)
    if len(text) > 2:
        return year
    return year + (2000 if year < _PIVOT else 1900)


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A day with several readings."""

    text: str
    readings: tuple[tuple[Order, date], ...]


@lru_cache(maxsize=8192)
def readings(text: str) -> tuple[tuple[Order | None, date], ...]:
    """Every day that `text` may be, with the order in which it is read; None where order is no
    question."""
    bare = _TIME.sub("", text.strip())
    if found := _COMPACT.fullmatch(bare):
        return _only(_day(int(found[1]), int(found[2]), int(found[3])))
    if found := _WORDY.fullmatch(bare):
        month = month_named(found[2])
        return _only(_day(full_year(found[3]), month or 0, int(found[1])))
    if found := _WORDY_US.fullmatch(bare):
        month = month_named(found[1])
        return _only(_day(full_year(found[3]), month or 0, int(found[2])))
    found = _THREE.fullmatch(bare)
    if not found:
        return ()
    return tuple(_orders(found[1], found[2], found[3]))


def _only(day: date | None) -> tuple[tuple[Order | None, date], ...]:
    return () if day is None else ((None, day),)


def _orders(first: str, second: str, third: str) -> Iterable[tuple[Order | None, date]]:
    if len(first) == 4:
        if (day := _day(int(first), int(second), int(third))) and len(third) < 3:
            yield None, day
        return
    if len(first) > 2 or len(third) == 3:
        return
    tried: tuple[tuple[Order, tuple[str, str, str]], ...] = (
        ("dmy", (third, second, first)),
        ("mdy", (third, first, second)),
        ("ymd", (first, second, third)),
    )
    for order, (year, month, number) in tried:
        fits = len(number) < 3 and (order != "ymd" or len(first) == len(third) == 2)
        if fits and (day := _day(full_year(year), int(month), int(number))):
            yield order, day


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


@dataclass(slots=True)
class DateForm:
    """Reads the days of one file; `learn` first what all of its texts are."""

    said: Dates
    order: Order | None = None
    decided_by: str | None = None
    contradicted: bool = False
    year_first: bool = False
    """Whether the first of three numbers may be the year, as in 26-01-31."""
    _odd: list[str] = field(default_factory=list)

    def learn(self, texts: Iterable[str]) -> None:
        """Settle the order by what the texts can be; `decided_by` is the text that did."""
        open_: list[dict[Order, date]] = []
        for text in texts:
            found = {order: day for order, day in readings(text) if order is not None}
            if found:
                open_.append(found)
                if self.decided_by is None and _sure(found) is not None:
                    self.decided_by, self.order = text, _sure(found)
        if self.said.order:
            self.order, self.decided_by = self.said.order, None
        elif self.order is not None and _rather_year_first(self.order, open_):
            self.order, self.decided_by, self.year_first = None, None, True
        elif self.order is None and self.said.likely:
            self.contradicted = _rather_another(self.said.likely, open_)
            self.order = None if self.contradicted else self.said.likely

    def read(self, text: str) -> date | Ambiguous | None:
        """The day; `Ambiguous` where nothing decides, None where it is none in this order."""
        found = readings(text)
        orders = dict(found)
        if None in orders:
            return orders[None]
        if self.order is not None:
            return orders.get(self.order)
        usual = {
            order: day
            for order, day in orders.items()
            if order and (order != "ymd" or self.year_first)
        }
        if len(set(usual.values())) == 1:
            return next(iter(usual.values()))
        if not usual:
            return None
        return Ambiguous(text, tuple((order, day) for order, day in usual.items()))


def _sure(found: dict[Order, date]) -> Order | None:
    """The order of a text that is a day in one of the usual orders only."""
    usual = [order for order in found if order != "ymd"]
    return usual[0] if len(usual) == 1 else None


def _rather_year_first(order: Order, days: list[dict[Order, date]]) -> bool:
    """Whether the days begin or end months with the year first, and do not in that order."""
    if order == "ymd" or not all("ymd" in each for each in days):
        return False
    first = all(_at_an_end(each["ymd"]) for each in days)
    return first and not all(order in each and _at_an_end(each[order]) for each in days)


def _at_an_end(day: date) -> bool:
    return day.day == 1 or (day + timedelta(days=1)).day == 1


def _rather_another(likely: Order, days: list[dict[Order, date]]) -> bool:
    """Whether the days look made in another order: first days of months there, and not here."""
    here = [each[likely] for each in days if likely in each]
    if len(here) < len(days):
        return True
    for other in ORDERS:
        there = [each[other] for each in days if other in each]
        same = len(there) == len(days) and len(set(there)) > 1
        if other not in (likely, "ymd") and same and all(each.day == 1 for each in there):
            return not all(each.day == 1 for each in here)
    return False
