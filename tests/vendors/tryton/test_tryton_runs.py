"""Whole runs out of a real Tryton, and back into it, with the real commands."""

import json
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.server import serve
from tests.vendors.tryton.tryton_books import CENTRES, READER_PASSWORD, number, spend
from trueup.cli import app

TOKEN = "bxt_canary_5f3a"
SETTINGS = """\
[systems.erp]
connector = "tryton"
base_url = "{tryton}"
database = "books"
login = "reader"
password = "env:TRYTON_PASSWORD"
root = "CC"
allocations = ["CC000*"]

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
"""
MARCH = "2026-03"


class Desk:
    """A folder with settings; Brex is a sandbox, Tryton is not."""

    def __init__(self, folder: Path, erp, brex) -> None:
        self.erp, self.brex, self.folder = erp, brex, folder
        self.settings = folder / "trueup.toml"
        self.settings.write_text(SETTINGS.format(tryton=erp.proxy.url, brex=brex.url))

    def run(self, *arguments: str, code: int = 0):
        """What a command says, as JSON."""
        day = [] if arguments[0] == "actuals" else ["--as-of", "2026-03-15"]
        said = [*arguments, *day, "--json", "--config", str(self.settings)]
        found = CliRunner().invoke(app, said)
        assert READER_PASSWORD not in found.output
        assert found.exit_code == code, found.output
        return json.loads(found.stdout)

    def keeps_actuals(self, monkeypatch, day: date) -> None:
        """Tryton is told which budgets keep them; and it is that day."""
        named = 'names = ["2026-*"]\nactuals_budget = "Actuals *"\nroot ='
        self.settings.write_text(self.settings.read_text().replace("root =", named, 1))
        monkeypatch.setattr("trueup.workspace._today", lambda: day)

    def recorded(self, *arguments: str, code: int = 0) -> dict[str, int]:
        """How many rows of `actuals` ended in which way."""
        return self.run("actuals", *arguments, code=code)["recorded"]["counts"]

    def writes(self) -> list[str]:
        """The calls that wrote to Brex since the last time."""
        seen = [call["method"] for call in self.brex.log if call["method"] != "GET"]
        self.brex.sandbox.log.clear()
        return seen

    def amounts(self) -> dict[str, int]:
        """What Brex's budgets hold, in cents, but for the root."""
        rows = self.brex.state["budgets"].rows()
        return {row["name"]: row["amount"]["amount"] for row in rows if row["parent_budget_id"]}


@pytest.fixture
def desk(erp, tmp_path, monkeypatch):
    monkeypatch.setenv("BREX_TOKEN", TOKEN)
    monkeypatch.setenv("TRYTON_PASSWORD", READER_PASSWORD)
    with serve(BrexSandbox(token=TOKEN, rate_limit="off")) as brex:
        yield Desk(tmp_path, erp, brex)


def test_forty_centres_of_twelve_months_are_mirrored_changed_and_told_what_was_spent(
    desk, monkeypatch
):
    desk.run("run", "mirror")
    assert desk.amounts() == {
        f"Cost centre {n}": int(spend(n, 3) * 100) for n in range(1, CENTRES + 1)
    }
    assert desk.writes().count("POST") == CENTRES + 9 * 4
    report = desk.run("run", "mirror")
    assert (report["plan"]["summary"]["unchanged"], desk.writes()) == (CENTRES + 9 * 4, [])
    line = desk.erp.hand.line("CC0007", MARCH)
    with desk.erp.amounts_kept(line):
        desk.erp.hand.write("analytic_account.budget.line", [line], amount=number("-1650.25"))
        desk.run("run", "mirror")
        assert desk.writes() == ["PUT"]
        assert desk.amounts()["Cost centre 7"] == 165025
        desk.run("run", "mirror")
        assert desk.writes() == []
        desk.keeps_actuals(monkeypatch, date(2026, 3, 15))
        with copies(desk.erp.hand, "CC", MARCH) as (march,):
            for n in range(1, 10):
                spend_at_brex(desk, f"Cost centre {n}", 1000 * n + 1)
            assert desk.recorded("--into", "erp") == {
                "written": 9, "unchanged": 0, "refused": 0, "skipped": CENTRES - 9 + 1,
            }  # fmt: skip
            assert kept_in(desk.erp.hand, march) == {f"CC{n:04}": f"-{n}0.01" for n in range(1, 10)}
            assert desk.erp.proxy.sandbox.written() == 1
            desk.run("run", "mirror")
            assert desk.writes() == []


def test_what_a_user_without_a_company_is_not_shown_stays_in_the_target(desk):
    (user,) = desk.erp.hand.find("res.user", ["login", "=", "reader"])
    desk.settings.write_text(
        desk.settings.read_text().replace('root = "CC"', 'root = "PR"').replace("CC000*", "PR*")
        + '\n[syncs.mirror.guard]\nmin_listing = "0%"\n'
    )
    text = desk.settings.read_text()
    desk.settings.write_text(
        text.replace('target = "brex"', 'target = "brex"\non_remove = "retire"')
    )
    desk.run("run", "mirror")
    before = desk.amounts()
    desk.writes()
    desk.erp.hand.write("res.user", [user], companies=[["remove", [1]]], company=None)
    try:
        desk.run("run", "mirror", "--allow", "max_removals", code=1)
    finally:
        desk.erp.hand.write("res.user", [user], companies=[["add", [1]]], company=1)
    assert (desk.writes(), desk.amounts()) == ([], before)


ROWS = """\
ref,name,amount,currency,cadence,start,end
PR1,Project 1,1100.00,{unit},{cadence},2026-01-01,2026-01-31
PR1,Project 1,1111.11,{unit},{cadence},2026-02-01,{end}
"""


def plan_of(desk, unit="USD", end="2026-02-28", cadence="monthly"):
    (desk.folder / "plan.csv").write_text(ROWS.format(unit=unit, end=end, cadence=cadence))
    text = desk.settings.read_text().replace('root = "CC"', 'root = "PR"')
    desk.settings.write_text(text.replace('allocations = ["CC000*"]\n', ""))


def test_amounts_of_a_file_reach_the_lines_of_tryton(desk):
    plan_of(desk)
    hand = desk.erp.hand
    lines = [hand.line("PR1", month) for month in ("2026-01", "2026-02")]
    with desk.erp.amounts_kept(*lines):
        desk.run("run", "back")
        assert [hand.amount(line) for line in lines] == ["-1100.00", "-1111.11"]
        assert desk.erp.proxy.sandbox.written() == 1
        desk.run("run", "back")
        assert desk.erp.proxy.sandbox.written() == 1


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"unit": "EUR"}, "currency"),
        ({"end": "2026-03-31"}, "phases"),
        ({"cadence": "quarterly"}, "cadence"),
    ],
)
def test_what_tryton_cannot_be_told_is_blocked_by_name(desk, said, field):
    plan_of(desk, **said)
    (change,) = desk.run("plan", "back", code=4)["changes"]
    assert (change["op"], [loss["field"] for loss in change["losses"]]) == ("blocked", [field])
    assert desk.erp.proxy.sandbox.written() == 0


def test_a_budget_that_tryton_does_not_have_is_made_there_by_a_person(desk):
    plan_of(desk)
    path = desk.folder / "plan.csv"
    path.write_text(path.read_text().replace("PR1", "PR9").replace("Project 1", "Project 9"))
    (change,) = desk.run("plan", "back", code=4)["changes"]
    assert change["op"] == "blocked"
    assert "made and removed in Tryton itself" in change["losses"][0]["reason"]


def spend_at_brex(desk, budget, cents):
    """Spend through the first spend limit of a budget of Brex."""
    (above,) = (
        row["budget_id"] for row in desk.brex.state["budgets"].rows() if row["name"] == budget
    )
    limits = desk.brex.state["spend_limits"]
    row = next(each for each in limits.rows() if each["parent_budget_id"] == above)
    balance = {"amount_spent": {"amount": cents, "currency": "USD"}}
    limits.put(row | {"current_period_balance": balance})


@contextmanager
def copies(hand, root, *months):
    """Somebody copies those months' budgets, and blanks the lines."""
    budget, line = "analytic_account.budget", "analytic_account.budget.line"
    ids = hand.find(budget, ["name", "in", months], ["root.code", "=", root])
    made = [
        hand.model(budget, "copy", [id], {"name": f"Actuals {month}"})[0]
        for id, month in zip(ids, months, strict=True)
    ]
    lines = hand.find(line, ["budget", "in", made])
    hand.write(line, lines, amount=None)
    try:
        yield made
    finally:
        hand.model(budget, "delete", made)


def kept_in(hand, budget):
    """What the lines of a budget of Tryton say, by code."""
    line = "analytic_account.budget.line"
    rows = hand.model(
        line, "read", hand.find(line, ["budget", "=", budget]), ["account.code", "amount"]
    )
    return {row["account."]["code"]: row["amount"]["decimal"] for row in rows if row["amount"]}


@pytest.fixture
def projects(desk, monkeypatch):
    """The projects' February, mirrored; and copies of January and February that keep actuals."""
    text = desk.settings.read_text().replace('root = "CC"', 'root = "PR"')
    desk.settings.write_text(text.replace("CC000*", "PR*"))
    desk.keeps_actuals(monkeypatch, date(2026, 2, 15))
    arguments = ["run", "mirror", "--as-of", "2026-02-15", "--config", str(desk.settings)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    with copies(desk.erp.hand, "PR", "2026-01", "2026-02") as (january, february):
        yield january, february


def test_what_is_spent_later_takes_the_place_and_the_month_before_stays(
    desk, projects, monkeypatch
):
    january, february = projects
    hand, nothing = desk.erp.hand, {f"PR{n}": "0.00" for n in (2, 3, 4)}
    monkeypatch.setattr("trueup.workspace._today", lambda: date(2026, 1, 31))
    spend_at_brex(desk, "Project 1", 5000)
    assert desk.recorded("brex", "--into", "erp", "--dry-run")["written"] == 4
    assert kept_in(hand, january) == {}
    assert desk.recorded("brex", "--into", "erp")["written"] == 4
    monkeypatch.setattr("trueup.workspace._today", lambda: date(2026, 2, 1))
    spend_at_brex(desk, "Project 1", 700)
    assert desk.recorded("--into", "erp")["written"] == 4
    assert desk.recorded("--into", "erp")["unchanged"] == 4
    assert kept_in(hand, january) == {"PR1": "-50.00"} | nothing
    assert kept_in(hand, february) == {"PR1": "-7.00"} | nothing
