"""A first draft of a layout for a file that no ready-made one fits: what can be seen is put down,
what cannot is asked."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from connectors.file.layouts.begun import Beginnings, Begun
from connectors.file.layouts.cells_below import (
    has_numbers_below,
    holds_amounts,
    is_amount,
    kinds_below,
)
from connectors.file.layouts.recognise import how_read
from connectors.layouts.headers import DEEPEST, Bound, bind
from connectors.layouts.language import Layout
from connectors.layouts.loading import Table, changed, layout_of
from connectors.layouts.questions import Question
from connectors.layouts.sheet import Row

_ANY_YEAR: Final = 2000
"""Stands for the year of columns that do not say theirs, which is asked."""
_FEWEST: Final = 2
"""Columns of a header that names no period: a budget and an amount, at least."""


def draft(
    begun: Beginnings, sets: Sequence[str] = ()
) -> tuple[Table | None, list[str], list[Question]]:
    """The draft as data, why it is so, and what is to be asked; None where no header is found.

    The file is opened as `sets` say, and the header has as many rows.
    """
    plain = layout_of(changed({}, sets))
    sheets = [each for each in begun.sheets(plain.file) if not each.hidden]
    wide = [(sheet, found) for sheet in sheets if (found := _wide(sheet, sets)) is not None]
    if wide:
        sheet, best = max(wide, key=lambda pair: len(pair[1].periods))
        questions = [*_wide_questions(sheet, best)]
    else:
        long = [(sheet, found) for sheet in sheets if (found := _long(sheet, plain)) is not None]
        if not long:
            said = f"no ready-made layout fits, and no header in its first {DEEPEST} rows"
            return None, [said], [_no_header(begun.path)]
        sheet, best = max(long, key=lambda pair: len(pair[1].texts))
        questions = [*_long_questions(sheet, best)]
    others = [text for at, text in enumerate(best.texts) if text and at not in best.periods]
    table: Table = {"header": {"has": others[:3]}} if others else {"header": {"row": best.row}}
    return table, ["no ready-made layout fits", *how_read(sheet.whole, best, plain)], questions


def _wide(sheet: Begun, sets: Sequence[str]) -> Bound | None:
    """The row with the most columns of periods, with numbers below them, which is no row of data.

    Columns of periods that do not say their year are some only where they are several.
    """
    best: Bound | None = None
    for more, least in (((), 1), ((f"periods.year={_ANY_YEAR}",), 2)):
        layout = layout_of(changed({}, [*sets, *more]))
        for at in range(len(sheet.head.rows)):
            rows = sheet.head.rows[at : at + layout.header.rows]
            titles = sheet.head.titles(at, layout.header.rows, layout.header.fill_right)
            found = bind(layout, rows[0][0], rows[-1][0], titles.texts, titles)
            amounts = any(holds_amounts(cells, found.periods) for _, cells, _ in rows)
            if len(found.periods) < least or amounts:
                continue
            before = 0 if best is None else len(best.periods)
            if len(found.periods) > before and has_numbers_below(sheet.head.rows, found):
                best = found
    return best


def _long(sheet: Begun, plain: Layout) -> Bound | None:
    """The first row of words above a row with an amount, as wide as that is."""
    before: tuple[int, Row] | None = None
    for at, row in enumerate(sheet.head.rows):
        if before is not None and any(map(is_amount, row[1])):
            place, (number, _, _) = before
            titles = sheet.head.titles(place, 1, False)
            named = len([text for text in titles.texts if text])
            filled = len([each for each in row[1] if each != ""])
            if named < max(_FEWEST, filled):
                return None
            return bind(plain, number, number, titles.texts, titles)
        if any(sheet.words[at]):
            before = at, row
    return None


def _no_header(path: Path) -> Question:
    return Question(
        f"which layout {path.name} has",
        ("--layout NAME, of those that `trueup look` lists", "--layout FILE.toml, one of your own"),
        "layout",
    )


def _which_budget(bound: Bound, words: Sequence[int]) -> Question:
    """`words` are the columns that hold words or codes."""
    titled = [bound.texts[at] for at in words if bound.texts[at]]
    if not titled:
        at = words[0] if words else 0
        return Question(
            "which column is the budget", (f"columns.ref.at={at + 1}",), "columns.ref.at"
        )
    readings = tuple(f"budget.ref={each}" for each in titled)
    return Question("which column is the budget", readings, "budget.ref")


def _wide_questions(sheet: Begun, bound: Bound) -> Iterator[Question]:
    """What is to be said of a file of one column a period."""
    kinds = kinds_below(sheet.head.rows, bound)
    yield _which_budget(bound, [at for at in kinds["words"] if at not in bound.periods])
    if any(said is not None and said.needs_year for said in bound.periods.values()):
        years = [f"periods.year={bound.texts[at]}" for at in kinds["year"] if bound.texts[at]]
        ways = (*years, "periods.year=2026, such as it is")
        yield Question("which year the columns of periods are in", ways, "periods")


def _long_questions(sheet: Begun, bound: Bound) -> Iterator[Question]:
    """What is to be said of a file of one amount a row."""
    kinds = kinds_below(sheet.head.rows, bound)
    named = {
        kind: [bound.texts[at] for at in places if bound.texts[at]]
        for kind, places in kinds.items()
    }
    yield _which_budget(bound, kinds["words"])
    amounts = [each for each in named["amount"] if each not in named["number"]]
    yield Question(
        "which column holds the amounts", tuple(f"amount={each}" for each in amounts), "amount"
    )
    times = [f"periods.day={each}" for each in named["day"]]
    times += [f"periods.name={each}" for each in named["period"]]
    times += [
        f"periods.number={number} and periods.year={year}"
        for number in named["number"]
        for year in named["year"]
    ]
    times += [f"periods.year={each}" for each in named["year"]]
    whole = 'periods.whole=2026, one period for all amounts, such as "2026"'
    yield Question("when the amounts count", (*times, whole), "periods")
