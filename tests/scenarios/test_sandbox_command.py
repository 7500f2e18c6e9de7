"""`trueup sandbox`: it runs no code of the folder it is started in, and says how it is used."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from connectors.sandbox.__main__ import load
from tests.conftest import ROOT
from trueup.demo_settings import CREDENTIALS
from trueup.sandboxes import VENDORS, sandbox_process

THEIRS = (
    "json.py", "argparse.py", "uvicorn.py", "starlette.py", "connectors.py", "state.py",
    "sitecustomize.py", "trueup.py", "typer.py", "asyncio/__init__.py",
)  # fmt: skip


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with modules that leave a mark when they are imported."""
    for name in THEIRS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    return tmp_path


@contextmanager
def served(folder: Path, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", "-m", "trueup", "sandbox", *arguments]
    with subprocess.Popen(
        command, cwd=folder, env=os.environ | environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()


def test_no_code_of_the_current_folder_runs(hostile: Path) -> None:
    with served(hostile, "brex") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("brex http://127.0.0.1:")
    assert not (hostile / "ran").exists()


@pytest.mark.parametrize("path", ["", ".", os.pathsep, f"{ROOT}{os.pathsep}"])
def test_nor_where_pythonpath_names_it(
    hostile: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(hostile)
    monkeypatch.setenv("PYTHONPATH", path)
    with sandbox_process("brex", {}) as address:
        assert httpx.get(f"{address}/_sandbox/log").json() == []
    assert not (hostile / "ran").exists()


def test_what_it_says_is_all_that_is_needed(tmp_path: Path) -> None:
    with served(tmp_path, "vtex", "brex") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(2):
            process.stdout.readline()
        said = ""
        while "ends" not in said:
            said += process.stderr.readline()
        blocks = re.sub(r"export .*|Ctrl-C.*", "", said)
        (tmp_path / "trueup.toml").write_text(blocks)
        exported = dict(re.findall(r"export (\w+)=(\S+)", said))
        checked = subprocess.run(
            [sys.executable, "-m", "trueup", "check"], cwd=tmp_path, env=os.environ | exported,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_token_of_the_environment_is_accepted_and_stands_on_no_command_line(
    tmp_path: Path,
) -> None:
    with served(tmp_path, "brex", TRUEUP_SANDBOX_TOKEN="bxt_mine_77") as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[1]
        lines = [
            path.read_bytes()
            for path in Path("/proc").glob("[0-9]*/cmdline")
            if path.exists() and os.access(path, os.R_OK)
        ]
        asked = httpx.get(f"{address}/v2/budgets", headers={"Authorization": "Bearer bxt_mine_77"})
    assert asked.status_code == 200
    assert not any(b"bxt_mine_77" in line for line in lines)


def test_switches_are_listed_with_what_they_do(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "trueup", "sandbox", "--list-switches"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for vendor in VENDORS:
        for name in load(vendor).Switches.model_fields:
            assert re.search(rf"^{vendor} +{name} ", said, re.MULTILINE)


def test_the_credentials_that_are_told_are_those_that_work() -> None:
    for vendor, told in CREDENTIALS.items():
        assert load(vendor).CREDENTIAL in told.values()


def test_a_port_that_is_taken_is_told_in_a_line(tmp_path: Path) -> None:
    with served(tmp_path, "brex", "--port", "99999") as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "cannot listen at 127.0.0.1:99999" in said
    assert "Traceback" not in said
