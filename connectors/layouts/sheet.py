"""A sheet: rows of cells as they stand, of whatever format."""

from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
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


@lru_cache(maxsize=1024)
def column_number(letters: str) -> int:
    """Which column, from 0 on, "A" or "XFD" is; -1 for what is none."""
    found = 0
    for letter in letters:
        if not "A" <= letter <= "Z" or len(letters) > 3:
            return -1
        found = found * 26 + ord(letter) - ord("A") + 1
    return found - 1


def column_name(number: int) -> str:
    """What a spreadsheet calls the column at `number`, from 0 on."""
    name = ""
    number += 1
    while number > 0:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
