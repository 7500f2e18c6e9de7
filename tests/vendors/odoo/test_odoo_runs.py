"""Whole runs out of Odoo, and back into it, with the real commands over HTTP."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.server import serve
from tests.vendors.odoo.conftest import ACCOUNTS, DOCUMENTS, LINES, PASSWORD
from trueup.cli import app

TOKEN = "bxt_canary_5f3a"
SETTINGS = """\
[systems.erp]
connector = "odoo"
base_url = "{odoo}"
database = "sandbox"
{credential}

[systems.brex]
connector = "brex"
base_url = "{brex}"
token = "env:BREX_TOKEN"

[systems.file]
connector = "file"
path = "plan.csv"

[syncs.mirror]
source = "erp"
target = "brex"

[syncs.back]
source = "file"
target = "erp"

[syncs.back.guard]
max_money = "off"
max_budget_change = "off"
"""
LOGIN = 'login = "trueup"\npassword = "env:ODOO_PASSWORD"'
KEY = 'key = "env:ODOO_PASSWORD"'
HEADER = "ref,name,amount,currency,cadence,start,end\n"


class Desk:
    """A folder with settings; Odoo and Brex are sandboxes."""

    def __init__(self, folder: Path, erp, brex, credential=LOGIN) -> None:
        self.erp, self.brex, self.folder = erp, brex, folder
        self.settings = folder / "trueup.toml"
        said = {"odoo": erp.served.url, "brex": brex.url, "credential": credential}
        self.settings.write_text(SETTINGS.format(**said))

    def run(self, *arguments: str, code: int = 0):
        """What a command says, as JSON."""
        said = [*arguments, "--as-of", "2026-03-15", "--json", "--config", str(self.settings)]
        found = CliRunner().invoke(app, said)
        assert PASSWORD not in found.output
        assert found.exit_code == code, found.output
        return json.loads(found.stdout)

    def to_brex(self) -> list[str]:
        """The calls that wrote to Brex since the last time."""
        seen = [call["method"] for call in self.brex.log if call["method"] != "GET"]
        self.brex.sandbox.log.clear()
        return seen

    def amounts(self) -> dict[str, int]:
        """What Brex's budgets hold, in cents, but for the root."""
        rows = self.brex.state["budgets"].rows()
        return {row["name"]: row["amount"]["amount"] for row in rows if row["parent_budget_id"]}

    def plan(self, *rows: str) -> None:
        """What the file states."""
        (self.folder / "plan.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows))

    def add(self, setting: str) -> None:
        """One more setting of Odoo's."""
        text = self.settings.read_text()
        self.settings.write_text(text.replace('"odoo"\n', f'"odoo"\n{setting}\n', 1))


@pytest.fixture
def desk(opened, tmp_path, monkeypatch, request):
    monkeypatch.setenv("BREX_TOKEN", TOKEN)
    monkeypatch.setenv("ODOO_PASSWORD", PASSWORD)
    said = getattr(request, "param", {})
    with serve(BrexSandbox(token=TOKEN, rate_limit="off")) as brex:
        yield Desk(tmp_path, opened(**said.get("odoo", {})), brex, said.get("credential", LOGIN))


EACH = pytest.mark.parametrize(
    "desk", [{}, {"credential": KEY, "odoo": {"version": 19}}], indirect=True, ids=["rpc", "json-2"]
)


@pytest.mark.sampled(2)
@EACH
def test_budgets_are_mirrored_and_an_amount_changed_in_odoo_is_one_put(desk):
    for row in desk.erp.rows(LINES, analytic_account_id=2):
        desk.erp.put(LINES, id=row["id"], general_budget_id=False)
    desk.run("run", "mirror")
    assert desk.amounts() == {"Administration": 309360, "Marketing": 203120, "Creche": 303120}
    assert desk.to_brex().count("POST") == 3 + 3
    desk.run("run", "mirror")
    assert desk.to_brex() == []
    line = desk.erp.line(2, 3, False)
    desk.erp.put(LINES, id=line["id"], planned_amount=Decimal("-1950.25"))
    desk.run("run", "mirror")
    assert desk.amounts()["Marketing"] == 195025
    desk.to_brex()
    desk.erp.put(LINES, id=line["id"], planned_amount=Decimal("-1950.3"))
    desk.run("run", "mirror")
    assert (desk.to_brex(), desk.amounts()["Marketing"]) == (["PUT"], 195030)
    assert desk.erp.writes() == []


def test_what_a_user_without_a_company_is_not_shown_stays_in_the_target(desk):
    text = desk.settings.read_text() + '\n[syncs.mirror.guard]\nmin_listing = "0%"\n'
    desk.settings.write_text(
        text.replace('target = "brex"', 'target = "brex"\non_remove = "retire"', 1)
    )
    desk.run("run", "mirror")
    before = desk.amounts()
    desk.to_brex()
    desk.erp.put("res.users", id=2, company_ids=[])
    desk.run("run", "mirror", "--allow", "max_removals", code=1)
    assert (desk.to_brex(), desk.amounts()) == ([], before)


@pytest.mark.faults
@EACH
def test_an_amount_of_a_file_reaches_its_line_in_odoo_in_one_call(desk):
    desk.plan(
        "0210,Marketing,2010.40,USD,monthly,2026-01-01,2026-01-31",
        "0210,Marketing,1999.99,USD,monthly,2026-02-01,2026-02-28",
    )
    desk.run("run", "back")
    assert desk.erp.line(2, 2)["planned_amount"] == Decimal("-1999.99")
    assert desk.erp.line(2, 1)["planned_amount"] == Decimal("-2010.40")
    assert len(desk.erp.writes()) == 1
    desk.run("run", "back")
    assert desk.erp.writes() == []


@pytest.mark.parametrize("desk", [{"odoo": {"budgets": "budget.analytic"}}], indirect=True)
def test_an_amount_reaches_a_line_of_budget_analytic_with_its_own_sign(desk):
    desk.plan("0210,Marketing,1999.99,USD,monthly,2026-02-01,2026-02-28")
    desk.run("run", "back")
    (line,) = desk.erp.rows("budget.line", budget_analytic_id=2, account_id=2)
    assert line["budget_amount"] == Decimal("1999.99")


@pytest.mark.faults
def test_a_write_whose_answer_is_lost_is_settled_by_looking(desk):
    desk.plan("0210,Marketing,1999.99,USD,monthly,2026-02-01,2026-02-28")
    desk.erp.served.faults.add("lost_answer", writes=True)
    desk.run("run", "back")
    assert desk.erp.line(2, 2)["planned_amount"] == Decimal("-1999.99")
    assert len(desk.erp.writes()) == 1


@pytest.mark.faults
@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("how", ["lost_answer", "lost_call", "error_before", "error_after"])
def test_several_amounts_that_broke_off_are_completed(desk, how, skip):
    desk.plan(
        "0210,Marketing,1,USD,monthly,2026-01-01,2026-01-31",
        "0210,Marketing,2,USD,monthly,2026-02-01,2026-02-28",
        "0210,Marketing,3,USD,monthly,2026-03-01,2026-03-31",
    )
    desk.erp.served.faults.add(how, writes=True, skip=skip)
    CliRunner().invoke(
        app, ["run", "back", "--as-of", "2026-03-15", "--config", str(desk.settings)]
    )
    desk.run("run", "back")
    amounts = [desk.erp.line(2, month)["planned_amount"] for month in (1, 2, 3)]
    assert amounts == [-1, -2, -3]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        ("0210,Marketing,1.00,EUR,monthly,2026-03-01,2026-03-31", "currency", "in USD"),
        ("0210,Marketing,1.00,USD,quarterly,2026-01-01,2026-03-31", "cadence", "count monthly"),
        ("0210,Marketing,1.00,USD,monthly,2027-01-01,2027-01-31", "phases", "no line for 2027-01"),
        ("0110,Administration,1.00,USD,monthly,2026-03-01,2026-03-31", "phases", "sum of 2 lines"),
        ("0990,New,1.00,USD,monthly,2026-03-01,2026-03-31", "name", "made and removed in Odoo"),
        ("0210,Marketing,12345678901234.56,USD,monthly,2026-03-01,2026-03-31", "amount", "float"),
    ],
)
def test_what_odoo_cannot_be_told_is_blocked_by_name(desk, row, field, words):
    desk.plan(row)
    (change,) = desk.run("plan", "back", code=4)["changes"]
    (loss,) = change["losses"]
    assert (change["op"], loss["field"], words in loss["reason"]) == ("blocked", field, True)
    assert desk.erp.writes() == []


def test_a_sum_that_is_as_stated_is_nothing_to_block(desk):
    desk.plan("0110,Administration,3093.60,USD,monthly,2026-03-01,2026-03-31")
    assert desk.run("plan", "back")["summary"]["unchanged"] == 1


@pytest.mark.faults
def test_amounts_have_the_rounding_of_the_companys_currency(desk):
    desk.erp.put("res.currency", id=1, name="CHF", rounding=Decimal("0.05"))
    desk.plan("0210,Marketing,1.03,CHF,monthly,2026-03-01,2026-03-31")
    (change,) = desk.run("plan", "back", code=4)["changes"]
    assert [loss["field"] for loss in change["losses"]] == ["amount"]
    assert "1.03 CHF becomes 1.05 CHF" in change["losses"][0]["reason"]
    text = desk.settings.read_text()
    desk.settings.write_text(
        text.replace('target = "erp"', 'target = "erp"\naccept = ["rounded:amount"]')
    )
    desk.run("run", "back")
    assert desk.erp.line(2, 3)["planned_amount"] == Decimal("-1.05")
    desk.run("run", "back")
    assert len(desk.erp.writes()) == 1


@pytest.mark.faults
def test_drafts_and_revised_documents_change_nothing_in_the_target(desk):
    desk.run("run", "mirror")
    desk.to_brex()
    desk.erp.put(DOCUMENTS, id=7, name="Revised", state="draft", company_id=1)
    desk.erp.plan(2, "-9", "2026-03-01", "2026-03-31", crossovered_budget_id=7)
    desk.run("run", "mirror")
    assert desk.to_brex() == []
    desk.erp.put(DOCUMENTS, id=7, state="validate")
    desk.erp.plan(2, "-9", "2026-03-01", "2026-03-31", crossovered_budget_id=7, general_budget_id=1)
    desk.run("run", "mirror", code=4)
    assert desk.to_brex() == []


@pytest.mark.faults
def test_an_account_that_is_renamed_is_the_same_budget(desk):
    desk.run("run", "mirror")
    desk.to_brex()
    desk.erp.put(ACCOUNTS, id=2, name="Market")
    desk.run("run", "mirror")
    assert desk.to_brex() == ["PUT"]


def test_what_is_spent_at_brex_comes_back_as_amounts_of_a_budget_of_its_own(desk, monkeypatch):
    monkeypatch.setattr("trueup.workspace._today", lambda: date(2026, 3, 15))
    desk.add('names = ["Budget*"]\nactuals_budget = "Actuals*"')
    desk.erp.put(DOCUMENTS, id=50, name="Actuals 2026", state="draft", company_id=1)
    for account in (1, 2, 3):
        desk.erp.plan(account, "0", "2026-03-01", "2026-03-31", crossovered_budget_id=50)
    before = desk.erp.rows(LINES, crossovered_budget_id=1)
    desk.run("run", "mirror")
    (budget,) = (r for r in desk.brex.state["budgets"].rows() if r["name"] == "Marketing")
    limits = desk.brex.state["spend_limits"].rows()
    (limit,) = (row["id"] for row in limits if row["parent_budget_id"] == budget["budget_id"])
    told = {"spend_limit_id": limit, "amount": 12345}
    httpx.post(f"{desk.brex.url}/_sandbox/spend", json=told).raise_for_status()
    arguments = ["actuals", "--into", "erp", "--json", "--config", str(desk.settings)]
    for written in (1, 0):
        found = CliRunner().invoke(app, arguments)
        counts = json.loads(found.stdout)["recorded"]["counts"]
        assert (counts["written"], counts["refused"]) == (written, 0), found.output
    kept = {
        row["analytic_account_id"]: row["planned_amount"]
        for row in desk.erp.rows(LINES, crossovered_budget_id=50)
    }
    assert kept == {1: 0, 2: Decimal("-123.45"), 3: 0}
    assert desk.erp.rows(LINES, crossovered_budget_id=1) == before
    assert len(desk.erp.writes()) == 1
