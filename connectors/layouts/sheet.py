"""A sheet: rows of cells as they stand, of whatever format."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, Protocol, TypeAlias

from connectors.layouts.stored import Value

Cells: TypeAlias = Sequence[Value]
Row: TypeAlias = tuple[int, Cells, Collection[int]]
"""Its number as an editor or a spreadsheet shows it, its cells, and which of them are bold."""

WIDEST: Final = 1024
"""Columns of a worksheet that are looked at."""


class Sheet(Protocol):
    """One table of a file; `rows` may be read several times, blank rows of text among them."""

    label: str
    name: str | None
    hidden: bool
    typed: bool
    unsure: bool
    """Whether a blank cell may hold an error, which the reader of such files does not show."""

    def rows(self) -> Iterator[Row]:
        """Every row, in order; raises `Unreadable` where the file breaks off."""
