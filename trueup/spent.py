"""What `trueup actuals` tells, as data, as csv, as a workbook and for people."""

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from canonical.amount import Amount
from canonical.kind import Kind
from canonical.money import said
from canonical.period import Period
from canonical.spent import Spent
from connectors.file.tables import guarded
from sync.spending import Total, totals
from trueup.output import json_text
from trueup.refusal import Refusal, form_said

COLUMNS: Final = (
    "system", "sync", "kind", "ref", "budget_ref", "name", "status", "currency", "amount", "spent",
    "pending", "remaining", "share", "at", "target_id", "source", "start", "end",
)  # fmt: skip
_NUMBERS: Final = frozenset({"amount", "spent", "pending", "remaining", "share"})
_WIDTH: Final = 20
"""Characters of a bar that is full."""


class Form(StrEnum):
    """How actuals are told."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    XLSX = "xlsx"


def form_of(said: str | None, out: Path | None) -> Form:
    """The form that was `said`, or that a file's name says; a table where there is neither.

    Raises `Refusal` for a word that is none, and for a workbook that has no file.
    """
    form = None if said is None else form_said(said, Form)
    if form is Form.XLSX and out is None:
        raise Refusal("a workbook is no text to print; name its file with --out")
    if form is not None or out is None:
        return form or Form.TABLE
    try:
        return Form(out.suffix.lower().removeprefix("."))
    except ValueError:
        ways = "end in .csv, .json or .xlsx, or --format has to say what it is to be"
        raise Refusal(f"{out} has to {ways}") from None


def as_data(rows: Sequence[Spent]) -> dict[str, Any]:
    """The document of `--json`."""
    return {"actuals": [*map(row_data, rows)], "totals": [*map(total_data, totals(rows))]}


def as_text(form: Form, rows: Sequence[Spent]) -> str:
    """The text of a file, or of stdout."""
    if form is Form.JSON:
        return json_text(as_data(rows))
    if form is Form.CSV:
        return csv_text(rows)
    return "\n".join("\t".join(line) for line in (TITLES, *table_rows(rows)))


def in_order(rows: Iterable[Spent]) -> list[Spent]:
    """By system and ref, the shares of a budget after it; last what no sync links."""

    def place(row: Spent) -> tuple[str, bool, str, bool, str]:
        budget = row.budget_ref or row.ref or ""
        return row.system, row.ref is None, budget, row.kind is Kind.ALLOCATION, row.ref or ""

    return sorted(rows, key=place)


def row_data(row: Spent) -> dict[str, str | None]:
    """One object by the names of `COLUMNS`; amounts are exact decimal texts."""
    unit = next((each.unit for each in (row.spent, row.amount) if each is not None), None)
    values = (
        row.system, row.sync, row.kind.value, row.ref, row.budget_ref, row.name, row.status.value,
        unit, _number(row.amount), _number(row.spent), _number(row.pending),
        _number(row.remaining), _share(row.share), row.at.isoformat() if row.at else None,
        row.target_id, row.source, *_days(row.period),
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def total_data(total: Total) -> dict[str, str | None]:
    """A total by the same names; the one over all systems has no `system`."""
    return {
        "system": total.system,
        "currency": total.amount.unit,
        "amount": _number(total.amount),
        "spent": _number(total.spent),
        "pending": _number(total.pending),
        "remaining": _number(total.remaining),
        "share": _share(total.share),
    }


def csv_text(rows: Iterable[Spent]) -> str:
    """A header and one line an object; a text that a spreadsheet takes for a formula is guarded."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        found = row_data(row)
        writer.writerow(
            found[name] if name in _NUMBERS else guarded(found[name] or "") for name in COLUMNS
        )
    return out.getvalue()


def write_workbook(path: Path, rows: Iterable[Spent]) -> None:
    """The same as one sheet of a workbook, its amounts as numbers; raises `OSError`."""
    from openpyxl import Workbook  # 0.1 s, for whoever wants one
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("actuals")
    sheet.append(COLUMNS)
    for row in rows:
        cells = []
        for name, value in row_data(row).items():
            held: Any = Decimal(value) if value is not None and name in _NUMBERS else value
            cell = WriteOnlyCell(sheet, held)
            if isinstance(held, str):
                cell.data_type = "s"  # also what looks like a formula
            cells.append(cell)
        sheet.append(cells)
    book.save(path)


def table_rows(rows: Sequence[Spent]) -> list[tuple[str, ...]]:
    """Lines for a table of `TITLES`: objects by system, then the totals."""
    lines = [
        (
            row.system,
            _named(row),
            row.name,
            *_money(row.amount, row.spent, row.pending, row.remaining),
            bar(row.share, row.spent),
        )
        for row in rows
    ]
    for total in totals(rows):
        system = total.system or "all systems"
        money = _money(total.amount, total.spent, total.pending, total.remaining)
        lines.append((system, "budgets in all", "", *money, bar(total.share, total.spent)))
    return lines


TITLES: Final = ("system", "ref", "name", "currency", "budget", "spent", "pending", "left", "used")
AMOUNTS: Final = ("budget", "spent", "pending", "left")


def bar(share: Decimal | None, spent: Amount | None) -> str:
    """How much of the amount is spent, as a bar; what is over the amount is marked."""
    if share is None:
        return "over: there is no amount" if spent is not None and spent.value > 0 else ""
    full = max(0, min(_WIDTH, int(share * _WIDTH)))
    over = " OVER" if share > 1 else ""
    return f"{'#' * full}{'.' * (_WIDTH - full)} {share * 100:.0f}%{over}"


def _named(row: Spent) -> str:
    if row.ref is None:
        return f"({row.target_id})"
    return row.ref if row.kind is Kind.BUDGET else f"{row.budget_ref} / {row.ref}"


def _money(*amounts: Amount | None) -> tuple[str, ...]:
    unit = next((each.unit for each in amounts if each is not None), "")
    return unit, *("" if each is None else said(each.value) for each in amounts)


def _number(amount: Amount | None) -> str | None:
    return None if amount is None else amount.text()


def _days(period: Period | None) -> tuple[str | None, str | None]:
    if period is None:
        return None, None
    return period.start.isoformat(), period.end.isoformat() if period.end else None


def _share(share: Decimal | None) -> str | None:
    return None if share is None else f"{share:f}"
