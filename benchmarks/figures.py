"""Figures: what was measured of each side in each round, and the table that shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

_WHAT, _COLUMN = 50, 10


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table: for each round a number of each side, the older one first.

    Where each round has a single number, it is no side's own and stands among those of today.
    """

    what: str
    rounds: Sequence[Sequence[float]]
    digits: int = 1

    def middle(self) -> list[float]:
        """The median of each side."""
        return [median(numbers) for numbers in zip(*self.rounds, strict=True)]

    def ratio(self) -> float:
        """Now / then: the median of the rounds' own ratios, as noise often lasts for a round."""
        return median(numbers[-1] / numbers[0] for numbers in self.rounds)

    def line(self, sides: int) -> str:
        """The row, in a table of that many sides."""
        cells = [f"{number:,.{self.digits}f}" for number in self.middle()]
        if sides > 1:
            cells = [*cells, f"{self.ratio():.2f}"] if len(cells) > 1 else ["", *cells]
        return _row(self.what, cells)


def heading(names: Sequence[str]) -> str:
    """The line above the figures of the sides of those names."""
    return _row("", [*names, "now/then"] if len(names) > 1 else names)


def _row(what: str, cells: Sequence[str]) -> str:
    columns = (f"{cell[: _COLUMN - 1]:>{_COLUMN}}" for cell in cells)
    return f"{what:{_WHAT}}{''.join(columns)}".rstrip()
