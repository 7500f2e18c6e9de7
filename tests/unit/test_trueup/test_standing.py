"""How syncs stand, as `status` tells it: runs, slots, ages, and what is left."""

import json
import time
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console as Terminal

from sync.schedule import parse_schedule
from sync.state.slots import Slots
from tests.unit.test_trueup.test_start import SETTINGS, loaded
from trueup.console import Console
from trueup.standing import gone_line, standing_data, standing_lines
from trueup.workspace import open_workspace

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
STANDING = {
    "sync": "erp-to-cards", "outcome": "partial", "last_good": "2026-03-10T11:55:00+00:00",
    "schedule": "every 15 minutes", "next_run": "2026-03-10T12:07:00+00:00", "linked": 1200,
    "pending": 3, "waiting": 2, "uncertain": 0, "kept": 1, "drift": 4, "paused": None,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _zone(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Vienna")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def lines(**said):
    return [*standing_lines(STANDING | said, NOW)]


def test_runs_and_slots_are_told_in_local_time_with_zone_and_age():
    assert lines() == [
        "erp-to-cards: partial, 1,200 linked, 3 pending, 2 waiting, 1 kept, 4 edited in the target",
        "  last good run 2026-03-10 12:55 CET (5 min ago)",
        "  next run 2026-03-10 13:07 CET (in 7 min)",
    ]


@pytest.mark.parametrize(
    ("ago", "said"),
    [({"minutes": 119}, "119 min"), ({"hours": 47}, "47 h"), ({"days": 4}, "4 days")],
)
def test_a_moment_is_told_with_its_age(ago, said):
    at = (NOW - timedelta(**ago)).isoformat()
    assert lines(last_good=at)[1].endswith(f"({said} ago)")


def test_what_never_ran_and_what_has_no_schedule_or_is_paused_says_so():
    nothing = dict.fromkeys(("pending", "kept", "drift"))
    fresh = lines(outcome=None, last_good=None, linked=0, waiting=0, schedule=None, **nothing)
    assert fresh == ["erp-to-cards: no run yet"]
    assert lines(last_good=None)[1] == "  no good run yet"
    assert lines(next_run=None)[2] == "  next run by trueup serve (every 15 minutes)"
    assert len(lines(paused="it is paused")) == 2


@pytest.mark.parametrize("count", [1, 30])
def test_eighty_columns_break_no_word(count):
    written = StringIO()
    console = Console(Terminal(file=written, width=80, force_terminal=True, color_system=None))
    said = [line for n in range(count) for line in lines(sync=f"erp-{n}-to-{'card' * 5}")]
    for line in said:
        console.line(line)
    told = written.getvalue().splitlines()
    assert max(map(len, told)) <= 80
    assert " ".join(told).split() == " ".join(said).split()


def open_at(folder, schedule):
    (folder / "trueup.toml").write_text(SETTINGS + f'schedule = "{schedule}"\n')
    return open_workspace(folder / "trueup.toml")


def slot(workspace, **run):
    if run:
        row = {"run_id": "r", "sync": "erp-to-cards", "command": "serve", "started_at": NOW} | run
        workspace.history.start(*row.values(), ())
        workspace.history.finish("r", "ok", NOW, {"plan": {"kept": 2}, "pending": 3, "drift": 1})
    settings, store, history = workspace.settings, workspace.store, workspace.history
    return standing_data(settings, store, history, "erp-to-cards", NOW + timedelta(minutes=5))


def taken(workspace, at, text="every 15 minutes"):
    key = parse_schedule(text).key
    assert Slots(workspace.store).take("erp-to-cards", key, "2026-03-10T12:00", at, None)


def test_an_interval_counts_from_the_last_slot_that_was_taken(tmp_path):
    with open_at(tmp_path, "every 15 minutes") as workspace:
        assert slot(workspace)["next_run"] is None
        taken(workspace, NOW)
        said = slot(workspace, started_at=NOW)
        assert said["next_run"] == "2026-03-10T12:15:00+00:00"
        assert (said["pending"], said["kept"], said["drift"]) == (3, 2, 1)


@pytest.mark.parametrize(
    "slot_taken", [{"at": NOW - timedelta(minutes=11)}, {"at": NOW, "text": "every 20 minutes"}]
)
def test_of_an_interval_without_a_service_no_slot_is_known(tmp_path, slot_taken):
    with open_at(tmp_path, "every 15 minutes") as workspace:
        taken(workspace, **slot_taken)
        assert slot(workspace)["next_run"] is None


def test_a_slot_of_cron_is_told_by_the_machines_clock(tmp_path):
    with open_at(tmp_path, "30 14 * * *") as workspace:
        at = datetime.fromisoformat(slot(workspace)["next_run"])
        assert at == datetime(2026, 3, 10, 13, 30, tzinfo=UTC)


def test_a_sync_that_left_the_settings_is_told_of_by_what_hangs_on_it():
    said = {"sync": "erp-to-old", "linked": 1200, "waiting": 1}
    assert gone_line(said) == ("erp-to-old is no more in the settings: 1,200 linked, 1 waiting")


def test_an_interval_loads_no_library_of_schedules(tmp_path):
    (tmp_path / "trueup.toml").write_text(SETTINGS + 'schedule = "every 15 minutes"\n')
    assert "apscheduler" not in loaded(tmp_path, "status")


def test_json_says_of_a_state_without_runs_what_there_is_not(tmp_path):
    with open_at(tmp_path, "every 15 minutes") as workspace:
        said = json.loads(json.dumps(workspace.status("erp-to-cards")))
    assert (said["last_good"], said["pending"], said["linked"], said["waiting"]) == (
        None, None, 0, 0,
    )  # fmt: skip
