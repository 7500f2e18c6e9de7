"""Columns that hold what others add up to: quarters and years beside their months."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

from canonical.period import Period
from connectors.layouts.periods import Named


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
