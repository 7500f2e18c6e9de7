"""Headers and rows: what is above, between and below the data is never an amount, nor lost."""

import openpyxl
import pytest

from connectors.contract.errors import Unreadable
from connectors.file.layouts.choosing import read_file
from tests.unit.test_connectors.layouts.laid_out import LONG, WIDE, amounts, made, problems, read

DATA = "A,6100,1.00,2.00\nB,6100,3.00,4.00\n"
HEADER = "Department,Account,Jan 2026,Feb 2026\n"
BOTH = {"A": {"2026-01": "1.00", "2026-02": "2.00"}, "B": {"2026-01": "3.00", "2026-02": "4.00"}}


def test_titles_above_the_header_are_passed_by(tmp_path):
    assert amounts(read(tmp_path, f"Acme\nBudget 2026,,\n\n{HEADER}{DATA}")) == BOTH


def test_a_header_is_found_however_it_is_spelled(tmp_path):
    assert amounts(read(tmp_path, f"DEPARTMENT *,ac count,jan-2026,2026-02\n{DATA}")) == BOTH


def test_a_header_stands_in_the_row_that_is_said(tmp_path):
    text = f"Department,Account,Jan 2025,Feb 2025\nA,1,9.00,9.00\n{HEADER}{DATA}"
    assert amounts(read(tmp_path, text, more="header.row = 3")) == BOTH


def test_a_header_is_found_by_texts_that_it_holds(tmp_path):
    text = f"Department,Account,Jan 2025,Old\nA,1,9.00,\n{HEADER}{DATA}"
    assert amounts(read(tmp_path, text, more='header.has = "Feb 2026"')) == BOTH


def test_several_rows_of_a_header_are_one(tmp_path):
    text = f",,2026,\nDepartment,Account,Jan,Feb\n{DATA}"
    more = "header = { rows = 2, fill_right = true }"
    assert amounts(read(tmp_path, text, more=more)) == BOTH


def test_without_a_header_columns_go_by_position(tmp_path):
    layout = """
    amount = "amount"
    header.none = true
    columns = { department = 2, amount = { at = "D" }, month = 3 }
    periods.name = "month"
    budget.ref = "department"
    """
    found = read(tmp_path, "x,A,Jan-26,1.00\ny,A,Feb-26,2.00\n", layout)
    assert amounts(found) == {"A": {"2026-01": "1.00", "2026-02": "2.00"}}


def test_the_data_may_begin_below_a_row_of_marks(tmp_path):
    text = f"{HEADER}dept,acct,one,two\nx,x,,\n{DATA}"
    assert amounts(read(tmp_path, text, more='header.then = { only = "x" }')) == BOTH
    with pytest.raises(Unreadable, match=r"no row below its header as header\.then says"):
        read(tmp_path, HEADER + DATA, more='header.then = { only = "x" }')


def test_totals_are_skipped_by_their_text_and_counted(tmp_path):
    text = f"{HEADER}{DATA}Total,,4.00,6.00\n"
    found = read(tmp_path, text, more='rows.skip = [{ column = "department", like = "Total.*" }]')
    assert amounts(found) == BOTH
    assert any(note.startswith("1 rows passed over by rows.skip") for note in found.notes)


def test_only_what_closes_a_text_above_is_its_total(tmp_path):
    text = f"{HEADER}A,6100,1.00,2.00\nTotal A,,1.00,2.00\nTotal Care,6100,3.00,4.00\n"
    more = 'rows.skip = [{ column = "department", closes = "Total " }]'
    found = amounts(read(tmp_path, text, more=more))
    assert found == {"A": BOTH["A"], "Total Care": BOTH["B"]}


def test_a_total_that_no_rule_names_is_told_and_not_added(tmp_path):
    found = read(tmp_path, f"{HEADER}{DATA},,4.00,6.00\n")
    assert amounts(found) == BOTH
    (said,) = problems(found)
    assert said.startswith("budgets.csv row 4: a row has amounts and no department")


def test_bold_rows_are_skipped(tmp_path):
    workbook = openpyxl.Workbook()
    for row in (["Department", "Account", "Jan 2026"], ["A", "1", 1], ["All", "", 1]):
        workbook.active.append(row)
    workbook.active["A3"].font = openpyxl.styles.Font(bold=True)
    workbook.save(tmp_path / "b.xlsx")
    more = 'rows.skip = { column = "department", bold = true }'
    assert amounts(read_file(tmp_path / "b.xlsx", made(WIDE, more))) == {"A": {"2026-01": "1.00"}}


def test_the_data_end_before_a_row_and_what_is_below_is_not_read(tmp_path):
    text = f"{HEADER}{DATA}Notes,,,\nC,6100,9.00,9.00\n"
    more = 'rows.stop = { column = "department", equals = "notes" }'
    assert amounts(read(tmp_path, text, more=more)) == BOTH


def test_the_data_end_with_blank_rows(tmp_path):
    text = f"{HEADER}{DATA},,,\n\n,,,\nC,6100,9.00,9.00\n"
    assert amounts(read(tmp_path, text, more="rows.stop_after_blank = 3")) == BOTH
    assert "C" in amounts(read(tmp_path, text))


def test_only_wanted_rows_count(tmp_path):
    text = f"{HEADER}{DATA}"
    more = 'rows.where = { column = "Department", like = "B" }'
    assert amounts(read(tmp_path, text, more=more)) == {"B": BOTH["B"]}
    assert amounts(read(tmp_path, text, more='rows.only.Department = "b"')) == {"B": BOTH["B"]}


def test_grouped_cells_take_the_text_above_them(tmp_path):
    text = f"{HEADER}A,6100,1.00,2.00\n,6200,3.00,4.00\n"
    found = read(tmp_path, text, more='rows.fill = "department"')
    assert amounts(found) == {"A": {"2026-01": "4.00", "2026-02": "6.00"}}


def test_a_new_document_hands_nothing_of_the_last_one_down(tmp_path):
    layout = LONG.replace('"Date"\n', '"Date"\ndocument = "ID"\nproject = "Project"\n')
    layout = layout.replace('ref = "department"', 'ref = "whose"')
    layout = layout.replace("[columns]", '[columns]\nwhose = { first = ["department", "project"] }')
    text = (
        "ID,Department,Project,Date,Amount\n1,A,,2026-01-01,1.00\n,,,2026-02-01,2.00\n"
        "2,,P,2026-01-01,5.00\n,,,2026-02-01,6.00\n"
    )
    more = 'rows = { fill = ["department", "project"], fill_at = "document" }'
    assert amounts(read(tmp_path, text, layout, more=more)) == {
        "A": {"2026-01": "1.00", "2026-02": "2.00"},
        "P": {"2026-01": "5.00", "2026-02": "6.00"},
    }


def test_a_header_that_is_repeated_on_each_page_is_no_row(tmp_path):
    found = read(tmp_path, f"{HEADER}{DATA}{HEADER}")
    assert amounts(found) == BOTH
    assert problems(found) == []


def test_what_the_layout_requires_may_not_be_blank(tmp_path):
    text = "Department,Date,Amount\nA,2026-01-01,\nB,2026-01-01,1.00\n"
    found = read(tmp_path, text, LONG, more='rows.required = "amount"')
    assert amounts(found) == {"B": {"2026-01": "1.00"}}
    assert problems(found) == [
        "budgets.csv row 2, column C (Amount): is blank, and the layout requires it"
    ]


def test_several_plans_in_one_file_are_asked_about_and_never_added(tmp_path):
    text = "Plan,Department,Account,Jan 2026\nDraft,A,1,1.00\nFinal,A,1,2.00\n"
    more = 'columns.plan = "Plan"\nrows.single = "plan"'
    found = read(tmp_path, text, more=more)
    assert amounts(found) == {}
    (asked,) = found.questions
    assert asked.setting == "rows.only.plan"
    assert asked.readings == ("rows.only.plan=Draft (1 rows)", "rows.only.plan=Final (1 rows)")
    said = read(tmp_path, text, more=more + '\nrows.only.plan = "Final"')
    assert amounts(said) == {"A": {"2026-01": "2.00"}}


def test_where_texts_are_cut_is_asked_if_none_has_the_sign(tmp_path):
    more = """columns.department = { of = "Key", split = "-", part = 2 }
    columns.account = { of = "Key", split = "-", part = 1 }"""
    text = "Key,Jan 2026\n{}\n{}\n"
    asked = read(tmp_path, text.format("61|A|,1.00", "62|B|,2.00"), more=more).open
    assert {each.setting for each in asked} == {"columns.account.split", "columns.department.split"}
    assert {each.readings[0].rpartition(".")[2] for each in asked} == {"split=|"}
    assert read(tmp_path, text.format("61-A,1.00", "62|B,2.00"), more=more).open == []
    assert [*amounts(read(tmp_path, text.format("61,1.00", "62,2.00"), more=more))] == ["61", "62"]


@pytest.mark.parametrize("rows", ["", "A,1,\n", "A,1,\n,,\n"])
def test_a_file_in_which_no_row_has_an_amount_is_told(tmp_path, rows):
    found = read(tmp_path, f"Department,Account,Jan 2026\n{rows}")
    assert problems(found) == [
        "budgets.csv: no row has an amount; the columns, `rows` and `periods` say which rows count"
    ]


@pytest.mark.parametrize("name", ["Total", "GRAND TOTAL", "Summe", "Gesamt:", "Total général"])
def test_a_last_row_that_adds_up_the_others_is_asked_about(tmp_path, name):
    text = f"Department,Account,Jan 2026,Feb 2026\n{DATA}{name},6100,4.00,6.00\n"
    (asked,) = read(tmp_path, text).open
    assert asked.setting == "rows.skip"
    skip = asked.readings[0].partition("rows.skip=")[2]
    assert amounts(read(tmp_path, text, more=f"rows.skip = {skip}")) == BOTH
    assert name in amounts(read(tmp_path, text, more="rows.skip = []"))


def test_totals_between_the_rows_are_asked_about_too(tmp_path):
    one, two = "A,6100,1.00,2.00\nTotal,,1.00,2.00\n", "B,6100,3.00,4.00\nTOTAL,,3.00,4.00\n"
    text = f"Department,Account,Jan 2026,Feb 2026\n{one}{two}Grand total,,4.00,6.00\n"
    (asked,) = read(tmp_path, text).open
    skip = asked.readings[0].partition("rows.skip=")[2]
    assert amounts(read(tmp_path, text, more=f"rows.skip = {skip}")) == BOTH


@pytest.mark.parametrize("last", ["Total,6100,4.00,5.00", "C,6100,4.00,6.00", "Total,6100,0,0"])
def test_a_last_row_that_is_not_called_a_total_or_adds_up_nothing_is_a_budget(tmp_path, last):
    assert read(tmp_path, f"Department,Account,Jan 2026,Feb 2026\n{DATA}{last}\n").questions == []


def test_a_code_that_is_kept_as_a_formula_is_the_code(tmp_path):
    text = 'Department,Account,Jan 2026\n="0100",1,1.00\n"=""0200""",1,2.00\n="x,1,3.00\n'
    assert [*amounts(read(tmp_path, text))] == ["0100", "0200", '="x']
