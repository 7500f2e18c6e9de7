"""Queries: what a listing of Frappe's is asked for, and which records meet it.

Names are compared as MariaDB does by default, without regard to capitals.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import QueryParams

from connectors.sandbox.state import Row, loads

_ORDER: Final = re.compile(r"`?(?P<field>\w+)`?(\s+(?P<way>asc|desc))?", re.IGNORECASE)
_DEFAULT: Final = 20
OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda held, asked: held == asked,
    "!=": lambda held, asked: held != asked,
    ">": lambda held, asked: held > asked,
    "<": lambda held, asked: held < asked,
    "in": lambda held, asked: held in asked,
}


@dataclass(frozen=True, slots=True)
class Query:
    """A listing that is asked for; raises `ValueError` where it is none."""

    fields: Sequence[str]
    filters: Sequence[tuple[str, str, Any]]
    field: str
    descending: bool
    start: int
    length: int

    @classmethod
    def of(cls, said: QueryParams) -> "Query":
        """What the parameters of a call say."""
        order = _ORDER.fullmatch(said.get("order_by", "modified desc").strip())
        if order is None:
            raise ValueError("order_by")
        return cls(
            fields=_fields(said.get("fields")),
            filters=[_filter(each) for each in _list(said.get("filters"), "filters")],
            field=order["field"],
            descending=(order["way"] or "asc").lower() == "desc",
            start=_number(said.get("limit_start", "0")),
            length=_number(said.get("limit_page_length") or said.get("limit") or f"{_DEFAULT}"),
        )

    @property
    def after(self) -> bool:
        """Whether it goes on after some record."""
        return self.start > 0 or any(field == "name" for field, _, _ in self.filters)

    def meets(self, row: Row) -> bool:
        """Whether a record is asked for."""
        return all(
            OPERATORS[operator](*_alike(row.get(field), asked))
            for field, operator, asked in self.filters
        )

    def ordered(self, rows: Sequence[Row]) -> list[Row]:
        """Records in the order that is asked for."""

        def key(row: Row) -> tuple[str, str]:
            return _folded(f"{row.get(self.field)}"), row["name"]

        return sorted(rows, key=key, reverse=self.descending)


def _fields(text: str | None) -> Sequence[str]:
    found = _list(text, "fields") or ["name"]
    if not all(isinstance(each, str) for each in found):
        raise ValueError("fields")
    return found


def _list(text: str | None, name: str) -> list[Any]:
    found = loads(text.encode()) if text else []
    if isinstance(found, dict):
        found = [[field, "=", value] for field, value in found.items()]
    if not isinstance(found, list):
        raise ValueError(name)
    return found


def _filter(said: Any) -> tuple[str, str, Any]:
    match said:
        case [str(field), str(operator), asked]:
            pass
        case [str(), str(field), str(operator), asked]:
            pass
        case _:
            raise ValueError("filters")
    operator = operator.lower()
    if operator not in OPERATORS or (operator == "in") is not isinstance(asked, list):
        raise ValueError(f"operator {operator}")
    if isinstance(asked, list):
        asked = frozenset(_folded(f"{each}") for each in asked)
    return field, operator, asked


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise ValueError("limit")
    return int(text)


def _alike(held: Any, asked: Any) -> tuple[Any, Any]:
    """Both as a database compares them; null is empty."""
    if isinstance(asked, frozenset):
        return _folded(f"{held or ''}"), asked
    if isinstance(held, str) or isinstance(asked, str):
        return _folded(f"{held or ''}"), _folded(f"{asked}")
    return held or 0, asked or 0


def _folded(text: str) -> str:
    return text.casefold()
