"""Approval through the real commands, over HTTP: asked, given by another, applied once."""

import json
import sqlite3

import pytest

from tests.scenarios.conftest import SYNC, Desk

OVER = 'approval = "over 10%"'


@pytest.fixture
def asked(filled: Desk) -> Desk:
    """CC0001 gets more than a tenth more: a run has asked for an approval."""
    filled.add_setting(OVER)
    filled.budget("CC0001", amount="1500.00")
    filled.budget("CC0002", amount="1230.00")
    filled.add_setting('[syncs.erp-to-brex.guard]\nmax_changes = "off"')
    result = filled.run("run", SYNC)
    assert result.code == 5, result.out
    assert not filled.calls("POST", "PUT")
    return filled


def amounts(desk: Desk) -> list[str]:
    return sorted(json.dumps(row["amount"]) for row in desk.budgets)


def table(desk: Desk) -> list[dict[str, object]]:
    with sqlite3.connect(desk.folder / "trueup.db") as state:
        state.row_factory = sqlite3.Row
        return [dict(row) for row in state.execute("SELECT * FROM approvals ORDER BY asked_at")]


def approvals_told(desk: Desk) -> list[str]:
    rows = desk.run("audit", "--json", day=None).data["rows"]
    return [r["entry"]["said"]["what"] for r in rows if r["entry"]["kind"] == "approval"]


def test_what_somebody_approved_is_applied_by_the_next_run_and_once(asked: Desk) -> None:
    before = amounts(asked)
    given = asked.run("approve", SYNC, "--as", "Ada", "--note", "board", "--yes", day=None)
    assert given.code == 0, given.err
    assert "Ada approved the plan" in given.err
    assert amounts(asked) == before

    result = asked.run("run", SYNC)
    assert result.code == 0, result.out
    assert "as Ada approved it (board)" in result.out
    assert amounts(asked) != before

    asked.clear_log()
    assert asked.run("run", SYNC).code == 0
    assert not asked.calls("POST", "PUT")
    assert approvals_told(asked) == ["asked", "approved", "used"]
    assert asked.run("audit", "--check", day=None).code == 0
