"""One file of budgets feeds Brex with one department and BILL, in dollars, with another."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sandbox.bill.api import BillSandbox
from connectors.sandbox.server import Served, serve
from tests.scenarios.conftest import TOKEN, Desk

SETTINGS = """\
[systems.erp]
connector = "file"
path = "budgets.csv"

[systems.brex]
connector = "brex"
base_url = "{brex}"
token = "env:BREX_TOKEN"

[systems.bill]
connector = "bill"
base_url = "{bill}"
api_token = "env:BILL_TOKEN"

[systems.bill.rates]
file = "rates.csv"

[syncs.cards]
source = "erp"
target = "brex"
on_remove = "retire"
[syncs.cards.select]
dimension = {{ department = "marketing" }}

[syncs.more]
source = "erp"
target = "brex"
on_remove = "retire"
[syncs.more.select]
dimension = {{ department = "sales" }}

[syncs.bills]
source = "erp"
target = "bill"
on_remove = "retire"
[syncs.bills.select.not]
dimension = {{ department = ["marketing", "sales"] }}
"""
OPEN = "max_removals,max_money,max_changes,min_listing"


class Office(Desk):
    def state(self, **departments: str) -> None:
        """The file holds a budget in euros of each ref, and no others."""
        rows = [
            {
                "ref": ref, "name": f"Budget {ref}", "amount": "100.00", "currency": "EUR",
                "cadence": "monthly", "start": "2026-03-01", "dimension:department": department,
            }
            for ref, department in departments.items()
        ]  # fmt: skip
        self.write(rows)


@pytest.fixture
def office(tmp_path: Path, brex: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("BREX_TOKEN", TOKEN)
    monkeypatch.setenv("BILL_TOKEN", "bill_canary_41c2")
    with serve(BillSandbox(token="bill_canary_41c2", rate_limit="off")) as bill:
        desk = Office(tmp_path, brex)
        desk.settings.write_text(SETTINGS.format(brex=brex.url, bill=bill.url))
        (tmp_path / "rates.csv").write_text("date,from,to,rate\n2026-03-02,EUR,USD,1.0850\n")
        desk.state(M1="marketing", M2="marketing", S1="sales", IT="it")
        yield desk


def test_each_target_gets_its_part_in_its_currency(office: Office) -> None:
    done = office.run("run")
    assert done.code == 0, done.out

    assert sorted(row["name"] for row in office.budgets) == ["Budget M1", "Budget M2", "Budget S1"]
    assert office.named("Budget M1")["amount"] == {"amount": 10000, "currency": "EUR"}
    assert "Budget IT" not in office.run("plan", "cards").out
    found = office.run("actuals", "bill", "--json").data["actuals"]
    assert [(row["ref"], row["amount"], row["currency"]) for row in found] == [
        ("IT", "108.50", "USD")
    ]
    assert [office.run("verify", sync).code for sync in ("cards", "more", "bills")] == [0, 0, 0]


def test_the_plan_says_what_is_selected_and_at_which_rate(office: Office) -> None:
    out = office.run("plan", "bills").out

    assert "selects 1 of the 4 budgets of erp" in out
    assert "1 object converted: 1 EUR is 1.0850 USD of 2026-03-02 (13 days old)" in out
    assert "100.00 EUR at 1.0850 of 2026-03-02 is 108.50 USD" in out
    data = office.run("plan", "bills", "--json").data
    assert data["selected"] == {"budgets": 1, "of": 4, "unmatched": []}
    assert (data["rates"][0]["dated"], data["rates"][0]["age_days"]) == ("2026-03-02", 13)


def test_what_left_and_what_is_gone_are_told_apart(office: Office) -> None:
    office.run("run")
    office.state(M1="it", S1="sales", IT="it")

    out = office.run("plan", "cards").out
    data = office.run("plan", "cards", "--json").data

    assert "left the selection" in out
    assert "gone from the source" in out
    assert {each["ref"]: each["cause"] for each in data["changes"]} == {
        "M1": "selection", "M2": "source",
    }  # fmt: skip


def test_what_moves_to_a_neighbours_selection_is_handed_over(office: Office) -> None:
    office.run("run")
    id = office.named("Budget M2")["budget_id"]
    office.state(M1="marketing", M2="sales", S1="sales", IT="it")

    codes = [office.run("run", sync, "--allow", OPEN).code for sync in ("cards", "more", "cards")]

    assert codes == [0, 0, 0]
    assert office.named("Budget M2")["budget_id"] == id
    assert office.named("Budget M2")["spend_budget_status"] == "ACTIVE"
    linked = {each["sync"]: each["linked"] for each in office.run("status", "--json").data["syncs"]}
    assert linked == {"cards": 1, "more": 2, "bills": 1}


def test_a_slip_in_a_pattern_is_stopped(office: Office) -> None:
    office.run("run")
    text = office.settings.read_text()
    office.settings.write_text(text.replace('department = "marketing"', 'department = "marketng"'))

    ran = office.run("run", "cards")

    assert ran.code == 5
    assert 'dimension.department = "marketng" matches no budget' in ran.out
    assert {row["spend_budget_status"] for row in office.budgets} == {"ACTIVE"}


def test_check_says_the_rates_and_what_is_selected(office: Office) -> None:
    out = office.run("check").out

    assert "cards selects 2 of 4 budgets" in out
    assert "1 EUR is 1.0850 USD of 2026-03-02" in out


def test_a_file_of_rates_that_cannot_be_used_ends_with_2(office: Office) -> None:
    (office.folder / "rates.csv").write_text("date,from,to,rate\n2026-03-02,EUR,USD,0\n")

    assert office.run("plan", "bills").code == 2
    assert "rates.csv:2: EUR/USD: 0 is not above zero" in office.run("run", "bills").err
    assert office.run("check", "bill").code == 2
    assert office.run("plan", "cards").code == 0


def test_people_are_those_of_the_selection(office: Office) -> None:
    office.state(A1="marketing", A2="sales")
    rows = office.rows()
    office.write([row | {"owners": f"{row['ref']}@old.example.com"} for row in rows])

    told = office.run("people", "more", "--json").data

    assert [each["entity"] for each in told["unknown"]] == ["A2@old.example.com"]


def test_a_file_of_rates_that_is_not_there_stops_its_own_sync_alone(office: Office) -> None:
    office.state(A1="marketing", C1="legal")
    (office.folder / "rates.csv").unlink()

    ran = office.run("run", "--allow", OPEN, "--json")

    last = {each["sync"]: each.get("error", "") for each in ran.data["runs"]}
    assert (last["cards"], last["more"]) == (None, None)
    assert "rates.csv cannot be read" in last["bills"]
    assert ran.code == 2


@pytest.mark.parametrize("command", ["pause", "resume", "history", "repoint"])
def test_what_needs_no_rates_does_not_ask_for_them(office: Office, command: str) -> None:
    office.state(C1="legal")
    office.run("plan", "bills")
    (office.folder / "rates.csv").unlink()

    assert office.run(command, "bills", day=None).code == 0
