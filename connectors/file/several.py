"""Several files as one table: their rows in the order of the files' names.

A ref may stand in several of them, as it may in several rows of one. A row is told with its file.
"""

from collections.abc import Iterator, Sequence

from connectors.rows.layout import Position, Row, Table, at


class Several:
    """The tables of files that one pattern fits; a column that one of them lacks is blank there.

    Noun and decimal sign are the first one's.
    """

    def __init__(self, label: str, tables: Sequence[Table]) -> None:
        self.label, self._tables = label, tables
        self.noun, self.point = tables[0].noun, tables[0].point
        self.columns = tuple(dict.fromkeys(name for table in tables for name in table.columns))

    def rows(self) -> Iterator[Row]:
        blank = dict.fromkeys(self.columns, "")
        for table in self._tables:
            whole = len(table.columns) == len(blank)
            for position, cells, wrong in table.rows():
                yield _within(table, position), cells if whole else blank | cells, wrong

    def picked(self, columns: Sequence[str]) -> Iterator[tuple[Position, Sequence[str]]]:
        for table in self._tables:
            for position, cells in table.picked(columns):
                yield _within(table, position), cells


def _within(table: Table, position: Position) -> str:
    return f"({table.label}) {at(position)}"
