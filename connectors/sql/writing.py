"""Writing into tables of our own columns: which cells of which rows become what.

Every value is bound and every name quoted, so nothing of a value is in a statement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.types import Boolean, Date, DateTime, Float, Integer, Numeric

from connectors.contract.errors import Rejected, Stale
from connectors.rows.layout import LIMITS, Cells
from connectors.sql.kept import KeptTable


@dataclass(frozen=True, slots=True)
class Held:
    """A row as it was read: what the driver gave for each column of ours, and its first day."""

    values: Mapping[str, Any]
    start: str


def write(
    connection: Connection,
    table: KeptTable,
    held: Sequence[Held],
    before: Sequence[Cells],
    after: Sequence[Cells],
) -> None:
    """Make rows that say `before` say `after`; raises `Stale` where one is not as it was read.

    A row keeps its period's place: phases are told apart by their first day.
    """
    said = {each.get("start", ""): each for each in before}
    left = {each.start if len(held) > 1 else "": each for each in held}
    rest = [each for each in after if each.get("start", "") not in left or len(held) == 1]
    for cells in after:
        if cells in rest:
            continue
        start = cells["start"]
        _change(connection, table, left.pop(start), said.get(start, {}), cells)
    for cells in rest:
        if left:
            start, row = left.popitem()
            was = said.get(start, {}) if len(held) > 1 else before[0]
            _change(connection, table, row, was, cells)
        else:
            _insert(connection, table, cells)
    for row in left.values():
        where, bound = _as_read(connection, table, row)
        gone = f"DELETE FROM {_escaped(table.sql)} WHERE {where}"  # noqa: S608 -- names are quoted
        _one(connection, table, gone, bound)


def _change(
    connection: Connection, table: KeptTable, row: Held, before: Cells, after: Cells
) -> None:
    columns = {*before, *after} & {*table.names}
    changed = [c for c in sorted(columns) if before.get(c, "") != after.get(c, "")]
    if not changed:
        return
    where, bound = _as_read(connection, table, row)
    sets = [f"{_escaped(table.names[c])} = :v{n}" for n, c in enumerate(changed)]
    bound |= {
        f"v{n}": _value(connection, table, c, after.get(c, "")) for n, c in enumerate(changed)
    }
    said = f"UPDATE {_escaped(table.sql)} SET {', '.join(sets)} WHERE {where}"  # noqa: S608
    _one(connection, table, said, bound)


def _insert(connection: Connection, table: KeptTable, cells: Cells) -> None:
    columns = [each for each in table.names if cells.get(each)]
    names = ", ".join(_escaped(table.names[each]) for each in columns)
    places = ", ".join(f":v{n}" for n in range(len(columns)))
    bound = {f"v{n}": _value(connection, table, c, cells[c]) for n, c in enumerate(columns)}
    said = f"INSERT INTO {_escaped(table.sql)} ({names}) VALUES ({places})"  # noqa: S608
    _one(connection, table, said, bound)


def _as_read(connection: Connection, table: KeptTable, row: Held) -> tuple[str, dict[str, Any]]:
    """The condition that a row still is what was read, with its values."""
    parts: list[str] = []
    bound: dict[str, Any] = {}
    for number, (column, value) in enumerate(row.values.items()):
        name = _escaped(table.names[column])
        if value is None:
            parts.append(f"{name} IS NULL")
        else:
            parts.append(f"{name} = :w{number}")
            bound[f"w{number}"] = value
    return " AND ".join(parts), bound


def _one(connection: Connection, table: KeptTable, said: str, bound: Mapping[str, Any]) -> None:
    found = connection.execute(text(said), dict(bound)).rowcount
    if found != 1:
        raise Stale(f"a row of table {table.said} is no longer what was read", hint="Run again")


def _value(connection: Connection, table: KeptTable, column: str, said: str) -> Any:
    """The value that a column of that type takes; NULL for what is blank."""
    kind, sqlite = table.types[column], connection.dialect.name == "sqlite"
    if not said:
        return None
    if isinstance(kind, Boolean):
        return said == "true"
    if isinstance(kind, Date | DateTime):
        return said if sqlite else date.fromisoformat(said)
    if column != "amount" and column not in LIMITS:
        return int(said) if isinstance(kind, Integer) and said.isdecimal() else said
    return _number(table, column, kind, Decimal(said), sqlite=sqlite)


def _number(table: KeptTable, column: str, kind: Any, value: Decimal, *, sqlite: bool) -> Any:
    if isinstance(kind, Float):
        raise Rejected(
            f"table {table.said}: {column} is a binary float, which holds no exact amount",
            hint="Make the column NUMERIC, or TEXT in SQLite",
        )
    if isinstance(kind, Integer):
        if value != value.to_integral_value():
            raise Rejected(f"table {table.said}: {column} holds whole numbers, not {value}")
        return int(value)
    exact = isinstance(kind, Numeric) and not sqlite
    return value if exact else f"{value:f}"


def _escaped(name: str) -> str:
    """The name where a colon would begin a bound value."""
    return name.replace(":", "\\:")
