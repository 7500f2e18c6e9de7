"""A first draft of a layout for a file that no ready-made one fits: what can be seen is put down,
what cannot is asked."""

from pathlib import Path

from connectors.file.layouts.begun import Beginnings
from connectors.file.layouts.recognise import how_read
from connectors.layouts.headers import DEEPEST, Bound, find_header
from connectors.layouts.language import Layout
from connectors.layouts.loading import Table
from connectors.layouts.questions import Question


def draft(begun: Beginnings) -> tuple[Table | None, list[str], list[Question]]:
    """The draft as data, why it is so, and what is to be asked; None where no period is found."""
    plain = Layout()
    best: Bound | None = None
    why: list[str] = []
    for sheet in begun.sheets(plain.file):
        found = None if sheet.hidden else find_header(sheet, plain, sheet.head)
        if found is not None and (best is None or len(found.periods) > len(best.periods)):
            best, why = found, [*how_read(sheet.whole, found, plain)]
    if best is None:
        said = f"no ready-made layout fits, and no header with a period in its first {DEEPEST} rows"
        return None, [said], [_no_header(begun.path)]
    others = [text for at, text in enumerate(best.texts) if text and at not in best.periods]
    table: Table = {"header": {"has": others[:3]}} if others else {"header": {"row": best.row}}
    return table, ["no ready-made layout fits", *why], _questions(others)


def _no_header(path: Path) -> Question:
    return Question(
        f"which layout {path.name} has",
        ("--layout NAME, of those that `trueup look` lists", "--layout FILE.toml, one of your own"),
        "layout",
    )


def _questions(texts: list[str]) -> list[Question]:
    if not texts:
        return [Question("which column is the budget", ("columns.ref.at=1",), "columns.ref.at")]
    readings = tuple(f"budget.ref={each}" for each in texts)
    return [Question("which column is the budget", readings, "budget.ref")]
