"""A paused sync runs no more, by whatever it is started, until it is resumed."""

import sqlite3

import pytest

import trueup
from tests.scenarios.conftest import SYNC, Desk
from trueup.workspace import open_workspace


def test_a_paused_sync_writes_nothing_and_says_why(filled: Desk) -> None:
    filled.budget("CC0001", amount="1100.00")
    assert filled.run("pause", SYNC, "--because", "audit week", day=None).code == 0
    filled.clear_log()

    result = filled.run("run", SYNC)

    assert result.code == 8
    assert "is paused since" in result.err
    assert "audit week" in result.err
    assert f"trueup resume {SYNC}" in result.err
    assert not filled.calls("POST", "PUT", "GET")


def test_a_run_of_all_syncs_passes_a_paused_one_over(filled: Desk) -> None:
    filled.budget("CC0001", amount="1100.00")
    filled.run("pause", SYNC, day=None)

    result = filled.run("run")

    assert result.code == 0
    assert "is paused since" in result.err
    assert not filled.calls("PUT")


def test_pausing_again_without_a_reason_keeps_the_one_that_there_is(filled: Desk) -> None:
    first = filled.run("pause", SYNC, "--because", "audit\nweek", "--json", day=None).data
    again = filled.run("pause", SYNC, day=None)

    assert "audit\\nweek" in again.err
    other = filled.run("pause", SYNC, "--because", "board", "--json", day=None).data
    assert other == first | {"because": "board"}


def test_a_plan_of_a_paused_sync_is_shown(filled: Desk) -> None:
    filled.budget("CC0001", amount="1100.00")
    filled.run("pause", SYNC, day=None)

    assert filled.run("plan", SYNC, "--json").data["summary"]["update"] == 1
    assert filled.run("apply", SYNC, "--yes").code == 8


def test_a_resumed_sync_goes_on(filled: Desk) -> None:
    filled.budget("CC0001", amount="1100.00")
    filled.run("pause", SYNC, day=None)

    assert filled.run("resume", SYNC, "--json", day=None).data == {"sync": SYNC, "was_paused": True}
    assert filled.run("run", SYNC).code == 0
    assert filled.run("resume", SYNC, "--json", day=None).data["was_paused"] is False


def test_status_and_the_audit_tell_of_it(filled: Desk) -> None:
    filled.run("pause", SYNC, "--because", "year end", day=None)

    (status,) = filled.run("status", "--json", day=None).data["syncs"]
    assert "year end" in status["paused"]
    filled.run("resume", SYNC, day=None)
    (status,) = filled.run("status", "--json", day=None).data["syncs"]
    assert status["paused"] is None
    rows = filled.run("audit", "--json", day=None).data["rows"]
    kinds = [row["entry"]["kind"] for row in rows]
    assert kinds[-2:] == ["pause", "resume"]
    assert filled.run("audit", "--check", day=None).code == 0


def test_an_unknown_sync_cannot_be_paused(desk: Desk) -> None:
    result = desk.run("pause", "erp-to-brx", day=None)
    assert result.code == 2
    assert SYNC in result.err


def test_a_secret_in_the_reason_is_not_kept(filled: Desk, tmp_path) -> None:
    with open_workspace(tmp_path / "trueup.toml") as workspace:
        workspace.system("brex")  # its token is known from here on
        workspace.pause(SYNC, "token bxt_canary_5f3a leaked")
    with sqlite3.connect(tmp_path / "trueup.db") as state:
        assert "bxt_canary_5f3a" not in "\n".join(state.iterdump())


def test_a_script_tells_a_paused_sync_by_its_public_name(filled: Desk) -> None:
    filled.run("pause", SYNC, day=None)

    with trueup.open(filled.settings) as workspace, pytest.raises(trueup.Paused):
        workspace.apply(SYNC)
