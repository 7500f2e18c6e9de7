"""The other commands: what they print, as JSON and for people, and how they end."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.scenarios.conftest import SYNC, Desk


def test_check_tells_who_we_are_on_each_side(desk: Desk) -> None:
    found = desk.run("check", "--json").data["systems"]

    assert [(each["system"], each["ok"]) for each in found] == [("erp", True), ("brex", True)]
    assert "account_sandbox" in found[1]["identity"]
    assert len(desk.brex.log) == 1


def test_status_history_and_show_tell_the_same_run(filled: Desk) -> None:
    (standing,) = filled.run("status", "--json").data["syncs"]
    (run,) = filled.run("history", "--json").data["runs"]
    shown = filled.run("show", standing["last_run"], "--json").data

    assert (standing["sync"], standing["outcome"]) == (SYNC, "ok")
    assert (standing["linked"], standing["uncertain"]) == (15, 0)
    assert run["run_id"].startswith(standing["last_run"])
    assert len(shown["report"]["operations"]) == 15
    for command in (["history"], ["show", standing["last_run"]]):
        assert standing["last_run"] in filled.run(*command).out
    told = filled.run("status").out
    assert f"{SYNC}: ok, 15 linked\n  last good run " in told
    assert standing["last_run"] not in told


def test_status_tells_what_a_run_left_and_found_edited_and_what_left_the_settings(
    filled: Desk,
) -> None:
    there = filled.named("Cost centre 1 (CC0001)")
    filled.brex.state["budgets"].put(there | {"amount": {"amount": 990000, "currency": "USD"}})
    assert filled.run("run", SYNC).code == 5
    (standing,) = filled.run("status", "--json").data["syncs"]
    assert (standing["pending"], standing["drift"], standing["waiting"] > 0) == (1, 1, True)
    assert "1 pending, " in filled.run("status").out

    filled.settings.write_text(filled.settings.read_text().replace(SYNC, "erp-to-cards"))
    result = filled.run("status")
    assert "erp-to-cards: no run yet\n" in result.out
    assert f"{SYNC} is no more in the settings: 15 linked, " in result.err


def test_an_unknown_run_exits_2(filled: Desk) -> None:
    assert filled.run("show", "nope").code == 2


def test_a_failed_run_leaves_a_report_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BREX_TOKEN", "bxt_wrong")

    assert desk.run("run", SYNC).code == 1

    (run,) = desk.run("history", "--json").data["runs"]
    assert run["outcome"] == "failed"
    assert "token" in run["report"]["error"]


def test_two_runs_of_one_sync_do_not_overlap(filled: Desk) -> None:
    filled.brex.faults.add("delay", times=-1, seconds=1.0, method="GET")
    first = filled.start("run", SYNC)
    while not filled.brex.log and first.poll() is None:
        time.sleep(0.01)

    result = filled.run("run", SYNC)

    assert result.code == 8
    assert str(first.pid) in result.err
    assert first.wait() == 0
    first.communicate()


def test_serve_runs_on_schedule_and_ends_on_sigterm(desk: Desk) -> None:
    text = desk.settings.read_text()
    desk.settings.write_text(text + 'schedule = "every 1 second"\n')
    process = desk.start("serve")
    try:
        deadline = time.monotonic() + 60
        while len(desk.calls("GET")) < 8 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()

    assert process.returncode == 0
    assert len(desk.budgets) == 3
    runs = desk.run("history", "--json").data["runs"]
    assert len(runs) >= 2
    assert {run["outcome"] for run in runs} == {"ok"}
    assert desk.run("run", SYNC).code == 0, "the lease was released"


def test_sigterm_in_an_apply_finishes_what_is_in_hand_and_defers_the_rest(desk: Desk) -> None:
    desk.brex.faults.add("delay", times=-1, seconds=0.3, method="POST")
    process = desk.start("run", SYNC, "--json")
    while not desk.calls("POST") and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate()

    assert process.returncode == 4
    counts = json.loads(out)["counts"]
    assert counts["applied"] == len(desk.calls("POST"))
    assert counts["deferred"] + counts["skipped"] == 15 - counts["applied"]
    assert counts["uncertain"] == 0
    desk.brex.faults.clear()
    assert desk.run("run", SYNC).code == 0
    assert len(desk.limits) == 12


def test_serve_without_a_schedule_says_what_to_write(desk: Desk) -> None:
    result = desk.run("serve")

    assert result.code == 2
    assert 'schedule = "every 15 minutes"' in result.err


def test_init_writes_a_start_and_never_overwrites(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trueup", "init", str(tmp_path / "new")]
    first = subprocess.run(command, capture_output=True, text=True, check=False)
    again = subprocess.run(command, capture_output=True, text=True, check=False)

    assert first.returncode == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "trueup.toml", "budgets.csv", "allocations.csv",
    }  # fmt: skip
    assert again.returncode == 2
    assert "not overwritten" in again.stderr


def test_schema_and_connectors_need_no_settings(desk: Desk) -> None:
    desk.settings.unlink()
    for command in (["schema"], ["connectors", "--json"]):
        result = subprocess.run(
            [sys.executable, "-m", "trueup", *command], capture_output=True, text=True, check=True
        )
        assert "brex" in str(json.loads(result.stdout))


def test_help_names_every_command() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "trueup", "--help"], capture_output=True, text=True, check=True
    ).stdout

    for command in (
        "init", "check", "plan", "apply", "run", "verify", "serve", "status", "history", "show",
        "connectors", "schema", "sandbox", "demo",
    ):  # fmt: skip
        assert command in said


def _sandboxes(folder: Path) -> set[str]:
    """The sandbox processes that were started in a folder, by id."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes()
            if b"connectors/sandbox" in line and (process / "cwd").readlink() == folder:
                found.add(process.name)
        except OSError:
            continue
    return found


def _demo(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "trueup", "demo"]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"COLUMNS": "120"},
    )  # fmt: skip


def test_the_demo_ends_in_an_empty_plan_and_leaves_no_server(tmp_path: Path) -> None:
    process = _demo(tmp_path)
    out, _ = process.communicate()

    assert process.returncode == 0, out
    assert "budget.xlsx: business-central" in out
    assert out.count("200 create") == 3  # two vendors have no place for an account's share
    assert out.count("Nothing to do: ") == 5
    assert out.count("Nothing to do: 200 unchanged") == 3
    assert not _sandboxes(tmp_path)


@pytest.mark.faults
def test_ctrl_c_in_the_demo_leaves_no_server(tmp_path: Path) -> None:
    process = _demo(tmp_path)
    while process.poll() is None and not _sandboxes(tmp_path):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate()

    deadline = time.monotonic() + 10
    while _sandboxes(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _sandboxes(tmp_path)


def test_a_run_that_did_all_and_lost_something_counts_nothing_as_nothing(desk: Desk) -> None:
    desk.write([row | {"enforcement": "hard"} for row in desk.rows()])

    out = desk.run("run", SYNC).out

    assert 'accept = ["dropped:enforcement"]' in out
    assert "nothing there" not in out
