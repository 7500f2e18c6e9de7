"""`trueup undo` at Brex: what is taken back, what stays and is listed, and how it goes on."""

import pytest

from tests.scenarios.conftest import DAY, SYNC, Desk, Result
from trueup.workspace import open_workspace

GUARDS = "max_changes,max_removals,max_money,max_budget_change"


def undo(desk: Desk, run: str, *arguments: str) -> Result:
    return desk.run("undo", run, "--as-of", DAY, *arguments, day=None)


def last_run(desk: Desk) -> str:
    run: str = desk.run("history", "--json", "--limit", "1", day=None).data["runs"][0]["run_id"]
    return run


def changed(desk: Desk, **fields: object) -> str:
    """A run that changed the first budget."""
    desk.budget("CC0001", **fields)
    assert desk.run("run", SYNC, "--allow", GUARDS).code == 0
    return last_run(desk)


def without(desk: Desk, budget: str) -> str:
    """A run that took a budget out of use, with what is in it."""
    desk.add_setting('on_remove = "retire"')
    desk.write([row for row in desk.rows() if row["ref"] != budget])
    shares = [row for row in desk.rows("allocations.csv") if row["budget"] != budget]
    desk.write(shares, "allocations.csv")
    assert desk.run("run", SYNC, "--allow", GUARDS).code == 0
    return last_run(desk)


def paused(desk: Desk) -> str | None:
    (status,) = desk.run("status", "--json", day=None).data["syncs"]
    said: str | None = status["paused"]
    return said


def test_without_a_terminal_it_writes_only_what_was_agreed_to(filled: Desk) -> None:
    run = changed(filled, name="Otherwise")
    result = undo(filled, run)
    assert result.code == 2
    assert "add --yes" in result.err
    assert filled.named("Otherwise")
    assert paused(filled) is None


def test_it_is_shown_done_verified_and_pauses_the_sync(filled: Desk) -> None:
    run = changed(filled, name="Otherwise", amount="1100.00")

    result = undo(filled, run[:10], "--yes")

    assert result.code == 0, result.err
    assert "Otherwise" in result.out
    assert "1 applied; verified" in result.out
    assert f"undo of the run {run[:12]}" in result.err
    assert f"trueup resume {SYNC}" in result.err
    assert f"trueup undo {last_run(filled)[:12]}" in result.err
    assert filled.named("Cost centre 1 (CC0001)")["amount"]["amount"] == 102000
    assert f"undo of the run {run[:12]}" in (paused(filled) or "")


def test_a_second_undo_says_that_there_is_nothing_to_undo(filled: Desk) -> None:
    run = changed(filled, name="Otherwise")
    assert undo(filled, run, "--yes").code == 0
    filled.run("resume", SYNC, day=None)
    filled.clear_log()

    result = undo(filled, run, "--yes")

    assert result.code == 0
    assert "there is nothing to undo" in result.err
    assert not filled.calls("POST", "PUT")
    assert paused(filled) is None, "nothing was written that the next run would undo"


def test_the_next_run_applies_the_sources_statement_again(filled: Desk) -> None:
    run = changed(filled, name="Otherwise", amount="1100.00")
    undo(filled, run, "--yes")
    assert filled.run("run", SYNC).code == 8

    filled.run("resume", SYNC, day=None)
    plan = filled.run("plan", SYNC, "--json").data

    assert [change["cause"] for change in plan["changes"]] == ["source"]
    assert filled.run("run", SYNC).code == 0
    assert filled.named("Otherwise")["amount"]["amount"] == 110000


def test_a_field_that_somebody_changed_since_stays_and_is_listed(filled: Desk) -> None:
    run = changed(filled, name="Otherwise", description="By the ERP")
    row = filled.named("Otherwise")
    row["name"] = "By hand"
    filled.brex.state["budgets"].put(row)

    result = undo(filled, run, "--yes")

    assert result.code == 4
    assert "from Otherwise to By hand" in result.err
    assert "Operating budget" in filled.named("By hand")["description"]
    again = undo(filled, run, "--yes")
    assert "nothing more to undo" in again.err
    assert "from Otherwise to By hand" in again.out


def test_what_was_archived_is_made_anew_and_that_is_said_before(filled: Desk) -> None:
    was = {row["name"] for row in filled.budgets}
    run = without(filled, "CC0002")

    result = undo(filled, run, "--yes", "--allow", GUARDS)

    assert result.code == 0, result.out + result.err
    assert "a new one is made in its place" in result.err
    in_use = [row for row in filled.budgets if row["spend_budget_status"] != "ARCHIVED"]
    assert {row["name"] for row in in_use} == was
    ids = {row["budget_id"] for row in in_use}
    shares = [row for row in filled.limits if row["status"] != "ARCHIVED"]
    assert len(shares) == 12
    assert {row["parent_budget_id"] for row in shares} == ids
    again = undo(filled, run, "--yes")
    assert (again.code, "nothing to undo" in again.err) == (0, True)


def test_a_budget_in_which_somebody_put_something_stays(filled: Desk) -> None:
    filled.add_setting('on_remove = "retire"')
    rows = filled.rows()
    new = [row | {"ref": "NEW", "name": "New"} for row in rows if row["ref"] == "CC0001"]
    filled.write([*rows, *new])
    assert filled.run("run", SYNC, "--allow", GUARDS).code == 0
    run = last_run(filled)
    theirs = filled.limits[0] | {"id": "limit_by_hand", "description": ""}
    theirs["parent_budget_id"] = filled.named("New")["budget_id"]
    filled.brex.state["spend_limits"].put(theirs)

    result = undo(filled, run, "--yes", "--allow", GUARDS)

    assert result.code == 4
    assert "limit_by_hand" in result.out
    assert filled.named("New")["spend_budget_status"] != "ARCHIVED"


def test_only_what_is_named_is_taken_back(filled: Desk) -> None:
    filled.budget("CC0002", name="Second")
    run = changed(filled, name="First")

    assert undo(filled, run, "--yes", "--only", "CC0001").code == 0

    assert filled.named("Cost centre 1 (CC0001)")
    assert filled.named("Second")


@pytest.mark.parametrize("arguments", [("--only", "CC0009"), ("--allow", "all")])
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    filled: Desk, arguments: tuple[str, str]
) -> None:
    run = changed(filled, name="First")
    filled.clear_log()
    result = undo(filled, run, "--yes", *arguments)
    assert result.code == 2
    assert arguments[1] in result.err
    assert not filled.calls("GET")


def test_an_unknown_run_is_refused(filled: Desk) -> None:
    assert undo(filled, "nosuchrun", "--yes").code == 2


def test_a_guard_stops_it_and_nothing_is_paused(filled: Desk) -> None:
    run = last_run(filled)

    result = undo(filled, run, "--yes")

    assert result.code == 5
    assert "--allow max_removals" in result.out
    assert paused(filled) is None
    assert undo(filled, run, "--yes", "--allow", GUARDS).code == 0
    assert {row["spend_budget_status"] for row in filled.budgets} == {"ARCHIVED"}


def test_what_a_later_run_wrote_is_not_removed_with_an_earlier_one(filled: Desk) -> None:
    run = last_run(filled)
    later = changed(filled, amount="1100.00")

    result = undo(filled, run, "--yes", "--allow", GUARDS, "--only", "CC0001")

    assert result.code == 4
    assert f"the run {later[:12]} wrote it since" in result.out
    assert filled.named("Cost centre 1 (CC0001)")["spend_budget_status"] != "ARCHIVED"


def test_a_sync_that_a_person_paused_stays_so_for_their_reason(filled: Desk) -> None:
    run = changed(filled, name="Otherwise")
    filled.run("pause", SYNC, "--because", "audit week", day=None)

    assert undo(filled, run, "--yes").code == 0

    assert "audit week" in (paused(filled) or "")


def test_as_json_it_tells_all_in_one_document(filled: Desk) -> None:
    run = changed(filled, name="Otherwise")

    said = undo(filled, run, "--yes", "--json").data

    assert (said["undoes"], said["left"], said["outcome"]) == (run, 0, "ok")
    assert said["changes"][0]["fields"]["name"]["after"] == "Cost centre 1 (CC0001)"
    assert f"undo of the run {run[:12]}" in said["paused"]


def test_the_audit_names_the_run_that_was_undone(filled: Desk) -> None:
    run = changed(filled, name="Otherwise")
    undo(filled, run, "--yes")

    rows = [row["entry"] for row in filled.run("audit", "--json", day=None).data["rows"]]

    (row,) = [row for row in rows if row["kind"] == "undo"]
    assert row["said"] == {"run": run, "only": []}
    assert f"takes back the run {run[:12]}" in filled.run("audit", day=None).out
    assert filled.run("audit", "--check", day=None).code == 0


def test_a_script_that_says_no_leaves_all_as_it_is(filled: Desk, tmp_path) -> None:
    run = changed(filled, name="Otherwise")
    filled.clear_log()
    with open_workspace(tmp_path / "trueup.toml") as workspace:
        report = workspace.undo(run, approve=lambda plan: False)
    assert report.outcome == "aborted"
    assert not filled.calls("PUT", "POST")
    assert paused(filled) is None
