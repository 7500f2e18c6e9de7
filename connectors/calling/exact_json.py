"""JSON whose numbers stay what they are: a fraction is read as `Decimal` and written as its digits.

No amount ever passes through a float, on the way in or out.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from json import JSONDecodeError, JSONDecoder, dumps
from typing import Any, Final, NoReturn

import msgspec

from connectors.calling.soundness import suspicious

UNREADABLE: Final = (ValueError, ArithmeticError, RecursionError)
"""What `read` raises for bytes that are no JSON."""


def read(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8; raises `UNREADABLE`.

    A number beyond all arithmetic is read as NaN, which no field takes: it is one record's fault.
    """
    text = raw.decode("utf-8-sig")
    try:
        return _DECODER.decode(text)
    except JSONDecodeError:
        raise
    except (ValueError, ArithmeticError):
        return _PATIENT.decode(text)


class _Listing(msgspec.Struct):
    """A page of which only the token is looked at; an absent one is as good as null."""

    items: list[msgspec.Raw]
    next_cursor: str | None = None


def listing(raw: bytes) -> Any:
    """As `read`, but each of the page's `items` stays the bytes that it came in.

    For vendors whose pages hold a thousand records: each is then decoded once, straight into its
    shape (`parsing.decoded`), and in a fifth of the time. A page with anything unusual in it is
    read as any other answer, and so is an item that may hold an odd character.
    """
    try:
        page = _PAGES.decode(raw)
    except msgspec.DecodeError:
        return read(raw)
    items: list[Any] = page.items
    if suspicious(raw):
        items = [read(bytes(each)) if suspicious(bytes(each)) else each for each in items]
    return {"items": items, "next_cursor": page.next_cursor}


def written(value: Any) -> str:
    """JSON text of `value`, in ASCII. A date is its ISO text; a float is refused."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"{value} cannot be written as JSON")
        return f"{value:f}"
    if isinstance(value, date):
        return f'"{value.isoformat()}"'
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{dumps(str(k))}:{written(v)}' for k, v in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(written, value))}]"
    if value is None or isinstance(value, str | int):
        return dumps(value)
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


def _number(text: str) -> Decimal | int:
    try:
        return Decimal(text) if set(text) & set(".eE") else int(text)
    except (ValueError, ArithmeticError):
        return Decimal("NaN")


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


_PAGES = msgspec.json.Decoder(_Listing)
_PATIENT = JSONDecoder(parse_float=_number, parse_int=_number, parse_constant=_refuse_constant)
_DECODER = JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)
