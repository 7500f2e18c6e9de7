"""How a command is shown decides nothing: streams that take nothing, old terminals, odd widths."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.conftest import COPYING, HEAD


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An ERP's file with one row that cannot be read, and an empty one that follows it."""
    (tmp_path / "trueup.toml").write_text(COPYING)
    rows = "".join(f"B{n},Äpfel → {n},{n}00.00,USD\n" for n in range(1, 60))
    (tmp_path / "budgets.csv").write_text(f"{HEAD}{rows}X,bad,nope,USD\n", encoding="utf-8")
    (tmp_path / "copy.csv").write_text(HEAD)
    return tmp_path


def ended(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command line, as a shell runs it."""
    said = command.replace("trueup", f"{sys.executable} -m trueup", 1)
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {said}"], cwd=folder, capture_output=True, text=True,
        env=os.environ | environment, errors="replace", check=False,
    )  # fmt: skip


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "shown",
    ["2>/dev/full", ">/dev/full", ">&- 2>&-", "-v 2>/dev/full", "--json | head -c 1 >/dev/null"],
)
def test_a_run_whose_talk_nobody_hears_does_all_and_ends_as_it_would(
    folder: Path, shown: str
) -> None:
    result = ended(folder, f"trueup run copy {shown}")

    assert result.returncode == 4, result.stderr
    assert len((folder / "copy.csv").read_text().splitlines()) == 60


def test_an_old_terminal_changes_no_exit_code(folder: Path) -> None:
    assert ended(folder, "trueup run copy", PYTHONIOENCODING="cp1252").returncode == 4
    rows = (folder / "budgets.csv").read_text(encoding="utf-8").replace("00.00", "99.00")
    (folder / "budgets.csv").write_text(rows, encoding="utf-8")

    stopped = ended(folder, "trueup run copy", PYTHONIOENCODING="ascii")

    assert stopped.returncode == 5
    assert "guard max_changes" in stopped.stdout


def test_what_a_pipe_gets_is_whole_lines_whatever_columns_says(folder: Path) -> None:
    result = ended(folder, "trueup plan copy", COLUMNS="0")

    assert "budget B1 " in result.stdout
    assert any(len(line) > 80 for line in result.stdout.splitlines())


@pytest.mark.parametrize("command", ["plan copy --json", "status", "schema", "connectors"])
def test_what_only_tells_fails_where_it_cannot_be_told(folder: Path, command: str) -> None:
    result = ended(folder, f"trueup {command} >/dev/full")

    assert result.returncode == (4 if "plan" in command else 1)
    assert "No space left" in result.stderr


def test_a_usage_error_is_one_wherever_it_goes(folder: Path) -> None:
    assert ended(folder, "trueup run --nope 2>/dev/full").returncode == 2


@pytest.mark.parametrize("zone", ["CET-1CEST,M3.5.0,M10.5.0/3", "Nowhere/Nothing"])
def test_an_odd_time_zone_is_no_reason_to_end(folder: Path, zone: str) -> None:
    with (folder / "trueup.toml").open("a") as file:
        file.write('schedule = "0 6 * * 1-5"\n')

    result = ended(folder, "trueup plan copy --json", TZ=zone)

    assert result.returncode == 4, result.stderr
    assert '"create": 59' in result.stdout
