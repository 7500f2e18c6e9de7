"""Who is told how syncs stand: what arrives, once, signed; and what becomes of what does not."""

import json
import re
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from config.logs import register_secret
from connectors.notices import delivery
from sync.state.store import StoreError
from sync.state.tellings import Tellings
from tests.scenarios.conftest import COPYING, HEAD
from tests.scenarios.receiver import Receiver
from trueup.cli import app
from trueup.notices import Notices
from trueup.workspace import open_workspace

SECRET = "canary_webhook_9b1c"
PATH = "canary_path_77aa"
DOCS = Path(__file__).parents[2] / "docs" / "notifications.md"


class Desk:
    """A folder whose one sync copies a file, and a receiver that is told of it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.settings = COPYING + (
            '[notify.ops]\nwebhook = "env:HOOK"\nsecret = "env:HOOK_SECRET"\n'
        )
        self.write()
        self.copied("A,a,1.00,USD\nB,b,100.00,USD\n")
        (folder / "copy.csv").write_text(HEAD)

    def write(self, more: str = "") -> None:
        (self.folder / "trueup.toml").write_text(self.settings + more)

    def copied(self, rows: str) -> None:
        (self.folder / "budgets.csv").write_text(HEAD + rows)

    def run(self, *arguments: str) -> Any:
        config = str(self.folder / "trueup.toml")
        done = CliRunner().invoke(app, [*arguments, "--config", config])
        assert SECRET not in done.output
        assert PATH not in done.output
        return done


@pytest.fixture
def desk(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("HOOK", f"http://127.0.0.1:{receiver.server_port}/{PATH}?x=1")
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    return Desk(tmp_path, receiver.server_port)


def test_only_a_change_of_how_a_sync_stands_is_told(desk: Desk, receiver: Receiver) -> None:
    assert desk.run("run").exit_code == 0
    assert receiver.told == []
    desk.copied("A,a,1.00,USD\nB,b,900.00,USD\n")
    assert desk.run("run").exit_code == 5
    assert desk.run("run").exit_code == 5
    desk.copied("A,a,1.00,USD\nB,b,100.00,USD\n")
    assert desk.run("apply", "copy", "--yes").exit_code == 0
    assert receiver.told == ["guard", "recovered"]
    said = json.loads(receiver.got[0][1])
    assert said["next"][1] == "trueup run copy --allow max_budget_change,max_money"
    assert "max_money: " in said["text"]
    assert said["pending"] == 1
    assert not any(SECRET.encode() in body or PATH.encode() in body for _, body in receiver.got)


def test_the_snippet_of_the_docs_tells_a_message_from_a_forged_one(
    desk: Desk, receiver: Receiver
) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(snippet, names)
    check = names["is_from_trueup"]
    assert desk.run("notify", "ops").exit_code == 0
    ((headers, body),) = receiver.got
    assert check(headers, body, SECRET)
    assert not check(headers, body + b" ", SECRET)
    assert not check(headers, body, "another")
    old = headers | {"Trueup-Timestamp": str(int(time.time()) - 600)}
    assert not check(old, body, SECRET)


def test_what_does_not_arrive_fails_no_run_and_is_sent_with_the_next_news(
    desk: Desk, receiver: Receiver
) -> None:
    receiver.status = 503
    (desk.folder / "budgets.csv").rename(desk.folder / "away.csv")
    done = desk.run("run")
    assert done.exit_code == 1
    assert "notify ops: the receiver answered 503; it is tried again later" in done.stderr
    told = desk.run("status")
    assert "notify ops: 1 message is not delivered since" in told.stderr
    (untold,) = json.loads(desk.run("status", "--json").stdout)["not_told"]
    assert (untold["notifier"], untold["error"]) == ("ops", "the receiver answered 503")
    (desk.folder / "away.csv").rename(desk.folder / "budgets.csv")
    receiver.status = 204
    assert desk.run("run").exit_code == 0
    assert receiver.told == ["failed", "failed", "recovered"]
    ids = [json.loads(body)["id"] for _, body in receiver.got]
    assert ids[0] == ids[1] != ids[2]
    assert "notify" not in desk.run("status").output


def test_a_receiver_that_hangs_keeps_a_run_for_its_time_alone(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = threading.Event()
    receiver.before = lambda: hung.wait(30)
    monkeypatch.setattr(delivery.delivered, "__defaults__", (0.2,))
    (desk.folder / "budgets.csv").unlink()
    done = desk.run("run")
    hung.set()
    assert "notify ops: no answer within 0.2 s; it is tried again later" in done.stderr


def test_a_hostile_word_is_one_line_and_no_secret_of_a_system_is_told(
    desk: Desk, receiver: Receiver
) -> None:
    register_secret("canary_erp_41")
    desk.copied('"A\x1b[31m\x07","a canary_erp_41",no number,USD\n')
    desk.run("run")
    assert receiver.told == ["failed"]
    body = receiver.got[0][1]
    assert b"canary_erp_41" not in body
    text = json.loads(body)["text"]
    assert all(line.isprintable() for line in text.splitlines())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of its own modules
def test_apprise_delivers_by_an_address_of_its_own(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("apprise")
    monkeypatch.setenv("SERVICE", f"json://127.0.0.1:{receiver.server_port}/{PATH}")
    desk.write('[notify.app]\nurl = ["env:SERVICE"]\n')
    assert desk.run("notify", "app").stderr == "notify app: the test message was taken\n"
    said = json.loads(receiver.got[0][1])
    assert said["title"] == "Trueup: a test message"
    assert "next: trueup status\n(message " in said["message"]
    receiver.status = 500
    done = desk.run("notify", "app")
    assert done.exit_code == 1
    assert done.stderr == "trueup: notify app: the service did not take it\n"
    monkeypatch.setenv("SERVICE", f"nothing-of-that-sort://{PATH}")
    assert "the address is none that Apprise knows" in desk.run("notify", "app").stderr


def test_without_apprise_it_is_said_what_to_install(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    monkeypatch.setenv("SERVICE", "json://127.0.0.1")
    desk.write('[notify.app]\nurl = "env:SERVICE"\n')
    assert "pip install 'trueup[notify]'" in desk.run("notify", "app").stderr


def test_no_good_run_for_twice_the_interval_is_told_once(desk: Desk, receiver: Receiver) -> None:
    desk.settings = desk.settings.replace("[notify", 'schedule = "every 1 hour"\n[notify')
    desk.write()
    begun = datetime.now(UTC)
    clock = [begun]
    complaints: list[str] = []
    with open_workspace(desk.folder / "trueup.toml") as workspace:
        notices = Notices(workspace, complaints.append, lambda: clock[0])
        for minutes, told in ((120, []), (121, ["overdue"]), (240, ["overdue"])):
            clock[0] = begun + timedelta(minutes=minutes)
            notices.look()
            assert receiver.told == told
        with notices.telling("copy") as tell:
            tell(workspace.apply("copy"))
        clock[0] = datetime.now(UTC) + timedelta(minutes=119)
        notices.look()
        assert receiver.told == ["overdue", "recovered"]
        workspace.pause("copy")
        clock[0] += timedelta(days=1)
        notices.look()
        assert receiver.told == ["overdue", "recovered"]
    said = json.loads(receiver.got[0][1])
    assert said["next"] == ["trueup status", "trueup history copy"]
    assert "there was no good run yet; by its schedule (every 1 hour) one was" in said["text"]
    assert complaints == []


def test_a_state_that_breaks_while_it_is_told_fails_no_run(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(Tellings, "stands", broken)
    done = desk.run("run")
    assert done.exit_code == 0
    assert "nobody could be told: the disk is full" in done.stderr


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('url = "slack://canary_path_77aa"', "a secret is not written here"),
        ('webhook = "http://hooks.example.com/x"\nsecret = "env:X"', "insecure = true"),
        ('webhook = "https://hooks.example.com/x"', "belong together"),
        ('events = ["failed"]', "needs either `url`"),
        ('url = "env:X"\nsyncs = ["cpoy"]', 'did you mean "copy"?'),
        ('url = "env:X"\nevents = ["fialed"]', 'did you mean "failed"?'),
        ('webhook = "https://ada:canary_path_77aa@example.com/"', "not an address"),
    ],
)
def test_settings_that_tell_nobody_are_refused_with_what_would_be_right(
    desk: Desk, table: str, said: str
) -> None:
    desk.write(f"[notify.bad]\n{table}\n")
    done = desk.run("status")
    assert done.exit_code == 2
    assert said in done.stderr
