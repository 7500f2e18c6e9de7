"""Columns that hold what others add up to: quarters and years beside their months."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from canonical.period import Period
from connectors.layouts.language import Numbers
from connectors.layouts.numbers import NumberForm, plain_text
from connectors.layouts.periods import Named
from connectors.layouts.sheet import Cells
from connectors.rows.layout import Wrong


def is_total(column: int, spans: dict[int, Period]) -> bool:
    """Whether shorter periods of other columns fill this one's to the day."""
    whole = spans[column]
    parts = sorted(
        each for other, each in spans.items() if other != column and whole.holds(each) and
        each != whole
    )  # fmt: skip
    if not parts or whole.end is None:
        return False
    following = whole.start
    for part in parts:
        if part.start == following and part.end is not None:
            following = part.end + timedelta(days=1)
    return following == whole.end + timedelta(days=1)


def fiscal_totals(found: dict[int, Named | None], spans: dict[int, Period]) -> Iterator[int]:
    """Columns of a year that has the months beside it, whichever month it starts in."""
    whole = {
        column
        for column, said in found.items()
        if said is not None and said == Named(year=said.year)
    }
    months = sorted(period for column, period in spans.items() if column not in whole)
    if len(whole) != 1 or len(months) != 12:
        return
    follow = all(
        before.end is not None and after.start == before.end + timedelta(days=1)
        for before, after in pairwise(months)
    )
    (column,) = whole
    said, last = found[column], months[-1].end
    if said is None or last is None or not follow:
        return
    if said.year in (months[0].start.year, last.year):
        yield column


class Totals:
    """Holds columns that add up others against these, row by row: a row may state its total only,
    or more than its parts, and that must not be lost."""

    def __init__(self, numbers: Numbers, parts: Mapping[int, Sequence[int]]) -> None:
        self._parts, self._rounds = parts, numbers.round is not None
        self._form = NumberForm(numbers, 4)

    def wrong(self, cells: Cells, amounts: Mapping[int, int]) -> Iterator[tuple[int, str]]:
        """The columns of a row that do not add up, each with what is wrong; `amounts` are those
        of the row by column."""
        for column, parts in self._parts.items():
            held = [amounts[each] for each in parts if each in amounts]
            if held and self._rounds:
                continue  # a total of what was rounded differs by that
            said = self._said(cells[column] if column < len(cells) else "")
            if said is None or said == sum(held) or (held and said == ""):
                continue
            shown = "cannot be read" if isinstance(said, str) else f"says {plain_text(said)}"
            adds = f"add up to {plain_text(sum(held))}" if held else "are blank"
            yield column, f"{shown} and the columns that it adds up {adds}"

    def _said(self, value: object) -> int | str | None:
        """The total; None for a blank or a word, "" for what may be an amount and is not clear."""
        try:
            return self._form.read(value) if isinstance(value, str) else self._form.value(value)  # type: ignore[arg-type]
        except Wrong:
            return None if isinstance(value, str) and not any(map(str.isdigit, value)) else ""
