"""`trueup serve --console`: the pages beside the runs, in one process, as its settings are."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tests.scenarios.conftest import COPYING, HEAD
from tests.scenarios.service_lines import until
from trueup.cli import app

SETTINGS = COPYING + 'schedule = "every 1 day"\n'
TEAM = """
[console]
url = "http://127.0.0.1:{port}"
trusted_header = "X-User"
trusted_from = ["127.0.0.1"]

[console.roles]
viewer = ["vera"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trueup.toml").write_text(SETTINGS)
    (tmp_path / "budgets.csv").write_text(f"{HEAD}A,a,1.00,USD\n")
    (tmp_path / "copy.csv").write_text(HEAD)
    return tmp_path


@pytest.fixture
def service(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "trueup", "serve", "--console", "127.0.0.1:0"]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    yield process
    process.kill()
    process.communicate()


def test_pages_stand_beside_runs_and_follow_the_settings(
    service: subprocess.Popen[str], folder: Path
) -> None:
    line = until(service, "/enter?token=")[-1]
    link = re.search(r"http://\S+", line)
    assert link
    until(service, "copy: ok, 1 applied")
    base = link[0].partition("/enter")[0]
    with httpx.Client(base_url=base) as browser:
        assert browser.get(link[0]).status_code == 200
        assert "A</a>" in browser.get("/budgets").text

        settings = folder / "trueup.toml"
        settings.write_text(SETTINGS.replace("syncs.copy", "syncs.anew"))
        service.send_signal(signal.SIGHUP)
        until(service, "serving anew")
        until(service, "anew: ")
        assert "anew" in browser.get("/").text  # who was in is in

        settings.write_text(TEAM.format(port=base.rpartition(":")[2]) + settings.read_text())
        service.send_signal(signal.SIGHUP)
        until(service, "serving anew")
        while browser.get("/").status_code == 200:
            pass
        assert browser.get("/").status_code == 401
        assert browser.get("/", headers={"X-User": "vera"}).status_code == 200
    service.send_signal(signal.SIGTERM)
    assert service.wait(30) == 0


def test_a_port_that_is_taken_is_told_before_anything_runs(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        done = CliRunner().invoke(
            app, ["serve", "--console", at, "--config", str(folder / "trueup.toml"), "--json"]
        )
    assert done.exit_code == 2
    assert "cannot be listened on" in json.loads(done.stdout)["error"]
    assert (folder / "copy.csv").read_text() == HEAD


@pytest.mark.parametrize("at", ["8470", "127.0.0.1:70000"])
def test_what_is_no_address_is_told(folder: Path, at: str) -> None:
    done = CliRunner().invoke(
        app, ["serve", "--console", at, "--config", str(folder / "trueup.toml")]
    )
    assert done.exit_code == 2
    assert "is not HOST:PORT" in done.stderr
