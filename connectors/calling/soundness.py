"""Soundness of answers: texts that a state can hold, numbers that can be reckoned with.

A vendor's record may hold anything that JSON can say. An id with a control character, a text with
U+0000 and a number beyond all arithmetic make it a record that cannot be read; from other texts
the characters that nobody sees are left out.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from typing import Any, Final

from msgspec import Struct

from canonical.text import Unkept, kept, told
from connectors.contract.errors import Malformed

_DIGITS: Final = 40
_MOST: Final = 10**_DIGITS
_RECKONED = Context(prec=_DIGITS, traps=[Inexact, InvalidOperation])
_PLAIN: Final = frozenset({bool, type(None), date, datetime})
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ID = re.compile(r"(^|_)(id|token|uuid|key|ref)s?$|(Id|Uuid|Key|Ref)s?$")
_HINTS: Final = (b"\\u", b"\\b", b"\\f", b"\x7f", b"\xc2")
"""In the bytes of JSON, how all odd characters begin, and a few others."""


def suspicious(raw: bytes) -> bool:
    """Whether the JSON may hold an odd character; a cheap look."""
    return any(hint in raw for hint in _HINTS)


def is_sound(wire: Any) -> bool:
    """Whether all that was read of a record can be kept and reckoned with.

    Made for every record of every listing, so it goes by exact types and does not call itself.
    """
    left = [wire]
    while left:
        value = left.pop()
        kind = type(value)
        if kind is str:
            if not value.isprintable() and _ODD.search(value):
                return False
        elif kind is Decimal:
            if not _is_reckoned(value):
                return False
        elif kind is int:
            if not -_MOST < value < _MOST:
                return False
        elif kind is list or kind is tuple:
            left.extend(value)
        elif kind not in _PLAIN:
            left.extend(_inner(value).values())
    return True


def ensure_sound(value: Any, field: str = "") -> None:
    """Raises `Malformed` naming the first field that is not sound."""
    for name, each in _inner(value).items():
        ensure_sound(each, f"{field}.{name}" if field else f"{name}")
    if isinstance(value, str) and (found := _ODD.search(value)):
        raise Malformed(f"{field}: it should have no character U+{ord(found[0]):04X}")
    if isinstance(value, int | Decimal) and not is_sound(value):
        raise Malformed(f"{field}: it should be a number of at most {_DIGITS} digits")


def cleaned(value: Any, field: str = "") -> Any:
    """The data of a record without the characters that nobody sees, but in ids."""
    if isinstance(value, Mapping):
        return {told(f"{name}"): cleaned(each, f"{name}") for name, each in value.items()}
    if isinstance(value, list):
        return [cleaned(each, field) for each in value]
    if isinstance(value, str) and not _ID.search(field):
        try:
            return kept(value)
        except Unkept:
            return value  # is told where the field is read
    return value


def _is_reckoned(value: int | Decimal) -> bool:
    if isinstance(value, int):
        return -_MOST < value < _MOST
    try:
        _RECKONED.plus(value)
    except DecimalException:
        return False
    return not value.is_finite() or abs(value.adjusted()) <= _DIGITS


def _inner(value: Any) -> Mapping[Any, Any]:
    if hasattr(value, "__pydantic_fields_set__"):
        return value.__dict__  # type: ignore[no-any-return]
    if isinstance(value, Struct):
        return {name: getattr(value, name) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return value
    return dict(enumerate(value)) if isinstance(value, list | tuple) else {}
