"""What a run leaves open is listed, decided by command, and done by the next run."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

import pytest

import trueup
from sync.state.lease import Lease
from sync.state.store import Store
from tests.scenarios.conftest import SYNC, TOKEN, Desk
from trueup.workspace import open_workspace


@pytest.fixture
def twofold(desk: Desk) -> Desk:
    """Two budgets in Brex bear the name of CC0001, before the first run."""
    desk.run("run", SYNC)
    name = desk.rows()[0]["name"]
    row = desk.named(name)
    (desk.folder / "trueup.db").unlink()
    for id in ("old", "older"):
        copy = {**row, "budget_id": id, "description": "by hand"}
        desk.brex.state["budgets"].put(copy)
    desk.brex.state["budgets"].put({**row, "spend_budget_status": "ARCHIVED"})
    assert desk.run("run", SYNC).code == 6
    return desk


def now() -> datetime:
    return datetime.now(UTC)


def go(desk: Desk) -> int:
    """The next run; its guards were not asked."""
    return desk.run("run", SYNC, "--allow", "max_changes,max_money,max_budget_change").code


def waits(desk: Desk, *arguments: str) -> list[dict]:
    return desk.run("waiting", "--json", *arguments, day=None).data["waits"]


def test_an_ambiguous_match_is_listed_with_the_commands_that_decide_it(twofold: Desk) -> None:
    (wait,) = [each for each in waits(twofold) if each["ref"] == "CC0001"]

    assert (wait["rule"], sorted(wait["candidates"])) == ("match", ["old", "older"])
    assert wait["commands"] == [
        *(f"trueup decide {wait['number']} --take {id}" for id in wait["candidates"]),
        f"trueup decide {wait['number']} --take none",
    ]
    text = twofold.run("waiting", SYNC, day=None)
    assert text.code == 0
    assert all(command in text.out for command in wait["commands"])


def test_the_object_that_was_decided_for_is_adopted_by_the_next_run(twofold: Desk) -> None:
    before = len(twofold.budgets)
    (wait,) = waits(twofold)

    said = twofold.run("decide", str(wait["number"]), "--take", "old", "--note", "by ann", day=None)

    assert said.code == 0
    assert f"trueup run {SYNC}" in said.out
    assert twofold.run("status", "--json", day=None).data["syncs"][0]["waiting"] == 0
    assert go(twofold) == 0
    assert len(twofold.budgets) == before
    assert waits(twofold) == []
    (row,) = [
        each["entry"]["said"]
        for each in twofold.run("audit", "--json", day=None).data["rows"]
        if each["entry"]["kind"] == "decision"
    ]
    assert (row["take"], row["value"], row["note"]) == ("id", "old", "by ann")
    with closing(sqlite3.connect(twofold.folder / "trueup.db")) as state:
        linked = "SELECT target_id FROM links WHERE kind = 'budget' AND ref = 'CC0001'"
        assert state.execute(linked).fetchall() == [("old",)]


def test_of_none_that_is_meant_a_new_one_is_made_once(twofold: Desk) -> None:
    before = len(twofold.budgets)
    (wait,) = waits(twofold)

    twofold.run("decide", str(wait["number"]), "--take", "none", day=None)

    assert go(twofold) == 0
    assert len(twofold.budgets) == before + 1
    assert go(twofold) == 0
    assert len(twofold.budgets) == before + 1


@pytest.mark.faults
def test_a_decision_for_an_object_that_vanished_takes_nothing_else(twofold: Desk) -> None:
    before = len(twofold.budgets)
    (wait,) = waits(twofold)
    twofold.run("decide", str(wait["number"]), "--take", "older", day=None)
    twofold.brex.state["budgets"].remove("older")

    assert go(twofold) == 0

    with closing(sqlite3.connect(twofold.folder / "trueup.db")) as state:
        linked = "SELECT target_id FROM links WHERE kind = 'budget' AND ref = 'CC0001'"
        assert state.execute(linked).fetchall() == [("old",)]  # the only one of the name by now
        open = "SELECT count(*) FROM decisions WHERE ended_at IS NULL"
        assert state.execute(open).fetchone() == (0,)
    assert len(twofold.budgets) == before - 1


REFUSED = {
    ("decide", "1", "--take", "source"): "--take source is no way out; take old",
    ("decide", "1", "--take", ""): "an empty --take is no way out",
    ("decide", "99", "--take", "none"): "nothing waits as 99",
    ("decide", "one", "--take", "none"): '"one" is no number',
    ("decide", "1"): "--take",
    ("decide", "--take", "none"): "there is no number",
    ("decide",): "there is no terminal",
    ("decide", "--json"): "--json leaves no room to ask",
    ("decide", "--all-of", "matsh", "--take", "none"): "match",
    ("decide", "--all-of", "match", "nowhere", "--take", "none"): "nowhere",
    ("waiting", "nowhere"): "nowhere",
}


@pytest.mark.faults
def test_what_is_no_way_out_is_refused_with_what_there_is(twofold: Desk) -> None:
    for arguments, said in REFUSED.items():
        result = twofold.run(*arguments, day=None)
        assert (result.code, said in result.err) == (2, True), (arguments, result.err)


@pytest.mark.faults
def test_all_of_a_rule_are_decided_at_once(twofold: Desk) -> None:
    said = twofold.run("decide", "--all-of", "match", SYNC, "--take", "none", "--json", day=None)
    assert said.code == 0
    assert [each["take"] for each in said.data["decided"]] == ["none"]
    assert said.data["next"] == [f"trueup run {SYNC}"]


@pytest.mark.faults
def test_the_end_of_a_run_says_how_many_wait_and_where(twofold: Desk) -> None:
    assert f"1 decision waits: trueup waiting {SYNC}" in twofold.run("run", SYNC).out
    assert twofold.run("run", SYNC, "--json").data["waiting"] == 1


@pytest.mark.faults
def test_planning_alone_changes_nothing_of_the_queue(twofold: Desk) -> None:
    twofold.brex.state["budgets"].remove("older")
    before = waits(twofold)

    twofold.run("plan", SYNC)

    assert waits(twofold) == before


@pytest.mark.faults
def test_a_wait_of_a_sync_that_left_the_settings_is_named_and_not_decided(twofold: Desk) -> None:
    (wait,) = waits(twofold)
    text = twofold.settings.read_text().replace("[syncs.erp-to-brex]", "[syncs.another]")
    twofold.settings.write_text(text)

    result = twofold.run("waiting", day=None)

    assert "nothing waits" in result.out
    assert f"trueup waiting {SYNC}" in result.err
    assert len(waits(twofold, SYNC)) == 1
    refused = twofold.run("decide", str(wait["number"]), "--take", "none", day=None)
    assert (refused.code, SYNC in refused.err) == (2, True)


@pytest.mark.faults
def test_a_secret_in_a_note_is_not_kept(twofold: Desk) -> None:
    (wait,) = waits(twofold)
    with open_workspace(twofold.settings) as workspace:
        workspace.system("brex")
        workspace.decide(wait["number"], take="none", note=f"as {TOKEN} told")
    with closing(sqlite3.connect(twofold.folder / "trueup.db")) as state:
        assert TOKEN not in "\n".join(state.iterdump())


@pytest.mark.faults
def test_a_script_sees_and_decides_the_same(twofold: Desk) -> None:
    with trueup.open(twofold.settings) as workspace:
        (wait,) = workspace.waiting(SYNC).waits
        with pytest.raises(trueup.Undecidable):
            workspace.decide(wait.number, take="applied")
        workspace.decide(wait.number, take="old")
        (again,) = workspace.waiting().waits
    assert again.answer is not None
    assert (again.answer.take, again.answer.value) == ("id", "old")


def test_on_a_terminal_each_is_shown_and_asked_until_the_answer_is_one(twofold: Desk) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "trueup", "decide", "--config", str(twofold.settings)]
    os.write(ours, b"source\nold\n")
    with closing(os.fdopen(ours, "rb")), closing(os.fdopen(theirs, "rb")):
        done = subprocess.run(command, stdin=theirs, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "source is no way out" in done.stdout
    assert f"the next run does it: trueup run {SYNC}" in done.stdout
    (wait,) = waits(twofold)
    assert wait["decided"]["value"] == "old"


@pytest.fixture
def uncertain(filled: Desk) -> Desk:
    """A create of CC0001 whose answer nobody noted, and two budgets that it may have made."""
    row = filled.named(filled.rows()[0]["name"])
    filled.brex.state["budgets"].put({**row, "budget_id": "copy"})
    with closing(sqlite3.connect(filled.folder / "trueup.db")) as state:
        this = "kind = 'budget' AND ref = 'CC0001'"
        state.execute(
            "UPDATE operations SET state = 'sent', ended_at = NULL, target_id = NULL "
            f"WHERE op = 'create' AND {this}"
        )
        state.execute(f"DELETE FROM baselines WHERE link_id IN (SELECT id FROM links WHERE {this})")
        state.execute(f"DELETE FROM links WHERE {this}")
        state.commit()
    assert filled.run("run", SYNC).code == 7
    return filled


def the_write(desk: Desk) -> dict:
    (wait,) = [each for each in waits(desk) if each["rule"] == "uncertain"]
    return wait


def state_of(desk: Desk) -> str:
    with closing(sqlite3.connect(desk.folder / "trueup.db")) as state:
        query = "SELECT state FROM operations WHERE op = 'create' AND ref = 'CC0001'"
        return state.execute(query).fetchall()[-1][0]


def test_a_write_that_is_said_to_have_happened_is_linked_and_makes_no_twin(uncertain: Desk) -> None:
    wait, before = the_write(uncertain), len(uncertain.budgets)
    (id,) = [each for each in wait["candidates"] if each != "copy"]

    said = uncertain.run("decide", str(wait["number"]), "--take", id, day=None)

    assert said.code == 0, said.err
    assert state_of(uncertain) == "applied"
    assert "uncertain" not in the_rules(uncertain)
    uncertain.brex.state["budgets"].remove("copy")
    assert go(uncertain) == 0
    assert len(uncertain.budgets) == before - 1
    kinds = [
        each["entry"]["kind"] for each in uncertain.run("audit", "--json", day=None).data["rows"]
    ]
    assert kinds.count("decision") == 1
    assert uncertain.run("audit", "--check", day=None).code == 0


def the_rules(desk: Desk) -> list[str]:
    return [each["rule"] for each in waits(desk)]


def test_a_write_that_is_said_not_to_have_happened_makes_no_twin_of_what_is_there(
    uncertain: Desk,
) -> None:
    wait, before = the_write(uncertain), len(uncertain.budgets)

    said = uncertain.run("decide", str(wait["number"]), "--take", "not-applied", day=None)

    assert said.code == 0, said.err
    assert state_of(uncertain) == "lost"
    assert go(uncertain) == 6
    assert len(uncertain.budgets) == before
    assert "match" in the_rules(uncertain)


@pytest.mark.faults
def test_a_write_cannot_have_made_what_is_not_there(uncertain: Desk) -> None:
    wait = the_write(uncertain)
    ids = {row["budget_id"] for row in uncertain.budgets}
    for take in ("nowhere", "applied", "source", (ids - {*wait["candidates"]}).pop()):
        result = uncertain.run("decide", str(wait["number"]), "--take", take, day=None)
        assert result.code == 2, take
    assert state_of(uncertain) == "uncertain"


def test_how_a_write_ended_is_not_said_while_a_run_goes_on(uncertain: Desk) -> None:
    wait = the_write(uncertain)
    url = f"sqlite:///{uncertain.folder / 'trueup.db'}"
    command = ("decide", str(wait["number"]), "--take", "not-applied", "--json")
    with closing(Store.open(url, uncertain.folder, now)) as store, Lease.take(store, SYNC, now=now):
        result = uncertain.run(*command, day=None)
    assert result.code == 8
    assert json.loads(result.out)["exit_code"] == 8
    assert state_of(uncertain) == "uncertain"
