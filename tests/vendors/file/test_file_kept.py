"""A file that somebody holds dear loses nothing when a budget in it is changed."""

import os
import re
import stat
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from msgspec import structs
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation

from canonical.amount import Amount
from canonical.kind import Kind
from connectors.contract.errors import Rejected, Stale
from connectors.contract.records import Draft
from connectors.contract.runtime import Runtime
from connectors.file import connector as room
from connectors.file.connector import File
from connectors.file.declared import FileSettings

HEADER = "owners,amount,ref,name,currency,start,end,cadence"
LINES = [
    "ann;bob,5.00,Q,Other,USD,,,",
    ",10.00,P,Pläne,USD,2026-01-01,2026-01-31,monthly",
    ",20.50,P,Pläne,USD,2026-02-01,2026-02-28,monthly",
    ",30.10,P,Pläne,USD,2026-03-01,2026-03-31,monthly",
    ",7.70,R,Last,USD,,,",
]


def opened(folder, path):
    return File("erp", FileSettings(connector="file", path=path), Runtime(base=folder))


def raise_one(connector, ref="Q", amount="6.25"):
    seen = connector.get(Kind.BUDGET, ref)
    wanted = structs.replace(seen.model, amount=Amount(Decimal(amount), "USD"))
    return connector.update(ref, Draft(model=wanted), {"amount"}, "k")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_one_phase_of_several_changes_one_line_alone(tmp_path, ending, mark, newline):
    sign = "\t" if ending == "tsv" else ","
    path = tmp_path / f"a.{ending}"
    text = newline.join([HEADER, *LINES, ""]).replace(",", sign)
    path.write_bytes(mark + text.encode())
    path.chmod(0o640)
    with opened(tmp_path, path.name) as connector:
        seen = connector.get(Kind.BUDGET, "P").model
        first, second, third = seen.phases
        moved = structs.replace(second, amount=Amount(Decimal("21.75"), "USD"))
        wanted = structs.replace(seen, phases=(first, moved, third))
        connector.update("P", Draft(model=wanted), {"phases"}, "k")
    assert path.read_bytes() == mark + text.replace("20.50", "21.75").encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_written_by_another_process_meanwhile_is_stale_and_stays(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *LINES, ""]), encoding="utf-8")
    theirs = path.read_text(encoding="utf-8").replace("7.70", "8.80")

    def meanwhile():
        other = tmp_path / "b.csv"
        other.write_text(theirs, encoding="utf-8")
        os.replace(other, path)

    monkeypatch.setattr(room, "leaving", meanwhile)
    with opened(tmp_path, "a.csv") as connector, pytest.raises(Stale, match="another process"):
        raise_one(connector)
    assert path.read_text(encoding="utf-8") == theirs
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


ODD = (
    "\n"
    '"ref",Name,"amount", currency ,start,end,cadence,description\r\n'
    '"P",  Pläne ,"10.0", USD ,2026-01-01,2026-01-31,monthly,"said ""so"", twice"\n'
    '"P",  Pläne ,020.5, USD ,2026-02-01,2026-02-28,monthly,"said ""so"", twice"\n'
    "\n"
    '"Q","Other",007,"USD",,,,"two\nlines"\r\n'
    'R,Last,"1",USD,,,,'
)
"""Spelled as no writer of ours would: quotes, blanks, zeros, line ends and no end of the last."""


def test_a_csv_keeps_every_letter_but_those_of_the_cell_that_changes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(ODD.encode())
    with opened(tmp_path, "a.csv") as connector:
        seen = connector.get(Kind.BUDGET, "P").model
        first, second = seen.phases
        moved = structs.replace(second, amount=Amount(Decimal("21.75"), "USD"))
        wanted = structs.replace(seen, phases=(first, moved))
        connector.update("P", Draft(model=wanted), {"phases"}, "k")
    assert path.read_bytes().decode() == ODD.replace("020.5", "21.75")


def test_a_row_that_is_added_ends_the_line_above_and_changes_no_other(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(ODD.encode())
    with opened(tmp_path, "a.csv") as connector:
        seen = connector.get(Kind.BUDGET, "Q").model
        draft = Draft(model=structs.replace(seen, ref="N", description=None))
        connector.create(draft, "k")
    assert path.read_bytes().decode().startswith(ODD + "\r\n" + "N,Other,7.00,USD,")


def test_a_phase_that_goes_takes_its_row_alone(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *LINES, ""]), encoding="utf-8")
    with opened(tmp_path, "a.csv") as connector:
        seen = connector.get(Kind.BUDGET, "P").model
        wanted = structs.replace(seen, phases=seen.phases[:2], end=seen.phases[1].period.end)
        connector.update("P", Draft(model=wanted), {"phases", "end"}, "k")
    assert path.read_text(encoding="utf-8").splitlines() == [HEADER, *LINES[:3], LINES[4]]


def merged(book, sheet):
    sheet.merge_cells("I1:J1")


def validated(book, sheet):
    found = DataValidation(type="list", formula1='"USD,EUR"')
    found.add("C2")
    sheet.add_data_validation(found)


def named(book, sheet):
    book.defined_names["total"] = DefinedName("total", attr_text="Sheet!$D$2")


def computed(book, sheet):
    sheet["I5"] = "=SUM(D2:D2)"


def coloured(book, sheet):
    sheet["A2"].font = Font(bold=True, color="FF0000")
    sheet["D2"].number_format = '#,##0.00 "USD"'
    sheet["D2"].fill = PatternFill("solid", fgColor="FFFF00")
    sheet.column_dimensions["B"].width = 44
    sheet["A1"].comment = Comment("of finance", "ann")


def charted(book, sheet):
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=4, min_row=1, max_row=2))
    sheet.add_chart(chart, "F9")
    other = book.create_sheet("Sums")
    other["A1"] = "=SUM(Sheet!D2:D9)"


def saved(folder, made):
    book = Workbook()
    sheet = book.active
    sheet.append(["ref", "name", "currency", "amount", "start"])
    sheet.append(["Q", "Other", "USD", 5, date(2026, 1, 1)])
    sheet.append(["R", "<Last> & least", "USD", "7.70", "2026-02-01"])
    made(book, sheet)
    book.save(folder / "a.xlsx")
    return parts_of(folder)


def parts_of(folder):
    with zipfile.ZipFile(folder / "a.xlsx") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("made", [merged, validated, named, coloured, charted])
def test_a_change_of_a_workbook_leaves_all_parts_but_one_cell(tmp_path, made):
    before = saved(tmp_path, made)
    with opened(tmp_path, "a.xlsx") as connector:
        assert raise_one(connector).model.amount == Amount(Decimal("6.25"), "USD")
        assert connector.get(Kind.BUDGET, "Q").model.amount == Amount(Decimal("6.25"), "USD")
    after = parts_of(tmp_path)
    own = "xl/worksheets/sheet1.xml"
    apart = {own, "xl/workbook.xml"} if made is charted else {own}
    assert [*after] == [*before]
    assert {n for n in after if after[n] != before[n]} <= apart
    row = re.compile(rb'<c r="D2"[^>]*>.*?</c>')
    assert row.sub(b"", after[own]) == row.sub(b"", before[own]).replace(b' spans="1:5"', b"")
    assert (b'fullCalcOnLoad="1"' in after["xl/workbook.xml"]) or made is not charted
    load_workbook(tmp_path / "a.xlsx")


def test_rows_of_a_workbook_come_below_and_go_without_moving_others(tmp_path):
    saved(tmp_path, coloured)
    with opened(tmp_path, "a.xlsx") as connector:
        seen = connector.get(Kind.BUDGET, "Q").model
        draft = Draft(model=structs.replace(seen, ref="N", start=date(2026, 3, 1)))
        connector.create(draft, "k")
        connector.delete(Kind.BUDGET, "Q", "k")
        connector.update(
            "R", Draft(model=structs.replace(seen, name="Least", ref="R")), {"name"}, "k"
        )
        left = [item for page in connector.list(Kind.BUDGET) for item in page.items]
    assert [(each.id, each.model.name, each.model.start) for each in left] == [
        ("R", "Least", date(2026, 2, 1)),
        ("N", "Other", date(2026, 3, 1)),
    ]
    sheet = load_workbook(tmp_path / "a.xlsx").active
    assert sheet["D3"].value == "7.70"
    assert sheet["A2"].font.b
    assert sheet["A2"].value is None


def test_a_formula_beside_budgets_is_refused_and_the_workbook_stays(tmp_path):
    before = saved(tmp_path, computed)
    with (
        opened(tmp_path, "a.xlsx") as connector,
        pytest.raises(Rejected, match="a formula in cell I5"),
    ):
        raise_one(connector)
    assert parts_of(tmp_path) == before
