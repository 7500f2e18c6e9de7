"""What a plan says of money: what counts on its day, and what moves later."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.scenarios.conftest import SYNC, Desk
from trueup.cli import app


def test_a_later_month_has_its_money_in_the_plan(filled: Desk) -> None:
    rows = filled.rows()
    july = [r | {"amount": "9999.00"} if r["start"] == "2026-07-01" else r for r in rows]
    filled.write(july)

    plan = filled.run("plan", SYNC)

    assert plan.code == 5
    assert "budget CC0001 would go from 1,080.00 USD to 9,999.00 USD (from 2026-07-01" in plan.out
    filled.write([r | {"name": r["name"] + "!"} for r in july])
    told = filled.run("plan", SYNC, "--json").data
    assert {(m["day"], m["before"]["amount"], m["after"]["amount"])
            for change in told["changes"] for m in change["money"] if change["ref"] == "CC0001"
            } == {("2026-07-01", "1080.00", "9999.00")}  # fmt: skip
    out = filled.run("plan", SYNC).out
    assert "budgets: 3 amounts move later, from 2026-07-01 on (USD)" in out
    assert "from 2026-07-01" in out


SETTINGS = """\
[systems.erp]
connector = "file"
path = "budgets.csv"

[systems.there]
connector = "{connector}"
{keys}

[syncs.s]
source = "erp"
target = "there"
"""
KEYS = {
    "vantage": 'token = "env:T"\nworkspace_token = "wrkspc_sandbox"\ncurrency = "USD"',
    "kaireon": 'api_key = "env:T"\ntenant_id = "acme"\ncurrency = "USD"',
}


@pytest.mark.parametrize("connector", ["vantage", "kaireon"])
def test_totals_are_those_of_the_day_whatever_the_target_holds(
    connector: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import import_module

    from connectors.sandbox.server import serve

    monkeypatch.setenv("T", "t")
    sandbox = import_module(f"connectors.sandbox.{connector}.api")
    made = getattr(sandbox, f"{connector.title()}Sandbox")(token="t", rate_limit="off")
    (tmp_path / "budgets.csv").write_text(
        "ref,name,currency,amount,cadence,start,end\n"
        "A,A,USD,100.00,monthly,2026-01-01,2026-06-30\n"
        "A,A,USD,250.00,monthly,2026-07-01,2026-12-31\n"
    )
    with serve(made) as served:
        path = {"vantage": "/v2", "kaireon": "/api/v1"}[connector]
        keys = f'{KEYS[connector]}\nbase_url = "{served.url}{path}"'
        settings = tmp_path / "trueup.toml"
        settings.write_text(SETTINGS.format(connector=connector, keys=keys))
        said = CliRunner().invoke(
            app, ["plan", "s", "--as-of", "2026-08-03", "--config", str(settings)]
        )
    assert "budgets: +250.00 USD" in said.stdout, said.output
    assert "250.00 USD" in said.stdout.split("budget A")[1].splitlines()[0]
