"""Vantage's periods: how they are stored and shown, and what several budgets make together.

Source: the schemas and samples of the OpenAPI document of August 2026.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from connectors.sandbox.state import Row
from connectors.sandbox.vantage.wire import invalid

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """One period with its monthly amount; an `end` of None never comes."""

    start: date
    end: date | None
    amount: Decimal


def spans(periods: Iterable[Row]) -> list[Span]:
    """Periods as they are sent or stored, in time order."""
    found = [
        Span(
            date.fromisoformat(each["start_at"]),
            date.fromisoformat(each["end_at"]) if each.get("end_at") else None,
            Decimal(str(each["amount"])),
        )
        for each in periods
    ]
    return sorted(found, key=lambda span: span.start)


def written(held: Iterable[Span], open_end: str) -> list[Row]:
    """Periods as they are answered: amounts as text with at least one digit after the point."""
    rows = []
    for span in held:
        digits = f"{span.amount.normalize():f}"
        row: Row = {"start_at": span.start.isoformat(), "end_at": None}
        if span.end:
            row["end_at"] = span.end.isoformat()
        elif open_end == "empty":
            row["end_at"] = ""
        elif open_end == "absent":
            del row["end_at"]
        rows.append(row | {"amount": digits if "." in digits else f"{digits}.0"})
    return rows


def overlapping(periods: Iterable[Row]) -> bool:
    """Whether two periods share a day."""
    return any(
        before.end is None or after.start <= before.end
        for before, after in pairwise(spans(periods))
    )


def summed(held: Iterable[Span]) -> Iterator[Span]:
    """What a hierarchical budget's children make together, stretch by stretch."""
    held = list(held)
    days = {span.start for span in held} | {span.end + _DAY for span in held if span.end}
    for day, following in pairwise([*sorted(days), None]):
        assert day is not None
        open_now = [
            span for span in held if span.start <= day and (not span.end or day <= span.end)
        ]
        if open_now:
            end = following - _DAY if following else None
            yield Span(day, end, sum((span.amount for span in open_now), Decimal(0)))


def performance(held: Iterable[Span]) -> list[Row | None]:
    """A row per month from the newest back to the first; months without a period are null."""
    months: dict[tuple[int, int], Row] = {}
    for span in held:
        year, month = span.start.year, span.start.month
        last = span.end or span.start
        while (year, month) <= (last.year, last.month):
            named = f"{date(year, month, 1):%B, %Y}"
            (amount,) = (row["amount"] for row in written([span], "null"))
            months[year, month] = {"date": named, "actual": "0%", "amount": amount}
            year, month = year + month // 12, month % 12 + 1
    if not months:
        return []
    (year, month), last_month, rows = min(months), max(months), list[Row | None]()
    while (year, month) <= last_month:
        rows.append(months.get((year, month)))
        year, month = year + month // 12, month % 12 + 1
    return rows[::-1]


def stored(before: list[Row], said: list[Row], replaces: bool) -> list[Row]:
    """What a write leaves of the periods `before`: a PUT `replaces` them, or merges by start."""
    starts = {each["start_at"] for each in said}
    kept = [] if replaces else before
    merged = [each for each in kept if each["start_at"] not in starts] + said
    if any(span.end and span.end < span.start for span in spans(merged)):
        raise invalid("end_at is before start_at")
    if len(starts) < len(said) or overlapping(merged):
        raise invalid("periods overlap", 422)
    return written(spans(merged), "null")


def in_whole_months(said: Iterable[Row], widens: bool) -> list[Row]:
    """Periods from the first to the last day of a month: others are widened, or refused."""
    found = []
    for span in spans(said):
        start = span.start.replace(day=1)
        end = span.end and (span.end.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY
        if not widens and (start, end) != (span.start, span.end):
            raise invalid("periods are whole months", 422)
        found.append(Span(start, end, span.amount))
    return written(found, "null")
