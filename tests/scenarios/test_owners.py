"""Two syncs into one account: each object has one owner, and what passes from one to the other."""

import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.server import Served
from tests.scenarios.conftest import TOKEN, Desk

AUTH = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": "by-hand"}
SETTINGS = """\
[systems.brex]
connector = "brex"
base_url = "{url}"
token = "env:BREX_TOKEN"

[systems.again]
connector = "brex"
base_url = "{url}/"
token = "env:BREX_TOKEN"
"""
PART = """
[systems.{name}]
connector = "file"
path = "{name}.csv"
currency = "USD"

[syncs.{name}]
source = "{name}"
target = "{target}"
on_remove = "{on_remove}"

[syncs.{name}.guard]
max_removals = "off"
max_changes = "off"
max_money = "off"
max_budget_change = "off"
"""


class Two(Desk):
    """A desk with two files, `north.csv` and `south.csv`, and a sync of each into one Brex."""

    def __init__(self, folder: Path, brex: Served) -> None:
        super().__init__(folder, brex)
        self.set_up()

    def set_up(self, target: str = "brex", on_remove: str = "retire") -> None:
        parts = [("north", "brex"), ("south", target)]
        said = [PART.format(name=name, target=at, on_remove=on_remove) for name, at in parts]
        self.settings.write_text("".join([SETTINGS.format(url=self.brex.url), *said]))

    def state(self, name: str, *refs: str, amount: str = "10.00") -> None:
        """The file `name` holds budgets of these refs, and no others."""
        rows = [{"ref": ref, "name": f"Budget {ref}", "amount": amount} for ref in refs]
        self.write(rows, f"{name}.csv")

    def active(self) -> list[str]:
        live = [row for row in self.budgets if row["spend_budget_status"] == "ACTIVE"]
        return sorted(row["name"].removeprefix("Budget ") for row in live)

    def json(self, *arguments: str) -> tuple[int, Any]:
        result = self.run(*arguments, "--json")
        return result.code, result.data

    def linked(self) -> dict[str, int]:
        _, said = self.json("status")
        return {each["sync"]: each["linked"] for each in said["syncs"]}

    def copy_with_stamp(self, ref: str) -> str:
        """Somebody makes a second budget that bears the stamp of the first."""
        row = self.named(f"Budget {ref}")
        body = {
            "name": "A copy", "description": row["description"],
            "parent_budget_id": "budget_root", "period_recurrence_type": "ONE_TIME",
            "amount": row["amount"], "start_date": row["start_date"],
        }  # fmt: skip
        url = f"{self.brex.url}/v2/budgets"
        httpx.post(url, headers=AUTH, json=body).raise_for_status()
        return str(self.named("A copy")["budget_id"])


@pytest.fixture
def two(tmp_path: Path, brex: Served, monkeypatch: pytest.MonkeyPatch) -> Two:
    """`north` has made N1 and X, `south` has made S1."""
    monkeypatch.setenv("BREX_TOKEN", TOKEN)
    desk = Two(tmp_path, brex)
    desk.state("north", "N1", "X")
    desk.state("south", "S1")
    assert desk.run("run").code == 0
    desk.clear_log()
    return desk


def test_what_another_sync_made_is_a_conflict_that_names_it(two: Two) -> None:
    two.state("south", "S1", "X", amount="99.00")

    code, report = two.json("run", "south")

    assert (code, report["verified"]) == (6, False)
    (conflict,) = report["plan"]["conflicts"]
    assert (conflict["ref"], conflict["owner"]) == ("X", "north")
    assert conflict["candidates"] == [two.named("Budget X")["budget_id"]]
    assert two.named("Budget X")["amount"]["amount"] == 1000
    assert two.json("verify", "south")[1]["agree"] is False
    assert two.json("run", "north")[1]["verified"] is True


def test_so_it_is_where_another_system_names_the_same_account(two: Two) -> None:
    two.set_up(target="again")
    two.state("south", "S1", "X")

    assert two.json("run", "south")[0] == 6


@pytest.mark.parametrize("first", ["north", "south"])
def test_a_row_that_moves_to_the_other_file_is_handed_over(two: Two, first: str) -> None:
    id = two.named("Budget X")["budget_id"]
    two.state("north", "N1")
    two.state("south", "S1", "X", amount="12.00")
    second = {"north": "south", "south": "north"}[first]

    codes = [two.run("run", name).code for name in (first, second)]

    assert codes == [0, 0]
    assert two.active() == ["N1", "S1", "X"]
    assert two.named("Budget X")["budget_id"] == id
    assert two.named("Budget X")["amount"]["amount"] == 1200
    assert two.linked() == {"north": 1, "south": 2}


def test_a_plan_tells_what_it_takes_over(two: Two) -> None:
    two.state("north", "N1")
    two.state("south", "S1", "X")

    _, plan = two.json("plan", "south")

    assert plan["handovers"] == [
        {
            "kind": "budget",
            "ref": "X",
            "budget_ref": None,
            "target_id": two.named("Budget X")["budget_id"],
            "giver": "north",
        }
    ]
    assert "X is taken over from north" in two.run("plan", "south").out
    assert two.linked() == {"north": 2, "south": 1}
    assert "X is taken over from north" in two.run("run", "south").out


def test_what_both_stated_stays_when_its_owner_drops_it(two: Two) -> None:
    two.state("south", "S1", "X")
    assert two.run("run", "south").code == 6
    two.state("north", "N1")

    assert two.run("run", "north").code == 0

    assert two.active() == ["N1", "S1", "X"]
    assert two.run("run", "south").code == 0
    assert two.linked() == {"north": 1, "south": 2}


def test_nothing_is_removed_while_the_other_file_cannot_be_read_in_whole(two: Two) -> None:
    two.state("north", "N1")
    (two.folder / "south.csv").write_text("ref,name,amount\nS1,Budget S1,10\nX,Budget X,ten\n")

    code, report = two.json("run", "north")

    assert code == 4
    assert "south" in report["plan"]["problems"][0]["where"]
    assert two.active() == ["N1", "S1", "X"]


def test_what_nobody_states_any_more_is_removed(two: Two) -> None:
    two.state("north", "N1")

    assert two.run("run").code == 0

    assert two.active() == ["N1", "S1"]


def test_nothing_is_taken_over_on_the_word_of_an_empty_file(two: Two) -> None:
    (two.folder / "north.csv").write_text("ref,name,amount\n")
    two.state("south", "S1", "X")

    assert two.json("run", "south")[0] == 6


def test_what_is_handed_over_by_command_is_the_others(two: Two) -> None:
    two.state("south", "S1", "X")

    code, report = two.json("handover", "south", "X", "--from", "north", "--yes")

    assert (code, report["outcome"], report["from"]) == (0, "ok", "north")
    assert [(each["op"], each["ref"]) for each in report["operations"]] == [("handover", "X")]
    assert two.json("run", "south")[1]["verified"] is True
    assert two.json("run", "north")[0] == 6
    _, history = two.json("history", "south")
    assert "handover" in [each["command"] for each in history["runs"]]
    assert "X" in two.run("show", report["run_id"][:12]).out


def test_a_sync_that_was_renamed_gets_all_that_it_had(two: Two) -> None:
    said = two.settings.read_text().replace("[syncs.north", "[syncs.upper")
    two.settings.write_text(said)
    assert two.json("run", "upper")[0] == 6

    assert two.run("handover", "upper", "--from", "north", "--yes").code == 0

    two.clear_log()
    assert two.json("run", "upper")[1]["verified"] is True
    assert not two.calls("POST", "PUT")


def test_a_handover_asks(two: Two) -> None:
    result = two.run("handover", "south", "X", "--from", "north")

    assert result.code == 2
    assert "--yes" in result.err
    assert two.linked() == {"north": 2, "south": 1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["south", "X", "--from", "nort"], "north"),
        (["south", "Y", "--from", "north"], "Y"),
        (["south", "--from", "south"], "itself"),
        (["west", "--from", "north"], "west"),
    ],
)
def test_a_handover_that_cannot_be_meant_exits_2(two: Two, arguments: list[str], said: str) -> None:
    result = two.run("handover", *arguments, "--yes")

    assert result.code == 2
    assert said in result.err


def test_nothing_is_handed_over_whose_last_write_has_an_unknown_outcome(two: Two) -> None:
    two.state("north", "N1", "X", amount="11.00")
    two.brex.faults.add("lost_answer", times=-1, method="PUT")
    two.run("run", "north")
    with sqlite3.connect(two.folder / "trueup.db") as state:
        state.execute("UPDATE operations SET state = 'uncertain' WHERE op = 'update'")

    code, report = two.json("handover", "south", "X", "--from", "north", "--yes")

    assert code == 7
    assert report["counts"]["skipped"] == 1
    assert two.linked() == {"north": 2, "south": 1}


def test_what_two_syncs_linked_before_is_the_elders(two: Two) -> None:
    two.state("south", "S1", "X", amount="99.00")
    _link_twice(two)

    code, report = two.json("run", "south")

    assert (code, report["verified"]) == (6, False)
    assert report["plan"]["conflicts"][0]["owner"] == "north"
    assert two.named("Budget X")["amount"]["amount"] == 1000
    assert two.json("run", "north")[1]["verified"] is True
    two.state("north", "N1")
    assert two.run("run", "north").code == 0
    assert two.json("run", "south")[1]["verified"] is True
    assert two.linked() == {"north": 1, "south": 2}
    assert two.named("Budget X")["amount"]["amount"] == 9900


def _link_twice(two: Two) -> None:
    """The state as an earlier Trueup left it."""
    columns = "kind, ref, budget_ref, target_id, origin, desired, echo, source"
    said = ", desired, echo, run_id FROM baselines WHERE link_id ="
    with sqlite3.connect(two.folder / "trueup.db") as state:
        (old,) = state.execute("SELECT id FROM links WHERE ref = 'X'").fetchone()
        query = f"INSERT INTO links (sync, {columns}) SELECT 'south', {columns} FROM links"
        new = state.execute(f"{query} WHERE id = ?", [old]).lastrowid
        state.execute(
            f"INSERT INTO baselines (link_id, desired, echo, run_id) SELECT ?{said} ?", [new, old]
        )


def test_a_second_object_with_our_stamp_is_told_by_plan_run_and_verify(two: Two) -> None:
    ids = {two.named("Budget X")["budget_id"], two.copy_with_stamp("X")}

    code, report = two.json("run", "north")

    assert (code, report["verified"]) == (6, False)
    (conflict,) = report["plan"]["conflicts"]
    assert conflict["ref"] == "X"
    assert set(conflict["candidates"]) == ids
    assert two.run("plan", "north").code == 6
    verification = two.json("verify", "north")
    assert verification[0] == 3
    assert set(verification[1]["conflicts"][0]["candidates"]) == ids
    said = two.run("verify", "north").out
    assert all(id in said for id in ids)


def test_a_second_object_with_our_stamp_is_neither_adopted_nor_removed(two: Two) -> None:
    two.copy_with_stamp("X")
    copy = dict(two.named("A copy"))
    two.state("north", "N1")

    two.run("run", "north")
    two.run("run", "north")

    assert two.named("A copy") == copy


def test_two_objects_with_one_stamp_are_told_though_nobody_states_the_ref(two: Two) -> None:
    two.copy_with_stamp("X")
    two.state("north", "N1")
    with sqlite3.connect(two.folder / "trueup.db") as state:
        state.execute("DELETE FROM links WHERE ref = 'X'")

    code, plan = two.json("plan", "north")

    assert code == 6
    assert [(each["ref"], len(each["candidates"])) for each in plan["conflicts"]] == [("X", 2)]
