"""Limits as they stand in the settings file: shares, numbers of objects, amounts of money, "off".

A share may be joined by what passes in any case: "5%, at least 1" or "10%, at least 500 USD".
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from canonical.currency import exponent
from canonical.errors import CanonicalError

_SHARE: Final = r"[0-9]+(\.[0-9]+)?%"
_SUM: Final = r"[0-9]+(\.[0-9]+)? [A-Za-z]+"
_SUMS: Final = rf"{_SUM}(, {_SUM})*"
_COUNT_FORM: Final = rf"^(off|[0-9]+|{_SHARE}(, at least [0-9]+)?)$"
_MONEY_FORM: Final = rf"^(off|{_SUMS}|{_SHARE}(, at least {_SUMS})?)$"
_PERCENT_FORM: Final = rf"^(off|{_SHARE})$"


def ensure_ceiling(rule: str, text: str) -> None:
    """Raises `ValueError` unless the guard's rule may have that limit, as in the settings."""
    form = _CEILINGS.get(rule)
    if form is None:
        raise ValueError(
            f"{rule} has no limit that could be another; --allow {rule} switches it off"
        )
    form(text)


def _count(raw: Any) -> str:
    text = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
    right = 'a share such as "30%", one with a number of objects such as "5%, at least 1", '
    return _matching(_COUNT_FORM, text, right + 'a number such as 3, nor "off"')


def _money(raw: Any) -> str:
    right = 'a share such as "30%", one with an amount such as "10%, at least 500 USD", '
    right += 'an amount such as "5000 USD", nor "off"'
    if isinstance(raw, int) and not isinstance(raw, bool):
        raise ValueError(f"{raw} is not {right}; an amount names its currency")
    text = _matching(_MONEY_FORM, raw, right)
    for unit in re.findall(r" ([A-Za-z]+)(?:,|$)", text.replace("at least ", "")):
        try:
            exponent(unit)
        except CanonicalError as error:
            raise ValueError(f'"{text}": {error}') from None
    return text


def _percent(raw: Any) -> str:
    return _matching(_PERCENT_FORM, raw, 'a share such as "30%", nor "off"')


def _matching(form: str, text: Any, right: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"this is not {right}")
    if not re.fullmatch(form, text):
        raise ValueError(f'"{text}" is not {right}')
    return text


_CEILINGS: Final[Mapping[str, Callable[[Any], str]]] = {
    "max_changes": _count,
    "max_removals": _count,
    "max_money": _money,
    "max_budget_change": _money,
    "min_listing": _percent,
}

CountLimit = Annotated[
    str,
    BeforeValidator(_count),
    Field(
        json_schema_extra={
            "type": ["string", "integer"],
            "pattern": _COUNT_FORM,
            "minimum": 0,
            "examples": ["5%, at least 1", "5%", 3, "off"],
        }
    ),
]
MoneyLimit = Annotated[
    str,
    BeforeValidator(_money),
    Field(
        json_schema_extra={
            "pattern": _MONEY_FORM,
            "examples": ["10%, at least 500 USD", "10%", "5000 USD", "off"],
        }
    ),
]
Percent = Annotated[
    str, BeforeValidator(_percent), Field(json_schema_extra={"pattern": _PERCENT_FORM})
]
