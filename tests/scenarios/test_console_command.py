"""`trueup console` as a process: it prints a link, shows the state, makes a plan, and ends."""

import json
import re
import signal
import subprocess
import sys

import httpx
import pytest
from typer.testing import CliRunner

from trueup.cli import app

SETTINGS = """
[systems.erp]
connector = "file"
path = "budgets.csv"

[systems.copy]
connector = "file"
path = "copy.csv"

[syncs.erp-to-copy]
source = "erp"
target = "copy"
"""
ROWS = """ref,name,currency,amount,cadence,start,end
CC1,Travel,USD,1200.00,monthly,2026-01-01,2026-12-31
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "trueup.toml").write_text(SETTINGS)
    (tmp_path / "budgets.csv").write_text(ROWS)
    (tmp_path / "copy.csv").write_text(ROWS.splitlines()[0] + "\n")
    return tmp_path


@pytest.fixture
def process(folder):
    started = subprocess.Popen(
        [sys.executable, "-m", "trueup", "console", "--port", "0", "--json"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield started
    started.kill()
    started.communicate()


def test_the_link_opens_pages_over_http_and_a_signal_ends_them(folder, process):
    link = json.loads(process.stdout.readline())["link"]
    with httpx.Client(base_url=link.partition("/enter")[0]) as browser:
        assert browser.get("/").status_code == 401
        assert browser.get(link).status_code == 200
        token = re.search(r'name="form_token" value="([^"]+)"', browser.get("/").text)[1]
        made = browser.post("/plans/erp-to-copy/make", data={"form_token": token})
        assert made.headers["location"] == "/plans/erp-to-copy"
        while 'hx-trigger="every 1s"' in (page := browser.get("/plans/erp-to-copy").text):
            pass
        assert "CC1 Travel" in page
        answer = browser.get("/budgets")
        assert "server" not in answer.headers
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert (folder / "copy.csv").read_text() == ROWS.splitlines()[0] + "\n"
    process.send_signal(signal.SIGTERM)
    assert "Traceback" not in process.communicate(timeout=20)[1]
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--host", "0.0.0.0"], "is not on loopback"),
        (["--host", "example.org"], "is not on loopback"),
        (["--host", "192.168.1.1"], "ssh -L"),
    ],
)
def test_it_listens_on_no_address_that_others_reach(folder, given, said):
    done = CliRunner().invoke(app, ["console", "--config", str(folder / "trueup.toml"), *given])
    assert done.exit_code == 2
    assert said in done.stderr
