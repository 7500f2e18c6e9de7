"""KaireonAI's requests field by field, and the form of each period's key.

Source: the tables of docs.kaireonai.com/api-reference/budgets. The form of a week's key and that a
limit is not negative are not documented.
"""

import re
from decimal import Decimal
from typing import Any

from connectors.sandbox.fields import flag, shapes, whole

_KEYS = {
    "daily": r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])",
    "weekly": r"\d{4}-W(0[1-9]|[1-4]\d|5[0-3])",
    "monthly": r"\d{4}-(0[1-9]|1[0-2])",
    "quarterly": r"\d{4}-Q[1-4]",
}


def fits(period_type: str, key: str) -> bool:
    """Whether a key has the form of its type."""
    return re.fullmatch(_KEYS[period_type], key) is not None


def _text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _name(value: Any) -> bool:
    return _text(value) and len(value) <= 255


def _word(*words: str) -> Any:
    return lambda value: value in words


def _money(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not flag(value) and value >= 0


CREATE, UPDATE = shapes(
    """
    id              no       required text
    name            required optional name
    scope           optional optional scope
    scopeId         optional optional text
    periodType      optional optional period
    periodKey       required optional text
    maxImpressions  optional optional count
    maxSpend        optional optional money
    maxConversions  optional optional count
    """,
    text=_text,
    name=_name,
    scope=_word("global", "category", "offer", "channel"),
    period=_word(*_KEYS),
    count=whole(0, 2**53),
    money=_money,
)
