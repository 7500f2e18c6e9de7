"""An answer as a table of our own columns, and as a sheet that a layout reads."""

import re
from typing import Final

from connectors.contract.errors import Unreadable
from connectors.layouts.stored import Value
from connectors.rows.layout import Layout, header
from connectors.rows.typed import TypedSheet, TypedTable, code_or_text
from connectors.sql.answers import Answer

_DAYS: Final = frozenset({"start", "end"})
_MIDNIGHT = re.compile(r"(.{10})[T ]00:00(:00(\.0+)?)?")


def ensure_named_once(answer: Answer) -> None:
    """Raises `Unreadable` for a column that stands twice: which one is meant cannot be told."""
    seen: set[str] = set()
    for name in answer.names:
        folded = name.strip().casefold()
        if folded in seen:
            raise Unreadable(
                f"{answer.label}: column {name} stands there twice",
                hint=f"Name each column once: SELECT … AS {name}_2, or take one out",
            )
        seen.add(folded)


def table_of(answer: Answer, layout: Layout) -> TypedTable:
    """Its columns have our own names."""
    ensure_named_once(answer)
    columns = header(answer.names, layout, answer.label, _hint(answer, layout))
    return TypedTable(answer.label, columns, answer, _text)


def sheet_of(answer: Answer) -> TypedSheet:
    """Its columns are named by a layout."""
    ensure_named_once(answer)
    return TypedSheet(answer.label, answer.names, answer)


def _text(column: str, value: Value) -> str:
    """What the value says; a day may come as a moment, of which it is the beginning."""
    text = code_or_text(column, value, ".", "make a text of it")
    if column in _DAYS and isinstance(value, str) and (found := _MIDNIGHT.fullmatch(text)):
        return found[1]
    return text


def _hint(answer: Answer, layout: Layout) -> str:
    columns = ", ".join(layout.columns)
    return f"Name its columns with AS ({columns}), or say with a layout what they mean"
