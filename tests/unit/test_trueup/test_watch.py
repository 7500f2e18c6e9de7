"""Health and metrics, asked over real HTTP."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from canonical.kind import Kind, Op
from config.settings import address_of
from connectors.calling.answers import Dialect
from connectors.calling.client import HttpClient, Safety
from connectors.calling.limiter import Limiter
from connectors.contract.errors import Call, ConnectorError
from connectors.contract.runtime import Runtime
from sync.outcome import Done, Outcome
from sync.position import Claimed
from sync.recording import Recording
from sync.report import Report
from sync.schedule import parse_schedule
from sync.state.store import StoreError
from tests.scenarios.conftest import COPYING
from trueup.refusal import Refusal
from trueup.service import Ended
from trueup.watch.metrics import COUNTERS, GAUGES, Metrics
from trueup.watch.pages import routes
from trueup.watch.server import served
from trueup.watch.watching import Watching
from trueup.workspace import open_workspace

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOSTILE = 'a"} 1\nforged{x="\\'


class Away:
    """A workspace whose state can go away, and come back."""

    def __init__(self) -> None:
        self.away = True
        self.settings: Any = SimpleNamespace(syncs={}, serve=SimpleNamespace(listen=None))

    @property
    def store(self) -> Any:
        if self.away:
            raise StoreError("postgresql://canary-secret@host")
        return SimpleNamespace(is_sqlite=False)

    @property
    def history(self) -> Any:
        return SimpleNamespace(runs=lambda limit: [])


@contextmanager
def asked(metrics: Metrics, alive: Callable[[], bool] = lambda: True) -> Iterator[httpx.Client]:
    with (
        served(routes(metrics, alive), "127.0.0.1:0") as url,
        httpx.Client(base_url=url) as http,
    ):
        yield http


def claimed(sync: str) -> Claimed:
    return Claimed(sync=sync, slot="", at=NOW, schedule=parse_schedule("every 1 day"))


def test_a_state_that_goes_away_makes_it_not_ready_until_it_is_back() -> None:
    away = Away()
    with asked(Metrics(away)) as http:  # type: ignore[arg-type]
        gone = http.get("/readyz")
        assert http.get("/healthz").status_code == 200
        scraped = http.get("/metrics")
        away.away = False
        assert http.get("/readyz").status_code == 200

    assert gone.status_code == 503
    assert "\ntrueup_state_up 0.0\n" in scraped.text
    assert "canary" not in gone.text + scraped.text


def test_what_ran_and_what_was_called_is_counted() -> None:
    away = Away()
    metrics = Metrics(away)  # type: ignore[arg-type]
    done = Done(Op.CREATE, Kind.BUDGET, "r", None, "1", "applied")
    report = Report(run_id="1", sync="s", outcome=Outcome.PARTIAL, operations=[done])
    metrics.heard(Ended(claimed=claimed("s"), report=report))
    metrics.heard(Ended(claimed=claimed("s"), error="no server answers"))
    metrics.heard(Ended(claimed=claimed("s"), error="it is paused", kept_out=True))
    kept = Recording(into="erp", dry_run=False, entries=())
    metrics.heard(Ended(claimed=claimed("actuals --into erp"), kept=kept))
    silent = Recording(into="erp", dry_run=False, entries=(), failed={"cards": OSError()})
    metrics.heard(Ended(claimed=claimed("actuals --into erp"), kept=silent))
    metrics.called(Call("cards", "GET", "/", 429), 0.1, 1)
    metrics.called(Call("cards", "GET", "/"), 0.1, 2)
    metrics.waited("cards", 1.5)
    with asked(metrics) as http:
        lines = http.get("/metrics").text.splitlines()

    assert {
        'trueup_runs_total{outcome="partial",sync="s"} 1.0',
        'trueup_runs_total{outcome="failed",sync="s"} 1.0',
        'trueup_runs_total{outcome="kept_out",sync="s"} 1.0',
        'trueup_runs_total{outcome="ok",sync="actuals --into erp"} 1.0',
        'trueup_runs_total{outcome="partial",sync="actuals --into erp"} 1.0',
        'trueup_operations_total{kind="budget",outcome="applied"} 1.0',
        'trueup_calls_total{status="429",system="cards"} 1.0',
        'trueup_calls_total{status="none",system="cards"} 1.0',
        'trueup_limiter_wait_seconds_total{system="cards"} 1.5',
    } <= {*lines}
    assert not any("_created" in line for line in lines)


def test_a_hostile_name_cannot_forge_a_line() -> None:
    metrics = Metrics(Away())  # type: ignore[arg-type]
    metrics.heard(Ended(claimed=claimed(HOSTILE), error="odd"))

    assert not any(line.startswith("forged") for line in metrics.text().decode().splitlines())


def test_a_port_that_is_taken_is_told_before_anything_runs() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Refusal, match="cannot be had"), served([], listen):
            pass


@pytest.mark.parametrize(
    "text", ["9464", ":9464", "host:1", "::1:9464", "127.0.0.1:70000", "[1.2.3.4]:1"]
)
def test_an_address_is_written_out(text: str) -> None:
    with pytest.raises(ValueError, match="port"):
        address_of(text)


def test_the_page_tells_of_each_metric_and_of_no_other() -> None:
    told = set(
        re.findall(r"^\| `(trueup_\w+)`", Path("docs/watching.md").read_text(), re.MULTILINE)
    )

    assert told == {*GAUGES, *COUNTERS}


def test_the_client_tells_of_each_sending_and_of_each_wait() -> None:
    heard, clock = Metrics(Away()), [0.0]  # type: ignore[arg-type]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    runtime = Runtime(monotonic=lambda: clock[0], sleep=sleep, random=lambda: 0.0, calls=heard)
    limiter = Limiter(1, 9, runtime)
    with asked(heard) as http:
        client = HttpClient(
            "cards",
            str(http.base_url),
            limiter=limiter,
            runtime=runtime,
            dialect=Dialect(message=str),
        )
        for path in ("/healthz", "/nowhere"):
            with pytest.raises(ConnectorError):
                client.call("GET", path, params={"token": "canary"}, safety=Safety.SAFE)
        client.close()
    text = heard.text().decode()

    assert 'trueup_calls_total{status="200",system="cards"} 1.0' in text
    assert 'trueup_calls_total{status="404",system="cards"} 1.0' in text
    assert 'trueup_limiter_wait_seconds_total{system="cards"} 9.0' in text
    assert "canary" not in text


def test_a_dead_thread_is_told_while_the_service_still_ends() -> None:
    alive = [True]
    with asked(Metrics(Away()), lambda: alive[0]) as http:  # type: ignore[arg-type]
        assert http.get("/healthz").status_code == 200
        alive[0] = False
        assert http.get("/healthz").status_code == 503


def test_gauges_tell_what_the_state_knows_and_that_its_file_is_another_now(tmp_path: Path) -> None:
    (tmp_path / "trueup.toml").write_text(COPYING)
    report = {"drift": 2, "drift_money": {"EUR": "70.5", "USD": "0.01"}}
    with open_workspace(tmp_path / "trueup.toml") as workspace:
        history = workspace.history
        history.start("r1", "copy", "run", workspace.store.now())
        history.finish("r1", "ok", workspace.store.now(), report)
        metrics, file = Metrics(workspace), Path(workspace.store.where)
        told = metrics.text().decode().splitlines()
        content = file.read_bytes()
        file.rename(tmp_path / "away")
        with pytest.raises(StoreError, match="has gone"):
            metrics.look()
        file.write_bytes(content)
        assert "trueup_state_up 0.0" in metrics.text().decode().splitlines()
        metrics.follow(workspace)  # as new settings do, which open the state anew
        metrics.look()

    assert {
        "trueup_state_up 1.0",
        'trueup_waiting{sync="copy"} 0.0',
        'trueup_drift_objects{sync="copy"} 2.0',
        'trueup_drift_money{currency="EUR",sync="copy"} 70.5',
        'trueup_drift_money{currency="USD",sync="copy"} 0.01',
    } <= {*told}
    (age,) = (line for line in told if line.startswith("trueup_last_good_run_age_seconds{"))
    assert 0 <= float(age.rpartition(" ")[2]) < 60


def test_an_address_that_new_settings_name_waits_for_a_start() -> None:
    said: list[str] = []
    first, second = Away(), Away()
    second.settings = SimpleNamespace(syncs={}, serve=SimpleNamespace(listen="127.0.0.1:9"))
    watching = Watching(first, said.append)  # type: ignore[arg-type]
    watching.follow(first)  # type: ignore[arg-type]
    assert said == []
    watching.follow(second)  # type: ignore[arg-type]
    assert said == ["[serve] listen has changed; that holds once serve is started anew"]
