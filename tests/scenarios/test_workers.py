"""`trueup worker`: it runs what is put down, once, and leaves to others what is theirs."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sync.schedule import Clock
from sync.state.jobs import Jobs
from sync.state.lease import Lease
from sync.state.slots import Slots
from sync.state.store import Store
from tests.scenarios.conftest import COPYING, HEAD
from trueup import worker as workers
from trueup.cli import app
from trueup.commands import serving
from trueup.service import Ended
from trueup.session import Session
from trueup.worker import Worker
from trueup.workspace import open_workspace

postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def folder(database_url: str, tmp_path: Path) -> Path:
    (tmp_path / "trueup.toml").write_text(f'[state]\nurl = "{database_url}"\n\n{COPYING}')
    (tmp_path / "budgets.csv").write_text(f"{HEAD}A,a,1.00,USD\n")
    (tmp_path / "copy.csv").write_text(HEAD)
    return tmp_path


def put(store: Store, sync: str, slot: str) -> None:
    """As `serve --defer` does."""
    book = Slots(store, along=Jobs.open(store).put)
    assert book.take(sync, "@daily", f"2026-03-01T{slot}", store.now(), book.last(sync))


class Hand:
    """A worker in a thread, and what it said; a test waits for it, never for time."""

    def __init__(self, folder: Path) -> None:
        self.workspace = open_workspace(folder / "trueup.toml")
        self.store = self.workspace.store
        self.stop, self.said, self.ended = threading.Event(), [], []  # type: ignore[var-annotated]
        self._heard = threading.Condition()
        self._thread: threading.Thread | None = None

    def begin(self, **more: Any) -> None:
        worker = Worker(self.workspace, self.stop, say=self._say, heard=[self._end], **more)
        self._thread = threading.Thread(target=worker.work)
        self._thread.start()

    def until(self, comes: Callable[[], bool]) -> None:
        with self._heard:
            assert self._heard.wait_for(comes, timeout=30), (self.said, self.ended)

    def until_said(self, words: str) -> None:
        self.until(lambda: any(words in line for line in self.said))

    def leave(self) -> None:
        """Have the worker end, and wait until it has."""
        self.stop.set()
        if self._thread is not None:
            self._thread.join(30)
            assert not self._thread.is_alive()

    def end(self) -> None:
        self.leave()
        self.workspace.close()

    def _say(self, line: str) -> None:
        with self._heard:
            self.said.append(line)
            self._heard.notify_all()

    def _end(self, ended: Ended) -> None:
        with self._heard:
            self.ended.append(ended)
            self._heard.notify_all()


@pytest.fixture
def hand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hand]:
    monkeypatch.setattr(workers, "BEAT", 0.2)
    monkeypatch.setattr(workers, "_ANEW", 0.2)
    hand = Hand(folder)
    yield hand
    hand.end()


def statuses(store: Store) -> list[str]:
    with store.read() as connection:
        query = "SELECT status::text FROM procrastinate_jobs ORDER BY id"
        return list(connection.exec_driver_sql(query).scalars())


@postgresql
def test_a_worker_runs_two_slots_and_ends_when_told(folder: Path) -> None:
    with open_workspace(folder / "trueup.toml") as workspace:
        put(workspace.store, "copy", "02:30")
        process = subprocess.Popen(
            [sys.executable, "-m", "trueup", "worker"],
            cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            assert "a worker on postgresql://" in process.stdout.readline()
            assert "copy: ok, 1 applied; verified" in process.stdout.readline()
            (folder / "budgets.csv").write_text(f"{HEAD}A,a,1.01,USD\n")
            put(workspace.store, "copy", "03:30")
            assert "copy: ok, 1 applied; verified" in process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
            rest, _ = process.communicate()
        assert rest == ""
        assert statuses(workspace.store) == ["succeeded", "succeeded"]
        assert "1.01" in (folder / "copy.csv").read_text()


@pytest.mark.parametrize("command", [["worker"], ["serve", "--defer"]])
def test_with_sqlite_one_line_says_what_is_needed(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "trueup.toml").write_text(COPYING + 'schedule = "every 1 day"\n')
    said = CliRunner().invoke(app, [*command, "--config", str(tmp_path / "trueup.toml")])
    assert said.exit_code == 1
    assert said.stderr.strip() == (
        f"trueup: workers share their work through PostgreSQL, and the state is {tmp_path}/trueup.db; "
        "`trueup state copy` brings it there, then set [state] url"
    )


@postgresql
def test_a_job_whose_sync_somebody_else_runs_is_run_when_that_is_over(hand: Hand) -> None:
    put(hand.store, "copy", "02:30")
    with Lease.take(hand.store, "copy", now=hand.store.now):
        hand.begin()
        hand.until(lambda: len(hand.ended) >= 2)
    hand.until(lambda: hand.ended[-1].report is not None)
    hand.leave()
    assert {each.kept_out for each in hand.ended[:-1]} == {True}
    assert hand.ended[-1].report.counts["applied"] == 1


@postgresql
def test_a_sync_that_the_settings_do_not_name_is_tried_again_and_then_over(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "BEAT", 0.0)
    monkeypatch.setattr(workers, "_TRIES", 2)
    put(hand.store, "gone", "02:30")
    put(hand.store, "copy", "02:30")
    hand.begin()
    hand.until_said("its slot is over")
    hand.until(lambda: len(hand.ended) == 1)
    assert hand.said == [
        *["gone: the settings of this worker name no such sync; tried again soon"] * 2,
        "gone: the settings of this worker name no such sync; its slot is over",
    ]


@postgresql
def test_a_worker_that_is_told_to_end_gives_its_job_back(hand: Hand) -> None:
    def stopped(workspace: Any, claimed: Any) -> Ended:
        hand.stop.set()
        return Ended(claimed=claimed, error="asked to stop")

    put(hand.store, "copy", "02:30")
    hand.begin(run=stopped)
    hand.until_said("given back for another worker")
    hand.leave()
    assert statuses(hand.store) == ["todo"]


@postgresql
def test_a_worker_whose_job_was_given_to_another_leaves_the_others_alone(hand: Hand) -> None:
    """As one does that was stopped for so long that it was taken for gone."""

    def overtaken(workspace: Any, claimed: Any) -> Ended:
        with hand.store.write() as connection:
            connection.exec_driver_sql(
                "WITH other AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id) "
                "UPDATE procrastinate_jobs SET worker_id = other.id FROM other"
            )
        return Ended(claimed=claimed, error="fenced off", again=True)

    put(hand.store, "copy", "02:30")
    hand.begin(run=overtaken)
    hand.until_said("copy: another worker had been given it meanwhile")
    assert statuses(hand.store) == ["doing"]


@postgresql
def test_a_worker_that_was_taken_for_gone_registers_anew(hand: Hand) -> None:
    def forgotten(workspace: Any, claimed: Any) -> Ended:
        if not hand.ended:
            with hand.store.write() as connection:
                connection.exec_driver_sql("DELETE FROM procrastinate_workers")
        return Ended(claimed=claimed, error="told")

    put(hand.store, "copy", "02:30")
    hand.begin(run=forgotten)
    hand.until_said("this worker stood still and was taken for gone; it begins anew")
    hand.until(lambda: len(hand.ended) == 2)
    hand.leave()
    assert statuses(hand.store) == ["succeeded"]


@postgresql
def test_a_job_that_another_version_put_down_is_told(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_TRIES", 0)
    put(hand.store, "copy", "02:30")
    with hand.store.write() as connection:
        connection.exec_driver_sql("UPDATE procrastinate_jobs SET args = args || '{\"new\": 1}'")
    hand.begin()
    hand.until_said("copy: no job of this version; its slot is over")
    assert not hand.ended


@postgresql
def test_what_nobody_foresaw_in_a_job_is_told(hand: Hand) -> None:
    def breaks(workspace: Any, claimed: Any) -> Ended:
        raise ArithmeticError("odd")

    put(hand.store, "copy", "02:30")
    hand.begin(run=breaks)
    hand.until_said("copy: ArithmeticError: odd; its slot is over")


@postgresql
def test_a_clock_that_defers_puts_down_a_job_and_runs_nothing(folder: Path) -> None:
    settings = folder / "trueup.toml"
    settings.write_text(settings.read_text() + 'schedule = "every 1 day"\n')
    session = Session(settings, as_json=True)
    told = folder / "told"
    with told.open("w") as out, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out)
        clock = Clock(wait=lambda seconds: session.stop.set())
        assert serving.serve(session, clock, defer=True) == 0
    (line,) = told.read_text().splitlines()
    assert json.loads(line)["deferred"].startswith("20")
    with open_workspace(settings) as workspace:
        (job,) = Jobs.open(workspace.store).standing()
        assert (job["sync"], job["status"]) == ("copy", "todo")
        assert workspace.history.latest("copy") is None
