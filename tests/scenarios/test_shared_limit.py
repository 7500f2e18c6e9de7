"""Runs of one state share the limit of each credential; which it is, the state does not tell."""

import json
import os
import signal
import subprocess
import sys

import pytest
from sqlalchemy import select

from config.load import load
from config.wiring import connect
from connectors.contract.runtime import Runtime
from connectors.sandbox.brex.api import BrexSandbox
from connectors.sandbox.server import serve
from sync.state.store import call_slots
from trueup.workspace import Workspace, open_workspace

TOKEN = "canary-5d21"
SYSTEM = """
[systems.{name}]
connector = "brex"
base_url = "{url}"
token = "env:{token}"
{more}
"""
HELD = """
import os, sys
from trueup.workspace import open_workspace
workspace = open_workspace(sys.argv[1])
workspace.store
workspace.system("cards").check()
print("called", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def vendor():
    with serve(BrexSandbox(token=TOKEN, rate_limit="off")) as served:
        yield served


@pytest.fixture
def settings(vendor, tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", TOKEN)
    monkeypatch.setenv("OTHER", "another-token")
    made = [("cards", "TOKEN", ""), ("again", "TOKEN", "entities = {}"), ("other", "OTHER", "")]
    text = "".join(
        SYSTEM.format(name=name, url=vendor.url, token=token, more=more)
        for name, token, more in made
    )
    (tmp_path / "trueup.toml").write_text(text)
    return tmp_path / "trueup.toml"


def windows(workspace: Workspace):
    with workspace.store.read() as connection:
        found = connection.execute(select(call_slots.c.credential, call_slots.c.state)).all()
    return {each.credential: json.loads(each.state) for each in found}


def test_a_call_of_an_open_state_is_counted_in_it_without_the_credential(settings):
    with open_workspace(settings) as workspace:
        assert workspace.store
        workspace.system("cards").check()
        ((name, window),) = windows(workspace).items()
        assert [each["held"] for each in window["holders"].values()] == [50]
    assert TOKEN not in f"{name} {window}"


def test_a_workspace_that_is_closed_gives_its_slots_back(settings):
    with open_workspace(settings) as workspace:
        assert workspace.store
        workspace.system("cards").check()
    with open_workspace(settings) as later:
        ((_, window),) = windows(later).items()
    assert window["holders"] == {}
    assert [count for _, count in window["resting"]] == [1]


def test_blocks_with_one_credential_share_and_one_with_another_does_not(settings):
    read = load(settings)
    names = [
        connect(read, each, Runtime()).runtime.credential for each in ("cards", "again", "other")
    ]
    assert names[0] == names[1] != names[2]


def test_without_an_open_state_none_is_made(settings):
    with open_workspace(settings) as workspace:
        workspace.system("cards").check()
    assert not (settings.parent / "trueup.db").exists()


@pytest.mark.faults  # a process that is started and killed in simulated time is in test_limiter_shared
def test_what_a_process_held_that_was_killed_stays_held_for_others(settings):
    child = subprocess.Popen(
        [sys.executable, "-c", HELD, str(settings)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with child:
        assert child.stdout.readline() == "called\n"
        os.kill(child.pid, signal.SIGKILL)
    with open_workspace(settings) as workspace:
        assert workspace.store
        workspace.system("cards").check()
        ((_, window),) = windows(workspace).items()
        held = [each["held"] for each in window["holders"].values()]
        assert sum(held) + sum(count for _, count in window["resting"]) == 100
