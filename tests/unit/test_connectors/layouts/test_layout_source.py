"""A file read by a layout as the source of a sync: budgets, allocations, and what is set aside."""

import os
from datetime import date

import pytest

from canonical.allocation import Entity
from canonical.amount import Amount
from canonical.kind import Kind
from canonical.period import Cadence
from connectors.contract.errors import Malformed, Missing, Rejected, Stale, Unreadable
from connectors.contract.records import Draft
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings

INTACCT = "BUDGET_ID,ACCT_NO,DEPT_ID,Month ended Jan 2026,Month ended Feb 2026\n"
ROWS = INTACCT + "P,6001,A,1.00,2.00\nP,6002,A,3.00,3.00\nP,6001,B,5.00,5.00\n"


def source(folder, text=ROWS, path="b.csv", layout="sage-intacct", **keys):
    if text is not None:
        (folder / path).write_text(text, encoding="utf-8")
    keys = {"currency": "USD", **keys}
    settings = FileSettings(connector="file", path=path, layout=layout, **keys)
    return File("erp", settings, Runtime(base=folder))


def listed(file, kind=Kind.BUDGET):
    pages = list(file.list(kind))
    return (
        {item.id: item.model for page in pages for item in page.items},
        [problem for page in pages for problem in page.problems],
    )


def test_months_that_differ_are_phases(tmp_path):
    budgets, problems = listed(source(tmp_path))
    assert problems == []
    budget = budgets["A"]
    assert (budget.cadence, budget.start, budget.end) == (
        Cadence.MONTHLY,
        date(2026, 1, 1),
        date(2026, 2, 28),
    )
    assert [phase.amount for phase in budget.phases] == [
        Amount.of("4.00", "USD"),
        Amount.of("5.00", "USD"),
    ]


def test_months_that_are_alike_are_one_amount(tmp_path):
    budget = listed(source(tmp_path))[0]["B"]
    assert (budget.amount, budget.phases) == (Amount.of("5.00", "USD"), ())


def test_accounts_are_allocations_of_their_department(tmp_path):
    found, problems = listed(source(tmp_path), Kind.ALLOCATION)
    assert problems == []
    assert set(found) == {"A/account:6001", "A/account:6002", "B/account:6001"}
    share = found["A/account:6002"]
    assert (share.budget, share.entity) == ("A", Entity("account", "6002"))
    assert (share.amount, share.cadence) == (Amount.of("3.00", "USD"), None)


def test_quarters_and_years_are_of_their_cadence(tmp_path):
    layout = {"columns": {"dept": "Dept"}, "budget": {"ref": "dept"}, "currency": "USD"}
    text = "Dept,Q1 2026,Q2 2026\nA,1.00,2.00\n"
    budget = listed(source(tmp_path, text, layout=layout))[0]["A"]
    assert (budget.cadence, len(budget.phases)) == (Cadence.QUARTERLY, 2)
    budget = listed(source(tmp_path, "Dept,FY2026\nA,12.00\n", layout=layout))[0]["A"]
    assert (budget.cadence, budget.start, budget.end) == (
        Cadence.YEARLY,
        date(2026, 1, 1),
        date(2026, 12, 31),
    )


def test_a_budget_that_is_set_aside_takes_its_allocations_with_it(tmp_path):
    file = source(tmp_path, ROWS.replace("3.00,3.00", "3.00,x"))
    budgets, problems = listed(file)
    assert set(budgets) == {"B"}
    assert [(each.where, each.ref) for each in problems] == [
        ("b.csv row 3, column E (Month ended Feb 2026)", "A")
    ]
    shares, told = listed(file, Kind.ALLOCATION)
    assert set(shares) == {"B/account:6001"}
    assert "the allocations of A are set aside with it" in told[0].message
    with pytest.raises(Malformed, match="row 3"):
        file.get(Kind.BUDGET, "A")
    with pytest.raises(Missing):
        file.get(Kind.BUDGET, "C")
    assert file.get(Kind.BUDGET, "B").model == budgets["B"]


def test_a_file_without_a_currency_is_refused(tmp_path):
    with pytest.raises(Unreadable, match="names no currency"):
        listed(source(tmp_path, currency=None))


def test_an_open_question_stops_the_source(tmp_path):
    text = ROWS + "Draft,6001,A,1.00,2.00\n"
    with pytest.raises(Unreadable, match=r"which plan is meant.*Set rows\.only\.plan"):
        listed(source(tmp_path, text))


def test_a_layout_of_a_file_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "own.toml").write_text("rows.skp = 1")
    with pytest.raises(Unreadable, match=r"the layout of erp: rows\.skp: unknown key"):
        source(tmp_path, layout="own.toml")


def test_the_keys_of_the_system_count_before_those_of_the_layout(tmp_path):
    text = ROWS.replace(",", ";").replace(".", ",")
    file = source(tmp_path, text, decimal=",", delimiter=";", encoding="utf-8")
    assert listed(file)[0]["B"].amount == Amount.of("5.00", "USD")


def test_check_counts_rows_budgets_and_allocations(tmp_path):
    check = source(tmp_path).check()
    assert check.identity == "b.csv: 3 rows"
    assert check.notes[:2] == ["2 budgets", "3 allocations"]


def test_a_file_that_a_layout_reads_is_never_written(tmp_path):
    file = source(tmp_path)
    draft = Draft(model=file.get(Kind.BUDGET, "B").model, stamp="C")
    for write in (
        lambda: file.create(draft, "k"),
        lambda: file.update("B", draft, ["name"], "k"),
        lambda: file.retire(Kind.BUDGET, "B", "k"),
        lambda: file.delete(Kind.BUDGET, "B", "k"),
    ):
        with pytest.raises(Rejected, match="read by a layout"):
            write()
    assert (tmp_path / "b.csv").read_text() == ROWS


def test_a_cursor_of_another_content_is_stale(tmp_path):
    file = source(tmp_path)
    with pytest.raises(Stale):
        list(file.list(Kind.BUDGET, "1@1-2-3"))


def test_a_pattern_reads_all_files_and_puts_their_months_together(tmp_path):
    for month, amount in (("Jan", "1.00"), ("Feb", "2.00")):
        head = f"BUDGET_ID,ACCT_NO,DEPT_ID,Month ended {month} 2026\n"
        (tmp_path / f"{month}.csv").write_text(f"{head}P,6001,A,{amount}\n")
    budgets, problems = listed(source(tmp_path, None, "*.csv"))
    assert problems == []
    assert [str(phase.amount) for phase in budgets["A"].phases] == ["1.00 USD", "2.00 USD"]


def test_one_month_in_two_files_is_told_and_never_added(tmp_path):
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text(ROWS)
    budgets, problems = listed(source(tmp_path, None, "*.csv"))
    assert budgets == {}
    assert "A stands in one.csv too, both with an amount for 2026-01" in problems[0].message


def test_a_pattern_reads_the_newest_file_where_that_is_said(tmp_path):
    for age, name in enumerate(("new.csv", "old.csv")):
        (tmp_path / name).write_text(ROWS if name == "new.csv" else INTACCT + "P,1,Z,1.00,\n")
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    assert set(listed(source(tmp_path, None, "*.csv", files="newest"))[0]) == {"A", "B"}


def test_a_pattern_that_nothing_fits_is_told(tmp_path):
    with pytest.raises(Unreadable, match="no file fits it"):
        listed(source(tmp_path, None, "*.xlsx"))


def test_a_file_that_changed_is_read_again(tmp_path):
    file = source(tmp_path)
    assert set(listed(file)[0]) == {"A", "B"}
    (tmp_path / "b.csv").write_text(ROWS + "P,6001,CC,1.00,1.00\n")
    assert set(listed(file)[0]) == {"A", "B", "CC"}
