"""SIGSTOP a run past its lease while its calls wait: another one takes over, and when the first
wakes up nothing of it leaves any more."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from typer.testing import CliRunner

from connectors.bill.connector import Bill
from connectors.sandbox.bill.api import BillSandbox
from connectors.sandbox.server import serve
from connectors.sandbox.vantage.api import VantageSandbox
from connectors.vantage.connector import Vantage
from trueup.cli import app
from trueup.demo_settings import settings_text
from trueup.sample_workbook import write_workbook

SANDBOXES = {"bill": BillSandbox, "vantage": VantageSandbox}
WRITES = ("POST", "PUT", "PATCH", "DELETE")
TERM = 2
"""Seconds that the lease of the run lasts that is stopped."""
RUN = f"""
import sync.state.lease
sync.state.lease.TERM = {TERM}
from trueup.cli import app
app()
"""


class Frozen:
    """A run of a sync to `vendor` in a process of its own, whose calls are slow to leave."""

    def __init__(self, folder, vendor, served):
        self.vendor, self.served, self.sync = vendor, served, f"erp-to-{vendor}"
        self.state = folder / "trueup.db"
        self.fast, self.slow = folder / "fast.toml", folder / "slow.toml"
        text = settings_text(
            dict.fromkeys(["vtex", "brex", "bill", "vantage", "kaireon"], served.url)
        )
        self.fast.write_text(text)
        self.slow.write_text(text.replace('"100000/1m" ', '"2/1s" '))
        token = folder / f"{vendor}.token"
        token.write_text(served.sandbox.CREDENTIAL)
        token.chmod(0o600)
        (folder / "exports").mkdir()
        export = folder / "exports" / "budget.xlsx"
        write_workbook(export, year=datetime.now(UTC).year, cost_centres=3)

    def writes(self):
        return [call for call in self.served.log if call["method"] in WRITES]

    def start(self, settings):
        command = [sys.executable, "-c", RUN, "run", self.sync, "--config", str(settings)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def stop_when(self, process, is_time):
        give_up = time.monotonic() + 60
        while not is_time(self.writes()):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < give_up
            time.sleep(0.005)
        stop(process)
        while self.keeps_the_state_locked():  # on SQLite nobody takes over from such a one
            process.send_signal(signal.SIGCONT)
            time.sleep(0.005)
            stop(process)

    def keeps_the_state_locked(self):
        with closing(sqlite3.connect(self.state, timeout=0.1, isolation_level=None)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False

    def take_over(self):
        """Run the sync here, once the lease of the other process has ended."""
        give_up = time.monotonic() + 60
        while True:
            said = CliRunner().invoke(app, ["run", self.sync, "--config", str(self.fast)])
            if said.exit_code != 8:
                return said
            assert time.monotonic() < give_up
            time.sleep(0.1)

    def names(self):
        """How often each name is there, the shares of one vendor's budgets by their own."""
        rows = self.served.state["budgets"].rows()
        return Counter(row["name"] for row in rows if not row.get("retired"))


def stop(process):
    """Stop it and all its threads: the signal is only on its way when it has been sent."""
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)


@pytest.fixture(params=SANDBOXES)
def frozen(request, tmp_path, monkeypatch):
    for vendor in (Bill, Vantage):  # a write of unknown outcome is not waited for a minute
        quick = replace(vendor.capabilities, grace=timedelta(seconds=1))
        monkeypatch.setattr(vendor, "capabilities", quick)
    with serve(SANDBOXES[request.param]()) as served:
        yield Frozen(tmp_path, request.param, served)


def check(frozen, process):
    """Another run takes over while `process` is stopped, which is then woken and sends nothing."""
    try:
        other = frozen.take_over()
        assert other.exit_code == 0, other.output
        made = frozen.names()
        httpx.delete(f"{frozen.served.url}/_sandbox/log").raise_for_status()
    finally:
        process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, out + err
    assert "another process has taken" in out + err
    assert frozen.writes() == []
    assert frozen.names() == made
    assert set(made.values()) == {1}
    assert len([name for name in made if name.startswith("CC000")]) >= 3


@pytest.mark.sampled(2)
def test_calls_that_waited_for_the_limiter_do_not_leave(frozen):
    process = frozen.start(frozen.slow)
    frozen.stop_when(process, lambda writes: len(writes) >= 1)
    check(frozen, process)


@pytest.mark.sampled(2)
def test_calls_that_waited_for_as_long_as_the_vendor_asked_do_not_leave(frozen):
    frozen.served.faults.add("rate_limit", times=-1, retry_after=3, method="POST")
    process = frozen.start(frozen.fast)
    frozen.stop_when(process, lambda writes: any(each["status"] == 429 for each in writes))
    frozen.served.faults.clear()
    check(frozen, process)
