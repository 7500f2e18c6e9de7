"""Entries: what the lines of an ERP state, each for one period, whichever budgets they stand in."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from canonical.allocation import Status
from canonical.period import Period


@dataclass(frozen=True, slots=True)
class Whose:
    """An account, or a line's own name: `key` tells it from any other that has the same code."""

    ref: str
    name: str
    key: str
    id: int | None = None
    status: Status = Status.ACTIVE

    @property
    def label(self) -> str:
        """Code and name, as people say it."""
        return f"{self.ref} {self.name}" if self.ref not in (self.name, self.key) else self.name


@dataclass(frozen=True, slots=True)
class Entry:
    """`amount` is what counts in `period`, as the ERP has it; None where it is blank.

    `document` is the name of the budget that says so; `line` and `stamp` are where, and as of when.
    """

    whose: Whose
    period: Period
    amount: Decimal | None
    document: str
    line: int
    stamp: str | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that states nothing that can be read; `ref` is whose it is, where it says so."""

    ref: str | None
    where: str
    message: str


def parted(found: Iterable[Entry | Unread]) -> tuple[list[Entry], list[Unread]]:
    """What was read, and what was not."""
    entries: list[Entry] = []
    unread: list[Unread] = []
    for each in found:
        if isinstance(each, Entry):
            entries.append(each)
        else:
            unread.append(each)
    return entries, unread
