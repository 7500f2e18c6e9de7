"""What the source's own reading lost stands in the plan, and waits for `accept` as all losses do."""

from tests.scenarios.conftest import Desk

LAYOUT = """
[systems.erp.layout]
currency = "USD"
numbers = { decimal = ".", round = "cents" }
columns = { department = "Department" }
budget = { ref = "department" }
"""


def rounded(desk: Desk, accept: str = "") -> None:
    settings = desk.settings.read_text().replace('allocations = "allocations.csv"\n', "")
    desk.settings.write_text(settings + accept + LAYOUT)
    (desk.folder / "budgets.csv").write_text(
        "Department,Mar 2026,Apr 2026\nA,100.125,100.125\nB,10.00,10.00\n"
    )


def test_a_rounded_amount_is_a_loss_by_name_in_text_and_in_json(desk: Desk) -> None:
    rounded(desk)

    told = desk.run("plan", "erp-to-brex")
    data = desk.run("plan", "erp-to-brex", "--json").data

    said = "rounded:amount: 2 amounts of the source had more decimals than USD has: 0.01 in all"
    assert f"1 × {said}" in told.out
    assert 'accept = ["rounded:amount"]' in told.out
    losses = {each["ref"]: each["losses"] for each in data["changes"]}
    assert [f"{each['effect']}:{each['field']}" for each in losses["A"]] == ["rounded:amount"]
    assert losses["B"] == []


def test_it_waits_until_the_settings_accept_it(desk: Desk) -> None:
    rounded(desk)
    assert desk.run("run", "erp-to-brex").code != 0
    assert "rounded:amount" in desk.run("run", "erp-to-brex").out


def test_once_accepted_it_is_written_rounded(desk: Desk) -> None:
    rounded(desk, 'accept = ["rounded:amount"]\n')
    told = desk.run("run", "erp-to-brex")
    assert told.code == 0, told.out + told.err
    assert desk.named("A")["amount"]["amount"] == 10012
    assert desk.run("plan", "erp-to-brex", "--json").data["changes"] == []
