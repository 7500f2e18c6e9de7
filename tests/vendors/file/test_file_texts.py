"""Texts and refs in files: one spelling for each ref, nothing is lost that was written."""

import json
import os
from contextlib import suppress
from datetime import date

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import facts
from canonical.kind import Kind
from canonical.period import Cadence, Period
from canonical.text import Unkept, kept
from connectors.contract.errors import ConnectorError, Rejected, Unreadable
from connectors.contract.records import Draft
from connectors.contract.runtime import Runtime
from connectors.file.connector import File
from connectors.file.declared import FileSettings
from connectors.file.documents import save
from connectors.file.tables import guarded, unguarded

HEADER = "ref,name,currency,amount,status,parent,end\n"
SHARES = "budget,ref,entity_type,entity,amount\n"


def opened(folder, path="b.csv", **keys):
    return File("erp", FileSettings(connector="file", path=path, **keys), Runtime(base=folder))


def csv_file(folder, *rows, **keys):
    (folder / "b.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows), newline="")
    return opened(folder, **keys)


def json_file(folder, text, name="b.json", **keys):
    (folder / name).write_text(text)
    return opened(folder, name, **keys)


def listed(file, kind=Kind.BUDGET):
    pages = list(file.list(kind))
    return (
        [item.model for page in pages for item in page.items],
        [problem for page in pages for problem in page.problems],
    )


def refs(file, kind=Kind.BUDGET):
    found, problems = listed(file, kind)
    assert problems == []
    return [each.ref for each in found]


# Refs


def test_a_ref_is_one_however_it_is_spelled(tmp_path):
    file = csv_file(
        tmp_path,
        "Cafe\u0301\u00a01,Ads,USD,5,,,",
        "B,Ads,USD,5,,\u200bCaf\u00e9 1,",
    )
    assert refs(file) == ["Caf\u00e9 1", "B"]
    assert file.get(Kind.BUDGET, "Caf\u00e9 1").model.name == "Ads"
    file.retire(Kind.BUDGET, "Caf\u00e9 1", "key")
    assert [each.status for each in listed(file)[0]] == ["retired", "active"]


@pytest.mark.parametrize(("one", "other"), [("MKT", "mkt"), ("00123", "123")])
def test_refs_that_differ_by_capitals_or_zeros_only_are_a_conflict_of_both_rows(
    tmp_path, one, other
):
    file = csv_file(tmp_path, f"{one},A,USD,5,,,", "OK,C,USD,5,,,", f"{other},B,USD,5,,,")
    budgets, problems = listed(file)
    assert [each.ref for each in budgets] == ["OK"]
    assert [(each.ref, each.where) for each in problems] == [
        (one, "b.csv row 2, column ref"),
        (other, "b.csv row 4, column ref"),
    ]
    assert f"'{other}' in row 4 differs by capitals or leading zeros only" in problems[0].message
    assert f"'{one}' in row 2 differs" in problems[1].message


def test_allocations_whose_refs_are_alike_are_a_conflict_within_their_budget_only(tmp_path):
    (tmp_path / "a.csv").write_text(
        SHARES + "A,X,user,a,1\nA,x,user,b,1\nB,x,user,c,1\n", encoding="utf-8"
    )
    file = csv_file(tmp_path, "A,A,USD,5,,,", "B,B,USD,5,,,", allocations="a.csv")
    shares, problems = listed(file, Kind.ALLOCATION)
    assert [each.budget for each in shares] == ["B"]
    assert ["'x' in row 3 differs" in problems[0].message, len(problems)] == [True, 2]


def test_a_stroke_within_a_ref_makes_no_other_key(tmp_path):
    (tmp_path / "a.csv").write_text(SHARES + "A/B,C,user,a,1\nA,B/C,user,a,2\n")
    file = csv_file(tmp_path, "A,A,USD,5,,,", "A/B,B,USD,5,,,", allocations="a.csv")
    assert refs(file, Kind.ALLOCATION) == ["C", "B/C"]
    ids = [each.id for page in file.list(Kind.ALLOCATION) for each in page.items]
    assert [file.get(Kind.ALLOCATION, id).model.budget for id in ids] == ["A/B", "A"]
    file.delete(Kind.ALLOCATION, ids[0], "key")
    assert refs(file, Kind.ALLOCATION) == ["B/C"]


@pytest.mark.parametrize("bad", ["A\\u0000", "A\\u0007", "A\\ud800"])
def test_a_ref_with_a_character_that_none_has_is_one_records_problem(tmp_path, bad):
    good = '{"ref": "OK", "name": "Ads", "currency": "USD", "amount": 5}'
    file = json_file(tmp_path, f"[{good}, {good.replace('OK', bad)}]")
    budgets, (problem,) = listed(file)
    assert [each.ref for each in budgets] == ["OK"]
    assert problem.where == "b.json budget 2, key ref"
    assert "which is no part of a ref" in problem.message
    assert problem.ref is None


@pytest.mark.parametrize(
    "key", ["name", "description", "status", "owners", "dimension:a", "x\\ud800"]
)
@pytest.mark.parametrize("bad", ["\\u0000", "\\udc00"])
def test_a_text_that_no_state_holds_is_one_records_problem(tmp_path, key, bad):
    good = '"ref": "A", "name": "Ads", "currency": "USD", "amount": 5'
    record = f'{{{good}, "{key}": "x{bad}"}}'.replace(
        '"name": "Ads", ' if key == "name" else "~", ""
    )
    file = json_file(tmp_path, f"{record}\n{{{good.replace(chr(65), 'OK', 1)}}}\n", "b.jsonl")
    budgets, (problem,) = listed(file)
    assert [each.ref for each in budgets] == ["OK"]
    f"{problem.where} {problem.message}".encode()
    assert "\x00" not in problem.where + problem.message


def test_control_characters_that_nobody_sees_are_left_out_of_a_name(tmp_path):
    (budget,), _ = listed(csv_file(tmp_path, "A,A\x1b[31md\x07s,USD,5,,,"))
    assert budget.name == "A[31mds"


@pytest.mark.parametrize("unseen", ["\u200b", "\u200b\u00ad"])
@pytest.mark.parametrize("column", ["ref", "parent"])
def test_a_ref_of_nothing_that_can_be_seen_is_told_and_is_no_ref(tmp_path, column, unseen):
    row = {"ref": "A", "parent": "", column: unseen}
    file = csv_file(tmp_path, "OK,Fine,USD,5,,,", f"{row['ref']},N,USD,5,,{row['parent']},")
    budgets, (problem,) = listed(file)
    assert [each.ref for each in budgets] == ["OK"]
    assert problem.where == f"b.csv row 3, column {column}"


def test_a_name_of_nothing_that_can_be_seen_is_told(tmp_path):
    budgets, (problem,) = listed(csv_file(tmp_path, "A,\x07\x1b,USD,5,,,"))
    assert (budgets, problem.where) == ([], "b.csv row 2, column name")


# Cells that say something else than they seem to


@pytest.mark.parametrize("said", ["#N/A", "#REF!", "#DIV/0!"])
@pytest.mark.parametrize("column", ["ref", "name", "status", "parent"])
def test_the_error_of_a_spreadsheet_is_no_text(tmp_path, column, said):
    row = {"ref": "A", "name": "Ads", "status": "", "parent": "", column: said}
    file = csv_file(
        tmp_path,
        "OK,Fine,USD,5,,,",
        f"{row['ref']},{row['name']},USD,5,{row['status']},{row['parent']},",
    )
    budgets, (problem,) = listed(file)
    assert ([each.ref for each in budgets], problem.where) == (
        ["OK"],
        f"b.csv row 3, column {column}",
    )


@pytest.mark.parametrize(
    ("said", "unit", "keys"),
    [("12.500", "USD", {}), ("12,500", "EUR", {"decimal": ",", "delimiter": ";"}),
     ("1.000", "JPY", {}), ("1.000", "impressions", {})],
)  # fmt: skip
def test_three_digits_after_the_sign_may_be_thousands_and_are_refused(tmp_path, said, unit, keys):
    part = keys.get("delimiter", ",")
    (tmp_path / "b.csv").write_text(part.join(["ref", "name", "amount", "currency"]) + "\n"
                                    + part.join(["A", "Ads", said, unit]) + "\n")  # fmt: skip
    budgets, (problem,) = listed(opened(tmp_path, **keys))
    assert (budgets, problem.where) == ([], "b.csv row 2, column amount")
    assert "may be 12500 or 12" in problem.message or "may be 1000 or 1;" in problem.message


@pytest.mark.parametrize(
    ("said", "unit"), [("12.500", "KWD"), ("12.500000", "USD"), ("12.5", "USD")]
)
def test_other_digits_after_the_sign_are_read(tmp_path, said, unit):
    (budget,), _ = listed(csv_file(tmp_path, f"A,Ads,{unit},{said},,,"))
    assert budget.amount == Amount.of("12.5", unit)


def test_a_json_number_is_never_thousands(tmp_path):
    file = json_file(tmp_path, '[{"ref":"A","name":"Ads","currency":"USD","amount":12.500}]')
    assert listed(file)[0][0].amount == Amount.of("12.5", "USD")


BEYOND = [
    "1e999999",
    "1e9999999999999999999",
    "9" * 62,
    "0." + "1" * 5000,
    "9" * 5000,
    "-1e-999999",
]


@pytest.mark.parametrize("said", BEYOND, ids=lambda said: said[:12])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_number_beyond_all_arithmetic_is_one_records_problem(tmp_path, said, quote):
    good = '{"ref": "OK", "name": "Ads", "currency": "USD", "amount": 5}'
    bad = good.replace("OK", "A").replace("5}", f"{quote}{said}{quote}}}")
    file = json_file(tmp_path, f"[{good}, {bad}]")
    budgets, (problem,) = listed(file)
    assert ([each.ref for each in budgets], problem.ref) == (["OK"], "A")
    assert problem.where == "b.json budget 2, key amount"
    assert len(problem.message) < 120
    file.create(Draft(model=Budget(ref="N", name="New", amount=Amount.of(1, "USD"))), "key")
    assert said in (tmp_path / "b.json").read_text()


TWICE = {
    "in a budget": '{"ref": "A", "amount": 5, "amount": 6, "name": "N", "currency": "USD"}',
    "in another spelling": '{"ref": "A", "amount": 5, "Amount": 6, "name": "N", "currency": "USD"}',
    "in a phase": '{"ref": "A", "name": "N", "currency": "USD", "cadence": "once", "phases": '
    '[{"start": "2026-01-01", "end": "2026-01-31", "amount": 5, "amount": 6}]}',
    "in dimensions": '{"ref": "A", "amount": 5, "name": "N", "currency": "USD", '
    '"dimensions": {"a": "b", "a": "c"}}',
    "dimensions twice": '{"ref": "A", "amount": 5, "name": "N", "currency": "USD", '
    '"dimension:a": "b", "dimensions": {"a": "c"}}',
}


@pytest.mark.parametrize("record", TWICE.values(), ids=TWICE)
def test_a_key_that_stands_there_twice_is_refused_at_every_depth(tmp_path, record):
    file = json_file(tmp_path, f"[{record}]")
    budgets, (problem,) = listed(file)
    assert (budgets, problem.ref) == ([], "A")
    assert "stands there twice" in problem.message
    with pytest.raises(Rejected, match="is there already and cannot be read"):
        file.create(Draft(model=Budget(ref="A", name="N", amount=Amount.of(1, "USD"))), "key")
    file.create(Draft(model=Budget(ref="B", name="N", amount=Amount.of(1, "USD"))), "key")
    assert json.loads((tmp_path / "b.json").read_text())[0] == json.loads(record)
    assert (tmp_path / "b.json").read_text().count('"amount"') == record.count('"amount"') + 1


INSIDE = (
    '[{"ref": "A", "name": "N", "currency": "USD", "amount": 5, '
    '"allocations": [{"entity_type": "user", "entity": "a", "amount": 1, "budget": "B"}]}]'
)


def test_allocations_inside_a_budget_beside_a_file_of_them_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text(SHARES)
    budgets, (problem,) = listed(json_file(tmp_path, INSIDE, allocations="a.csv"))
    assert (budgets, problem.where) == ([], "b.json budget 1, key allocations")
    assert "keep them in one place" in problem.message


def test_an_allocation_inside_one_budget_cannot_be_anothers(tmp_path):
    shares, (problem,) = listed(json_file(tmp_path, INSIDE), Kind.ALLOCATION)
    assert (shares, problem.where) == ([], "b.json budget 1, allocation 1, key budget")


@pytest.mark.parametrize("key", ["phases", "limits", "dimensions", "allocations"])
@pytest.mark.parametrize("value", ["0", "false", '""'])
def test_what_is_no_list_is_not_taken_for_an_empty_one(tmp_path, key, value):
    record = f'{{"ref": "A", "name": "N", "currency": "USD", "amount": 5, "{key}": {value}}}'
    budgets, (problem,) = listed(json_file(tmp_path, f"[{record}]"))
    assert (budgets, problem.where) == ([], f"b.json budget 1, key {key}")


@pytest.mark.parametrize("blank", [",,,,,,", " , ,\t, ,\u00a0,,", ",,", "  "])
def test_a_row_of_blanks_is_no_row(tmp_path, blank):
    assert refs(csv_file(tmp_path, "A,Ads,USD,5,,,", blank, blank)) == ["A"]


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf-8-sig"])
def test_a_mark_at_the_beginning_is_read_with_every_spelling_of_utf_8(tmp_path, encoding):
    (tmp_path / "b.csv").write_bytes(b"\xef\xbb\xbf" + f"{HEADER}A,B\u00fcro,USD,5,,,\n".encode())
    file = opened(tmp_path, encoding=encoding)
    file.create(Draft(model=Budget(ref="B", name="New", amount=Amount.of(1, "USD"))), "key")
    assert refs(file) == ["A", "B"]
    assert (tmp_path / "b.csv").read_bytes().startswith(b"\xef\xbb\xbfref")


# Ends


@pytest.mark.parametrize("said", ["9999-12-31", "2999-01-01", "4712-12-31", "2154-12-31"])
def test_an_end_that_no_calendar_of_budgets_reaches_is_an_open_one(tmp_path, said):
    near, far = listed(csv_file(tmp_path, "A,A,USD,5,,,2149-12-31", f"B,B,USD,5,,,{said}"))[0]
    assert (near.end.year, far.end) == (2149, None)


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl", "xlsx"])
def test_the_last_of_several_rows_may_be_open(tmp_path, ending):
    phases = (
        Phase(Period(date(2026, 1, 1), date(2026, 1, 31)), Amount.of(1, "USD")),
        Phase(Period(date(2026, 2, 1)), Amount.of(2, "USD")),
    )
    budget = Budget(ref="A", name="N", amount=phases[0].amount, cadence=Cadence.MONTHLY,
                    start=date(2026, 1, 1), phases=phases)  # fmt: skip
    file = opened(tmp_path, f"b.{ending}")
    file.create(Draft(model=budget), "key")
    assert facts(listed(file)[0][0]) == facts(budget)
    assert (
        "9999-12-31" in (tmp_path / f"b.{ending}").read_bytes().decode(errors="replace")
        or ending == "xlsx"
    )


# What is written into csv


ANY = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
ODD = st.text("'=+-@\t\r\n \",;A\u00a0", max_size=6)


@given(ANY | ODD)
def test_a_guarded_text_is_no_formula_and_is_read_as_it_was(said):
    written = guarded(said)
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(written) == said


@given(
    st.lists(ODD | ANY, min_size=4, max_size=4), st.sampled_from(["csv", "json", "jsonl", "xlsx"])
)
@example(["=1+1", "+1", "-1", "@x"], "csv")
@example([";", "\r", "=", ";"], "csv")
@example(["a\rb", "'=x", "''", '"'], "csv")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_text_is_read_as_it_was_written_or_refused(tmp_path, texts, ending):
    path = tmp_path / f"b.{ending}"
    path.unlink(missing_ok=True)
    file = opened(tmp_path, path.name)
    name, description, owner, value = texts
    budget = Budget(ref="A", name=name, description=description, owners=(owner,),
                    amount=Amount.of(1, "USD"), dimensions={"d": value})  # fmt: skip
    plain = Budget(ref="B", name="plain", amount=Amount.of(1, "USD"))
    try:
        file.create(Draft(model=budget), "key")
    except Rejected:
        return
    file.create(Draft(model=plain), "key")
    found, problems = listed(file)
    assert problems == []
    assert facts(found[0]) == facts(budget)
    assert facts(found[1]) == facts(plain)


def test_formulas_and_bare_returns_are_written_as_text(tmp_path):
    file = opened(tmp_path)
    budget = Budget(ref="-A", name="=1+1", description="a\rb", amount=Amount.of(1, "USD"))
    file.create(Draft(model=budget), "key")
    said = (tmp_path / "b.csv").read_bytes().decode()
    assert said.splitlines()[1].startswith("'-A,'=1+1,\"a")
    assert listed(file)[0] == [budget]
    file.update("-A", Draft(model=replace(budget, name="@x")), ["name"], "key")
    assert [each.name for each in listed(file)[0]] == ["@x"]


# Files that are none, and many faults


def test_a_pipe_and_a_device_are_refused_and_never_opened(tmp_path):
    os.mkfifo(tmp_path / "b.csv")
    with pytest.raises(Unreadable, match="a device or a pipe"):
        opened(tmp_path).check()
    with pytest.raises(Rejected, match="is no file"):
        save(tmp_path / "b.csv", b"x", None)
    (tmp_path / "n.csv").symlink_to("/dev/zero")
    with pytest.raises(Unreadable, match="a device or a pipe"):
        opened(tmp_path, "n.csv").check()


def test_a_path_that_no_system_has_is_unreadable(tmp_path):
    with pytest.raises(Unreadable):
        opened(tmp_path, "a\x00.csv").check()


def test_equal_faults_are_told_ten_times_and_counted(tmp_path):
    rows = [f"R{n},Ads,USD,{n}x,,," for n in range(3000)]
    file = csv_file(tmp_path, "OK,Fine,USD,5,,,", *rows, "Z,Ads,USD,5,zz,,")
    budgets, problems = listed(file)
    assert [each.ref for each in budgets] == ["OK"]
    assert len(problems) == 12
    assert problems[-1].where == "b.csv, column amount"
    assert problems[-1].message.startswith("2990 more rows, row 13 to row 3002, such as: '10x' is")
    assert len(problems[-1].traces.ids) == 2990
    assert sum(each.where.endswith("column status") for each in problems) == 1
    with pytest.raises(ConnectorError, match="row 2500, column amount"):
        file.get(Kind.BUDGET, "R2497")


def test_faults_that_say_something_else_in_each_row_are_bounded_too(tmp_path):
    rows = [f"R{n},Ads,USD,5,,R{n},2026-01-{n % 28 + 1:02}" for n in range(500)]
    _, problems = listed(csv_file(tmp_path, *rows))
    assert len(problems) < 120


@pytest.mark.parametrize("said", ["", "\ufeff", "a\u0301", "x\u200by"])
def test_the_same_text_is_kept_whoever_reads_it(said):
    try:
        assert kept(kept(said)) == kept(said)
    except Unkept:
        pytest.fail("plain text")


@pytest.mark.parametrize("depth", [100, 400, 900, 5000])
@pytest.mark.parametrize("key", ["phases", "name", "other"])
def test_a_record_that_is_nested_deeply_stops_no_other(tmp_path, depth, key):
    good = '{"ref": "OK", "name": "Ads", "currency": "USD", "amount": 5}'
    bad = f'{{"ref": "A", "{key}": {"[" * depth}{"]" * depth}}}'
    file = json_file(tmp_path, f"{bad}\n{good}\n", "b.jsonl")
    budgets, (problem,) = listed(file)
    assert [each.ref for each in budgets] == ["OK"]
    assert problem.where.startswith("b.jsonl line 1")
    with suppress(Rejected):  # where it cannot be written again
        file.create(Draft(model=Budget(ref="N", name="N", amount=Amount.of(1, "USD"))), "key")
    assert (tmp_path / "b.jsonl").read_text().startswith(bad[:60])
