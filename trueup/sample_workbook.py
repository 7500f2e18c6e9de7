"""The sample ERP as Business Central exports a budget to Excel: a sheet that people made, not us.

Filters stand above the header, the header's months are dates, headings and totals are bold, and
far below lie the codes of the departments, which are no budget.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from canonical.amount import Amount
from trueup.sample import ACCOUNTS, cost_centre, months

_BOLD = Font(bold=True)
_HEADER = 5
_FAR_BELOW = 200


def write_workbook(
    path: Path, *, year: int, cost_centres: int = 40, more: Amount | None = None
) -> None:
    """Write the export; with `more`, travel of the first cost centre has that more each month.

    Raises `OSError`.
    """
    numbers = range(1, cost_centres + 1)
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "BUDGET"
    _head(sheet, year)
    _line(sheet, ("6000", "OPERATING EXPENSES", ""), bold=True)
    for account, (code, name, _) in enumerate(ACCOUNTS):
        for number in numbers:
            amounts = [month.split(_weights())[account] for month in months(number)]
            if more is not None and account == 0 and number == 1:
                amounts = [amount + more for amount in amounts]
            values = [amount.value for amount in amounts]
            _line(sheet, (code, name, cost_centre(number), *values))
    _total(sheet)
    _codes(sheet, numbers)
    book.save(path)


def _head(sheet: Worksheet, year: int) -> None:
    _line(sheet, ("Export Filters",), bold=True)
    _line(sheet, ("Budget Name", f"OPEX{year % 100}"))
    _line(sheet, ("Date", f"01/01/{year % 100}..12/31/{year % 100}"))
    titles = ("G/L Account No.", "Name", "Department Code")
    sheet.append([])
    _line(sheet, (*titles, *(date(year, month, 1) for month in range(1, 13))), bold=True)


def _total(sheet: Worksheet) -> None:
    """Its sums are formulas of which nobody has stored the result, as in what a program writes."""
    last = sheet.max_row
    columns = map(get_column_letter, range(4, 16))
    sums = [f"=SUM({column}{_HEADER + 2}:{column}{last})" for column in columns]
    _line(sheet, ("6999", "OPERATING EXPENSES, TOTAL", "", *sums), bold=True)


def _codes(sheet: Worksheet, numbers: Iterable[int]) -> None:
    row = sheet.max_row + _FAR_BELOW
    for number in numbers:
        sheet.cell(row + number, 1, cost_centre(number))


def _line(sheet: Worksheet, values: Sequence[object], *, bold: bool = False) -> None:
    sheet.append([value if value != "" else None for value in values])
    for cell in sheet[sheet.max_row] if bold else ():
        cell.font = _BOLD


def _weights() -> list[int]:
    return [weight for _, _, weight in ACCOUNTS]
