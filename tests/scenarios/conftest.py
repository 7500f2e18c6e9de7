"""A desk: a folder with settings and ERP files, a Brex sandbox over HTTP, and the real commands."""

import csv
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from connectors.brex.connector import Brex
from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.server import Served, serve
from tests.scenarios.receiver import Receiver
from trueup.cli import app
from trueup.sample import write_sample

TOKEN = "bxt_canary_5f3a"
SYNC = "erp-to-brex"
DAY = "2026-03-15"

SETTINGS = """\
[systems.erp]
connector = "file"
path = "budgets.csv"
allocations = "allocations.csv"

[systems.brex]
connector = "brex"
base_url = "{url}"
token = "env:BREX_TOKEN"

[syncs.erp-to-brex]
source = "erp"
target = "brex"
"""

COPYING = """\
[systems.erp]
connector = "file"
path = "budgets.csv"

[systems.copy]
connector = "file"
path = "copy.csv"

[syncs.copy]
source = "erp"
target = "copy"
"""
"""Settings that need no server, for files that begin with `HEAD`."""
HEAD = "ref,name,amount,currency\n"


@dataclass(frozen=True)
class Result:
    """What a command left: its exit code, what it printed, and that as JSON."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Desk:
    """One user's folder. `brex` is the sandbox that its settings name."""

    def __init__(self, folder: Path, brex: Served) -> None:
        self.folder, self.brex = folder, brex
        self.settings = folder / "trueup.toml"
        self.settings.write_text(SETTINGS.format(url=brex.url))

    def run(self, *arguments: str, day: str | None = DAY) -> Result:
        """A command in this process."""
        if day and arguments[0] in ("plan", "apply", "run", "verify"):
            arguments = (*arguments, "--as-of", day)
        said = CliRunner().invoke(app, [*arguments, "--config", str(self.settings)])
        assert said.exception is None or isinstance(said.exception, SystemExit), said.exc_info
        assert TOKEN not in said.output, "a secret was printed"
        return Result(said.exit_code, said.stdout, said.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command in a process of its own."""
        command = [sys.executable, "-m", "trueup", *arguments, "--config", str(self.settings)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def rows(self, name: str = "budgets.csv") -> list[dict[str, str]]:
        with (self.folder / name).open(newline="") as file:
            return list(csv.DictReader(file))

    def write(self, rows: list[dict[str, Any]], name: str = "budgets.csv") -> None:
        with (self.folder / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    def budget(self, ref: str, **fields: object) -> None:
        """Change a budget's rows in the ERP's file."""
        rows = self.rows()
        self.write([row | fields if row["ref"] == ref else row for row in rows])

    def add_setting(self, text: str) -> None:
        self.settings.write_text(self.settings.read_text() + text + "\n")

    @property
    def budgets(self) -> list[dict[str, Any]]:
        """Brex's budgets but for the root."""
        return [row for row in self.brex.state["budgets"].rows() if row["parent_budget_id"]]

    @property
    def limits(self) -> list[dict[str, Any]]:
        """Brex's spend limits below our budgets."""
        ours = {row["budget_id"] for row in self.budgets}
        return [r for r in self.brex.state["spend_limits"].rows() if r["parent_budget_id"] in ours]

    def has_user(self, id: str) -> None:
        """Somebody joins at Brex."""
        self.brex.state["users"].put(self.brex.sandbox.completed("users", {"id": id}))

    def named(self, name: str) -> dict[str, Any]:
        (found,) = [row for row in self.budgets if row["name"] == name]
        return found

    def clear_log(self) -> None:
        httpx.delete(f"{self.brex.url}/_sandbox/log").raise_for_status()

    def calls(self, *methods: str) -> list[dict[str, Any]]:
        return [call for call in self.brex.log if call["method"] in methods]


@pytest.fixture
def brex() -> Iterator[Served]:
    with serve(BrexSandbox(token=TOKEN)) as served:
        yield served


@pytest.fixture
def desk(tmp_path: Path, brex: Served, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Three budgets with four allocations each; what is deleted at Brex is gone at once."""
    monkeypatch.setenv("BREX_TOKEN", TOKEN)
    monkeypatch.setattr(Brex, "capabilities", replace(Brex.capabilities, grace=timedelta()))
    write_sample(tmp_path, cost_centres=3)
    return Desk(tmp_path, brex)


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """The same after a first run, with an empty log."""
    assert desk.run("run", SYNC).code == 0
    desk.clear_log()
    return desk


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
