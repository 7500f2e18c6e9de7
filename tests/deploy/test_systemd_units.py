"""The systemd units: they start commands that there are, as nobody special, and hold no secret."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from trueup.cli import app

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(FOLDER.glob("*.service"))
PROGRAM = "/opt/trueup/bin/trueup"


def keys(unit: Path) -> dict[str, str]:
    """A unit's keys; of one that is said twice the last."""
    return dict(re.findall(r"^([A-Za-z]+)=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_starts_a_command_that_there_is_with_options_that_it_has(unit: Path) -> None:
    program, command, *options = shlex.split(keys(unit)["ExecStart"])
    known = typer.main.get_command(app).commands[command]
    assert program == PROGRAM
    assert [*options] == ["--config", "/etc/trueup/trueup.toml"]
    assert "--config" in {each for option in known.params for each in option.opts}


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_is_not_run_by_root_and_holds_no_secret(unit: Path) -> None:
    said = keys(unit)
    assert (said["User"], said["Group"], said["NoNewPrivileges"]) == ("trueup", "trueup", "yes")
    assert said["CapabilityBoundingSet"] == ""
    assert "Environment" not in said, "secrets come from a file that only root reads"


def test_all_services_are_held_to_the_same() -> None:
    held = [unit.read_text().partition("User=")[2].partition("\n[Install]")[0] for unit in SERVICES]
    assert len({each.strip() for each in held}) == 1


@pytest.mark.parametrize("name", ["trueup.service", "trueup-worker.service"])
def test_what_stays_is_given_time_to_end_and_is_not_restarted_for_wrong_settings(name: str) -> None:
    said = keys(FOLDER / name)
    assert said["Restart"] == "on-failure"
    assert said["RestartPreventExitStatus"] == "2"
    assert int(said["TimeoutStopSec"]) >= 30


def test_the_timer_starts_a_service_that_there_is() -> None:
    for timer in FOLDER.glob("*.timer"):
        assert timer.with_suffix(".service") in SERVICES
        assert keys(timer)["Persistent"] == "yes"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_takes_the_units_and_finds_them_held_tightly(tmp_path: Path) -> None:
    for unit in FOLDER.iterdir():
        text = unit.read_text().replace(PROGRAM, sys.executable)
        (tmp_path / unit.name).write_text(text)
    units = sorted(str(tmp_path / unit.name) for unit in FOLDER.iterdir())
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True
    )
    assert (found.returncode, found.stdout + found.stderr) == (0, "")
    for unit in SERVICES:
        tight = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(unit)]
        judged = subprocess.run(tight, capture_output=True, text=True)
        assert judged.returncode == 0, judged.stdout
