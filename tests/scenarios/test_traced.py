"""One run as logs, metrics and traces tell it: each thing is told, and no secret is."""

import json
import sys
from threading import Event

import pytest
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from connectors.contract.errors import Call
from tests.scenarios.conftest import SYNC, TOKEN, Desk
from trueup.session import Session
from trueup.watch import traces
from trueup.watch.metrics import Metrics
from trueup.watch.tracing import is_traced, tracing

HEADERS = "authorization=Bearer%20c4n4ry-of-the-collector"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What would be sent to the collector that the surroundings name."""
    for name, value in (("ENDPOINT", "http://127.0.0.1:1"), ("HEADERS", HEADERS)):
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
    kept = InMemorySpanExporter()
    monkeypatch.setattr(trace_exporter, "OTLPSpanExporter", lambda: kept)
    return kept


def test_a_run_is_told_by_logs_metrics_and_traces_and_its_secret_by_none(
    desk: Desk, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Metrics] = []
    trace = Session.trace

    def watched(session, workspace):  # as `serve` does
        for _ in range(2):
            trace(session, workspace)
        heard.append(Metrics(workspace))
        heard[-1].follow(workspace)

    monkeypatch.setattr(Session, "trace", watched)
    result = desk.run("run", SYNC, "-vv")
    assert result.code == 0
    records = [json.loads(line) for line in result.err.splitlines() if line.startswith("{")]
    told, posts = spans.get_finished_spans(), len(desk.calls("POST"))
    _check_logs(records, posts)
    _check_spans(told, posts)
    text = heard[0].text().decode()
    assert 'trueup_calls_total{status="200",system="brex"}' in text
    shown = [text, result.err, *(span.to_json() for span in told)]
    assert not any(TOKEN in each or "c4n4ry" in each for each in shown)


def _check_logs(records, posts: int) -> None:
    (ended,) = (each for each in records if each["event"] == "the run ended: ok")
    assert ended["sync"] == SYNC
    assert {each.get("run") for each in records if each["logger"] == "trueup.http"} == {
        ended["run"]
    }
    sent = [each for each in records if each["event"].startswith("brex: POST")]
    assert len(sent) == posts
    for each in sent:  # from threads of the pool
        assert {"run", "sync", "system", "budget", "request_id"} <= each.keys()


def _check_spans(told: tuple[ReadableSpan, ...], posts: int) -> None:
    (root,) = (span for span in told if span.parent is None)
    assert root.name == "run"
    assert root.attributes["trueup.outcome"] == "ok"
    steps = {s.context.span_id: s.name for s in told if s.parent and s.parent == root.context}
    assert {"observe", "plan", "apply", "verify"} <= {*steps.values()}
    sent = [span for span in told if span.name == "POST"]
    assert len(sent) == posts
    assert {steps[span.parent.span_id] for span in sent} == {"apply"}
    assert all(span.end_time >= span.start_time for span in told)
    allowed = {"trueup.", "http.request.method", "http.response.status_code"}
    for span in told:
        assert all(name.startswith(tuple(allowed)) for name in span.attributes)
        assert not any("/" in str(value) or "?" in str(value) for value in span.attributes.values())


@pytest.mark.parametrize(
    ("environ", "traced"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_runs_are_traced_where_a_collector_is_named(environ, traced) -> None:
    assert is_traced(environ) is traced


def test_where_the_extra_is_missing_a_run_goes_on_and_says_so(monkeypatch, caplog) -> None:
    monkeypatch.setitem(sys.modules, trace_exporter.__name__, None)
    with tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}) as found:
        assert found is None
    assert "pip install 'trueup[otel]'" in caplog.text


class Hung(SpanExporter):
    """A collector that takes what is sent and never answers."""

    def __init__(self) -> None:
        self.given_up = Event()

    def export(self, spans):
        self.given_up.wait(20)
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self.given_up.set()


def test_a_collector_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "_PATIENCE", 0.01)
    hung = Hung()
    kept = traces.Traces(hung)
    kept.called(Call("cards", "GET", "/", 500), 0.1, 1)
    kept.close()
    assert hung.given_up.is_set()
