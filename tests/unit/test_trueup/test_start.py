"""What a command loads before it does its work: nothing that it has no use for."""

import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = """
[systems.erp]
connector = "file"
path = "budgets.csv"

[systems.cards]
connector = "brex"
token = "env:NO_TOKEN_IS_NEEDED"

[syncs.erp-to-cards]
source = "erp"
target = "cards"
"""
LOADED = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
from trueup.cli import main
main()
"""


NEEDLESS = {
    "alembic", "apprise", "apscheduler", "connectors.notices", "httpx", "openpyxl", "procrastinate",
    "prometheus_client", "psycopg", "python_calamine", "starlette", "structlog", "trueup.watch",
    "uvicorn",
    "canonical.change", "sync.engine", "sync.handover", "sync.schedule", "sync.recording", "sync.spending",
    "connectors.brex.connector", "connectors.brex.wire", "connectors.calling.client",
    "connectors.vantage", "connectors.bill", "connectors.kaireon", "connectors.vtex",
    "connectors.tryton", "connectors.odoo", "connectors.erpnext", "connectors.sql",
    "connectors.layouts.language",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with settings, and a state that is there already."""
    (tmp_path / "trueup.toml").write_text(SETTINGS)
    loaded(tmp_path, "status")
    return tmp_path


def loaded(folder: Path, *arguments: str) -> set[str]:
    """The modules that a command has loaded when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments],
        cwd=folder, env={"PYTHONPATH": str(Path.cwd())}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_status_loads_nothing_that_it_has_no_use_for(folder: Path) -> None:
    modules = loaded(folder, "status")

    assert "connectors.brex.declared" in modules
    assert not modules & NEEDLESS


def test_help_loads_neither_the_database_nor_settings(folder: Path) -> None:
    assert loaded(folder, "--help").isdisjoint({"sqlalchemy", "pydantic", "rich", "config"})
