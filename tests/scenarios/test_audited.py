"""The audit by its commands: what was done is told, checked, and let go of with a seal."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from tests.scenarios.conftest import SYNC, Desk


def rows(desk: Desk, *options: str) -> list[dict]:
    return desk.run("audit", *options, "--json").data["rows"]


def sql(desk: Desk, statement: str) -> None:
    with sqlite3.connect(desk.folder / "trueup.db") as connection:
        connection.execute(statement)
    connection.close()


def test_a_first_run_is_told_from_its_begin_to_its_end(filled: Desk) -> None:
    told = rows(filled)
    kinds = [each["entry"]["kind"] for each in told]
    assert kinds == ["genesis", "run", "plan", *["operation"] * 15, "run"]
    made = told[3]["entry"]
    assert len(made["said"]["request_ids"]) == 1
    assert all((made["by"]["user"], made["settings"], made["said"]["sent_at"]))
    assert told[2]["entry"]["said"]["summary"]["create"] == 15


def test_a_run_that_changes_nothing_is_two_rows(filled: Desk) -> None:
    before = len(rows(filled))
    assert filled.run("run", SYNC).code == 0
    assert len(rows(filled)) == before + 2


def test_what_is_printed_as_json_can_be_checked_without_trueup(filled: Desk) -> None:
    for each in rows(filled):
        entry = json.dumps(each["entry"], sort_keys=True, separators=(",", ":"))
        assert sha256(f"{each['previous']}\n{entry}".encode()).hexdigest() == each["digest"]


def test_a_changed_amount_is_told_from_what_to_what_in_audit_and_show(filled: Desk) -> None:
    filled.budget("CC0001", amount="1100.00")
    run = filled.run("run", SYNC, "--allow", "max_money", "--json").data["run_id"]
    said = filled.run("audit", "--ref", "CC0001", "--since", "2026-01-01").out
    assert "update budget CC0001 applied: amount 1,020.00 USD → 1,100.00 USD (request " in said
    assert "guards switched off: max_money" in filled.run("audit", SYNC).out
    (change,) = filled.run("show", run, "--json").data["changes"]
    assert change["fields"] == {"amount": {"before": "1020.00", "after": "1100.00"}}
    assert "1,020.00 USD  1,100.00 USD" in filled.run("show", run).out


def test_csv_has_a_line_for_each_row(filled: Desk) -> None:
    lines = filled.run("audit", "--format", "csv").out.splitlines()
    assert lines[0].startswith("number,at,user,host,")
    assert len(lines) == 1 + len(rows(filled))


def test_a_check_of_what_nobody_touched_tells_the_head_that_the_run_told(filled: Desk) -> None:
    head = filled.run("run", SYNC, "--json").data["audit_head"]
    found = filled.run("audit", "--check", "--json")
    assert (found.code, found.data["ok"], found.data["head"]) == (0, True, head)
    assert filled.run("audit", "--check", "--head", head).code == 0
    assert f"audit head {rows(filled)[-1]['digest']}" not in filled.run("run", SYNC).err
    assert "audit head " in filled.run("run", SYNC, "-v").err


def test_a_head_that_was_cut_short_is_a_slip_and_no_finding(filled: Desk) -> None:
    head = filled.run("run", SYNC, "--json").data["audit_head"]
    found = filled.run("audit", "--check", "--head", head[:12])
    assert found.code == 2
    assert "is no digest: those are 64 digits" in found.err


def test_a_row_that_somebody_changed_is_named_and_the_exit_code_is_1(filled: Desk) -> None:
    with sqlite3.connect(filled.folder / "trueup.db") as state:
        ((number,),) = state.execute(
            "SELECT min(number) FROM audit WHERE entry LIKE '%\"1020.00\"%'"
        ).fetchall()
    changed = f"replace(entry, '1020.00', '9020.00') WHERE number = {number}"
    sql(filled, f"UPDATE audit SET entry = {changed}")
    found = filled.run("audit", "--check")
    assert found.code == 1
    assert f"row {number}: it was changed" in found.out


def test_an_unknown_sync_and_form_are_refused(filled: Desk) -> None:
    assert filled.run("audit", "nope").code == 2
    assert filled.run("audit", "--format", "xml").code == 2


def test_a_sync_that_is_no_more_is_still_told(filled: Desk) -> None:
    filled.settings.write_text(filled.settings.read_text().replace(SYNC, "another"))
    assert "create budget CC0001" in filled.run("audit", SYNC).out


def older(desk: Desk, days: int) -> None:
    """Make the first runs look as old as that: the chain itself cannot be moved, only cut."""
    old = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="microseconds")
    sql(desk, f"UPDATE runs SET started_at = '{old}', ended_at = '{old}' WHERE number <= 3")
    sql(desk, f"UPDATE operations SET sent_at = '{old}', ended_at = '{old}'")


def test_young_things_are_not_forgotten(filled: Desk) -> None:
    today = datetime.now(UTC)
    assert filled.run("forget", "--before", f"{today:%Y-%m-%d}", "--yes").code == 2
    gone = filled.run(
        "forget", "--before", f"{today - timedelta(days=9):%Y-%m-%d}", "--yes", "--json"
    )
    assert gone.data["rows"] == gone.data["runs"] == gone.data["operations"] == 0


def test_what_is_old_goes_and_the_runs_after_go_on_as_before(filled: Desk) -> None:
    for _ in range(12):
        assert filled.run("run", SYNC).code == 0
    older(filled, 40)
    day = f"{datetime.now(UTC) - timedelta(days=30):%Y-%m-%d}"

    gone = filled.run("forget", "--before", day, "--yes", "--json").data

    assert (gone["runs"], gone["operations"]) == (2, 15)  # the first is named by what was agreed
    assert filled.run("audit", "--check", "--head", gone["audit_head"]).code == 0
    after = filled.run("run", SYNC, "--json")
    assert (after.code, after.data["plan"]["summary"]["unchanged"]) == (0, 15)
    runs = filled.run("history", "--json").data["runs"]
    assert len(runs) == 12
    assert "its report was let go of" in filled.run("show", runs[-1]["run_id"]).err
