"""Workbooks of strangers: what is in a cell is read or told, and damage is one problem of the file."""

import tracemalloc
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.errors import ConnectorError, Rejected, Unreadable
from connectors.contract.records import Draft
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings
from connectors.layouts.stored import counts_days, escaped, serial, unescaped
from tests.vendors.file import workbook as made

GOOD = ("OK", "Fine", "USD", made.number("5"))


def opened(folder, raw, **keys):
    (folder / "b.xlsx").write_bytes(raw)
    return File("erp", FileSettings(connector="file", path="b.xlsx", **keys), Runtime(base=folder))


def listed(file, kind=Kind.BUDGET):
    pages = list(file.list(kind))
    return (
        [item.model for page in pages for item in page.items],
        [problem for page in pages for problem in page.problems],
    )


def of_rows(folder, *rows, **keys):
    return opened(folder, made.book({"One": made.sheet(made.HEADER, GOOD, *rows)}, **keys))


UNREADABLE = {
    "error": (made.error("#N/A"), "shows the error #N/A"),
    "error of a formula": (
        made.formula("1/0", "<v>#DIV/0!</v>", 't="e"'),
        "shows the error #DIV/0!",
    ),
    "never calculated": (made.formula("1+1"), "holds a formula without a result"),
    "empty result": (made.formula("1+1", "<v/>"), "holds a formula without a result"),
    "text never calculated": (made.formula("X()", "", 't="str"'), "holds a formula without"),
    "no such text": (('t="s"', "<v>7</v>"), "a text that the workbook does not hold"),
    "no number": (made.number("12x"), "'12x' is not a number"),
    "not finite": (made.number("NaN"), "'NaN' is not a number"),
    "beyond": (made.number("1e999999"), "is not a number"),
    "no truth": (('t="b"', "<v>2</v>"), "neither true nor false"),
    "no day": (made.number("99999999", style=1), "a date that no calendar has"),
    "29 February 1900": (made.number("60", style=1), "29 February 1900"),
    "unknown kind": (('t="zz"', "<v>2</v>"), "of a kind that is not known"),
}


@pytest.mark.parametrize("column", ["ref", "name", "amount", "status", "start", "description"])
@pytest.mark.parametrize(("cell", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_cell_that_cannot_be_read_is_told_and_never_blank(tmp_path, column, cell, said):
    row = ["A", "Ads", "USD", made.number("5"), "active", None, None]
    row[made.HEADER.index(column)] = cell
    budgets, (problem,) = listed(of_rows(tmp_path, row))
    assert [each.ref for each in budgets] == ["OK"]
    assert problem.where == f"b.xlsx row 3, column {column}"
    assert said in problem.message


def test_the_sheet_is_named_where_there_are_several(tmp_path):
    rows = made.sheet(made.HEADER, ("A", "Ads", "USD", made.error("#REF!")))
    _, (problem,) = listed(opened(tmp_path, made.book({"One": rows, "Two": made.sheet()})))
    assert problem.where == "b.xlsx sheet One row 2, column amount"


def test_a_formula_with_a_result_is_its_result_and_an_empty_text_is_blank(tmp_path):
    row = ("A", made.formula("X", "<v>Ads</v>", 't="str"'), "USD",
           made.formula("1+1", "<v>2</v>"), made.formula('""', "<v></v>", 't="str"'))  # fmt: skip
    budgets, problems = listed(of_rows(tmp_path, row))
    assert problems == []
    assert budgets[1] == Budget(ref="A", name="Ads", amount=Amount.of(2, "USD"))


@pytest.mark.parametrize(
    ("stored", "amount"),
    [("1375.1100000000001", "1375.11"), ("0.30000000000000004", "0.3"), ("1E+3", "1000"),
     ("12.500", "12.50"), ("2.2999999999999998", "2.30"), ("123456789012345", "123456789012345"),
     ("9999999999999.99", "9999999999999.99")],
)  # fmt: skip
def test_a_number_is_read_at_the_digits_that_a_worksheet_keeps(tmp_path, stored, amount):
    budgets, problems = listed(of_rows(tmp_path, ("A", "Ads", "USD", made.number(stored))))
    assert problems == []
    assert budgets[1].amount.value == Decimal(amount)


@pytest.mark.parametrize("stored", ["12345678901234.57", "1234567890123456.7", "12345678901234567"])
def test_a_number_with_more_digits_than_a_worksheet_keeps_is_not_guessed(tmp_path, stored):
    _, (problem,) = listed(of_rows(tmp_path, ("A", "Ads", "USD", made.number(stored))))
    assert problem.where == "b.xlsx row 3, column amount"
    assert "more digits than the 15" in problem.message


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (made.number("123"), "123 is a number; format the column as text"),
        (made.number("45000", style=1), "2023-03-15 is a date"),
        (('t="b"', "<v>1</v>"), "true is true or false"),
    ],
)
def test_a_ref_that_is_no_text_is_told_since_its_zeros_are_lost(tmp_path, cell, said):
    budgets, (problem,) = listed(of_rows(tmp_path, (cell, "Ads", "USD", made.number("5"))))
    assert [each.ref for each in budgets] == ["OK"]
    assert problem.where == "b.xlsx row 3, column ref"
    assert said in problem.message


def test_a_hidden_first_sheet_is_passed_over(tmp_path):
    sheets = {"Old": made.sheet(("notes",)), "Now": made.sheet(made.HEADER, GOOD)}
    for state in ("hidden", "veryHidden"):
        budgets, _ = listed(opened(tmp_path, made.book(sheets, states=[state])))
        assert [each.ref for each in budgets] == ["OK"]


def test_a_workbook_with_nothing_but_hidden_sheets_is_unreadable(tmp_path):
    raw = made.book({"Old": made.sheet(made.HEADER, GOOD)}, states=["hidden"])
    with pytest.raises(Unreadable, match="no sheet that is not hidden"):
        listed(opened(tmp_path, raw))


SHARES = made.sheet(
    ("budget", "entity_type", "entity", "amount"), ("OK", "user", "ada", made.number("2"))
)


@pytest.mark.parametrize("name", ["allocations", "Allocations", "ALLOCATIONS "])
def test_a_sheet_of_allocations_is_read_in_capitals_or_not(tmp_path, name):
    file = opened(tmp_path, made.book({"B": made.sheet(made.HEADER, GOOD), name: SHARES}))
    budgets, _ = listed(file, Kind.ALLOCATION)
    assert [(each.budget, each.entity.id) for each in budgets] == [("OK", "ada")]
    file.create(Draft(model=Budget(ref="N", name="New", amount=Amount.of(1, "USD"))), "key")
    assert openpyxl.load_workbook(tmp_path / "b.xlsx").sheetnames == ["B", name]


def test_a_sheet_of_allocations_beside_a_file_of_them_is_refused(tmp_path):
    (tmp_path / "a.csv").write_text("budget,entity_type,entity,amount\n")
    raw = made.book({"B": made.sheet(made.HEADER, GOOD), "Allocations": SHARES})
    with pytest.raises(Unreadable, match=r"Keep them in one place: a\.csv or the sheet"):
        opened(tmp_path, raw, allocations="a.csv").check()


def test_days_are_read_as_their_format_shows_them(tmp_path):
    cells = [made.number("46023", style=1), made.number("46023.0", style=2), "2026-01-01"]
    rows = [(f"A{n}", "Ads", "USD", made.number("5"), None, each) for n, each in enumerate(cells)]
    file = of_rows(tmp_path, *rows, formats='[$-409]d" days "mmm\\-yyyy;@')
    assert [each.start for each in listed(file)[0]] == [None, *[date(2026, 1, 1)] * 3]


def test_days_count_from_1904_where_the_workbook_says_so(tmp_path):
    row = ("A", "Ads", "USD", made.number("5"), None, made.number("44561", style=1))
    file = of_rows(tmp_path, row, properties='<workbookPr date1904="1"/>')
    assert listed(file)[0][1].start == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("code", "kind"),
    [('#,##0.00 "days"', ""), ("[Red]0.00", ""), ("General", ""), ("yyyy-mm-dd", "date"),
     ("[h]:mm", "elapsed"), ("0.00E+00", ""), ("[$USD] 0", ""), ("_-* #,##0_-", ""), ("\\d0", "")],
)  # fmt: skip
def test_a_format_says_whether_a_number_counts_days(code, kind):
    assert counts_days(170, code) == kind


def test_the_first_days_of_1900_are_those_that_a_spreadsheet_shows():
    assert serial(Decimal(1), False, False) == date(1900, 1, 1)
    assert serial(Decimal(59), False, False) == date(1900, 2, 28)
    assert serial(Decimal(61), False, False) == date(1900, 3, 1)


def test_shared_texts_are_read_without_how_they_are_spoken(tmp_path):
    texts = "<si><r><t>A</t></r><r><t>ds</t></r><rPh><t>no</t></rPh></si>"
    row = ("A", ('t="s"', "<v>0</v>"), "USD", made.number("5"))
    assert listed(of_rows(tmp_path, row, texts=texts))[0][1].name == "Ads"


@given(st.text(st.characters(exclude_categories=[])))
def test_a_text_is_the_same_after_a_workbook_held_it(said):
    assert unescaped(escaped(said)) == said


def test_a_cell_far_away_takes_no_room(tmp_path):
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    rows = made.sheet(made.HEADER, GOOD).replace("</sheetData>", far)
    file = opened(tmp_path, made.book({"One": rows}))
    tracemalloc.start()
    try:
        budgets, (problem,) = listed(file)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000
    assert [each.ref for each in budgets] == ["OK"]
    assert problem.where == "b.xlsx row 1048576"
    assert "a value in column XFD, which has no header" in problem.message
    with pytest.raises(Rejected, match="too far to the right"):
        file.create(Draft(model=Budget(ref="N", name="New", amount=Amount.of(1, "USD"))), "key")


DAMAGE = {
    "rows out of order": ('<row r="1">', '<row r="9"></row><row r="1">'),
    "a row twice": ('<row r="2">', '<row r="1">'),
    "a row that no sheet has": ('<row r="2">', '<row r="9999999">'),
    "a cell of another row": ('r="A2"', 'r="A7"'),
    "a column that no sheet has": ('r="A2"', 'r="ZZZZ2"'),
    "a cell twice": ('r="B2"', 'r="A2"'),
    "broken off": ("</sheetData></worksheet>", ""),
    "types of its own": ("<worksheet", '<!DOCTYPE x [<!ENTITY a "b">]><worksheet'),
    "an encoding nobody knows": ("<worksheet", '<?xml version="1.0" encoding="zz"?><worksheet'),
    "without end": ("<sheetData>", "<a>" * 100),
}


@pytest.mark.parametrize(("old", "new"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_worksheet_is_one_problem_of_the_file(tmp_path, old, new):
    xml = made.sheet(made.HEADER, GOOD)
    assert old in xml
    with pytest.raises(Unreadable, match="is a damaged workbook"):
        listed(opened(tmp_path, made.book({"One": xml.replace(old, new, 1)})))


def test_a_part_that_unpacks_without_end_is_given_up_early(tmp_path, monkeypatch):
    monkeypatch.setattr("connectors.file.package.PART", 1 << 20)
    xml = made.sheet(made.HEADER, GOOD).replace("<sheetData>", "<!-- -->" * 300_000 + "<sheetData>")
    with pytest.raises(Unreadable, match="larger than any of its kind"):
        listed(opened(tmp_path, made.book({"One": xml})))


def test_a_text_without_end_is_given_up_early(tmp_path, monkeypatch):
    monkeypatch.setattr("connectors.file.package.TOKEN", 1 << 20)
    xml = made.sheet(made.HEADER, ("A" * 3_000_000,))
    with pytest.raises(Unreadable, match=r"a text in it has no end|larger than any"):
        listed(opened(tmp_path, made.book({"One": xml})))


def test_a_write_keeps_errors_hidden_sheets_and_odd_texts(tmp_path):
    raw = made.book(
        {
            "Old": made.sheet(("a_x0041_b",)),
            "Now": made.sheet(made.HEADER, GOOD, ("A", "Ads", "USD", made.error("#N/A"))),
        },
        states=["hidden"],
    )
    file = opened(tmp_path, raw)
    file.create(Draft(model=Budget(ref="N", name="a\rb_x0041_", amount=Amount.of(1, "USD"))), "key")
    budgets, (problem,) = listed(file)
    assert [each.name for each in budgets] == ["Fine", "a\rb_x0041_"]
    assert "shows the error #N/A" in problem.message
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    assert [each.sheet_state for each in book] == ["hidden", "visible"]


def test_a_write_that_would_lose_a_formula_is_refused(tmp_path):
    file = of_rows(tmp_path, ("A", made.formula("1+1"), "USD", made.number("5")))
    before = (tmp_path / "b.xlsx").read_bytes()
    with pytest.raises(Rejected, match="a formula in cell B3"):
        file.create(Draft(model=Budget(ref="N", name="New", amount=Amount.of(1, "USD"))), "key")
    assert (tmp_path / "b.xlsx").read_bytes() == before


def test_every_error_of_a_workbook_is_one_of_a_connector(tmp_path):
    raw = made.book({"One": made.sheet(made.HEADER, GOOD)})
    for end in range(0, len(raw), 97):
        with pytest.raises(ConnectorError):
            listed(opened(tmp_path, raw[:end]))
