"""From one vendor to another through the real command line: two blocks and `trueup apply`."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.sandbox.__main__ import load
from connectors.sandbox.server import Served, serve
from trueup.cli import app

README = Path("README.md").read_text(encoding="utf-8")
DAY = "2026-03-15"
PERSON = {"id": "u1", "firstName": "Ada", "lastName": "L", "email": "ada@example.com"}

BILL_TO_VTEX = """\
[systems.old]
connector = "bill"
api_token = "env:BILL_API_TOKEN"

[systems.new]
connector = "vtex"
app_key = "env:VTEX_APP_KEY"
app_token = "env:VTEX_APP_TOKEN"
context_id = "unit-first"
currency = "USD"

[syncs.move]
source = "old"
target = "new"
accept = ["dropped:enforcement", "rounded:start"]
"""


class Move:
    """A folder with the settings of one migration."""

    def __init__(self, folder: Path, settings: str, urls: dict[str, str]) -> None:
        self._settings = folder / "trueup.toml"
        for vendor, url in urls.items():
            line = f'connector = "{vendor}"\n'
            settings = settings.replace(line, f'{line}base_url = "{url}"\n')
        self._settings.write_text(settings, encoding="utf-8")

    def __call__(self, *arguments: str) -> int:
        command = [*arguments, "--config", str(self._settings), "--as-of", DAY]
        said = CliRunner().invoke(app, command)
        assert said.exception is None or isinstance(said.exception, SystemExit), said.exc_info
        print(said.output)  # shown where the test fails
        return said.exit_code


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def served(stack: ExitStack, vendor: str, **more: Any) -> Served:
    return stack.enter_context(serve(load(vendor)(token="canary", rate_limit="off", **more)))


def test_vantage_to_kaireon_as_the_readme_says(
    tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    periods = [("2026-01-01", "2026-06-30", "100.10"), ("2026-07-01", "2026-12-31", "200.25")]
    budget = {
        "name": "Cloud",
        "workspace_token": "wrkspc_acme",
        "periods": [
            {"start_at": start, "end_at": end, "amount": Decimal(amount)}
            for start, end, amount in periods
        ],
    }
    old = served(stack, "vantage", seed={"budgets": [budget]})
    new = served(stack, "kaireon")
    monkeypatch.setenv("VANTAGE_TOKEN", "canary")
    monkeypatch.setenv("KAIREON_API_KEY", "canary")
    found = re.search(r"<!-- migration.toml -->\n```toml\n(.*?)```", README, re.DOTALL)
    assert found is not None
    move = Move(tmp_path, found[1], {"vantage": f"{old.url}/v2", "kaireon": new.url})

    assert move("apply", "move", "--yes") == 0

    rows = new.state["budgets"].rows()
    held = {row["periodKey"]: row["maxSpend"] for row in rows}
    assert held == {
        f"2026-{month:02}": Decimal("100.10") if month < 7 else Decimal("200.25")
        for month in range(1, 13)
    }
    assert move("verify", "move") == 0


def test_bill_to_vtex_with_its_members(
    tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = {"id": "b1", "name": "Travel", "recurringInterval": "MONTHLY", "limit": 500}
    member = {"_budget": "b1", "userId": "u1", "budgetRole": "MEMBER", "limit": Decimal("120.50")}
    seed = {"users": [PERSON], "budgets": [budget | {"recurringLimit": 500}], "members": [member]}
    old, new = served(stack, "bill", seed=seed), served(stack, "vtex")
    for name in ("BILL_API_TOKEN", "VTEX_APP_TOKEN"):
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("VTEX_APP_KEY", "app_key_sandbox")
    move = Move(tmp_path, BILL_TO_VTEX, {"bill": old.url, "vtex": new.url})

    assert move("apply", "move", "--yes") == 0

    (held,) = new.state["budgets"].rows()
    (share,) = new.state["allocations"].rows()
    assert (held["name"], held["balance"]["amount"]) == ("Travel", 500)
    assert (share["balance"]["amount"], share["linkedEntity"]["id"]) == (
        Decimal("120.50"),
        "ada@example.com",
    )
    assert move("verify", "move") == 0
