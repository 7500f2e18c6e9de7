"""What only a person knows, and what was found wrong: told, never guessed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

SHOWN: Final = 10
"""How many rows with one fault are told one by one."""


@dataclass(frozen=True, slots=True)
class Question:
    """What may be read in several ways, the readings, and the setting that decides.

    `whole`: the file means nothing until it is answered; else only the rows that are told.
    """

    what: str
    readings: tuple[str, ...]
    setting: str
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """A place and what is wrong there; `ref` is the budget that is set aside for it, if known."""

    where: str
    message: str
    ref: str | None = None


@dataclass(slots=True)
class _More:
    first: str
    last: str
    message: str
    count: int = 0


@dataclass(slots=True)
class Findings:
    """The faults of one reading; equal ones are told a few times, then counted."""

    told: list[Finding] = field(default_factory=list)
    aside: set[str] = field(default_factory=set)
    """The refs of the budgets that are not read whole."""
    unknown: bool = False
    """Whether a row was refused of which nobody knows the budget."""
    _seen: Counter[str] = field(default_factory=Counter)
    _more: dict[str, _More] = field(default_factory=dict)

    def add(self, where: str, message: str, ref: str | None, kind: str | None = None) -> None:
        """One more; `kind` is what faults that are alike have in common."""
        kind = kind or message
        if ref is None:
            self.unknown = True
        else:
            self.aside.add(ref)
        self._seen[kind] += 1
        if self._seen[kind] <= SHOWN:
            self.told.append(Finding(where, message, ref))
            return
        more = self._more.setdefault(kind, _More(where, where, message))
        more.last = where
        more.count += 1

    def all(self) -> Iterator[Finding]:
        """Those that are told one by one, and a line for those that were counted."""
        yield from self.told
        for more in self._more.values():
            said = f"{more.count} more, to {more.last}, such as: {more.message}"
            yield Finding(more.first, said)
