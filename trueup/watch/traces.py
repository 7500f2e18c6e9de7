"""Traces: what a run did when, as spans: the run, its steps, and in them the calls of each.

An attribute is a name of the settings, a number, a word of ours or an id that the vendor gave a
call: never an address, a path, a text that somebody wrote, or a secret.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from threading import Timer
from typing import Final, TypeVar

from opentelemetry.context import Context
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.util.types import AttributeValue

from config.logs import redact
from connectors.contract.errors import Call
from connectors.contract.work import work, working
from sync.outcome import Outcome
from sync.watch import Watch

_WRONG: Final = Status(StatusCode.ERROR)
_PATIENCE: Final = 5.0

Told = TypeVar("Told")


class Traces:
    """The traces of one process, sent by an exporter; `close` it, which sends what is left.

    It hears of calls as a `connectors.contract.runtime.Calls`.
    """

    def __init__(self, exporter: SpanExporter, now: Callable[[], int] = time.time_ns) -> None:
        """`now` is the clock, in nanoseconds."""
        own = Resource({"service.name": "trueup", "service.version": version("trueup")})
        resource = Resource.create().merge(own).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._exporter = exporter
        self._tracer = self._provider.get_tracer("trueup")
        self._now = now

    @contextmanager
    def run(self, sync: str, watch: Watch) -> Iterator[Watch]:
        """A span for what the block does of that sync, and one for each step that the `Watch` which
        it gives is told of; calls inside are put below the step that goes on."""
        run = _Run(self._tracer, sync)
        try:
            with working(span=run):
                yield replace(
                    watch,
                    stage=_both(run.stage, watch.stage),
                    ended=_both(run.ended, watch.ended),
                )
        except BaseException:
            run.root.set_status(_WRONG)
            raise
        finally:
            run.end()

    def called(self, call: Call, seconds: float, attempt: int) -> None:
        """A call was sent so many seconds ago; its span is below what this thread works on."""
        run, now = work().get("span"), self._now()
        said: Mapping[str, AttributeValue | None] = {
            "trueup.system": call.vendor,
            "http.request.method": call.method,
            "http.response.status_code": call.status,
            "http.request.resend_count": attempt - 1 or None,
            "trueup.request_id": None if call.request_id is None else redact(call.request_id),
        }
        span = self._tracer.start_span(
            call.method,
            run.here if isinstance(run, _Run) else Context(),
            SpanKind.CLIENT,
            {name: value for name, value in said.items() if value is not None},
            start_time=now - round(seconds * 1e9),
        )
        if call.status is None or call.status >= 400:
            span.set_status(_WRONG)
        span.end(now)

    def waited(self, system: str, seconds: float) -> None:
        """Not told: it is the time before the call, below the same step."""

    def close(self) -> None:
        """Send what is left; a collector that does not answer is given up after some seconds."""
        last = Timer(_PATIENCE, self._exporter.shutdown)
        last.daemon = True
        last.start()
        self._provider.shutdown()
        last.cancel()


def _both(first: Callable[[Told], None], second: Callable[[Told], None]) -> Callable[[Told], None]:
    def tell(told: Told) -> None:
        first(told)
        second(told)

    return tell


class _Run:
    """The spans of a run that goes on: its own, and that of the step that it is at."""

    def __init__(self, tracer: Tracer, sync: str) -> None:
        self._tracer = tracer
        self.root = tracer.start_span("run", Context(), attributes={"trueup.sync": sync})
        self._above = set_span_in_context(self.root, Context())
        self._step: Span | None = None
        self.here = self._above
        """What calls are put below."""

    def stage(self, name: str) -> None:
        """The step before has ended, and this one begins."""
        self._leave()
        self._step = self._tracer.start_span(name, self._above)
        self.here = set_span_in_context(self._step, Context())
        if run_id := work().get("run"):
            self.root.set_attribute("trueup.run", str(run_id))

    def ended(self, outcome: Outcome) -> None:
        """How it ended."""
        self.root.set_attribute("trueup.outcome", outcome.value)
        if outcome is Outcome.FAILED:
            self.root.set_status(_WRONG)

    def end(self) -> None:
        """It is over."""
        self._leave()
        self.root.end()

    def _leave(self) -> None:
        if self._step is not None:
            self._step.end()
        self._step, self.here = None, self._above
