"""The README says what is so: its examples are run, its tables are compared with the code."""

import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from pkgutil import resolve_name

import pytest
import typer

import trueup
from config.load import load
from config.rates import rates_of
from config.settings import ACCEPTABLE, Guard
from config.wiring import spec_of
from connectors.rows.layout import ALLOCATIONS, BUDGETS, Layout
from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.server import serve
from sync.outcome import Exit
from tests.readme import ROOT, example
from trueup.capabilities import capability_table, table_text
from trueup.cli import app

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md")
TOKEN = "bxt_canary_77d1"


def _rows(heading: str) -> dict[str, list[str]]:
    """The rows of the table whose first column is `heading`, by their first cell."""
    table = re.search(rf"^\| {heading} \|.*\n\|[ -|]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    assert table, f"README.md has no table of {heading}"
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in table[1].splitlines()]
    return {first: rest for first, *rest in rows}


def test_the_capability_table_is_what_the_connectors_declare() -> None:
    said = re.search(r"<!-- capabilities -->\n(.*?)\n?<!-- /capabilities -->", README, re.DOTALL)
    assert said
    assert said[1].strip() == table_text(capability_table()), (
        "put what `trueup connectors` prints between the two comments in README.md"
    )


def test_every_command_is_in_the_table_and_no_other() -> None:
    said = {row.split()[1] for row in _rows("command")}

    assert said == set(typer.main.get_command(app).commands)


def test_every_exit_code_is_in_the_table_and_no_other() -> None:
    codes = {str(code) for name, code in vars(Exit).items() if name.isupper()}

    assert set(_rows("exit code")) == codes


def test_every_guard_is_in_the_table_with_its_default() -> None:
    said = {rule: row[0] for rule, row in _rows("rule").items()}

    assert said == {rule: field.default for rule, field in Guard.model_fields.items()}


@pytest.mark.parametrize("layout", [BUDGETS, ALLOCATIONS], ids=lambda layout: layout.noun)
def test_every_column_of_a_file_is_named(layout: Layout) -> None:
    header = example(f"{layout.noun}.csv").splitlines()[0].split(",")
    said = {*header, *re.findall(r"`([a-z_]+)`", README)}

    assert {*layout.columns, *layout.extra} <= said


def test_every_loss_that_is_given_as_an_example_can_be_accepted() -> None:
    said = re.findall(r"\"((?:rounded|truncated|dropped|blocked):\w+)\"", README)

    assert said
    assert set(said) <= set(ACCEPTABLE)


def test_the_settings_can_be_used_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "trueup.toml"
    path.write_text(example("settings"), encoding="utf-8")

    assert set(load(path).syncs) == {"erp-to-brex"}


def test_the_selections_and_rates_can_be_used_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "trueup.toml"
    bill = '\n[systems.bill]\nconnector = "bill"\napi_token = "env:BILL_API_TOKEN"\n'
    before, _, _ = example("settings").partition("[syncs.")
    path.write_text(f"{before}{bill}{example('select')}", encoding="utf-8")

    settings = load(path)

    assert str(spec_of(settings, "bills").select).startswith("not dimension.department")
    assert str(rates_of(settings, "bill").on("EUR", date(2026, 3, 1))) == "1.0850"


def test_the_json_says_what_the_rows_would(tmp_path: Path) -> None:
    (tmp_path / "budgets.json").write_text(example("budgets.json"), encoding="utf-8")
    settings = tmp_path / "trueup.toml"
    settings.write_text('[systems.erp]\nconnector = "file"\npath = "budgets.json"\n')

    with trueup.open(settings) as workspace:
        (budget,) = workspace.budgets("erp")

    amounts = [phase.amount.text() for phase in budget.phases]
    assert (budget.ref, amounts) == ("MKT", ["12500.00", "14000.00"])
    assert budget.dimensions == {"region": "emea"}
    assert [str(each.entity) for each in budget.allocations] == ["user:ada@example.com"]


def test_the_script_moves_the_budgets_of_the_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BREX_TOKEN", TOKEN)
    for name in ("budgets.csv", "allocations.csv", "migrate.py"):
        (tmp_path / name).write_text(example(name), encoding="utf-8")
    with serve(BrexSandbox(token=TOKEN)) as brex:
        settings = example("settings").replace("https://api.brex.com", brex.url)
        (tmp_path / "trueup.toml").write_text(settings, encoding="utf-8")

        done = subprocess.run(
            [sys.executable, "migrate.py"], cwd=tmp_path, capture_output=True, text=True
        )

        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "4 objects compared, agree: True\n"
        rows = brex.state["budgets"].rows()
        amounts = {row["name"]: row["amount"] for row in rows if row["parent_budget_id"]}
        assert amounts == {
            "Marketing": {"amount": 1250000, "currency": "USD"},
            "Marketing Europe": {"amount": 400000, "currency": "EUR"},
        }


@pytest.mark.parametrize("page", PAGES)
def test_every_file_and_function_that_a_page_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    folder = (ROOT / page).parent
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    paths = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?)`", text)
    paths = [path for path in paths if "acme" not in path]  # the vendor that is still to come
    names = re.findall(r"`((?:canonical|connectors|sync|config|trueup)(?:\.\w+)+)`", text)
    names = [name for name in names if not name.endswith((".toml", ".db", ".connectors"))]
    # what is installed as trueup.canonical is canonical here
    names = [
        re.sub(r"^trueup\.(?=(canonical|config|connectors|sync)\b)", "", name) for name in names
    ]

    assert [link for link in links if not (folder / link).exists()] == []
    assert [path for path in paths if not (ROOT / path).exists()] == []
    for name in names:
        resolve_name(name)
