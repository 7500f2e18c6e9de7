"""`trueup look`: its document, its text, and how it ends."""

import json
import tomllib

import pytest
from typer.testing import CliRunner

from config.load import load
from trueup.cli import app

TEXT = "Account,Jul-2026,Aug-2026\nRent (0400),10.00,\nFees (410),1.50,0\n"
UNCLEAR = "Account,01-07-2026,01-08-2026\nRent (0400),10.00,\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b.csv").write_text(TEXT, encoding="utf-8")
    (tmp_path / "u.csv").write_text(UNCLEAR, encoding="utf-8")
    return lambda *words: CliRunner().invoke(app, ["look", *words])


def test_the_document_has_every_key_and_amounts_as_text(run):
    result = run("b.csv", "--json")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert [*said] == ["layout", "why", "settings", "questions", "problems", "budgets", "totals"]
    assert said["layout"] == "xero"
    assert said["budgets"] == [
        {"ref": "0400", "name": "Rent", "currency": None, "periods": {"2026-07": "10.00"},
         "allocations": []},
        {"ref": "410", "name": "Fees", "currency": None,
         "periods": {"2026-07": "1.50", "2026-08": "0.00"}, "allocations": []},
    ]  # fmt: skip
    assert said["totals"] == {"2026-07": "11.50", "2026-08": "0.00"}
    assert any("header in row 1: Account" in each for each in said["why"])


def test_for_people_it_says_why_the_settings_budgets_and_sums(run):
    result = run("b.csv")
    assert result.exit_code == 0
    for said in ("b.csv: xero", "2 columns of periods", 'layout = "xero"', "0400 Rent: 10.00",
                 "2026-07                            11.50"):  # fmt: skip
        assert said in result.stdout


def test_the_settings_that_it_prints_read_the_file(run, tmp_path):
    block = json.loads(run("b.csv", "--json", "--set", "currency=EUR").stdout)["settings"]
    (tmp_path / "trueup.toml").write_text(block, encoding="utf-8")
    settings = load(tmp_path / "trueup.toml")
    assert settings.systems["erp"].currency == "EUR"
    result = CliRunner().invoke(app, ["check"])
    assert result.exit_code == 0
    assert "2 budgets" in result.stdout


def test_what_is_ambiguous_is_asked_and_ends_in_4(run):
    result = run("u.csv", "--json")
    assert result.exit_code == 4
    said = json.loads(result.stdout)
    (asked,) = said["questions"]
    assert asked["setting"] == "dates.order"
    assert asked["readings"] == [
        "2026-07-01 with dates.order=dmy",
        "2026-01-07 with dates.order=mdy",
    ]
    assert said["budgets"] == []


def test_an_answer_is_read_and_stands_in_the_settings(run):
    result = run("u.csv", "--json", "--set", "dates.order=dmy")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert said["budgets"][0]["periods"] == {"2026-07": "10.00"}
    table = tomllib.loads(said["settings"])["systems"]["erp"]["layout"]
    assert table == {"like": "xero", "dates": {"order": "dmy"}}


def test_a_row_that_cannot_be_read_ends_in_4_with_its_place(run, tmp_path):
    (tmp_path / "b.csv").write_text(TEXT.replace("1.50", "1.5o"), encoding="utf-8")
    result = run("b.csv")
    assert result.exit_code == 4
    assert "! b.csv row 3, column B (Jul-2026): '1.5o' is not an amount" in result.stdout


@pytest.mark.parametrize("said", ["columns.department=10", "columns.department={ at = 10 }"])
def test_a_position_or_a_table_is_no_spelling_of_a_header(run, tmp_path, said):
    cells = ["R", "NEW", "1", "Plan", "Jan-26", "EUR", "01", "0110", "64010", "X7"]
    (tmp_path / "o.csv").write_text(",".join([*cells, *[""] * 26, "5.00", "L"]) + "\n")
    result = run("o.csv", "--json", "--set", said)
    assert [each["ref"] for each in json.loads(result.stdout)["budgets"]] == ["X7"]


def test_without_a_file_the_layouts_are_listed(run):
    result = run()
    assert result.exit_code == 0
    assert "xero                Xero: Budget Manager" in result.stdout


def test_a_layout_is_printed_as_it_can_be_copied_and_used(run, tmp_path):
    result = run("--print-layout", "xero")
    assert result.stdout.startswith("# Xero")
    (tmp_path / "own.toml").write_text(result.stdout, encoding="utf-8")
    assert run("b.csv", "--layout", "own.toml").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["b.csv", "--layout", "xerro"], 'no layout is named "xerro"; did you mean "xero"?'),
        (["--print-layout", "nothing"], 'no layout is named "nothing"'),
        (["b.csv", "--set", "numbers.decmal=,"], "numbers.decmal: unknown key"),
        (["b.csv", "--set", "decimal"], "is not KEY=VALUE"),
    ],
)
def test_what_cannot_be_meant_ends_in_2(run, words, message):
    result = run(*words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_file_that_is_not_there_ends_in_1(run):
    result = run("no.csv")
    assert result.exit_code == 1
    assert "there is no such file" in result.stderr


def test_a_file_that_no_layout_fits_asks_which_column_is_the_budget(run, tmp_path):
    (tmp_path / "g.csv").write_text("Team,GL,Jan 2026\nA,61,5.00\nB,62,2.00\n")
    result = run("g.csv", "--json")
    assert result.exit_code == 4
    (asked,) = json.loads(result.stdout)["questions"]
    assert (asked["setting"], asked["readings"]) == (
        "budget.ref",
        ["budget.ref=Team", "budget.ref=GL"],
    )
    answered = run("g.csv", "--json", "--set", "budget.ref=Team", "--set", "allocation.entity=GL")
    assert answered.exit_code == 0
    (first, _) = json.loads(answered.stdout)["budgets"]
    assert first["allocations"] == [
        {"entity_type": "account", "entity": "61", "periods": {"2026-01": "5.00"}}
    ]


def asked_of(result):
    return {each["setting"]: each["readings"] for each in json.loads(result.stdout)["questions"]}


def test_a_file_of_one_amount_a_row_asks_for_its_columns_and_is_read_by_the_answers(run, tmp_path):
    text = "CC;Account;Jahr;Monat;Betrag\n0100;6100;2026;1;1.005,00\n0100;6100;2026;2;7,50\n"
    (tmp_path / "long.csv").write_text(text)
    asked = asked_of(run("long.csv", "--json"))
    assert asked["budget.ref"][0] == "budget.ref=CC"
    assert "amount=Betrag" in asked["amount"]
    assert asked["periods"][0] == "periods.number=Monat and periods.year=Jahr"
    answers = ("budget.ref=CC", "amount=Betrag", "periods.number=Monat", "periods.year=Jahr")
    answered = run("long.csv", "--json", *(word for each in answers for word in ("--set", each)))
    assert answered.exit_code == 0
    (budget,) = json.loads(answered.stdout)["budgets"]
    assert budget["periods"] == {"2026-01": "1005.00", "2026-02": "7.50"}


@pytest.mark.parametrize(
    "text",
    [
        "CC,Date,Amount\nA,2026-01-31,5.00\n",
        "CC,Year,Q1,Q2\nA,2026,1.00,2.00\n",
        "Budget 2026,,\nAcme,,\nCC,Jan 2026,Feb 2026\nA,1.00,2.00\n",
    ],
)
def test_neither_a_title_nor_a_row_of_data_is_taken_for_the_header(run, tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    assert asked_of(run("t.csv", "--json"))["budget.ref"][0] == "budget.ref=CC"


@pytest.mark.parametrize("cell", ["kr 1.250,00", "5,00 kr.", "USD 5.25", "1'250.-", "12.500", "7"])
def test_a_header_is_found_above_amounts_of_any_form(run, tmp_path, cell):
    (tmp_path / "f.csv").write_text(f"CC;Jan 2026\nA;{cell}\n")
    assert asked_of(run("f.csv", "--json")) == {"budget.ref": ["budget.ref=CC"]}


def test_columns_of_months_without_a_year_ask_for_it(run, tmp_path):
    (tmp_path / "m.csv").write_text("CC,Jan,Feb\nA,1.00,2.00\n")
    assert asked_of(run("m.csv", "--json"))["periods"] == ["periods.year=2026, such as it is"]
    answered = run("m.csv", "--json", "--set", "budget.ref=CC", "--set", "periods.year=2026")
    assert json.loads(answered.stdout)["totals"] == {"2026-01": "1.00", "2026-02": "2.00"}


def test_a_header_of_several_rows_is_drafted_as_it_is_said(run, tmp_path):
    (tmp_path / "h.csv").write_text("CC,2026,,2027\n,Jan,Feb,Jan\nA,1.00,2.00,3.00\n")
    words = ["--set", "header.rows=2", "--set", "header.fill_right=true"]
    assert asked_of(run("h.csv", "--json", *words)) == {"budget.ref": ["budget.ref=CC"]}
    answered = run("h.csv", "--json", *words, "--set", "budget.ref=CC")
    assert [*json.loads(answered.stdout)["totals"]] == ["2026-01", "2026-02", "2027-01"]


def test_a_ref_that_is_put_together_answers_which_column_is_the_budget(run, tmp_path):
    (tmp_path / "p.csv").write_text("CC,Site,Jan 2026\nA,north,1.00\n")
    result = run("p.csv", "--json", "--set", "columns.ref.text={CC}-{Site}")
    assert [each["ref"] for each in json.loads(result.stdout)["budgets"]] == ["A-north"]


def test_how_a_file_is_opened_is_answered_before_it_is_recognised(run, tmp_path):
    (tmp_path / "x.csv").write_bytes("Account\tJan-2026\nÉté (0400)\t5.00\n".encode("utf-16-le"))
    said = json.loads(run("x.csv", "--json", "--set", "file.encoding=utf-16-le").stdout)
    assert (said["layout"], said["budgets"][0]["name"]) == ("xero", "Été")


def test_records_with_other_keys_than_ours_are_looked_at_as_any_file(run, tmp_path):
    (tmp_path / "r.jsonl").write_text('{"cc": "A", "month": "2026-01", "amount": 5.10}\n')
    assert [*asked_of(run("r.jsonl", "--json"))] == ["budget.ref", "amount", "periods"]


def test_a_file_with_our_own_columns_needs_no_layout(run, tmp_path):
    (tmp_path / "own.csv").write_text(
        "ref,name,currency,amount,cadence,start,end\nA,Ads,USD,5,monthly,2026-01-01,2026-02-28\n"
    )
    result = run("own.csv", "--json")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert said["why"] == ["the columns have our own names: no layout is needed"]
    assert said["budgets"][0]["periods"] == {"2026-01": "5.00", "2026-02": "5.00"}
