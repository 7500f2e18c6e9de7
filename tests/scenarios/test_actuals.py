"""What was spent, by the ERP's own refs: from the vendor's answers to a table, a file and a script."""

import csv
import json
from decimal import Decimal

import pytest

import trueup
from tests.scenarios.conftest import SYNC, Desk


def spend(desk: Desk, budget: str, cents: int, *, status: str = "ACTIVE") -> str:
    """Spend through the first spend limit of a budget; returns the limit's id."""
    above = desk.named(budget)["budget_id"]
    row = next(each for each in desk.limits if each["parent_budget_id"] == above)
    spent = {"amount_spent": {"amount": cents, "currency": "USD"}}
    desk.brex.state["spend_limits"].put(
        row | {"current_period_balance": spent, "spend_limit_status": status, "status": status}
    )
    return str(row["id"])


@pytest.fixture
def mirrored(desk: Desk) -> Desk:
    assert desk.run("run", SYNC).code == 0
    return desk


def told(desk: Desk, *arguments: str) -> dict[str, dict[str, str]]:
    result = desk.run("actuals", "--json", *arguments)
    assert result.code == 0
    return {each["ref"]: each for each in result.data["actuals"] if each["ref"]}


def test_what_was_spent_is_told_by_the_refs_of_the_erp(mirrored: Desk) -> None:
    name = next(row["name"] for row in mirrored.rows() if row["ref"] == "CC0001")
    id = spend(mirrored, name, 12_345)

    found = told(mirrored, "brex")

    budget = found["CC0001"]
    assert (budget["system"], budget["sync"], budget["kind"]) == ("brex", SYNC, "budget")
    assert (budget["currency"], budget["amount"], budget["spent"]) == ("USD", "1020.00", "123.45")
    share = next(each for each in found.values() if each["target_id"] == id)
    assert (share["kind"], share["budget_ref"], share["spent"]) == (
        "allocation",
        "CC0001",
        "123.45",
    )
    assert Decimal(share["remaining"]) == Decimal(share["amount"]) - Decimal("123.45")


def test_what_is_left_counts_what_is_in_use(mirrored: Desk) -> None:
    name = next(row["name"] for row in mirrored.rows() if row["ref"] == "CC0001")
    for limit in mirrored.limits:  # Brex tells of each, also where nothing is spent
        spent = {"amount_spent": {"amount": 0, "currency": "USD"}}
        mirrored.brex.state["spend_limits"].put(limit | {"current_period_balance": spent})
    before = Decimal(told(mirrored)["CC0001"]["remaining"])
    id = spend(mirrored, name, 10_000, status="ARCHIVED")

    found = told(mirrored)

    share = next(each for each in found.values() if each["target_id"] == id)
    assert (share["status"], share["remaining"]) == ("retired", "0.00")
    assert found["CC0001"]["spent"] == "100.00"
    assert Decimal(found["CC0001"]["remaining"]) == before - Decimal(share["amount"])


def test_the_total_is_that_of_the_linked_budgets(mirrored: Desk) -> None:
    name = next(row["name"] for row in mirrored.rows() if row["ref"] == "CC0002")
    spend(mirrored, name, 5_000)

    result = mirrored.run("actuals", "--json")

    amounts = sum(Decimal(row["amount"]) for row in mirrored.rows())
    (one, all_systems) = result.data["totals"]
    assert (one["system"], one["spent"]) == ("brex", "50.00")
    assert all_systems["system"] is None
    assert all_systems["spent"] == one["spent"]
    assert amounts >= Decimal(one["amount"]) > 0


def test_the_table_marks_what_is_over_its_amount(mirrored: Desk) -> None:
    name = next(row["name"] for row in mirrored.rows() if row["ref"] == "CC0001")
    spend(mirrored, name, 99_999_900)

    result = mirrored.run("actuals")

    line = next(line for line in result.out.splitlines() if " CC0001 " in line)
    assert "999,999.00" in line
    assert "####################" in line
    assert "OVER" in line


def test_a_file_has_a_row_an_object(mirrored: Desk) -> None:
    path = mirrored.folder / "actuals.csv"

    result = mirrored.run("actuals", "--budgets", "--out", str(path))

    assert result.code == 0
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["ref"] for row in rows if row["ref"]} == {row["ref"] for row in mirrored.rows()}
    assert {row["kind"] for row in rows} == {"budget"}
    assert path.stat().st_mode & 0o077 == 0


def test_a_workbook_has_amounts_as_numbers(mirrored: Desk) -> None:
    from openpyxl import load_workbook

    path = mirrored.folder / "actuals.xlsx"

    assert mirrored.run("actuals", "--out", str(path)).code == 0

    header, *rows = load_workbook(path).active.iter_rows(values_only=True)  # type: ignore[union-attr]
    amounts = [dict(zip(header, row, strict=True))["amount"] for row in rows]
    assert amounts
    assert all(isinstance(each, int | float) for each in amounts if each is not None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "pdf"), "one of table, csv, json, xlsx"),
        (("--format", "xlsx"), "name its file with --out"),
        (("--out", "a.pdf"), "end in .csv, .json or .xlsx"),
        (("cards",), "cards"),
    ],
)
def test_what_cannot_be_told_so_is_a_usage_error(
    mirrored: Desk, arguments: tuple[str, ...], said: str
) -> None:
    result = mirrored.run("actuals", *arguments)

    assert result.code == 2
    assert said in result.err


def test_a_system_that_fails_is_told_and_the_others_are_shown(mirrored: Desk) -> None:
    mirrored.add_setting(
        '\n[systems.gone]\nconnector = "brex"\n'
        'base_url = "http://127.0.0.1:9"\ntoken = "env:NO_SUCH_TOKEN"\n'
    )

    result = mirrored.run("actuals", "--json")

    assert result.code == 2
    assert json.loads(result.out)["actuals"]
    assert "NO_SUCH_TOKEN" in json.loads(result.out)["failed"]["gone"]


def test_a_script_has_the_same_rows(mirrored: Desk) -> None:
    with trueup.open(mirrored.settings) as workspace:
        rows = list(workspace.spending("brex", shares=False))

    assert {row.ref for row in rows if row.ref} == {row["ref"] for row in mirrored.rows()}
