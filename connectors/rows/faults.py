"""Faults: what a listing tells of rows that cannot be read. Equal ones are told a few times, then
counted, so that a column that is wrong throughout is one line more and not a hundred thousand.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from canonical.problem import Problem
from canonical.text import told
from canonical.traces import Traces
from connectors.rows.layout import Position, Table, at, place

SHOWN: Final = 10
"""How many rows with one fault are told one by one."""
IN_ALL: Final = 100
"""The same for all faults of one column, whose words may hold something else in each row."""

_VALUES = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[0-9][0-9.,:-]*")


@dataclass(slots=True)
class _More:
    """Rows with one fault that are counted only."""

    message: str
    first: Position
    last: Position
    refs: set[str] = field(default_factory=set)
    count: int = 0


class Faults:
    """The faults of one listing of a table."""

    def __init__(self, system: str, table: Table) -> None:
        self._system, self._table = system, table
        self._shown: Counter[tuple[str | None, str]] = Counter()
        self._in_all: Counter[str | None] = Counter()
        self._more: dict[tuple[str | None, str], _More] = {}

    def told(
        self, position: Position, column: str | None, message: str, ref: str | None
    ) -> Iterator[Problem]:
        """The problem of one row, or nothing where its like has been told often enough."""
        kind = column, _VALUES.sub("…", message)
        if self._in_all[column] >= IN_ALL and kind not in self._more:
            kind = column, ""
        if self._shown[kind] < SHOWN and self._in_all[column] < IN_ALL:
            self._shown[kind] += 1
            self._in_all[column] += 1
            yield self._problem(place(self._table, position, column), message, ref)
            return
        more = self._more.setdefault(kind, _More(message, position, position))
        more.last = position
        more.count += 1
        if ref:
            more.refs.add(ref)

    def rest(self) -> Iterator[Problem]:
        """What was counted, a line for each fault."""
        for (column, _), more in self._more.items():
            where = f"{self._table.label}, {self._table.noun} {told(column)}" if column else ""
            rows = "row" if more.count == 1 else "rows"
            said = f"{more.count} more {rows}, {at(more.first)} to {at(more.last)}, such as: "
            problem = self._problem(where or self._table.label, said + more.message, None)
            yield Problem(
                problem.system,
                problem.where,
                problem.message,
                traces=Traces(ids=frozenset(more.refs)),
            )

    def _problem(self, where: str, message: str, ref: str | None) -> Problem:
        return Problem(self._system, where, told(message), ref)
