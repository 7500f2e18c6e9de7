"""What a file of budgets looks like: its columns, and how a fault in it is told.

A row is text by column, with the place where it stands, whatever the format it came from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final, Protocol, TypeAlias

from canonical.text import told
from connectors.contract.errors import Unreadable

Position: TypeAlias = int | str
"""A line or worksheet row by number; "budget 3" where a format has no rows."""

Cells: TypeAlias = Mapping[str, str]
"""A row's text by column."""

DIMENSION: Final = "dimension:"
LIMITS: Final = ("impressions", "conversions")
IDENTITY: Final = frozenset({"ref", "parent", "budget", "entity_type", "entity"})
"""Columns that say which object or who is meant, by its spelling."""


class Wrong(ValueError):
    """A cell or a row that cannot be read: which column, what is wrong and what would be right."""

    def __init__(self, column: str | None, message: str) -> None:
        super().__init__(message)
        self.column = column
        self.message = message


Row: TypeAlias = tuple[Position, dict[str, str], Wrong | None]
"""Where it stands, its cells by column, and what is wrong with the row as a whole."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table: the usual ones in order, which must be there, and which may be.

    Columns whose name begins with `prefix` are as many as there are.
    """

    noun: str
    columns: tuple[str, ...]
    required: tuple[str, ...]
    extra: tuple[str, ...] = ()
    prefix: str | None = None

    def spelling(self, text: str) -> str | None:
        """The column that a header cell or key names, or None."""
        return _spelling(self, text)

    def nearest(self, text: str) -> str:
        """The right column that `text` is most like."""
        return nearest(text, (*self.columns, *self.extra))[0]


@lru_cache(maxsize=1024)
def _spelling(layout: Layout, text: str) -> str | None:
    text = text.strip()
    folded = text.casefold()
    if folded in layout.columns or folded in layout.extra:
        return folded
    if layout.prefix and folded.startswith(layout.prefix):
        name = text[len(layout.prefix) :].strip()
        return layout.prefix + name if name and name == told(name) else None
    return None


BUDGETS: Final = Layout(
    noun="budgets",
    columns=(
        "ref", "name", "description", "currency", "amount", "cadence", "start", "end", "status",
        "parent", "owners",
    ),
    required=("ref", "name", "amount"),
    extra=("enforcement", "carry_over", *LIMITS),
    prefix=DIMENSION,
)  # fmt: skip
ALLOCATIONS: Final = Layout(
    noun="allocations",
    columns=("budget", "ref", "entity_type", "entity", "amount", "status"),
    required=("budget", "entity_type", "entity", "amount"),
    extra=("currency", "start", "end"),
)


class Table(Protocol):
    """One table of an open file; `rows` may be read several times."""

    label: str
    noun: str
    point: str
    columns: tuple[str, ...]

    def rows(self) -> Iterator[Row]:
        """Every row that is not blank, in order; raises `Unreadable` where the file breaks off."""

    def picked(self, columns: Sequence[str]) -> Iterator[tuple[Position, Sequence[str]]]:
        """Of every row only these cells, as they are; a cheap look at a whole file."""


def pick(rows: Iterator[Row], columns: Sequence[str]) -> Iterator[tuple[Position, Sequence[str]]]:
    """The cells of `rows` under `columns`, blank where there are none."""
    for position, cells, _ in rows:
        yield position, [cells.get(column, "") for column in columns]


def at(position: Position) -> str:
    """The position in words: "row 14"."""
    return f"row {position}" if isinstance(position, int) else position


def place(table: Table, position: Position, column: str | None = None) -> str:
    """How a person finds it: "budgets.csv row 14, column amount"."""
    said = f"{table.label} {at(position)}"
    return f"{said}, {table.noun} {told(column)}" if column else said


def nearest(text: str, right: Sequence[str]) -> list[str]:
    """All of `right`, the one most like `text` first."""
    likeness = {each: SequenceMatcher(None, text.casefold(), each).ratio() for each in right}
    return sorted(right, key=lambda each: -likeness[each])


def header(cells: Sequence[str], layout: Layout, where: str, hint: str = "") -> tuple[str, ...]:
    """The columns that header `cells` name; raises `Unreadable` for unknown, twice, missing."""
    names: list[str] = []
    unknown: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = layout.spelling(cell)
        if name is None:
            if not cell.strip():
                raise Unreadable(f"{where}: column {number} has no name", hint=hint)
            unknown.append(cell.strip())
        elif name in names:
            raise Unreadable(f"{where}: column {name} stands there twice", hint="Keep one of them")
        else:
            names.append(name)
    missing = [each for each in layout.required if each not in names]
    if unknown:
        said = f"{unknown[0]!r} is not a column of {layout.noun}"
        said += f", and column {', '.join(missing)} is missing" if missing else ""
        right = missing[0] if missing else layout.nearest(unknown[0])
        raise Unreadable(f"{where}: {said}", hint=hint or f"Write {right}, or take the column out")
    if missing:
        raise Unreadable(
            f"{where}: column {', '.join(missing)} is missing",
            hint=hint or f"The header of {layout.noun} is {','.join(layout.columns)}",
        )
    return tuple(names)
