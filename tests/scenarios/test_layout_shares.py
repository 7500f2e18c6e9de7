"""An ERP's file in which each account has twelve amounts of its department, mirrored by the real
commands: the shares arrive with all of their months, and one that changes is one month changed."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.sandbox.kaireon.api import KaireonSandbox
from connectors.sandbox.server import Served, serve
from connectors.sandbox.vantage.api import WORKSPACE, VantageSandbox
from trueup.cli import app

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SHARES = {"6100": [100 + month for month in range(12)], "6200": [5] * 11 + [65]}
SETTINGS = """
[systems.erp]
connector = "file"
path = "plan.csv"

[systems.erp.layout]
currency = "USD"
columns = {{ department = "Department", account = "Account" }}
budget = {{ ref = "department" }}
allocation = {{ entity = "account", type = "{type}" }}

[systems.target]
{target}

[syncs.s]
source = "erp"
target = "target"
accept = ["dropped:enforcement"]
"""
VANTAGE = f"""connector = "vantage"
base_url = "{{url}}/v2"
token = "env:TARGET_TOKEN"
workspace_token = "{WORKSPACE}"
currency = "USD"
entities = {{{{ "account:6100" = "rprt_aws", "account:6200" = "rprt_gcp" }}}}"""
KAIREON = """connector = "kaireon"
base_url = "{url}/api/v1"
api_key = "env:TARGET_TOKEN"
tenant_id = "acme"
currency = "USD"
entities = {{ "offer:6100" = "clx_card", "offer:6200" = "clx_loan" }}"""


class Planned:
    """A folder with a plan of twelve months, and a vendor's sandbox that is to follow it."""

    def __init__(self, folder: Path, served: Served, type: str, target: str) -> None:
        self.folder, self.served = folder, served
        text = SETTINGS.format(type=type, target=target.format(url=served.url))
        (folder / "trueup.toml").write_text(text)
        self.write(SHARES)

    def write(self, shares: dict[str, list[int]]) -> None:
        with (self.folder / "plan.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["Department", "Account", *(f"{month} 2026" for month in MONTHS)])
            for account, amounts in shares.items():
                writer.writerow(["Sales", account, *(f"{each}.50" for each in amounts)])

    def run(self, *command: str) -> Any:
        arguments = [*command, "--as-of", "2026-01-15", "--json"]
        arguments += ["--config", str(self.folder / "trueup.toml")]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def writes(self) -> int:
        return sum(call["method"] != "GET" for call in self.served.log)


@pytest.fixture
def planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Any, str, str], Planned]]:
    with ExitStack() as stack:

        def opened(sandbox: Any, type: str, target: str) -> Planned:
            monkeypatch.setenv("TARGET_TOKEN", sandbox.token)
            return Planned(tmp_path, stack.enter_context(serve(sandbox)), type, target)

        yield opened


def amounts(account: str) -> list[Decimal]:
    return [Decimal(f"{each}.50") for each in SHARES[account]]


def of_vantage(planned: Planned, report: str) -> list[Decimal]:
    (row,) = [
        each
        for each in planned.served.state["budgets"].rows()
        if each["cost_report_token"] == report
    ]
    held = {
        month: Decimal(each["amount"])
        for each in row["periods"]
        for month in range(int(each["start_at"][5:7]), int(each["end_at"][5:7]) + 1)
    }
    assert sorted(held) == [*range(1, 13)]
    return [held[month] for month in sorted(held)]


def of_kaireon(planned: Planned, offer: str) -> list[Decimal]:
    rows = [each for each in planned.served.state["budgets"].rows() if each["scopeId"] == offer]
    rows.sort(key=lambda each: each["periodKey"])
    assert [each["periodKey"] for each in rows] == [f"2026-{n:02}" for n in range(1, 13)]
    return [Decimal(each["maxSpend"]) for each in rows]


CASES = [
    pytest.param(
        VantageSandbox, "account", VANTAGE, of_vantage, ("rprt_aws", "rprt_gcp"), id="vantage"
    ),
    pytest.param(
        KaireonSandbox, "offer", KAIREON, of_kaireon, ("clx_card", "clx_loan"), id="kaireon"
    ),
]


@pytest.mark.parametrize(("sandbox", "type", "target", "held", "theirs"), CASES)
def test_twelve_amounts_of_an_account_arrive_as_twelve_and_stay(
    planned: Callable[..., Planned],
    sandbox: Any,
    type: str,
    target: str,
    held: Callable[[Planned, str], list[Decimal]],
    theirs: tuple[str, str],
) -> None:
    it = planned(sandbox(rate_limit="off"), type, target)

    assert it.run("run", "s")["verified"]

    for account, id in zip(SHARES, theirs, strict=True):
        assert held(it, id) == amounts(account)
    written = it.writes()
    assert it.run("plan", "s")["changes"] == []
    assert it.writes() == written


@pytest.mark.parametrize(("sandbox", "type", "target", "held", "theirs"), CASES)
def test_one_month_of_one_account_that_changes_changes_that_month_alone(
    planned: Callable[..., Planned],
    sandbox: Any,
    type: str,
    target: str,
    held: Callable[[Planned, str], list[Decimal]],
    theirs: tuple[str, str],
) -> None:
    it = planned(sandbox(rate_limit="off"), type, target)
    it.run("run", "s")
    changed = {account: [*each] for account, each in SHARES.items()}
    changed["6100"][6] += 10

    it.write(changed)
    assert it.run("run", "s", "--allow", "max_changes")["verified"]

    wanted = amounts("6100")
    wanted[6] += 10
    assert held(it, theirs[0]) == wanted
    assert held(it, theirs[1]) == amounts("6200")
