"""Whether runs are traced: where the standard variables of OpenTelemetry name a collector."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from config.logs import register_secret

if TYPE_CHECKING:
    from trueup.watch.traces import Traces

log = logging.getLogger("trueup")

_PREFIX: Final = "OTEL_EXPORTER_OTLP"


def is_traced(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a collector is named, and traces are not switched off."""
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environ.get("OTEL_TRACES_EXPORTER", "otlp") != "otlp":
        return False
    return any(environ.get(f"{_PREFIX}{own}_ENDPOINT") for own in ("", "_TRACES"))


@contextmanager
def tracing(environ: Mapping[str, str] = os.environ) -> Iterator[Traces | None]:
    """Traces to that collector while the block lasts; None where there are none."""
    traces = _traces(environ) if is_traced(environ) else None
    try:
        yield traces
    finally:
        if traces is not None:
            traces.close()


def _traces(environ: Mapping[str, str]) -> Traces | None:
    for own in ("", "_TRACES"):  # whatever the exporter logs of what it sends shows none of these
        for each in environ.get(f"{_PREFIX}{own}_HEADERS", "").split(","):
            value = each.partition("=")[2].strip()
            register_secret(value)
            register_secret(unquote(value))
        password = urlsplit(environ.get(f"{_PREFIX}{own}_ENDPOINT", "")).password or ""
        register_secret(password)
        register_secret(unquote(password))
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        from trueup.watch.traces import Traces
    except ImportError:
        log.warning("nothing is traced: pip install 'trueup[otel]'")
        return None
    return Traces(OTLPSpanExporter())
