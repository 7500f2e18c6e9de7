"""Approval as it stands in the settings file: "never", "always", or over a share or an amount."""

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field

from canonical.currency import exponent
from canonical.errors import CanonicalError
from sync.spec import Limit

_SHARE: Final = r"[0-9]+(\.[0-9]+)?%"
_SUM: Final = r"[0-9]+(\.[0-9]+)? [A-Za-z]+"
_OVER: Final = rf"over ({_SHARE}|{_SUM})(, {_SUM})*"
_FORM: Final = rf"^(never|always|{_OVER})$"
_RIGHT: Final = (
    '"never", "always", a share such as "over 10%", an amount such as "over 5000 USD", nor both, '
    'such as "over 10%, 5000 USD"'
)


def over_of(text: str) -> Limit | None:
    """What passes without an approval; None where nothing does. Not for "never"."""
    if text == "always":
        return None
    parts = text.removeprefix("over ").split(", ")
    share = Decimal(parts.pop(0)[:-1]) / 100 if parts[0].endswith("%") else None
    sums = [each.split(" ") for each in parts]
    return Limit(share, 0, {unit: Decimal(amount) for amount, unit in sums})


def _approval(raw: Any) -> str:
    if not isinstance(raw, str) or not re.fullmatch(_FORM, raw):
        said = f'"{raw}"' if isinstance(raw, str) else "this"
        raise ValueError(f"{said} is not {_RIGHT}")
    named = re.findall(r"[0-9] ([A-Za-z]+)", raw)
    for unit in named:
        try:
            exponent(unit)
        except CanonicalError as error:
            raise ValueError(f'"{raw}": {error}') from None
        if named.count(unit) > 1:
            raise ValueError(f'"{raw}" names {unit} twice')
    return raw


ApprovalWord = Annotated[
    str,
    BeforeValidator(_approval),
    Field(
        json_schema_extra={
            "pattern": _FORM,
            "examples": ["never", "always", "over 10%", "over 5000 USD", "over 10%, 5000 USD"],
        }
    ),
]
