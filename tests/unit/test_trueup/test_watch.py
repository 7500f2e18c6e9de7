"""Health and metrics, asked over real HTTP."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
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
from connectors.contract.errors import ConnectorError
from connectors.contract.runtime import Runtime
from sync.outcome import Done, Outcome
from sync.report import Report
from sync.state.store import StoreError
from trueup.refusal import Refusal
from trueup.watch.metrics import COUNTERS, GAUGES, Metrics
from trueup.watch.pages import routes
from trueup.watch.server import served

HOSTILE = 'a"} 1\nforged{x="\\'


class Away:
    """A workspace whose state can go away, and come back."""

    def __init__(self) -> None:
        self.away = True
        self.settings: Any = SimpleNamespace(syncs={})

    @property
    def store(self) -> Any:
        raise StoreError("postgresql://canary-secret@host")

    @property
    def history(self) -> Any:
        raise StoreError("postgresql://canary-secret@host")

    def look(self) -> None:
        if self.away:
            raise StoreError("postgresql://canary-secret@host")


@contextmanager
def asked(metrics: Metrics, away: Away) -> Iterator[httpx.Client]:
    with (
        served(routes(metrics, away.look), "127.0.0.1:0") as url,
        httpx.Client(base_url=url) as http,
    ):
        yield http


def test_a_state_that_goes_away_makes_it_not_ready_until_it_is_back() -> None:
    away = Away()
    with asked(Metrics(away), away) as http:  # type: ignore[arg-type]
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
    metrics.ran(Report(run_id="1", sync="s", outcome=Outcome.PARTIAL, operations=[done]))
    metrics.failed("s")
    metrics.called("cards", 429)
    metrics.called("cards", None)
    metrics.waited("cards", 1.5)
    with asked(metrics, away) as http:
        lines = http.get("/metrics").text.splitlines()

    assert {
        'trueup_runs_total{outcome="partial",sync="s"} 1.0',
        'trueup_runs_total{outcome="failed",sync="s"} 1.0',
        'trueup_operations_total{kind="budget",outcome="applied"} 1.0',
        'trueup_calls_total{status="429",system="cards"} 1.0',
        'trueup_calls_total{status="none",system="cards"} 1.0',
        'trueup_limiter_wait_seconds_total{system="cards"} 1.5',
    } <= {*lines}
    assert not any("_created" in line for line in lines)


def test_a_hostile_name_cannot_forge_a_line() -> None:
    metrics = Metrics(Away())  # type: ignore[arg-type]
    metrics.failed(HOSTILE)

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
    with asked(heard, Away()) as http:
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
