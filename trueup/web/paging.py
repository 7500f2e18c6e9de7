"""Which part of a long list is shown, and the addresses of the others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import urlencode

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Page `number`, from 1, of a list shown `size` rows at a time.

    `others` is all else that was asked for; `count` is how many rows there are in all.
    """

    number: int
    size: int
    path: str
    others: tuple[tuple[str, str], ...] = ()
    count: int = 0

    @property
    def skipped(self) -> int:
        """How many rows are on the pages before."""
        return (self.number - 1) * self.size

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.count // self.size))

    @property
    def shown(self) -> str:
        """Which rows are shown, of how many."""
        if not self.count:
            return "none"
        first, last = self.skipped + 1, min(self.count, self.skipped + self.size)
        return f"{first:,}–{last:,} of {self.count:,}" if self.last > 1 else f"{self.count:,}"

    def of(self, count: int) -> "Paging":
        """The same of a list of `count` rows, on its last page where it has no such page."""
        found = replace(self, count=count)
        return replace(found, number=min(found.number, found.last))

    def cut(self, rows: Sequence[_Row]) -> Sequence[_Row]:
        """The rows of this page."""
        return rows[self.skipped : self.skipped + self.size]

    def to(self, number: int) -> str:
        """The address of another page of the same list."""
        return self.with_said(page=str(number))

    def with_said(self, **said: str) -> str:
        """The address with these said in place of what was, from the first page on."""
        kept = [(name, value) for name, value in self.others if name not in said]
        query = urlencode([*kept, *((name, value) for name, value in said.items() if value)])
        return f"{self.path}?{query}" if query else self.path
