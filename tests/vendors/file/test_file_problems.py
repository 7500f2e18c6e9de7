"""Problems: a bad row is told by file, row and column, and sets aside its own budget only."""

import json

import openpyxl
import pytest
from pydantic import ValidationError

from canonical.kind import Kind
from connectors.contract.errors import Malformed, Unreadable
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings

COLUMNS = (
    "ref", "name", "currency", "amount", "cadence", "start", "end", "status", "parent",
    "enforcement", "carry_over", "impressions",
)  # fmt: skip
HEADER = ",".join(COLUMNS)
SHARES = "budget,ref,entity_type,entity,amount,status,currency"
GOOD = "OK,Fine,USD,5" + "," * 8


def row(**cells):
    return ",".join({"ref": "A", "name": "Ads", "currency": "USD", "amount": "5", **cells}.get(c, "") for c in COLUMNS)  # fmt: skip


def phase(amount="5", start="2026-01-01", end="2026-01-31", **cells):
    return row(amount=amount, start=start, end=end, **{"cadence": "monthly", **cells})


FEBRUARY = {"start": "2026-02-01", "end": "2026-02-28"}


def opened(folder, path="budgets.csv", **keys):
    return File("erp", FileSettings(connector="file", path=path, **keys), Runtime(base=folder))


def listed(file, kind=Kind.BUDGET):
    pages = list(file.list(kind))
    return (
        [item.id for page in pages for item in page.items],
        [problem for page in pages for problem in page.problems],
    )


def budgets(folder, *rows):
    (folder / "budgets.csv").write_text("\n".join([HEADER, GOOD, *rows]) + "\n")
    return opened(folder)


ONE_ROW = {
    "no ref": (row(ref=""), "ref", "is empty", None),
    "no name": (row(name=""), "name", "is empty", "A"),
    "no amount": (row(amount=""), "amount", "is empty", "A"),
    "no currency": (row(currency=""), "currency", "write a code such as USD", "A"),
    "not a number": (row(amount="12o"), "amount", "'12o' is not a number", "A"),
    "thousands": (row(amount="1 250"), "amount", "write it like 1250.00", "A"),
    "exponent": (row(amount="1e5"), "amount", "is not a number", "A"),
    "not finite": (row(amount="NaN"), "amount", "is not a number", "A"),
    "too precise": (row(amount="1.005"), "amount", "has 3 decimals; USD has at most 2", "A"),
    "yen": (row(amount="1.5", currency="JPY"), "amount", "JPY has none", "A"),
    "negative count": (row(impressions="-5"), "impressions", "'-5' is below zero", "A"),
    "currency of nothing": (row(currency="XXX"), "currency", "there is no currency", "A"),
    "unknown currency": (row(currency="usd"), "currency", "write USD", "A"),
    "bad date": (row(start="01/02/2026"), "start", "write it YYYY-MM-DD", "A"),
    "no such day": (row(end="2026-02-30"), "end", "is not in the calendar", "A"),
    "ends early": (row(start="2026-02-01", end="2026-01-01"), "end", "before the start", "A"),
    "cadence": (row(cadence="montly"), "cadence", "write one of monthly, ", "A"),
    "status": (row(status="retird"), "status", "write one of retired, ", "A"),
    "enforcement": (row(enforcement="trck"), "enforcement", "write one of track, ", "A"),
    "flag": (row(carry_over="perhaps"), "carry_over", "write true or false", "A"),
    "count": (row(impressions="1.5"), "impressions", "impressions has none", "A"),
    "parent": (row(parent="GONE"), "parent", "there is no budget 'GONE'", "A"),
    "own parent": (row(parent="A"), "parent", "in a circle: A → A", "A"),
}


@pytest.mark.parametrize(("bad", "column", "said", "ref"), ONE_ROW.values(), ids=ONE_ROW)
def test_a_bad_cell_is_told_by_row_and_column(tmp_path, bad, column, said, ref):
    ids, (problem,) = listed(budgets(tmp_path, bad))
    assert ids == ["OK"]
    assert problem.where == f"budgets.csv row 3, column {column}"
    assert said in problem.message
    assert (problem.system, problem.ref) == ("erp", ref)


SEVERAL = {
    "another name": ([phase(), phase(**FEBRUARY, name="Other")], 4, "name", "Other is not what"),
    "first is silent": ([phase(), phase(**FEBRUARY, status="inactive")], 4, "status", "it is empty"),
    "another currency": ([phase(), phase(**FEBRUARY, currency="EUR")], 4, "currency", "it is USD"),
    "same time twice": ([phase(), phase()], 4, "ref", "stands in row 3 too"),
    "no times": ([row(), row()], 4, "ref", "give each row its own start and end"),
    "no start": ([phase(), phase(start="")], 4, "start", "each of several rows of one ref"),
    "no end": ([phase(), phase(**{**FEBRUARY, "end": ""})], 4, "end", "states start and end"),
    "overlap": ([phase(), phase(start="2026-01-31", end="2026-02-28")], 4, "start", "the end in row 3"),
    "no cadence": ([phase(cadence=""), phase(**FEBRUARY, cadence="")], 3, "cadence", "is empty"),
}  # fmt: skip


@pytest.mark.parametrize(("bad", "line", "column", "said"), SEVERAL.values(), ids=SEVERAL)
def test_rows_of_a_budget_that_do_not_fit_are_told(tmp_path, bad, line, column, said):
    ids, (problem,) = listed(budgets(tmp_path, *bad))
    assert ids == ["OK"]
    assert problem.where == f"budgets.csv row {line}, column {column}"
    assert said in problem.message


@pytest.mark.parametrize(
    ("bad", "said"),
    [("A,Ads", "has 2 columns where the header has 12"), (row() + ",,", "has 14 columns")],
)
def test_a_row_with_another_number_of_columns_is_told(tmp_path, bad, said):
    ids, (problem,) = listed(budgets(tmp_path, bad))
    assert (ids, problem.where, problem.ref) == (["OK"], "budgets.csv row 3", "A")
    assert said in problem.message


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_one_bad_row_sets_aside_all_of_its_budget_and_nothing_else(tmp_path, bad):
    rows = [phase(), phase(**FEBRUARY), phase(start="2026-03-01", end="2026-03-31")]
    rows[bad] = phase(amount="x", **FEBRUARY)
    ids, (problem,) = listed(budgets(tmp_path, *rows, row(ref="CHILD", parent="A")))
    assert ids == ["OK", "CHILD"]
    assert problem.ref == "A"


def test_every_bad_row_is_told_once(tmp_path):
    _, problems = listed(budgets(tmp_path, phase(amount="x", end="y"), phase(amount="z")))
    assert [each.where for each in problems] == [
        "budgets.csv row 3, column end",
        "budgets.csv row 4, column amount",
    ]


def test_a_circle_of_parents_is_named_and_its_branches_are_not_in_it(tmp_path):
    rows = [row(ref="A", parent="B"), row(ref="B", parent="C"), row(ref="C", parent="A")]
    ids, problems = listed(budgets(tmp_path, *rows, row(ref="LEAF", parent="A")))
    assert ids == ["OK", "LEAF"]
    assert [each.ref for each in problems] == ["A", "B", "C"]
    assert all("A → B → C → A" in each.message for each in problems)


def test_rows_are_numbered_as_an_editor_shows_them(tmp_path):
    two_lines = '"two\nlines"'
    rows = ["", row(ref="X", name=two_lines), row(amount="x", name=two_lines)]
    ids, (problem,) = listed(budgets(tmp_path, *rows))
    assert (ids, problem.where) == (["OK", "X"], "budgets.csv row 6, column amount")


def test_get_of_a_budget_set_aside_is_malformed_not_missing(tmp_path):
    with pytest.raises(Malformed, match="row 3, column amount"):
        budgets(tmp_path, row(amount="x")).get(Kind.BUDGET, "A")


def shares(folder, *rows):
    budgets(folder, row(ref="BAD", amount="x"))
    (folder / "allocations.csv").write_text("\n".join([SHARES, "OK,1,user,ada,2,,", *rows]) + "\n")
    return opened(folder, allocations="allocations.csv")


ALLOCATIONS = {
    "no budget": (",1,user,bo,2,,", "budget", "is empty"),
    "unknown budget": ("GONE,1,user,bo,2,,", "budget", "there is no budget 'GONE'"),
    "no type": ("OK,2,,bo,2,,", "entity_type", "is empty"),
    "User": ("OK,2,User,bo,2,,", "entity_type", "'User' is another type; write user"),
    "no entity": ("OK,2,user,,2,,", "entity", "is empty"),
    "no amount": ("OK,2,user,bo,,,", "amount", "is empty"),
    "too precise": ("OK,2,user,bo,0.001,,", "amount", "has 3 decimals"),
    "another currency": ("OK,2,user,bo,2,,EUR", "currency", "EUR is not its budget's; write USD"),
    "status": ("OK,2,user,bo,2,activ,", "status", "write one of active, "),
}


@pytest.mark.parametrize(("bad", "column", "said"), ALLOCATIONS.values(), ids=ALLOCATIONS)
def test_a_bad_allocation_sets_aside_itself_only(tmp_path, bad, column, said):
    ids, (problem,) = listed(shares(tmp_path, bad), Kind.ALLOCATION)
    assert ids == ["OK/1"]
    assert problem.where == f"allocations.csv row 3, column {column}"
    assert said in problem.message


def test_neither_of_two_allocations_with_one_ref_is_believed(tmp_path):
    ids, problems = listed(
        shares(tmp_path, "OK,1,user,bo,2,,", "OK,2,user,cy,2,,"), Kind.ALLOCATION
    )
    assert ids == ["OK/2"]
    assert [(each.where, each.ref) for each in problems] == [
        ("allocations.csv row 2, column ref", "OK/1"),
        ("allocations.csv row 3, column ref", "OK/1"),
    ]
    assert "stands in row 3 too" in problems[0].message


@pytest.mark.parametrize("budgets_first", [True, False])
def test_allocations_of_a_budget_set_aside_are_told_in_one_line(tmp_path, budgets_first):
    file = shares(tmp_path, "BAD,1,user,ada,2,,", "BAD,2,user,bo,x,,")
    if budgets_first:
        listed(file)
    ids, (problem,) = listed(file, Kind.ALLOCATION)
    assert (ids, problem.ref) == (["OK/1"], "BAD")
    assert problem.message == "2 allocations of BAD are set aside with it"


JSON = {
    "unknown key": ({"amuont": 5}, "budget 1, key amuont", "write amount"),
    "not text": ({"name": ["Ads"]}, "budget 1, key name", "is not text"),
    "true is no number": ({"amount": True}, "budget 1, key amount", "true is not text"),
    "owners": ({"owners": ["a;b"]}, "budget 1, key owners", "text without a ;"),
    "limits": ({"limits": {"clicks": 5}}, "budget 1, key limits", "impressions or conversions"),
    "phases": ({"phases": "x"}, "budget 1, key phases", "is not a list of objects"),
    "phase": (
        {"amount": None, "cadence": "once", "phases": [{"start": "2026-01-01", "amont": 5}]},
        "budget 1, phase 1, key amont",
        "write amount",
    ),
    "amount beside phases": (
        {"cadence": "once", "phases": [{"start": "2026-01-01", "end": "2026-01-31", "amount": 6}]},
        "budget 1, key amount",
        "'5' is not what its phases say: '6'",
    ),
}


@pytest.mark.parametrize(("keys", "where", "said"), JSON.values(), ids=JSON)
def test_a_bad_record_is_told_by_its_key(tmp_path, keys, where, said):
    good = {"ref": "A", "name": "Ads", "currency": "USD", "amount": 5}
    (tmp_path / "b.json").write_text(json.dumps([{**good, **keys}, {**good, "ref": "OK"}]))
    ids, (problem,) = listed(opened(tmp_path, "b.json"))
    assert (ids, problem.where) == (["OK"], f"b.json {where}")
    assert said in problem.message


def test_a_broken_line_of_jsonl_is_told_and_the_others_are_read(tmp_path):
    good = '{"ref":"A","name":"Ads","currency":"USD","amount":5}'
    (tmp_path / "b.jsonl").write_text(f'{{"ref":\n{good}\n[]\n')
    ids, problems = listed(opened(tmp_path, "b.jsonl"))
    assert ids == ["A"]
    assert [each.where for each in problems] == ["b.jsonl line 1", "b.jsonl line 3"]
    assert "not JSON at column 8" in problems[0].message


def test_a_worksheet_is_told_by_its_row_and_floats_are_not_rounded(tmp_path):
    book = openpyxl.Workbook()
    for cells in (COLUMNS[:4], [], ["A", "Ads", "USD", 1.005], ["B", "Ads", "USD", 0.3]):
        book.active.append(cells)
    book.save(tmp_path / "b.xlsx")
    ids, (problem,) = listed(opened(tmp_path, "b.xlsx"))
    assert (ids, problem.where) == (["B"], "b.xlsx row 3, column amount")


FILES = {
    "empty": ("b.csv", b"", {}, ["b.csv is empty", "Its first line is ref,name"]),
    "no amount": (
        "b.csv",
        b"ref,name,currency\n",
        {},
        ["b.csv line 1", "column amount is missing"],
    ),
    "no currency": ("b.csv", b"ref,name,amount\n", {}, ["column currency is missing"]),
    "unknown column": ("b.csv", b"ref,name,amuont,currency\n", {}, ["'amuont'", "Write amount"]),
    "column twice": ("b.csv", b"ref,name,Name,amount\n", {}, ["column name stands there twice"]),
    "no column name": ("b.csv", b"ref,name,,amount\n", {}, ["column 3 has no name"]),
    "delimiter": ("b.csv", b"ref;name;amount;currency\n", {}, ["Set delimiter = ';'"]),
    "encoding": (
        "b.csv",
        b"ref,name,currency,amount\nA,Ads,USD,5\nB,B\xfcro,USD,5\n",
        {},
        ["b.csv line 3: byte 41 (0xfc) is not utf-8", 'encoding, such as "cp1252"'],
    ),
    "open quote": ("b.csv", b'ref,name,currency,amount\nA,"Ads,USD,5\n', {}, ["b.csv line 2"]),
    "json": ("b.json", b'[\n {"ref": }]', {}, ["b.json line 2 column 10"]),
    "json object": ("b.json", b"{}", {}, ["is not a list of budgets"]),
    "json empty": ("b.json", b" ", {}, ["b.json is empty"]),
    "json number": ("b.json", b'[{"amount": NaN}]', {}, ["NaN is not a number"]),
    "xlsx": ("b.xlsx", b"ref,name\n", {}, ["b.xlsx is not an xlsx workbook"]),
    "feather": ("b.feather", b"ARROW1", {}, [".feather is not", ".csv, .json, .jsonl, .xlsx"]),
    "no ending": ("budgets", b"", {}, ["a name without ending"]),
}


@pytest.mark.parametrize(("name", "content", "keys", "said"), FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_read_stops_with_what_would_be_right(
    tmp_path, name, content, keys, said
):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Unreadable) as raised:
        list(opened(tmp_path, name, **keys).list(Kind.BUDGET))
    assert str(tmp_path / name) in str(raised.value)
    for each in said:
        assert each in str(raised.value)


def test_a_missing_file_and_a_folder_are_unreadable(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(Unreadable, match="no such file"):
        opened(tmp_path).check()
    with pytest.raises(Unreadable, match="is a folder"):
        opened(tmp_path, "folder.csv").check()


def test_a_file_without_permission_is_unreadable(tmp_path, monkeypatch):
    file = budgets(tmp_path)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)  # root may read everything
    with pytest.raises(Unreadable, match="may not be read by this user"):
        file.check()


def test_a_missing_sheet_is_told_with_those_there_are(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "2026"
    book.save(tmp_path / "b.xlsx")
    with pytest.raises(Unreadable, match=r"no sheet 'x'\. It has '2026'"):
        opened(tmp_path, "b.xlsx", sheet="x").check()


@pytest.mark.parametrize(
    ("key", "value"),
    [("encoding", "utf-9"), ("delimiter", ";;"), ("decimal", "'"), ("currency", "usd")],
)
def test_wrong_settings_are_refused(key, value):
    with pytest.raises(ValidationError, match=key):
        FileSettings(connector="file", path="b.csv", **{key: value})
