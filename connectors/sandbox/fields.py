"""What a request body may hold, written as a table of fields, so that it reads as a vendor's page.

One line per field: its name, what a create makes of it, what an update makes of it (`required`,
`optional`, which may also be null, or `no`), and its type: the name of a check in small letters, or
the allowed words in capitals with `|` between them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from canonical.currency import COUNTS, exponent
from canonical.errors import UnknownUnit

Check: TypeAlias = Callable[[Any], bool]


def flag(value: Any) -> bool:
    """true or false."""
    return isinstance(value, bool)


def day(value: Any) -> bool:
    """A date written YYYY-MM-DD."""
    try:
        return date.fromisoformat(value) == date(*map(int, value.split("-")))
    except (TypeError, ValueError):
        return False


def currency(value: Any) -> bool:
    """An ISO 4217 code."""
    try:
        exponent(value)
    except (AttributeError, TypeError, UnknownUnit):
        return False
    return value not in COUNTS


def count(text: str, most: int) -> int | None:
    """A query's number from 1 to `most`, None where it is not one; however long it is."""
    small = text.isascii() and text.isdecimal() and len(text) <= 9
    return int(text) if small and 1 <= int(text) <= most else None


def whole(low: int, high: int) -> Check:
    """A JSON number without a fraction, from `low` to `high`."""

    def check(value: Any) -> bool:
        return isinstance(value, int) and not flag(value) and low <= value <= high

    return check


def listed(each: Check) -> Check:
    """A list of such values."""
    return lambda value: isinstance(value, list) and all(map(each, value))


def one_of(words: str) -> Check:
    """One of the words that stand between the `|`."""
    known = words.split("|")
    return lambda value: value in known


@dataclass(frozen=True, slots=True)
class Shape:
    """An object's fields; itself a check, for an object within another."""

    checks: Mapping[str, Check]
    required: frozenset[str]

    def wrong(self, body: Any) -> str | None:
        """The first field that is missing, unknown or mistyped; "body" if this is no object."""
        if not isinstance(body, dict):
            return "body"
        for name in self.checks:
            if name in self.required and body.get(name) is None:
                return name
        for name, value in body.items():
            if name not in self.checks or not (value is None or self.checks[name](value)):
                return str(name) or '""'  # an empty name is wrong too, and has to read so
        return None

    def __call__(self, value: Any) -> bool:
        return self.wrong(value) is None


def shapes(table: str, **types: Check) -> tuple[Shape, Shape]:
    """What a create and what an update may hold, from a table as described above.

    A field has two lines where its type differs between them.
    """
    rows = [line.split() for line in table.strip().splitlines()]
    return _shape(rows, 1, types), _shape(rows, 2, types)


def _shape(rows: list[list[str]], column: int, types: Mapping[str, Check]) -> Shape:
    said = [row for row in rows if row[column] != "no"]
    checks = {row[0]: _check(row[3], types) for row in said}
    return Shape(checks, frozenset(row[0] for row in said if row[column] == "required"))


def _check(kind: str, types: Mapping[str, Check]) -> Check:
    return types[kind] if kind.islower() else one_of(kind)
