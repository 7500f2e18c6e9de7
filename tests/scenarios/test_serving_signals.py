"""`trueup serve` told by signals: to end, and to read its settings again."""

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.scenarios.conftest import COPYING, HEAD, SYNC, Desk
from tests.scenarios.receiver import Receiver
from tests.scenarios.service_lines import until

with socket.create_server(("127.0.0.1", 0)) as free:
    LISTEN = f"127.0.0.1:{free.getsockname()[1]}"
SETTINGS = f'{COPYING}schedule = "every 1 day"\n\n[serve]\nlisten = "{LISTEN}"\n'


@pytest.fixture
def service(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "trueup.toml").write_text(SETTINGS)
    (tmp_path / "budgets.csv").write_text(f"{HEAD}A,a,1.00,USD\n")
    (tmp_path / "copy.csv").write_text(HEAD)
    command = [sys.executable, "-m", "trueup", "serve"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command, cwd=tmp_path, **pipes)  # type: ignore[call-overload]
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_sighup_reads_the_settings_again_and_sigterm_ends(
    service: subprocess.Popen[str], tmp_path: Path
) -> None:
    settings = tmp_path / "trueup.toml"
    told = until(service, "copy: ok, 1 applied")
    assert all(re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d ", line) for line in told)
    assert re.search(r"; next run 20\d\d-\d\d-\d\d \d\d:\d\d \w+$", told[-1].strip())

    assert httpx.get(f"http://{LISTEN}/readyz").status_code == 200
    assert 'trueup_runs_total{outcome="ok",sync="copy"} 1.0' in _metrics()

    settings.write_text(SETTINGS.replace('"every 1 day"', '"now and then"'))
    service.send_signal(signal.SIGHUP)
    told = until(service, "the old ones go on")
    assert "trueup.toml:12: syncs.copy.schedule: 'now and then' is not a schedule" in told[0]

    (tmp_path / "other.csv").write_text(HEAD)
    settings.write_text(
        SETTINGS.replace("syncs.copy", "syncs.anew").replace("copy.csv", "other.csv")
    )
    service.send_signal(signal.SIGHUP)
    until(service, "serving anew (every 1 day)")
    until(service, "anew: ok, 1 applied")
    assert 'trueup_waiting{sync="anew"} 0.0' in _metrics()  # of the new settings
    assert httpx.get(f"http://{LISTEN}/healthz").status_code == 200

    service.send_signal(signal.SIGTERM)
    assert service.wait(30) == 0


@pytest.mark.faults
def test_an_edit_at_the_vendor_is_seen_and_put_back_by_a_schedule(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "canary_webhook_9b1c")
    desk.settings.write_text(
        desk.settings.read_text() + 'on_conflict = "source"\nschedule = "every 5 seconds"\n'
        f'[notify.ops]\nwebhook = "http://127.0.0.1:{receiver.server_port}/"\n'
        'secret = "env:HOOK_SECRET"\n'
    )
    process = desk.start("serve")
    try:
        _wait_for(lambda: len(desk.limits) == 12)
        there = desk.named("Cost centre 1 (CC0001)")
        edited = there | {"amount": {"amount": there["amount"]["amount"] + 1, "currency": "USD"}}
        desk.brex.state["budgets"].put(edited)
        _wait_for(lambda: desk.named("Cost centre 1 (CC0001)")["amount"] == there["amount"])
        _wait_for(lambda: desk.run("status", "--json").data["syncs"][0]["outcome"] == "ok")
        (standing,) = desk.run("status", "--json").data["syncs"]
        assert standing["sync"] == SYNC
        assert standing["next_run"]
        assert "next run 20" in desk.run("status").out
        (desk.folder / "budgets.csv").rename(desk.folder / "away.csv")
        _wait_for(lambda: "failed" in receiver.told)
        (desk.folder / "away.csv").rename(desk.folder / "budgets.csv")
        _wait_for(lambda: "recovered" in receiver.told)
    finally:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "1 applied" in out
    assert receiver.told == ["drift", "failed", "recovered"]


def _metrics() -> list[str]:
    return httpx.get(f"http://{LISTEN}/metrics").text.splitlines()


def _wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)
