"""JSON as it is written: numbers by their digits, and a key that stands there twice is not lost.

What cannot be one value (a number beyond all arithmetic, an object with one key twice) stays what
it was, so that the record around it can be told and the file around that written again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias

Record: TypeAlias = dict[str, Any]

_DIGITS: Final = 60
"""More than an amount can have, and few enough to reckon with."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """A number that is none for our purposes, by its text."""

    text: str

    def __str__(self) -> str:
        return self.text if len(self.text) <= 40 else f"{self.text[:40]}…"


class Repeated(dict[str, Any]):
    """An object in which `key` stands more than once; as a mapping it has the last value."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs
        keys = [key for key, _ in pairs]
        self.key = next(key for key in keys if keys.count(key) > 1)


def parse(text: str) -> Any:
    """The value that `text` spells; raises `ValueError` (a `JSONDecodeError` with the place)."""
    return _DECODER.decode(text)


def repeated(value: Any) -> str | None:
    """The first key that stands twice in an object of `value`, at whatever depth."""
    left = [value]
    while left:  # not by calls: what is nested deeply may be read, and must not stop all others
        each = left.pop()
        if isinstance(each, Repeated):
            return each.key
        if isinstance(each, dict):
            left.extend(each.values())
        elif isinstance(each, list):
            left.extend(each)
    return None


def written(value: Any, indent: str | None = None) -> str:
    """`value` as JSON with its numbers as they were written; an object a line inside `indent`."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Beyond):
        return value.text
    if isinstance(value, dict):
        pairs = value.pairs if isinstance(value, Repeated) else value.items()
        inner = [f"{_text(key)}: {written(each)}" for key, each in pairs]
        if indent is None:
            return "{" + ", ".join(inner) + "}"
        return (
            f"{indent}{{\n" + ",\n".join(f"{indent * 2}{each}" for each in inner) + f"\n{indent}}}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return _text(value)


def shown(value: Any) -> str:
    """`value` as a message quotes it, cut where it is long."""
    try:
        said = json.dumps(value, default=str, ensure_ascii=False)
    except RecursionError:
        said = "[[[[…"
    return said if len(said) <= 40 else f"{said[:40]}…"


def _text(value: Any) -> str:
    """JSON of a plain value; half a surrogate pair stays the escape that it was."""
    said = json.dumps(value, ensure_ascii=False)
    try:
        said.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return said


def _object(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Repeated(pairs)


def _fraction(text: str) -> Decimal | Beyond:
    try:
        value = Decimal(text)
    except ArithmeticError:
        return Beyond(text)
    whole = value.as_tuple()
    span = max(len(whole.digits), abs(value.adjusted()), abs(int(whole.exponent)))
    return value if span <= _DIGITS else Beyond(text)


def _whole(text: str) -> int | Beyond:
    return int(text) if len(text) <= _DIGITS else Beyond(text)


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not a number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_fraction, parse_int=_whole, parse_constant=_no_number
)
