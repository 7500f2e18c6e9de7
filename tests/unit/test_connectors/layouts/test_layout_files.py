"""Opening a file: encoding, delimiter, quoting, sheets, records; damage is one clear error."""

import json
import zipfile
from decimal import Decimal

import openpyxl
import pytest

from connectors.contract.errors import Unreadable
from connectors.file.layouts.choosing import read_file
from connectors.layouts.headers import find_header
from connectors.layouts.loading import layout_of
from connectors.layouts.reading import read_sheet
from tests.unit.test_connectors.layouts.laid_out import (
    LONG,
    WIDE,
    amounts,
    made,
    problems,
    read,
    shares,
)

ROW = "Department,Account,Jan 2026\nCafé,6100,10.50\n"
CAFE = {"Café": {"2026-01": "10.50"}}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_file_is_read_in_the_encoding_that_it_is_in(tmp_path, encoding):
    assert amounts(read(tmp_path, ROW.encode(encoding))) == CAFE


def test_an_encoding_that_is_not_allowed_is_told_with_the_setting(tmp_path):
    with pytest.raises(Unreadable, match=r"not text in utf-8.*file\.encoding"):
        read(tmp_path, ROW.encode("cp1252"), more='file.encoding = "utf-8"')


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["b.csv", "b.tsv", "b.txt"])
def test_the_delimiter_is_the_one_with_which_the_header_is_found(tmp_path, sign, name):
    assert amounts(read(tmp_path, ROW.replace(",", sign), name=name)) == CAFE


def test_a_quoted_delimiter_and_a_quote_are_part_of_the_cell(tmp_path):
    found = read(tmp_path, 'Department,Account,Jan 2026\n"A, ""B""",6100,10.50\n')
    assert amounts(found) == {'A, "B"': {"2026-01": "10.50"}}


def test_another_quote_is_set(tmp_path):
    text = "Department,Account,Jan 2026\n'A, B',6100,10.50\n"
    assert amounts(read(tmp_path, text, more='file.quote = "\'"')) == {"A, B": {"2026-01": "10.50"}}


def test_an_open_quote_is_told_with_its_line(tmp_path):
    with pytest.raises(Unreadable, match=r"line 2.*Close every quote"):
        read(tmp_path, 'Department,Account,Jan 2026\n"A,6100,10.50\nB,6100,1.00\n')


def test_which_of_two_columns_of_one_header_is_meant_is_asked(tmp_path):
    text = "Department,Account,Account,Jan 2026\nA,1,2,5.00\n"
    found = read(tmp_path, text)
    (asked,) = found.open
    assert asked.setting == "columns.account.at"
    assert asked.readings == ("columns.account.at=B", "columns.account.at=C")
    said = read(tmp_path, text, more='columns.account = { any = ["Account"], at = "3" }')
    assert (said.questions, [*shares(said)]) == ([], [("A", "2")])


def test_a_header_that_is_named_and_stands_twice_is_asked_about_too(tmp_path):
    text = "Team,Date,Amount,Amount\nA,2026-01-31,5.00,6.00\n"
    layout = 'currency = "USD"\namount = "Amount"\nperiods.day = "Date"\nbudget.ref = "Team"\n'
    (asked,) = read(tmp_path, text, layout).open
    assert asked.readings == ("columns.Amount.at=C", "columns.Amount.at=D")
    said = read(tmp_path, text, layout, more='columns.Amount.at = "D"')
    assert amounts(said) == {"A": {"2026-01": "6.00"}}


def test_a_file_without_the_columns_says_which_are_missing(tmp_path):
    with pytest.raises(Unreadable, match="no header with the columns of the layout: department"):
        read(tmp_path, "Dept,Account,Jan 2026\nA,1,2.00\n")


def book(folder, sheets, hidden=()):
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
    workbook.save(folder / "b.xlsx")
    return folder / "b.xlsx"


HEADER = ["Department", "Account", "Jan 2026"]


def test_a_hidden_first_sheet_is_told_and_not_read(tmp_path):
    path = book(tmp_path, {"Old": [HEADER, ["A", "1", 1]], "New": [HEADER, ["A", "1", 2]]}, ["Old"])
    found = read_file(path, made(WIDE))
    assert amounts(found) == {"A": {"2026-01": "2.00"}}
    assert problems(found) == [
        'b.xlsx sheet Old: is hidden and was not read; file.sheet = "Old" reads it'
    ]


def test_a_sheet_that_is_named_is_read_and_nothing_is_told(tmp_path):
    path = book(tmp_path, {"Old": [HEADER, ["A", "1", 1]], "New": [HEADER, ["A", "1", 2]]}, ["Old"])
    found = read_file(path, made(WIDE, 'file.sheet = "old"'))
    assert amounts(found) == {"A": {"2026-01": "1.00"}}
    assert problems(found) == []


def test_which_of_two_sheets_with_the_header_is_meant_is_asked(tmp_path):
    north, south = [HEADER, ["A", "1", 1]], [HEADER, ["B", "1", 2]]
    path = book(tmp_path, {"North": north, "South": south, "Form": [HEADER], "Notes": [["x"]]})
    found = read_file(path, made(WIDE))
    (asked,) = found.open
    assert asked.setting == "file.sheet"
    assert asked.readings == ("file.sheet=North", "file.sheet=South")
    assert amounts(found) == {}
    named = read_file(path, made(WIDE, 'file.sheet = "South"'))
    assert (amounts(named), named.questions) == ({"B": {"2026-01": "2.00"}}, [])


def test_a_sheet_that_is_not_there_is_told_with_those_that_are(tmp_path):
    path = book(tmp_path, {"Old": [HEADER]})
    with pytest.raises(Unreadable, match="no sheet 'New'; it has Old"):
        read_file(path, made(WIDE, 'file.sheet = "New"'))


def test_a_cover_sheet_without_the_header_is_passed_by(tmp_path):
    path = book(tmp_path, {"Cover": [["Acme"]], "Data": [HEADER, ["A", "1", 2]]})
    assert amounts(read_file(path, made(WIDE))) == {"A": {"2026-01": "2.00"}}


def test_a_number_where_a_code_belongs_is_told_with_sheet_row_and_column(tmp_path):
    path = book(tmp_path, {"One": [HEADER, [7, "1", 2]], "Two": []})
    found = read_file(path, made(WIDE))
    assert amounts(found) == {}
    (said,) = problems(found)
    assert said.startswith("b.xlsx sheet One row 2, column A (Department): 7 is a number")
    assert "columns.department.numbers = true" in said


def test_a_number_is_a_code_where_the_layout_says_so(tmp_path):
    path = book(tmp_path, {"One": [HEADER, [7, "1", 2]]})
    found = read_file(
        path, made(WIDE, 'columns.department = { any = "Department", numbers = true }')
    )
    assert amounts(found) == {"7": {"2026-01": "2.00"}}


def test_a_float_is_read_at_15_digits(tmp_path):
    path = book(tmp_path, {"One": [HEADER, ["A", "1", 8858.190000000001], ["A", "2", 0.1 + 0.2]]})
    assert amounts(read_file(path, made(WIDE))) == {"A": {"2026-01": "8858.49"}}


def test_a_formula_without_a_stored_value_is_told_and_never_blank(tmp_path):
    path = book(tmp_path, {"One": [HEADER, ["A", "1", "=1+1"], ["B", "1", 3]]})
    found = read_file(path, made(WIDE))
    assert amounts(found) == {"B": {"2026-01": "3.00"}}
    (said,) = problems(found)
    assert said.startswith("b.xlsx row 2, column C (Jan 2026): holds a formula without a result")


def test_an_error_cell_is_told_and_never_blank(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.append(HEADER)
    workbook.active.append(["A", "1", "#N/A"])
    workbook.active["C2"].data_type = "e"
    workbook.save(tmp_path / "b.xlsx")
    found = read_file(tmp_path / "b.xlsx", made(WIDE))
    assert amounts(found) == {}
    assert problems(found) == ["b.xlsx row 2, column C (Jan 2026): shows the error #N/A"]


def test_a_cell_in_the_last_corner_of_a_sheet_costs_nothing(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.active.append(HEADER)
    workbook.active.append(["A", "1", 2])
    workbook.active["XFD1048576"] = 1
    workbook.save(tmp_path / "b.xlsm")
    assert amounts(read_file(tmp_path / "b.xlsm", made(WIDE))) == {"A": {"2026-01": "2.00"}}


def test_a_damaged_workbook_is_one_clear_error(tmp_path):
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(Unreadable, match="is not an xlsx workbook"):
        read_file(tmp_path / "b.xlsx", made(WIDE))


@pytest.mark.parametrize("ending", ["xls", "xlsb", "ods"])
def test_a_damaged_workbook_of_another_kind_is_one_clear_error(tmp_path, ending):
    (tmp_path / f"b.{ending}").write_bytes(b"nothing of the kind")
    with pytest.raises(Unreadable, match="is a damaged workbook"):
        read_file(tmp_path / f"b.{ending}", made(WIDE))


def ods(folder, *rows):
    """A spreadsheet of those rows of table:table-cell elements."""
    names = " ".join(
        f'xmlns:{each}="urn:oasis:names:tc:opendocument:xmlns:{each}:1.0"'
        for each in ("office", "table", "text")
    )
    names += ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    listed = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        "</manifest:manifest>"
    )
    with zipfile.ZipFile(folder / "b.ods", "w") as book:
        book.writestr("mimetype", kind)
        book.writestr("META-INF/manifest.xml", listed)
        book.writestr(
            "content.xml",
            f'<office:document-content {names} office:version="1.2"><office:body>'
            f'<office:spreadsheet><table:table table:name="One">{"".join(rows)}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return folder / "b.ods"


def ods_row(*cells, more=""):
    said = (
        f'<table:table-cell office:value-type="float" office:value="{each}"{more}/>'
        if isinstance(each, float)
        else f'<table:table-cell office:value-type="string"><text:p>{each}</text:p>'
        "</table:table-cell>"
        for each in cells
    )
    return f"<table:table-row{more}>{''.join(said)}</table:table-row>"


def test_a_workbook_of_another_kind_is_read(tmp_path):
    path = ods(tmp_path, ods_row(*HEADER), ods_row("007", "0100", 10.5))
    found = read_file(path, made(WIDE))
    assert amounts(found) == {"007": {"2026-01": "10.50"}}


@pytest.mark.parametrize(
    "cell",
    [
        (
            '<table:table-cell table:formula="of:=NA()" office:value-type="string" '
            'office:string-value="" calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>'
        ),
        '<table:table-cell table:formula="of:=1+1"/>',
    ],
)
def test_an_ods_with_cells_that_look_blank_and_are_not_is_refused(tmp_path, cell):
    row = ods_row("A", "1").replace("</table:table-row>", f"{cell}</table:table-row>")
    with pytest.raises(Unreadable, match="holds 1 cells with an error, or a formula without"):
        read_file(ods(tmp_path, ods_row(*HEADER), row), made(WIDE))


def test_whether_blanks_of_a_workbook_that_hides_errors_are_blank_is_asked(tmp_path):
    found = read_sheet(Unsure(), made(WIDE), find_header(Unsure(), made(WIDE)))
    (asked,) = found.questions
    assert asked.setting == "file.blanks"
    assert amounts(found) == {}
    layout = made(WIDE, "file.blanks = true")
    said = read_sheet(Unsure(), layout, find_header(Unsure(), layout))
    assert amounts(said) == {"A": {"2026-01": "1.00"}}


class Unsure:
    """A sheet whose blank cells may be errors, as those of xls."""

    label, name, hidden, typed, unsure = "b.xls", "One", False, True, True

    def rows(self):
        yield 1, ["Department", "Account", "Jan 2026", "Feb 2026"], ()
        yield 2, ["A", "1", Decimal(1), ""], ()


def test_a_workbook_that_asks_for_gigabytes_is_one_clear_error(tmp_path):
    many = ' table:number-rows-repeated="1048576" table:number-columns-repeated="16384"'
    path = ods(tmp_path, ods_row(*HEADER), ods_row(1.0, more=many))
    with pytest.raises(Unreadable, match="is a damaged workbook"):
        read_file(path, made(WIDE))


RECORDS = [
    {"dept": {"code": "A"}, "when": "2026-01-01", "sum": 10.5},
    {"dept": {"code": "A"}, "when": "2026-02-01", "sum": "20"},
]
OF_RECORDS = """
currency = "USD"
amount = "sum"
[periods]
day = "when"
[budget]
ref = "dept.code"
"""
SUMS = {"A": {"2026-01": "10.50", "2026-02": "20.00"}}


def test_records_are_rows_and_what_is_inside_them_has_a_path(tmp_path):
    assert amounts(read(tmp_path, json.dumps(RECORDS), OF_RECORDS, "b.json")) == SUMS
    lines = "\n".join(map(json.dumps, RECORDS))
    assert amounts(read(tmp_path, lines, OF_RECORDS, "b.jsonl")) == SUMS


def test_records_may_stand_inside_an_object(tmp_path):
    text = json.dumps({"data": {"value": RECORDS}})
    assert (
        amounts(read(tmp_path, text, OF_RECORDS, "b.json", 'file.records = "data.value"')) == SUMS
    )
    with pytest.raises(Unreadable, match="no list of records"):
        read(tmp_path, text, OF_RECORDS, "b.json")


def test_a_list_inside_a_record_makes_rows(tmp_path):
    text = json.dumps([{"dept": {"code": "A"}, "months": [
        {"when": "2026-01-01", "sum": 10.5}, {"when": "2026-02-01", "sum": 20}]}])  # fmt: skip
    layout = OF_RECORDS.replace('"sum"', '"months.sum"').replace('"when"', '"months.when"')
    assert amounts(read(tmp_path, text, layout, "b.json", 'file.lines = "months"')) == SUMS


def test_an_ending_that_nothing_reads_is_told(tmp_path):
    with pytest.raises(Unreadable, match="docx is not a format of budgets"):
        read_file(tmp_path / "b.docx", layout_of({}))


def test_a_long_file_of_a_workbook_may_have_dates_and_serials(tmp_path):
    from datetime import date

    rows = [["Department", "Date", "Amount"], ["A", date(2026, 1, 1), 1], ["A", 46054, 2]]
    path = book(tmp_path, {"One": rows})
    assert amounts(read_file(path, made(LONG))) == {"A": {"2026-01": "1.00", "2026-02": "2.00"}}
