"""Vantage's requests and answers field by field, and what its periods make together.

Source: the schemas of the OpenAPI document of August 2026.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from connectors.sandbox import fields
from connectors.sandbox.fields import Shape, listed, shapes, whole
from connectors.sandbox.state import Row

CREATED = "2024-07-11T20:22:48Z"
_DAY = timedelta(days=1)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not fields.flag(value) and value >= 0


_PERIOD, _ = shapes(
    """
    start_at  required no day
    end_at    optional no day
    amount    required no number
    """,
    day=fields.day,
    number=_number,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a create and an update may say, and what is there if nothing was said."""

    create: Shape
    update: Shape
    blank: Row


BUDGET = Kind(
    *shapes(
        """
        name                 required optional text
        workspace_token      optional no       text
        cost_report_token    optional optional text
        child_budget_tokens  optional optional texts
        periods              optional optional periods
        """,
        text=_text,
        texts=listed(_text),
        periods=listed(_PERIOD),
    ),
    {
        "name": None,
        "user_token": None,
        "created_by_token": "team_sandbox",
        "cost_report_token": None,
        "child_budget_tokens": [],
        "periods": [],
    },
)
ALERT = Kind(
    *shapes(
        """
        budget_tokens       required optional texts
        threshold           required optional percent
        user_tokens         optional optional texts
        recipient_emails    optional optional texts
        duration_in_days    required optional text
        period_to_track     optional optional tracked
        recipient_channels  optional optional texts
        """,
        text=_text,
        texts=listed(_text),
        percent=whole(0, 2**31 - 1),
        tracked=fields.one_of("start_of_the_month|end_of_the_month"),
    ),
    {
        "budget_tokens": [],
        "user_token": None,
        "user_tokens": [],
        "recipient_emails": [],
        "duration_in_days": None,
        "threshold": 100,
        "period_to_track": "start_of_the_month",
        "integration_provider": None,
        "recipient_channels": [],
    },
)


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
