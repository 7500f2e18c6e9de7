"""A code that changed keeps its object, by the command line and over HTTP."""

from pathlib import Path

import pytest

from connectors.sandbox.server import Served
from tests.scenarios.conftest import TOKEN
from tests.scenarios.test_owners import Two


def test_a_renamed_code_keeps_its_object_and_its_stamp_follows(
    tmp_path: Path, brex: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BREX_TOKEN", TOKEN)
    desk = Two(tmp_path, brex)
    desk.state("north", "N1", "X")
    desk.state("south", "S1")
    assert desk.run("run", "north").code == 0
    id = desk.named("Budget X")["budget_id"]
    rows = [{"ref": "N1", "name": "Budget N1", "amount": "10.00"}]
    desk.write([*rows, {"ref": "Y", "name": "Budget X", "amount": "10.00"}], "north.csv")
    code, report = desk.json("run", "north")
    assert code == 6
    assert "trueup rename north X Y" in report["plan"]["conflicts"][0]["reason"]

    assert desk.json("rename", "north", "X", "Q", "--yes")[0] == 2
    code, said = desk.json("rename", "north", "X", "Y", "--yes")

    assert (code, said["renamed"], said["objects"][0]["target_id"]) == (0, True, id)
    assert desk.run("run", "north").code == 0
    assert desk.named("Budget X")["budget_id"] == id
    assert "[trueup:Y]" in desk.named("Budget X")["description"]
