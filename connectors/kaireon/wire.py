"""KaireonAI on the wire: the shapes that it answers and takes, and what its words mean to us."""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from canonical.errors import CanonicalError
from canonical.period import Cadence, Period, period_of
from connectors.calling.parsing import begun, known
from connectors.contract.errors import Malformed

PATH = "/budgets"
OFFERS = "/offers"
GLOBAL = "global"


class KaireonRow(BaseModel):
    """A budget allocation as answered: unknown fields are ignored."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, validate_by_name=True
    )

    id: str
    name: str
    scope: str
    scope_id: str | None = None
    period_type: str
    period_key: str
    max_spend: Decimal | None = None
    max_impressions: int | None = None
    max_conversions: int | None = None
    created_at: str | None = None

    @property
    def period(self) -> Period:
        """The days that the key names; raises `Malformed` where it names none of its type."""
        return period_said(self.period_type, self.period_key)


class KaireonRowWrite(BaseModel):
    """A budget allocation as sent: a field that is not theirs is our mistake."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, validate_by_name=True
    )

    id: str | None = None
    name: str | None = None
    scope: str | None = None
    scope_id: str | None = None
    period_type: str | None = None
    period_key: str | None = None
    max_spend: Decimal | None = None
    max_impressions: int | None = None
    max_conversions: int | None = None

    def body(self) -> dict[str, Any]:
        """What was set, and nothing else."""
        return self.model_dump(by_alias=True, exclude_unset=True)


CADENCE = {
    "daily": Cadence.DAILY,
    "weekly": Cadence.WEEKLY,
    "monthly": Cadence.MONTHLY,
    "quarterly": Cadence.QUARTERLY,
}
OFFER = "offer"
SCOPES = ("category", "channel", OFFER)
COUNT_FIELD = {"impressions": "max_impressions", "conversions": "max_conversions"}
LIMIT_FIELDS = ("max_spend", *COUNT_FIELD.values())
"""Where several limits are set, the first of these is the amount."""

_KEYS = {
    Cadence.DAILY: re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"),
    Cadence.WEEKLY: re.compile(r"(?P<year>\d{4})-W(?P<week>\d\d)"),
    Cadence.MONTHLY: re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)"),
    Cadence.QUARTERLY: re.compile(r"(?P<year>\d{4})-Q(?P<quarter>[1-4])"),
}


def key_of(cadence: Cadence, day: date) -> str:
    """The key of the period that holds `day`: 2026-03-18, 2026-W12, 2026-03 or 2026-Q1."""
    if cadence is Cadence.DAILY:
        return day.isoformat()
    if cadence is Cadence.WEEKLY:
        year, week, _ = day.isocalendar()
        return f"{year:04}-W{week:02}"
    if cadence is Cadence.MONTHLY:
        return f"{day.year:04}-{day.month:02}"
    return f"{day.year:04}-Q{(day.month + 2) // 3}"


@lru_cache(maxsize=4096)
def period_named(cadence: Cadence, key: str) -> Period:
    """The period of that key; raises `Malformed` for one that the cadence does not have."""
    found = _KEYS[cadence].fullmatch(key)
    try:
        if found is None:
            raise ValueError(key)
        part = {name: int(digits) for name, digits in found.groupdict().items()}
        if "week" in part:
            day = date.fromisocalendar(part["year"], part["week"], 1)
        else:
            month = part.get("month", part.get("quarter", 1) * 3)
            day = date(part["year"], month, part.get("day", 1))
        return period_of(cadence, day)
    except (ValueError, CanonicalError):
        raise Malformed(f"periodKey is {begun(key)}, which is no {cadence} period") from None


def period_said(period_type: Any, key: Any) -> Period:
    """The period that a row says; raises `Malformed` where it says none."""
    cadence = known(CADENCE, period_type, "periodType")
    if not isinstance(key, str):
        raise Malformed(f"periodKey is {begun(key)}, which is no {cadence} period")
    return period_named(cadence, key)


def page_of(answer: Any) -> Any:
    """An answer's rows, and the token of what follows, in each of the shapes that lists have here.

    {"budgets", "count"} is the documented one; {"data", "pagination"} is that of other lists.
    """
    if not isinstance(answer, dict):
        return answer
    said = answer.get("pagination") or answer
    token = said.get("nextCursor") or said.get("cursor")
    if said.get("hasMore") and not token:
        raise Malformed("the answer says that there is more, and not where")
    rows = answer.get("budgets", answer.get("data"))
    return {"rows": rows, "next": token if said.get("hasMore") else None}


def count_of(answer: Any) -> int | None:
    """How many rows an answer says there are, in it or altogether; it does not say which."""
    said = answer.get("pagination") or answer
    return said.get("count", said.get("total", answer.get("count")))  # type: ignore[no-any-return]
