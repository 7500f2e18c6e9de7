"""A migration in waves over HTTP: the whole way, stopped by what goes wrong, and gone on with."""

import pytest

from connectors.contract.errors import ConnectorError
from tests.scenarios.conftest import DAY, SYNC, Desk
from trueup.sample import write_sample
from trueup.workspace import Workspace

MIGRATE = ("migrate", SYNC, "--yes", "--as-of", DAY)
WAVES = (*MIGRATE, "--wave", "10%,50%,100%")


@pytest.fixture
def moving(desk: Desk) -> Desk:
    """Six budgets, each with four allocations: thirty objects."""
    write_sample(desk.folder, cost_centres=6)
    return desk


def test_three_waves_bring_all_and_each_is_a_run_that_can_be_taken_back(moving: Desk) -> None:
    found = moving.run(*WAVES, "--json")

    assert found.code == 0, found.out
    assert [each["objects"] for each in found.data["waves"]] == [5, 10, 15]
    assert len(moving.budgets) == 6
    assert moving.run("verify", SYNC).code == 0


def test_a_migration_that_has_not_gone_all_the_way_goes_on_with_the_wave_that_is_next(
    moving: Desk,
) -> None:
    first = moving.run(*MIGRATE, "--wave", "10%", "--json")
    assert (first.code, first.data["remaining"]) == (3, 25)

    found = moving.run(*WAVES, "--json")

    assert [(each["wave"], each["objects"]) for each in found.data["waves"]] == [
        ("50%", 10),
        ("100%", 15),
    ]
    assert found.code == 0


def test_what_is_edited_between_waves_stops_it(
    moving: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = Workspace.apply

    def edited(self: Workspace, *args: object, **more: object) -> object:
        report = apply(self, *args, **more)  # type: ignore[arg-type]
        row = moving.budgets[0]
        moving.brex.state["budgets"].put({**row, "name": "Somebody's own"})
        return report

    monkeypatch.setattr(Workspace, "apply", edited)
    found = moving.run(*WAVES)

    assert found.code == 3
    assert len(moving.budgets) == 1
    assert "changed in brex since it was written" in found.err


def test_a_guard_on_the_whole_plan_stops_it_before_the_first_wave(filled: Desk) -> None:
    filled.write([row | {"amount": "1"} for row in filled.rows()])

    found = filled.run(*WAVES)

    assert found.code == 5
    assert filled.calls("POST", "PUT") == []


def test_a_wave_that_makes_no_sense_is_refused(desk: Desk) -> None:
    assert desk.run("migrate", SYNC, "--yes", "--wave", "10%,5%").code == 2
    assert desk.run("migrate", SYNC, "--yes", "--stop-on", "noise").code == 2


def test_a_system_that_fails_while_the_next_wave_is_planned_leaves_the_way_back(
    moving: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, asked = Workspace.plan, []

    def failing(self: Workspace, *args: object, **more: object) -> object:
        asked.append(args)
        if len(asked) == 2:
            raise ConnectorError("brex does not answer")
        return plan(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Workspace, "plan", failing)
    found = moving.run(*WAVES)

    assert found.code == 1
    assert "stopped: brex does not answer" in found.err
    assert "left: 25 objects" in found.err
    assert "to take back the wave to 10%: trueup undo " in found.err
    assert moving.run(*WAVES).code == 0
    assert len(moving.budgets) == 6


def test_a_wave_of_one_budget_says_so_in_the_singular(moving: Desk) -> None:
    found = moving.run(*MIGRATE, "--wave", "10%")

    assert "wave to 10%: 5 objects (1 budget, 4 allocations)" in found.err
