"""`trueup check` of an ERP's file of 200,000 rows, read by a layout: wide and long csv, and xlsx.

The wide file has twelve amounts a row, the long ones a row a month. Start-up is included; memory is
the peak of the process.
"""

import csv
import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from benchmarks.figures import Figure
from benchmarks.sides import Side

ROWS = 200_000
ROUNDS = 3

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONG = ("LegalEntityId", "BudgetModelId", "Date", "DimensionDisplayValue", "CurrencyCode",
         "TransactionCurrencyAmount")  # fmt: skip
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TO = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_LINKS = "http://schemas.openxmlformats.org/package/2006/relationships"


def figures(sides: Sequence[Side], rows: int = ROWS, rounds: int = ROUNDS) -> Iterator[Figure]:
    """Seconds of CPU and the peak in MB for each file."""
    with tempfile.TemporaryDirectory() as folder:
        for what, path, layout in _files(Path(folder), rows):
            settings = Path(folder, f"{path.stem}.toml")
            settings.write_text(
                f'[systems.erp]\nconnector = "file"\npath = "{path}"\nlayout = "{layout}"\n'
                'currency = "USD"\n'
            )
            command = ("-m", "trueup", "check", "--config", str(settings))
            costs = [[side.cost(*command) for side in sides] for _ in range(rounds)]
            cpu = [[each.cpu for each in round] for round in costs]
            peak = [[each.peak / 1e6 for each in round] for round in costs]
            yield Figure(f"check {rows:,} rows, {what}, s", cpu, digits=2)
            yield Figure(f"check {rows:,} rows, {what}, MB", peak, digits=0)


def _files(folder: Path, rows: int) -> Iterator[tuple[str, Path, str]]:
    chance = random.Random(7)
    yield "wide csv", _wide(folder / "wide.csv", rows, chance), "sage-intacct"
    yield "long csv", _long(folder / "long.csv", rows, chance), "dynamics-365-fo"
    yield "long xlsx", _book(folder / "book.xlsx", rows, chance), "dynamics-365-fo"


def _wide(path: Path, rows: int, chance: random.Random) -> Path:
    header = ["BUDGET_ID", "ACCT_NO", "DEPT_ID", "LOCATION_ID"]
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, *(f"Month ended {month} 2026" for month in _MONTHS)])
        for row in range(rows):
            amounts = (f"{chance.randrange(1_000_000) / 100:.2f}" for _ in _MONTHS)
            writer.writerow(["Plan", f"{6000 + row % 50}", f"D{row // 50:05d}", "NYC", *amounts])
    return path


def _row(row: int, chance: random.Random) -> tuple[str, ...]:
    day = f"{row % 12 + 1}/1/2026 12:00:00 AM"
    dimension = f"{6000 + row // 12 % 20}-D{row // 240:05d}---"
    return "USMF", "FY2026", day, dimension, "USD", f"{chance.randrange(1_000_000) / 100:.2f}"


def _long(path: Path, rows: int, chance: random.Random) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_LONG)
        writer.writerows(_row(row, chance) for row in range(rows))
    return path


def _book(path: Path, rows: int, chance: random.Random) -> Path:
    """The long file as a workbook, its amounts as numbers."""
    with ZipFile(path, "w", ZIP_DEFLATED) as book:
        book.writestr("_rels/.rels", _links("officeDocument", "xl/workbook.xml"))
        book.writestr("xl/_rels/workbook.xml.rels", _links("worksheet", "worksheets/sheet1.xml"))
        sheet = '<sheet name="One" sheetId="1" r:id="r1"/>'
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_TO}"><sheets>{sheet}</sheets></workbook>',
        )
        with book.open("xl/worksheets/sheet1.xml", "w") as file:
            file.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            file.write(_cells(1, [*map(_text, _LONG)]))
            for number in range(rows):
                *texts, amount = _row(number, chance)
                file.write(_cells(number + 2, [*map(_text, texts), ("", f"<v>{amount}</v>")]))
            file.write(b"</sheetData></worksheet>")
    return path


def _links(kind: str, target: str) -> str:
    link = f'<Relationship Id="r1" Type="{_TO}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{_LINKS}">{link}</Relationships>'


def _text(text: str) -> tuple[str, str]:
    return ' t="inlineStr"', f"<is><t>{text}</t></is>"


def _cells(row: int, cells: Sequence[tuple[str, str]]) -> bytes:
    said = (
        f'<c r="{chr(65 + column)}{row}"{kind}>{inner}</c>'
        for column, (kind, inner) in enumerate(cells)
    )
    return f'<row r="{row}">{"".join(said)}</row>'.encode()
