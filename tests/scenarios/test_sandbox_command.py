"""`trueup sandbox`: it runs no code of the folder it is started in, and says how it is used."""

import os
import re
import socket
import subprocess
import sys
import time
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
    with served(tmp_path, "vtex", "brex", "odoo") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(3):
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


def test_what_init_says_to_do_next_works(tmp_path: Path) -> None:
    def trueup(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "trueup", *arguments], cwd=tmp_path, check=False,
            env=os.environ | {"BREX_TOKEN": "bxt_sandbox"}, capture_output=True, text=True,
        )  # fmt: skip

    said = trueup("init").stderr
    steps = re.findall(r"^  trueup (.*)", said, re.MULTILINE)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    settings = tmp_path / "trueup.toml"
    settings.write_text(settings.read_text().replace("8080", port))
    assert steps[0] == "sandbox brex --port 8080 &"
    with served(tmp_path, "brex", "--port", port) as process:
        assert process.stdout is not None
        process.stdout.readline()
        ended = [trueup(*step.split()) for step in steps[1:]]
    assert [each.returncode for each in ended] == [0, 0, 0], ended
    assert "create" in ended[1].stdout


def test_check_ends_soon_where_nobody_answers_and_tells_what_a_file_has_wrong(
    tmp_path: Path,
) -> None:
    (tmp_path / "budgets.csv").write_text("ref,name,amount,currency\nA,a,nope,USD\n")
    dead = 'base_url = "http://127.0.0.1:9"\ntoken = "env:BREX_TOKEN"\n'
    (tmp_path / "trueup.toml").write_text(
        '[systems.erp]\nconnector = "file"\npath = "budgets.csv"\n'
        + "".join(f'[systems.b{n}]\nconnector = "brex"\n{dead}' for n in range(3))
    )
    began = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-m", "trueup", "check"], cwd=tmp_path, check=False,
        env=os.environ | {"BREX_TOKEN": "x" * 8}, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 1
    assert "row 2, column amount" in result.stdout
    assert result.stdout.count("no server answers") == 3
    assert time.monotonic() - began < 15  # on a busy machine; each call has four seconds
