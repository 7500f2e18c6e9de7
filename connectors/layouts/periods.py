"""The grammar of period headers: "Jan 2026", "2026-01", "Month ended Jan 2026", "Amount 7".

A form is text with places: {mon} a month's name, {m} or {mm} its number, {yyyy} and {yy} the year,
{q} a quarter, {n} a period of the fiscal year, {date} a day. Capitals, blanks and the signs between
words do not matter.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Final

from connectors.layouts.dates import full_year, month_named, readings

_PLACES: Final = {
    "mon": r"(?P<mon>[^\W\d_]+)",
    "m": r"(?P<m>0?[1-9]|1[0-2])",
    "mm": r"(?P<m>0[1-9]|1[0-2])",
    "yyyy": r"(?P<y>19[0-9]{2}|20[0-9]{2})",
    "yy": r"(?P<y>[0-9]{2})",
    "q": r"(?P<q>[1-4])",
    "n": r"(?P<n>0{0,2}[1-9]|0?[12][0-9])",
    "serial": r"(?P<serial>[2-7][0-9]{4})",
    "date": r"(?P<date>[0-9]{1,4} [0-9]{1,2} [0-9]{1,4}( [0-9]{1,2}:[0-9:]+)?( [ap]m)?"
    r"|[0-9]{1,2} [^\W\d_]{3,} [0-9]{2,4}|[^\W\d_]{3,} [0-9]{1,2} [0-9]{4})",
}
KNOWN: Final = (
    "{mon} {yyyy}", "{yyyy} {mon}", "{yyyy} {mm}", "{mm} {yyyy}", "{yyyy} m{mm}", "m{mm} {yyyy}",
    "{yyyy}{mm}", "{mon} {yy}", "{mon}{yy}", "{date}", "q{q} {yyyy}", "{yyyy} q{q}", "{yyyy}q{q}",
    "q{q} fy{yyyy}", "fy{yyyy} q{q}", "fy {yyyy}", "fy{yyyy}", "fy{yy}", "{yyyy}", "amount {n}",
    "period {n}", "period amount {n}", "p{n}", "amount{n}", "period{n}", "periodamount{n}",
)  # fmt: skip
"""What is tried where a layout names no form."""
BARE: Final = ("{mon}", "q{q}")
"""Tried besides, where the year stands elsewhere."""
_AROUND = re.compile(
    r"^(?:(?:month|period|quarter|year)s? (?:end(?:ed|ing)?|of)|budget(?:ed)?|plan(?:ned)?|amount"
    r"|as of|for|net|forecast) (?=.*[0-9])|(?<=[0-9]) (?:budget(?:ed)?|plan(?:ned)?|amount)$"
)
_TWO_YEARS = re.compile(
    r"\D*?((?:19|20)?[0-9]{2})\s*[-/–_]\s*(?:FY\s*)?((?:19|20)?[0-9]{2})\D*", re.IGNORECASE
)
_ENDED = re.compile(r"(?:(?:budget|plan|fiscal) )?(quarter|year)s? end(?:ed|ing|s)?\b")
_LONGEST: Final = 80
_DIGITS: Final = 12
_MAYBE = re.compile(r"[^\W\d_]|\b(19|20)[0-9]{2}|\b[0-9]{1,2} [0-9]{1,2} [0-9]{2,4}\b")
"""What every known form has: a letter, a year, or a date."""
_BETWEEN = re.compile(r"[\s\-–—‐−/._',\u00a0]+")


@dataclass(frozen=True, slots=True)
class Named:
    """What a header says of its period; what it does not say is None."""

    year: int | None = None
    month: int | None = None
    quarter: int | None = None
    number: int | None = None
    day: str | None = None
    """The text of a date, which is read where the order of dates is known."""
    length: int = 1
    """How many months end with the month or the day: 3 for "Quarter ended Mar 2026"."""

    @property
    def needs_year(self) -> bool:
        """Whether the year has to come from elsewhere."""
        return self.day is None and self.year is None


@lru_cache(maxsize=256)
def _form(form: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", form)
    said = []
    for number, part in enumerate(parts):
        if number % 2:
            if part not in _PLACES:
                raise ValueError(
                    f"{{{part}}} is no place of a form; there are {', '.join(_PLACES)}"
                )
            said.append(_PLACES[part])
        else:
            said.append(re.escape(_loose(part)).replace(r"\ ", " "))
    return re.compile(re.sub(" +", " ", "".join(said)).strip())


def _loose(text: str) -> str:
    return _BETWEEN.sub(" ", text.casefold())


def check_form(form: str) -> None:
    """Raises `ValueError` for a form with a place that there is not."""
    _form(form)


@lru_cache(maxsize=8192)
def named(text: str, forms: tuple[str, ...] = (), bare: bool = False) -> Named | None:
    """The period that a header names, by one of `forms`, or of those that are known."""
    loose = _loose(text).strip()
    if not loose or len(loose) > _LONGEST:
        return None
    if not forms and (not _MAYBE.search(loose) or sum(map(str.isdigit, loose)) > _DIGITS):
        return None  # most cells of a file are no header: spare them the forms
    if forms:
        return _ended(loose, _first_said(forms, (loose,)))
    known = (*KNOWN, *BARE) if bare else KNOWN
    within = _AROUND.sub("", loose)
    ways = (loose,) if within == loose else (loose, within)
    if not any(_any_of(known).fullmatch(each) for each in ways):
        return None
    return _ended(loose, _first_said(known, ways))


def _ended(loose: str, said: Named | None) -> Named | None:
    """With its length, where a text speaks of the end of a quarter or a year."""
    found = _ENDED.match(loose)
    if said is None or found is None or (said.month is None and said.day is None):
        return said
    return replace(said, length=3 if found[1] == "quarter" else 12)


def _first_said(forms: Sequence[str], ways: Sequence[str]) -> Named | None:
    """By the first form that one of the texts has and that means a period."""
    for form in forms:
        for text in ways:
            if found := _form(form).fullmatch(text):
                if said := _said(found):
                    return said
                break
    return None


@lru_cache(maxsize=2)
def _any_of(forms: tuple[str, ...]) -> re.Pattern[str]:
    """All forms as one pattern: one look at a text that has none of them."""
    said = "|".join(_form(form).pattern for form in forms)
    return re.compile(re.sub(r"\(\?P<\w+>", "(?:", said))


def _said(found: re.Match[str]) -> Named | None:
    places = found.groupdict()
    if text := places.get("date"):
        return Named(day=text) if readings(text) else None
    if text := places.get("serial"):
        return Named(day=text)
    month = int(places["m"]) if places.get("m") else None
    if places.get("mon"):
        month = month_named(places["mon"])
        if month is None:
            return None
    return Named(
        year=full_year(places["y"]) if places.get("y") else None,
        month=month,
        quarter=int(places["q"]) if places.get("q") else None,
        number=int(places["n"]) if places.get("n") else None,
    )


@lru_cache(maxsize=1024)
def years_in(text: str) -> tuple[int, int] | None:
    """The years in which a fiscal year such as "2026/27", "FY 2026-2027" or "26/27" starts and
    ends; None where the text names no two that follow each other."""
    found = _TWO_YEARS.fullmatch(text)
    if found is None:
        return None
    first, second = full_year(found[1]), full_year(found[2])
    return (first, second) if second == first + 1 else None


@lru_cache(maxsize=1024)
def year_in(text: str) -> int | None:
    """The one year that a text such as "FY 2026", "2026" or "FY26" holds."""
    numbers = re.findall(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])", text)
    if len(set(numbers)) == 1:
        return int(numbers[0])
    short = re.fullmatch(r"\s*(?:FY|fy|Fy)?[\s'’-]*([0-9]{2})\s*", text)
    return full_year(short[1]) if short and not numbers else None


def gaps(days: Sequence[date]) -> set[int | None]:
    """The distances between neighbouring days in whole months; None where one is no such."""
    found: set[int | None] = set()
    for before, after in itertools.pairwise(days):
        months = (after.year - before.year) * 12 + after.month - before.month
        found.add(months if months > 0 else None)
    return found
