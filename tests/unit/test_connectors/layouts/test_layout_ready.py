"""The ready-made layouts: a file of each is recognised and read, and no other layout takes it."""

from contextlib import ExitStack
from datetime import date

import openpyxl
import pytest

from connectors.file.layouts.begun import Beginnings
from connectors.file.layouts.look import look, texts
from connectors.file.layouts.recognise import candidates
from connectors.layouts import headers, periods
from connectors.layouts.loading import layout_of, names, ready_table, ready_text


def text_file(folder, name, text, encoding="utf-8"):
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def business_central(folder):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    bold = openpyxl.styles.Font(bold=True)
    rows = [
        ["Export Filters"], ["Budget Name", "B27"], [],
        ["G/L Account No.", "Name", "Department Code", date(2027, 1, 1), date(2027, 2, 1)],
        ["6000", "Costs"], ["6010", "Rent", "ADM", 100, -20.5], ["6020", "Fuel", "ADM", 5],
        ["6010", "Rent", "007", 0, 40], ["6900", "Total Costs", None, "=SUM(D6:D8)", "=SUM(E6:E8)"],
    ]  # fmt: skip
    for row in rows:
        sheet.append(row)
    for row in (5, 9):
        sheet.cell(row, 1).font = sheet.cell(row, 2).font = bold
    sheet["A209"], sheet["B209"] = "ADM", "Administration"
    workbook.save(folder / "bc.xlsx")
    return folder / "bc.xlsx"


def workday(folder):
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    for row in (
        ["Acme"], ["Version: Plan"], [],
        ["Level", "Account Name", "Account Code", "Jan-2026", "Feb-2026", "FY2026"],
        ["Sales", "Travel", "0610", 1, 2, "=SUM(D5:E5)"], [None, "Fuel", "620", None, 0, 0],
        ["Total Sales", None, None, 1, 2, 3], ["Legal", "Fees", "630", 4, 5, 9],
        ["Total Legal", None, None, 4, 5, 9], ["Total Expenses", None, None, 5, 7, 12],
    ):  # fmt: skip
        sheet.append(row)
    sheet.delete_cols(6)  # the year's column holds formulas that nobody has calculated
    workbook.save(folder / "wd.xlsx")
    return folder / "wd.xlsx"


def sage_intacct(folder):
    return text_file(folder, "si.csv", (
        "BUDGET_ID,ACCT_NO,DEPT_ID,LOCATION_ID,Month ended Apr 2026,Month ended May 2026\r\n"
        "P,6001,010,A,1.00,\r\nP,6001,010,B,2.50,0.00\r\nP,6002,200,,-3.00,9.00\r\n,,,,,\r\n"
    ))  # fmt: skip


def netsuite(folder):
    return text_file(folder, "ns.csv", (
        "Year,Account,Category,Department,periodAmount1,periodAmount2\n"
        'FY 2027,Travel,Plan,"Sales : East",1.00,\nFY 2027,Fuel,Plan,Ops,2.00,-1.00\n'
    ))  # fmt: skip


def xero(folder):
    return text_file(folder, "x.csv", (
        "\ufeffAccount,Apr-2026,May-2026\nRent (back office) (0401),10.00,\nNo code,0,2.00\n"
    ))  # fmt: skip


def quickbooks_desktop(folder):
    rows = ["!HDR\tPROD", "HDR\tQuickBooks", "!BUD\tACCNT\tPERIOD\tAMOUNT\tAMOUNT\tSTARTDATE\tCLASS",
            'BUD\tCar:Fuel\tMONTH\t"1,234.50"\t\t4/1/26\tÉté', "BUD\tRent\tMONTH\t0.00\t2.00\t4/1/26\tÉté"]  # fmt: skip
    return text_file(folder, "q.iif", "\r\n".join(rows) + "\r\n", "cp1252")


def quickbooks_online(folder):
    return text_file(folder, "qbo.csv", (
        "Acme\nBudget Overview: P&L\n2026\n\n,Jan 2026,Feb 2026,Total\nExpenses,,,\n"
        '   Car,,,\n      Fuel,"$1,200.50",(3.00),"1,197.50"\n   Total Car,"$1,200.50",(3.00),1\n'
        "   Home,,,\n      Fuel,7.00,8.00,15.00\n   Total Home,7.00,8.00,15.00\n"
        "   Total Care,1.00,1.00,2.00\nTotal Expenses,9,9,9\nNet Income,-9,-9,-9\n\nMonday\n"
    ))  # fmt: skip


def fbdi_row(period, department, account, amount):
    cells = ["R", "NEW", "", "B", period, "EUR", "01", department, account]
    return ",".join([*cells, *[""] * (36 - len(cells)), amount, "Ledger"])


def oracle(folder):
    rows = [fbdi_row("Jan-26", "007", "6001", "75.5"), fbdi_row("02-26", "007", "6001", "-5"),
            fbdi_row("Jan-26", "7X", "6002", "12345.1")]  # fmt: skip
    return text_file(folder, "GlBudgetInterface.csv", "\n".join(rows) + "\n")


def sap(folder):
    return text_file(folder, "sap.csv", (
        "Ledger;Bukrs;Jahr;Periode;Konto;Kostenstelle;Währung;Betrag\n"
        "RLDNR;RBUKRS;RYEAR;POPER;RACCT;RCNTR;RHCUR;HSL\nx;x;x;;;x;;\n"
        "0L;1;2026;001;0065;0010;EUR;1.234,50\n0L;1;2026;002;0065;0010;EUR;75,50-\n"
    ), "cp1252")  # fmt: skip


def odoo(folder):
    head = ["Budget Name", "Status", "Budget Lines/Analytic Account",
            "Budget Lines/Budgetary Position", "Budget Lines/Start Date", "Budget Lines/End Date",
            "Budget Lines/Planned Amount"]  # fmt: skip
    return text_file(folder, "odoo.csv", "\n".join([
        ",".join(f'"{each}"' for each in head), "A,Validated,[01] Ops,Fuel,2026-01-01,2026-01-31,-5.5",
        ",,[01] Ops,Fuel,2026-02-01,2026-02-28,1.25", "B,Cancelled,[02] Old,Fuel,2026-01-01,2026-01-31,-9",
        ",,[02] Old,Fuel,2026-02-01,2026-02-28,-9", "C,Draft,[03] New,Fuel,2026-01-01,2026-12-31,-12",
    ]))  # fmt: skip


def erpnext(folder):
    return text_file(folder, "en.csv", (
        '"ID","Cost Center","Project","Account","Budget Amount","Start Date (Budget Distribution)",'
        '"End Date (Budget Distribution)","Amount (Budget Distribution)"\n'
        '"B2","","P1","Fuel",3,"2026-01-01","2026-01-31",1\n"","","","",,"2026-02-01","2026-02-28",2\n'
        '"B1","Main","","Rent",7.5,"2026-01-01","2026-03-31",7.5\n'
    ))  # fmt: skip


def tryton(folder):
    return text_file(folder, "t.csv", (
        "budget/start_date,budget/end_date,account/code,account/name,amount,total_amount,currency/code\n"
        "2026-01-01,2026-01-31,,All,,-9.00,EUR\n2026-01-01,2026-01-31,01,Ops,-9.00,-9.00,EUR\n"
        "2026-02-01,2026-02-28,01,Ops,2.00,2.00,EUR\n2026-01-01,2026-01-31,,Shop,-4.00,-4.00,EUR\n"
    ))  # fmt: skip


def dynamics(folder):
    return text_file(folder, "d.csv", (
        "LegalEntityId,BudgetModelId,Date,DimensionDisplayValue,CurrencyCode,AccountingCurrencyAmount\n"
        "US,F,1/1/2026 12:00:00 AM,6001-007--,USD,5.500000\n"
        "US,F,2/1/2026 12:00:00 AM,6001-007--,USD,-1.000000\n"
    ))  # fmt: skip


def sage_50(folder):
    return text_file(folder, "s.csv", (
        "Budget Name,General Ledger Account ID,Budget – Period End 3/31/26,Budget – Period End 4/30/26\n"
        "Café,0600-1,10.00,\nCafé,700,0.00,-2.00\n"
    ), "cp1252")  # fmt: skip


WANTED = {
    "business-central": (business_central, {
        ("ADM", "6010"): {"2027-01": "100.00", "2027-02": "-20.50"},
        ("ADM", "6020"): {"2027-01": "5.00"},
        ("007", "6010"): {"2027-01": "0.00", "2027-02": "40.00"}}),
    "dynamics-365-fo": (dynamics, {("007", "6001"): {"2026-01": "5.50", "2026-02": "-1.00"}}),
    "erpnext": (erpnext, {("P1", "Fuel"): {"2026-01": "1.00", "2026-02": "2.00"},
                          ("Main", "Rent"): {"2026-Q1": "7.50"}}),
    "netsuite": (netsuite, {("Sales : East", "Travel"): {"2027-01": "1.00"},
                            ("Ops", "Fuel"): {"2027-01": "2.00", "2027-02": "-1.00"}}),
    "odoo": (odoo, {("[01] Ops", "Fuel"): {"2026-01": "5.50", "2026-02": "-1.25"},
                    ("[03] New", "Fuel"): {"2026": "12.00"}}),
    "oracle-fbdi": (oracle, {("007", "6001"): {"2026-01": "75.50", "2026-02": "-5.00"},
                             ("7X", "6002"): {"2026-01": "12345.10"}}),
    "quickbooks-desktop": (quickbooks_desktop, {("Été", "Car:Fuel"): {"2026-04": "1234.50"},
                                                ("Été", "Rent"): {"2026-04": "0.00", "2026-05": "2.00"}}),
    "quickbooks-online": (quickbooks_online, {
        ("Car:Fuel", ""): {"2026-01": "1200.50", "2026-02": "-3.00"},
        ("Home:Fuel", ""): {"2026-01": "7.00", "2026-02": "8.00"},
        ("Total Care", ""): {"2026-01": "1.00", "2026-02": "1.00"}}),
    "sage-50": (sage_50, {("0600-1", ""): {"2026-03": "10.00"},
                          ("700", ""): {"2026-03": "0.00", "2026-04": "-2.00"}}),
    "sage-intacct": (sage_intacct, {("010", "6001"): {"2026-04": "3.50", "2026-05": "0.00"},
                                    ("200", "6002"): {"2026-04": "-3.00", "2026-05": "9.00"}}),
    "sap-s4": (sap, {("0010", "0065"): {"2026-01": "1234.50", "2026-02": "-75.50"}}),
    "tryton": (tryton, {("01", ""): {"2026-01": "9.00", "2026-02": "-2.00"},
                        ("Shop", ""): {"2026-01": "4.00"}}),
    "workday-adaptive": (workday, {("Sales", "0610"): {"2026-01": "1.00", "2026-02": "2.00"},
                                   ("Sales", "620"): {"2026-02": "0.00"},
                                   ("Legal", "630"): {"2026-01": "4.00", "2026-02": "5.00"}}),
    "xero": (xero, {("0401", ""): {"2026-04": "10.00"},
                    ("No code", ""): {"2026-04": "0.00", "2026-05": "2.00"}}),
}  # fmt: skip


def test_there_is_a_file_of_each_layout():
    assert set(WANTED) == set(names())


@pytest.mark.parametrize("name", WANTED)
def test_a_file_is_recognised_and_read_by_its_layout(tmp_path, name):
    make, wanted = WANTED[name]
    found = look(make(tmp_path))
    assert (found.layout, found.questions, found.problems) == (name, [], [])
    assert {
        (each.ref, share.entity if share else ""): texts((share or each).amounts)
        for each in found.budgets
        for share in each.shares or (None,)
    } == wanted


@pytest.mark.parametrize("name", WANTED)
def test_no_other_layout_takes_it(tmp_path, name):
    with ExitStack() as held:
        best, *others = candidates(Beginnings(WANTED[name][0](tmp_path), held))
    assert best.name == name
    assert all(each.score < best.score for each in others)


@pytest.mark.parametrize("name", WANTED)
def test_a_ready_made_layout_says_its_source_and_can_be_copied(tmp_path, name):
    text = ready_text(name)
    assert text.startswith("# ")
    assert "# Source: " in text
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    path = WANTED[name][0](tmp_path)
    by_copy = look(path, str(tmp_path / "own.toml"))
    assert by_copy.to_data()["budgets"] == look(path, name).to_data()["budgets"]
    assert layout_of(ready_table(name)).about


def test_a_file_without_departments_has_its_accounts_as_budgets(tmp_path):
    text = "BUDGET_ID,ACCT_NO,DEPT_ID,Month ended Jan 2026\nP,6001,,1.00\nP,6002,,2.00\n"
    found = look(text_file(tmp_path, "si.csv", text))
    assert found.layout == "sage-intacct"
    assert {each.ref: texts(each.amounts) for each in found.budgets} == {
        "6001": {"2026-01": "1.00"},
        "6002": {"2026-01": "2.00"},
    }
    assert all(not each.shares for each in found.budgets)


def test_a_row_without_department_among_others_is_told(tmp_path):
    text = "BUDGET_ID,ACCT_NO,DEPT_ID,Month ended Jan 2026\nP,6001,A,1.00\nP,6002,,2.00\n"
    found = look(text_file(tmp_path, "si.csv", text))
    assert [each.ref for each in found.budgets] == ["A"]
    (problem,) = found.problems
    assert problem.where == "si.csv row 3"
    assert "6002 has amounts and no department" in problem.message


def test_a_row_without_department_is_named_where_the_layout_says_so(tmp_path):
    text = "BUDGET_ID,ACCT_NO,DEPT_ID,Month ended Jan 2026\nP,6001,A,1.00\nP,6002,,2.00\n"
    path = text_file(tmp_path, "si.csv", text)
    found = look(path, sets=["columns.department.default=NONE"])
    assert [each.ref for each in found.budgets] == ["A", "NONE"]


def test_refs_that_differ_by_leading_zeros_only_are_told_and_not_believed(tmp_path):
    text = (
        "BUDGET_ID,ACCT_NO,DEPT_ID,Month ended Jan 2026\nP,1,0200,1.00\nP,1,200,2.00\nP,1,3,1.00\n"
    )
    found = look(text_file(tmp_path, "si.csv", text))
    assert [each.ref for each in found.budgets] == ["3"]
    assert "'0200' in row 2 differs by capitals or leading zeros only" in found.problems[0].message


def test_a_period_that_is_no_month_is_refused_in_an_iif(tmp_path):
    path = quickbooks_desktop(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"Rent\tMONTH", b"Rent\tQUARTER"))
    found = look(path)
    assert found.budgets == []
    assert found.problems[0].where == "q.iif row 5, column C (PERIOD)"


def test_revenue_is_no_spending(tmp_path):
    text = (
        "DimensionDisplayValue,Date,AmountType,CurrencyCode,AccountingCurrencyAmount\n"
        "6001-7--,1/1/2026,Expense,USD,5.50\n4001-7--,1/1/2026,Revenue,USD,99.00\n"
    )
    (budget,) = look(text_file(tmp_path, "d.csv", text), sets=["dates.order=mdy"]).budgets
    assert texts(budget.amounts) == {"2026-01": "5.50"}


def test_a_date_header_that_is_a_plain_number_is_a_day(tmp_path):
    path = business_central(tmp_path)
    workbook = openpyxl.load_workbook(path)
    for column in (4, 5):
        workbook.active.cell(4, column).number_format = "General"
    workbook.save(path)
    assert "2027-01" in texts(look(path).budgets[0].amounts)


def test_however_many_layouts_look_at_a_wide_sheet_each_cell_is_folded_a_few_times(
    tmp_path, monkeypatch
):
    rows, columns = 30, 200
    text = "".join(",".join(f"x{r}y{c}" for c in range(columns)) + "\n" for r in range(rows))
    folded = []
    monkeypatch.setattr(headers, "fold", lambda said: folded.append(said) or said)

    found = look(text_file(tmp_path, "wide.csv", text))

    assert found.layout is None
    assert len(folded) < 4 * rows * columns


def test_a_cell_that_is_no_header_is_spared_the_forms_of_periods(monkeypatch):
    tried = []
    monkeypatch.setattr(periods, "_first_said", lambda forms, ways: tried.append(ways))
    for text in ("x123456 7", "Account 4500", "1419.38", "Lovelace, Ada"):
        periods.named.__wrapped__(text)
    assert tried == []
    periods.named.__wrapped__("Budget Jan 2026")
    assert tried == [("budget jan 2026", "jan 2026")]


SAP = "RYEAR;POPER;RACCT;RCNTR;{}\nx;;;x;;;\n2026;001;65;0010;{}\n"
DYNAMICS = "DATE,DIMENSIONDISPLAYVALUE,CURRENCYCODE,{}\n1/1/2026,606300-0021,EUR,5.00\n"


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        (SAP.format("HSL;TSL;RTCUR", "5,00;9,00;USD"), None),
        (SAP.format("HSL;RTCUR;RHCUR", "5,00;USD;EUR"), "EUR"),
        (SAP.format("TSL;RHCUR;RTCUR", "5,00;EUR;USD"), "USD"),
        (SAP.format("HSL;CURRENCY", "5,00;EUR"), "EUR"),
        (DYNAMICS.format("TransactionCurrencyAmount"), "EUR"),
        (DYNAMICS.format("AccountingCurrencyAmount"), None),
    ],
)
def test_an_amount_has_its_own_currency_and_not_that_of_another_column(tmp_path, text, currency):
    found = look(text_file(tmp_path, "x.csv", text))
    (budget,) = found.budgets
    assert (texts(budget.amounts), budget.currency) == ({"2026-01": "5.00"}, currency)
