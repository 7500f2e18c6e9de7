"""A plan as rows for a spreadsheet: a line for each field that changes, and what waits."""

import csv
import io
from collections.abc import Iterator
from typing import Final

from canonical.change import Plan
from connectors.file.tables import guarded
from trueup.output import plain
from trueup.planned import entries, sides

COLUMNS: Final = (
    "op",
    "kind",
    "object",
    "field",
    "before",
    "after",
    "change",
    "percent",
    "because",
)


def csv_text(plan: Plan) -> str:
    """A header and the rows; a text that a spreadsheet takes for a formula is guarded."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([*map(_guarded, row)] for row in rows(plan))
    return out.getvalue()


def rows(plan: Plan) -> Iterator[tuple[str, ...]]:
    """Texts by the names of `COLUMNS`, in the words of the plan's page."""
    for entry in entries(plan.changes, plan.as_of, sides(plan)):
        head = entry.op.value, entry.kind.value, entry.title
        for line in entry.lines:
            values = line.what, line.before, line.after, line.step, line.share
            yield (*head, *values, entry.because)
        if not entry.lines:
            yield (*head, "", "", "", "", "", entry.because)


def _guarded(text: str) -> str:
    """A step keeps its sign: what is a number is no formula."""
    said = plain(text)
    number = said.lstrip("+-").replace(",", "").removesuffix("%").replace(".", "", 1)
    return said if number.isascii() and number.isdigit() else guarded(said)
