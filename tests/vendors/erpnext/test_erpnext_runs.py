"""Whole runs out of an ERPNext into Brex, over HTTP, with the real commands."""

import json
from contextlib import ExitStack

import httpx
import pytest
from typer.testing import CliRunner

from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.server import serve
from tests.vendors.erpnext.erpnext_site import KEY, SECRET, budget, rows, site
from trueup.cli import app

TOKEN = "bxt_canary_8f2d"
SETTINGS = """\
[systems.erp]
connector = "erpnext"
base_url = "{erp}"
api_key = "env:ERPNEXT_API_KEY"
api_secret = "env:ERPNEXT_API_SECRET"
rate_limit = "100000/1s"

[systems.brex]
connector = "brex"
base_url = "{brex}"
token = "env:BREX_TOKEN"

[syncs.mirror]
source = "erp"
target = "brex"
on_remove = "retire"

[syncs.mirror.guard]                    # three budgets: each change is a large share of them
max_changes = "100%"
max_money = "100%"
max_budget_change = "100%"

[syncs.back]
source = "brex"
target = "erp"
"""
SALES = budget(
    "BUDGET-00000001", "Sales - AL", amounts=["100.00", "110.00", "120.50", *["130.00"] * 9]
)
MORE = budget("BUDGET-00000002", "Sales - AL", "Software - AL", ["83.333"] * 12, "1000.00")
HR = budget("BUDGET-00000003", "HR - AL", "Training - AL")


class Desk:
    """A folder with settings, an ERPNext with three documents, and an empty Brex."""

    def __init__(self, folder, erp, brex):
        self.erp, self.brex, self.folder = erp, brex, folder
        self.settings = folder / "trueup.toml"
        self.settings.write_text(SETTINGS.format(erp=erp.url, brex=brex.url))

    def run(self, *arguments, code=0, day="2026-03-15"):
        """What a command says, as JSON."""
        said = [*arguments, "--as-of", day, "--json", "--config", str(self.settings)]
        found = CliRunner().invoke(app, said)
        assert SECRET not in found.output
        assert KEY not in found.output
        assert found.exit_code == code, found.output
        return json.loads(found.stdout)

    def say(self, **settings):
        """Settings of ERPNext's besides those there are."""
        said = "".join(f'{name} = "{value}"\n' for name, value in settings.items())
        text = self.settings.read_text()
        self.settings.write_text(text.replace("[systems.brex]", f"{said}\n[systems.brex]"))

    def people(self, what, **said):
        """Somebody works in ERPNext."""
        return httpx.post(f"{self.erp.url}/_sandbox/{what}", json=said).raise_for_status().json()

    def writes(self):
        """The calls that wrote to Brex since the last time."""
        seen = [call["method"] for call in self.brex.log if call["method"] != "GET"]
        self.brex.sandbox.log.clear()
        return seen

    def amounts(self):
        """What Brex's budgets hold, in cents, but for the root; archived ones are left out."""
        rows = self.brex.state["budgets"].rows()
        return {
            row["name"]: row["amount"]["amount"]
            for row in rows
            if row["parent_budget_id"] and row["spend_budget_status"] != "ARCHIVED"
        }


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setenv("BREX_TOKEN", TOKEN)
    monkeypatch.setenv("ERPNEXT_API_KEY", KEY)
    monkeypatch.setenv("ERPNEXT_API_SECRET", SECRET)
    with ExitStack() as stack:
        erp = stack.enter_context(site([SALES, MORE, HR]))
        brex = stack.enter_context(serve(BrexSandbox(token=TOKEN, rate_limit="off")))
        yield Desk(tmp_path, erp, brex)


def changed(amount):
    """A document's amounts, alike for all months, as a body over HTTP has them."""
    months = [{**row, "amount": float(row["amount"])} for row in rows([amount] * 12)]
    return {"budget_amount": float(amount) * 12, "budget_distribution": months}


def test_an_amount_that_is_changed_arrives_as_one_put(desk):
    desk.say(allocations="none")
    desk.run("run", "mirror")
    assert desk.amounts() == {"Sales - AL": 12050 + 8334, "HR - AL": 10000}
    assert desk.writes() == ["POST"] * 2
    desk.run("run", "mirror")
    assert desk.writes() == []
    desk.people("put", doctype="Budget", row={"name": HR["name"], **changed("140.25")})
    desk.run("run", "mirror")
    assert (desk.writes(), desk.amounts()["HR - AL"]) == (["PUT"], 14025)
    desk.run("run", "mirror")
    assert desk.writes() == []


def test_a_changed_amount_is_one_put_each_to_its_budget_and_to_its_account(desk):
    desk.run("run", "mirror")
    assert desk.writes() == ["POST"] * 5
    desk.people("put", doctype="Budget", row={"name": MORE["name"], **changed("100.00")})
    desk.run("run", "mirror")
    assert (desk.writes(), desk.amounts()["Sales - AL"]) == (["PUT"] * 2, 22050)


def test_a_month_of_other_amounts_is_one_put_to_each_that_differs(desk):
    desk.run("run", "mirror")
    desk.writes()
    desk.run("run", "mirror", day="2026-04-15")
    assert (desk.writes(), desk.amounts()["Sales - AL"]) == (["PUT"] * 2, 13000 + 8334)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("revision", [False, True])
def test_a_budget_that_is_amended_is_waited_for_and_never_makes_a_twin(desk, revision):
    desk.run("run", "mirror")
    before, ids = desk.amounts(), set(desk.brex.state["budgets"].ids())
    desk.writes()
    desk.people("cancel", budget=HR["name"])
    draft = desk.people("amend", budget=HR["name"], revision=revision, changes=changed("90.10"))
    report = desk.run("run", "mirror", code=4)
    assert (desk.writes(), desk.amounts()) == ([], before)
    assert "is not submitted" in json.dumps(report)
    desk.people("submit", budget=draft["name"])
    desk.run("run", "mirror")
    assert set(desk.writes()) == {"PUT"}
    assert desk.amounts() == {**before, "HR - AL": 9010}
    assert set(desk.brex.state["budgets"].ids()) == ids


def test_a_budget_that_is_cancelled_for_good_leaves_as_the_sync_says(desk):
    desk.run("run", "mirror")
    desk.writes()
    desk.people("cancel", budget=HR["name"])
    desk.run("run", "mirror", "--allow", "max_removals")
    assert desk.amounts().keys() == {"Sales - AL"}
    assert "PUT" not in desk.writes()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("switch", [{"owner_only": True}, {"reads": False}, {"guest": True}])
def test_what_the_user_may_no_longer_see_stays_in_the_target(desk, switch):
    desk.run("run", "mirror")
    before = desk.amounts()
    desk.writes()
    sandbox = desk.erp.sandbox
    sandbox.switches = sandbox.Switches(**switch)
    if switch == {"guest": True}:
        sandbox.token = "another"
    desk.run("run", "mirror", "--allow", "max_removals", code=1)
    assert (desk.writes(), desk.amounts()) == ([], before)


def test_what_a_new_user_permission_hides_stays_in_the_target(desk):
    desk.run("run", "mirror")
    before = desk.amounts()
    desk.writes()
    desk.people("put", doctype="User Permission", row={
        "name": "up1", "allow": "Cost Center", "for_value": "HR - AL", "applicable_for": None,
    })  # fmt: skip
    desk.run("run", "mirror", "--allow", "max_removals", code=1)
    assert (desk.writes(), desk.amounts()) == ([], before)


def test_as_a_target_everything_is_blocked_in_the_plan(desk):
    plan = desk.run("plan", "back", code=4)
    assert {change["op"] for change in plan["changes"]} == {"blocked"}
    assert "only read" in json.dumps(plan)
    assert all(call["method"] == "GET" for call in desk.erp.served.log)


def test_it_reads_what_the_ready_made_layout_reads_of_its_export(desk):
    columns = ["ID", "Cost Center", "Project", "Account"]
    columns += [f"{each} (Budget Distribution)" for each in ("Start Date", "End Date", "Amount")]
    lines = [",".join(columns)]
    for document in (SALES, HR):
        for number, row in enumerate(document["budget_distribution"]):
            head = [document["name"], document["cost_center"], "", document["account"]]
            lines.append(",".join([*(head if number == 0 else [""] * 4), row["start_date"],
                                   row["end_date"], f"{row['amount']}"]))  # fmt: skip
    (desk.folder / "export.csv").write_text("\n".join(lines) + "\n")
    desk.people("cancel", budget=MORE["name"])
    desk.run("run", "mirror")
    text = desk.settings.read_text()
    _, rest = text.split("[systems.brex]")
    desk.settings.write_text(
        '[systems.erp]\nconnector = "file"\npath = "export.csv"\nlayout = "erpnext"\n'
        f'currency = "USD"\n\n[systems.brex]{rest}'
    )
    report = desk.run("plan", "mirror")
    assert report["changes"] == []
