"""What the columns of a file hold, by the cells below its header: amounts, days, periods, words."""

import re
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from connectors.layouts.dates import readings
from connectors.layouts.headers import Bound, cell_words
from connectors.layouts.periods import named
from connectors.layouts.sheet import Cells, Row
from connectors.layouts.stored import Value

KINDS: Final = ("amount", "day", "period", "year", "number", "words")
_NUMBER = re.compile(
    r"([A-Za-z]{2,3}\.?\s)?[-+(]?[^\w\s]?\s?[0-9][0-9.,'’\s]*[-)]?(\s?[^\w\s]|\s?[A-Za-z]{2,3}\.?)?"
)
_FRACTION = re.compile(r".*[0-9][.,][0-9]{1,6}\D*")
_YEAR = re.compile(r"(FY\s?)?(19|20)[0-9]{2}", re.IGNORECASE)
_COUNT = re.compile(r"0{0,2}([1-9]|1[0-2])")


def is_amount(value: Value) -> bool:
    """Whether a cell looks like an amount: a number, and no day, year or code."""
    if isinstance(value, Decimal):
        return not _YEAR.fullmatch(cell_words(value))
    text = cell_words(value) if isinstance(value, str) else ""
    return bool(_NUMBER.fullmatch(text) and _FRACTION.fullmatch(text)) and not readings(text)


def holds_amounts(cells: Cells, besides: Collection[int]) -> bool:
    """Whether an amount stands in a row, in other columns than those."""
    return any(is_amount(value) for at, value in enumerate(cells) if at not in besides)


def has_numbers_below(rows: Sequence[Row], bound: Bound) -> bool:
    """Whether a number stands below a column of periods."""
    return any(
        isinstance(cells[at], Decimal) or _has_digits(cell_words(cells[at]))
        for number, cells, _ in rows
        for at in bound.periods
        if number > bound.last and at < len(cells)
    )


def _has_digits(text: str) -> bool:
    """Whether digits stand in a text that is neither a period nor a day."""
    return any(map(str.isdigit, text)) and named(text) is None and not readings(text)


def kinds_below(rows: Sequence[Row], bound: Bound) -> dict[str, list[int]]:
    """The columns by what all of their cells below the header are; a column may be of several."""
    found: dict[str, list[int]] = {kind: [] for kind in KINDS}
    below = [cells for number, cells, _ in rows if number > bound.last]
    for at, title in enumerate(bound.texts):
        held = [cells[at] for cells in below if at < len(cells) and cells[at] != ""]
        kinds = [_kinds(each) for each in held]
        common = set.intersection(*kinds) if kinds else {"words"}
        for kind in common if held or title else ():
            found[kind].append(at)
    return found


def _kinds(value: Value) -> set[str]:
    if isinstance(value, date):
        return {"day"}
    text = cell_words(value)
    plain = isinstance(value, Decimal) or bool(_NUMBER.fullmatch(text))
    found = {"amount"} if plain and not readings(text) else set[str]()
    if _YEAR.fullmatch(text):
        return {"year", "words"}
    if _COUNT.fullmatch(text):
        return found | {"number", "words"}
    if readings(text):
        return {"day"}
    if isinstance(value, str) and named(text) is not None:
        return {"period"}
    if not is_amount(value):
        found.add("words")
    return found
