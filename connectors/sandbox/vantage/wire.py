"""Vantage's requests and answers field by field, and how it refuses.

Source: the schemas of the OpenAPI document of August 2026.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from connectors.sandbox import fields
from connectors.sandbox.api import Refused, reply
from connectors.sandbox.fields import Shape, count, listed, shapes, whole
from connectors.sandbox.state import Row

CREATED = "2024-07-11T20:22:48Z"


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _days(value: Any) -> bool:
    """A number of days written as text; an empty one says none."""
    return value == "" or (isinstance(value, str) and count(value, 10**6) is not None)


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
        duration_in_days    required optional days
        period_to_track     optional optional tracked
        recipient_channels  optional optional texts
        """,
        text=_text,
        texts=listed(_text),
        percent=whole(0, 2**31 - 1),
        days=_days,
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


def as_of_old(alert: Row) -> Row:
    """An alert as the older pages show it: numbers as text, and "" for an empty list."""
    texts = {
        "threshold": str(alert["threshold"]),
        "duration_in_days": str(alert["duration_in_days"] or ""),
    }
    lists = ("user_tokens", "recipient_channels")
    return alert | texts | {name: alert[name] or "" for name in lists}


def error(status: int, message: str) -> Response:
    """A list of texts, without a code or a field."""
    return reply({"errors": [message]}, status)


def invalid(message: str, status: int = 400) -> Refused:
    """To be raised where a request is wrong."""
    return Refused(error(status, message))
