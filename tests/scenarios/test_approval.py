"""Approval through the real commands, over HTTP: asked, given by another, applied once."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from config.logs import register_secret
from tests.scenarios.conftest import SYNC, Desk
from trueup.workspace import open_workspace

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
    assert "was applied, approved by Ada on " in result.out
    assert amounts(asked) != before

    asked.clear_log()
    assert asked.run("run", SYNC).code == 0
    assert not asked.calls("POST", "PUT")
    assert approvals_told(asked) == ["asked", "approved", "used"]
    assert asked.run("audit", "--check", day=None).code == 0


def test_a_run_that_asks_says_why_and_with_which_command_it_goes_on(asked: Desk) -> None:
    result = asked.run("run", SYNC)

    (row,) = table(asked)
    id = str(row["plan_id"])[:12]
    assert f"trueup approve {id}" in result.out
    assert "this needs an approval: " in result.out
    assert "trueup run" not in result.out
    data = asked.run("run", SYNC, "--json").data
    assert data["approval"]["plan_id"] == row["plan_id"]
    assert data["outcome"] == "aborted"


def test_a_plan_that_waits_and_would_do_the_same_is_not_asked_for_again(asked: Desk) -> None:
    before = table(asked)
    for _ in range(3):
        assert asked.run("run", SYNC).code == 5
    assert asked.run("run", SYNC, day="2026-03-16").code == 5

    assert table(asked) == before
    assert approvals_told(asked) == ["asked"]


def test_a_plan_that_would_do_something_else_takes_the_place_of_the_one_that_waits(
    asked: Desk,
) -> None:
    (first,) = table(asked)
    asked.budget("CC0001", amount="1600.00")
    assert asked.run("run", SYNC).code == 5

    told = asked.run("approve", str(first["plan_id"])[:8], "--yes", day=None)
    assert told.code == 2
    assert "another plan took the place" in told.err
    assert [row["ended_as"] for row in table(asked)] == ["overtaken", None]
    assert approvals_told(asked) == ["asked", "overtaken", "asked"]


def test_an_object_that_was_edited_since_is_skipped_and_asked_for_anew(asked: Desk) -> None:
    asked.run("approve", SYNC, "--yes", day=None)
    asked.budget("CC0001", amount="1700.00")
    asked.clear_log()

    result = asked.run("run", SYNC)

    assert result.code == 5
    assert "CC0001: it changed since it was approved" in result.out
    assert asked.named("Cost centre 2 (CC0002)")["amount"]["amount"] == 123000
    assert asked.named("Cost centre 1 (CC0001)")["amount"]["amount"] == 102000
    assert [row["ended_as"] for row in table(asked)] == ["used", None]
    asked.run("approve", SYNC, "--yes", day=None)
    assert asked.run("run", SYNC).code == 0
    assert asked.named("Cost centre 1 (CC0001)")["amount"]["amount"] == 170000


@pytest.mark.faults
def test_an_object_that_was_edited_in_the_target_since_is_left_alone(asked: Desk) -> None:
    asked.run("approve", SYNC, "--yes", day=None)
    there = asked.named("Cost centre 1 (CC0001)")
    edited = there | {"amount": {"amount": 130000, "currency": "USD"}}
    asked.brex.state["budgets"].put(edited)

    assert asked.run("run", SYNC).code == 5
    assert asked.named("Cost centre 1 (CC0001)")["amount"]["amount"] == 130000


def test_an_approval_that_is_out_of_time_is_worth_nothing(asked: Desk) -> None:
    asked.run("approve", SYNC, "--yes", day=None)
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="microseconds")
    with sqlite3.connect(asked.folder / "trueup.db") as state:
        state.execute("UPDATE approvals SET until = ?", (past,))
    asked.clear_log()

    assert asked.run("run", SYNC).code == 5

    assert not asked.calls("POST", "PUT")
    assert [row["ended_as"] for row in table(asked)] == ["expired", None]


@pytest.mark.faults
def test_a_request_that_is_out_of_time_cannot_be_approved(asked: Desk) -> None:
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="microseconds")
    with sqlite3.connect(asked.folder / "trueup.db") as state:
        state.execute("UPDATE approvals SET until = ?", (past,))

    result = asked.run("approve", SYNC, "--yes", day=None)
    assert result.code == 2
    assert "waited until" in result.err
    (status,) = asked.run("status", "--json", day=None).data["syncs"]
    assert status["approval"] is None


def test_a_plan_that_somebody_rejected_is_said_so_by_the_runs_after_it(asked: Desk) -> None:
    (row,) = table(asked)
    id = str(row["plan_id"])[:12]
    listed = asked.run("waiting", day=None).out
    assert f"trueup approve {id}" in listed
    assert f"trueup reject {id}" in listed

    said = asked.run("reject", id, "--as", "Bob", "--note", "not now", day=None)
    assert said.code == 0, said.err
    assert f"Bob rejected the plan {id} of {SYNC} at " in said.err
    assert "  approval  " not in asked.run("waiting", day=None).out

    asked.clear_log()
    result = asked.run("run", SYNC)
    assert result.code == 5
    assert "(not now); one that differs is asked for anew" in result.out
    assert not asked.calls("POST", "PUT")
    assert approvals_told(asked) == ["asked", "rejected"]
    assert asked.run("reject", id, day=None).code == 2
    assert asked.run("approve", id, "--yes", day=None).code == 2


@pytest.mark.faults
def test_show_says_what_was_asked_what_became_of_it_and_who_approved(asked: Desk) -> None:
    asking = asked.run("history", "--json", day=None).data["runs"][0]["run_id"]
    id = str(table(asked)[0]["plan_id"])[:12]
    told = asked.run("show", asking, day=None).out
    assert f"it asked to approve the plan {id}: " in told
    assert f": trueup approve {id}" in told
    assert f"2 decisions waited then: trueup waiting {SYNC}" in told

    asked.run("approve", SYNC, "--as", "Ada", "--note", "board", "--yes", day=None)
    used = asked.run("run", SYNC, "--json").data
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    for run, said in (
        (used["run_id"], f"the plan {id} was applied, approved by Ada on {day}"),
        (asking, f" UTC (board) and applied by the run {used['run_id'][:12]}"),
    ):
        assert said in asked.run("show", run, day=None).out
    assert asked.run("show", asking, "--json", day=None).data["approval"]["approved_by"] == "Ada"
    assert used["approved"]["approved_by"] == "Ada"


def test_with_four_eyes_who_asked_may_not_approve(filled: Desk) -> None:
    filled.add_setting(OVER + "\nfour_eyes = true")
    filled.budget("CC0001", amount="1500.00")
    assert filled.run("run", SYNC).code == 5
    (row,) = table(filled)

    for own in ([], ["--as", f" {str(row['asked_by']).upper()} "]):
        result = filled.run("approve", SYNC, *own, "--yes", day=None)
        assert result.code == 2
        assert "four_eyes" in result.err
    assert filled.run("approve", SYNC, "--as", "Ada", "--yes", day=None).code == 0


@pytest.mark.faults
def test_who_approves_second_is_told_that_it_is_done(asked: Desk) -> None:
    asked.run("approve", SYNC, "--as", "Ada", "--yes", day=None)
    again = asked.run("approve", SYNC, "--as", "Bob", "--yes", day=None)
    assert again.code == 2
    assert "Ada approved the plan" in again.err
    assert asked.run("run", SYNC).code == 0
    used = asked.run("approve", str(table(asked)[0]["plan_id"]), "--yes", day=None)
    assert "applied by the run" in used.err


def test_guards_that_the_approver_saw_do_not_stop_the_plan(filled: Desk) -> None:
    filled.add_setting(OVER)
    filled.budget("CC0001", amount="9000.00")
    asked = filled.run("run", SYNC)
    assert asked.code == 5
    assert "guard max_money" in asked.out

    filled.run("approve", SYNC, "--yes", day=None)
    assert filled.run("run", SYNC).code == 0
    assert filled.named("Cost centre 1 (CC0001)")["amount"]["amount"] == 900000


def test_a_guard_that_the_approver_did_not_see_stops_it_and_is_asked_for(asked: Desk) -> None:
    asked.run("approve", SYNC, "--yes", day=None)
    settings = asked.settings.read_text()
    asked.settings.write_text(settings + '\nmin_listing = "100%"\n')
    asked.write([row for row in asked.rows() if row["ref"] != "CC0003"])
    asked.clear_log()

    result = asked.run("run", SYNC)

    assert result.code == 5
    assert "min_listing" in result.out
    assert not asked.calls("POST", "PUT")
    assert [row["ended_as"] for row in table(asked)] == ["overtaken", None]


def test_yes_of_apply_is_no_approval_nor_is_allow(asked: Desk) -> None:
    assert asked.run("apply", SYNC, "--yes").code == 5
    assert asked.run("run", SYNC, "--allow", "max_money,max_budget_change").code == 5
    assert not asked.calls("POST", "PUT")


@pytest.mark.faults
def test_a_saved_plan_needs_the_approval_too(asked: Desk) -> None:
    file = asked.folder / "plan.json"
    assert asked.run("plan", SYNC, "--out", str(file)).code == 5
    assert asked.run("apply", str(file), "--yes").code == 5
    assert not asked.calls("POST", "PUT")
    asked.run("approve", SYNC, "--yes", day=None)
    assert asked.run("apply", str(file), "--yes").code == 0
    assert asked.named("Cost centre 1 (CC0001)")["amount"]["amount"] == 150000


@pytest.mark.faults
def test_an_edited_plan_file_is_refused(asked: Desk) -> None:
    file = asked.folder / "plan.json"
    asked.run("plan", SYNC, "--out", str(file))
    file.write_text(file.read_text().replace("1500.00", "1500.01"))
    result = asked.run("apply", str(file), "--yes")
    assert result.code == 2
    assert "not as it was saved" in result.err


@pytest.mark.faults
def test_what_the_state_was_made_to_say_instead_is_neither_approved_nor_applied(
    asked: Desk,
) -> None:
    def forge() -> None:
        with sqlite3.connect(asked.folder / "trueup.db") as state:
            state.execute("UPDATE approvals SET plan = replace(plan, '1500.00', '1.00')")

    asked.run("approve", SYNC, "--yes", day=None)
    forge()
    assert asked.run("run", SYNC).code == 5
    forge()
    result = asked.run("approve", SYNC, "--yes", day=None)
    assert result.code == 2
    assert "not as it was asked for" in result.err
    assert not asked.calls("POST", "PUT")


@pytest.mark.faults
def test_settings_that_changed_since_make_the_approval_void(asked: Desk) -> None:
    asked.run("approve", SYNC, "--yes", day=None)
    text = asked.settings.read_text()
    asked.settings.write_text(text.replace(OVER, OVER + '\non_remove = "retire"'))
    assert asked.run("run", SYNC).code == 5
    assert not asked.calls("POST", "PUT")


@pytest.mark.faults
def test_a_paused_sync_stays_paused_and_whoever_approves_is_told(asked: Desk) -> None:
    asked.run("pause", SYNC, day=None)
    given = asked.run("approve", SYNC, "--yes", day=None)
    assert given.code == 0
    assert "is paused since" in given.err
    assert asked.run("run", SYNC).code == 8
    asked.run("resume", SYNC, day=None)
    assert asked.run("run", SYNC).code == 0


@pytest.mark.faults
def test_status_tells_what_waits_and_what_was_approved(asked: Desk) -> None:
    assert "trueup approve" in asked.run("status", day=None).err
    asked.run("approve", SYNC, "--as", "Ada", "--yes", day=None)
    assert "Ada approved the plan" in asked.run("status", day=None).err


@pytest.mark.faults
def test_less_than_the_limit_needs_no_approval_and_ends_what_waited(asked: Desk) -> None:
    asked.budget("CC0001", amount="1021.00")
    asked.budget("CC0002", amount="1161.00")
    assert asked.run("run", SYNC).code == 0
    assert [row["ended_as"] for row in table(asked)] == ["overtaken"]


@pytest.mark.faults
def test_a_secret_in_a_plan_is_not_kept_and_the_plan_is_applied_all_the_same(asked: Desk) -> None:
    register_secret("hush_canary_77")
    asked.budget("CC0001", amount="1500.00", name="Team hush_canary_77")
    assert asked.run("run", SYNC).code == 5
    assert "hush_canary_77" not in json.dumps(table(asked))
    asked.run("approve", SYNC, "--as", "hush_canary_77", "--yes", day=None)
    assert "hush_canary_77" not in json.dumps(table(asked))

    assert asked.run("run", SYNC).code == 0
    assert asked.named("Cost centre 2 (CC0002)")["amount"]["amount"] == 123000


def test_a_script_asks_and_approves_as_the_command_line_does(asked: Desk) -> None:
    with open_workspace(asked.settings) as workspace:
        request, plan = workspace.waiting_plan(SYNC)
        assert plan.approval == request.reason
        given = workspace.approve(request.plan_id, name="Ada", note="board")
        assert (given.approved_by, given.note) == ("Ada", "board")
        assert workspace.approval_of(SYNC) == given


def test_an_override_takes_a_ceiling_and_a_reason_which_the_audit_keeps(filled: Desk) -> None:
    filled.budget("CC0001", amount="9000.00")
    stopped = filled.run("run", SYNC)
    assert stopped.code == 5
    assert "--allow max_money=" in stopped.out

    given = ["--allow", "max_money=10%, at least 9000 USD,max_budget_change=800%"]
    result = filled.run("run", SYNC, *given, "--because", "board 12 March")
    assert result.code == 0, result.out
    rows = filled.run("audit", "--json", day=None).data["rows"]
    (said,) = [row["entry"]["said"] for row in rows if row["entry"]["kind"] == "override"]
    assert said == {
        "allow": ["max_budget_change=800%", "max_money=10%, at least 9000 USD"],
        "because": "board 12 March",
    }
    assert "board 12 March" in filled.run("audit", day=None).out


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--allow", "below_spent=3"], "has no limit"),
        (["--allow", "max_money=25"], "is not a share"),
        (["--allow", "max_mony=25%"], "max_money"),
        (["--because", "so"], "there is no --allow"),
    ],
)
def test_what_cannot_be_allowed_so_is_refused(filled: Desk, given: list[str], said: str) -> None:
    result = filled.run("run", SYNC, *given)
    assert result.code == 2
    assert said in result.err
