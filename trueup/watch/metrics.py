"""The metrics: what this process counts, and what the state knows when it is asked.

Counters begin at nothing with the process. Gauges are read from the state at each scrape, so any
process can serve them and a restart loses none.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric

from sync.state.store import StoreError
from sync.state.waits import Waits

if TYPE_CHECKING:
    from sync.report import Report
    from trueup.workspace import Workspace

# Else each counter is told with a second series, when it began.
disable_created_metrics()  # type: ignore[no-untyped-call]

GAUGES: Final = {
    "trueup_state_up": ("Whether the state could be read: 1, or 0.", ()),
    "trueup_last_good_run_age_seconds": ("Since the last run that did all it meant.", ("sync",)),
    "trueup_waiting": ("What waits for somebody to decide.", ("sync",)),
    "trueup_drift_objects": ("Objects the last run found edited in the target.", ("sync",)),
}
COUNTERS: Final = {
    "trueup_runs_total": ("Runs by how they ended.", ("sync", "outcome")),
    "trueup_operations_total": ("Operations by what became of them.", ("kind", "outcome")),
    "trueup_calls_total": ("Calls sent, repeats too.", ("system", "status")),
    "trueup_limiter_wait_seconds_total": ("Waited for a slot of the limit.", ("system",)),
}


class Metrics:
    """The metrics of one process. It hears of calls as a `connectors.contract.runtime.Calls`."""

    content_type: Final = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, workspace: "Workspace") -> None:
        self._registry = CollectorRegistry()
        made = {
            name: Counter(name, said, labels, registry=self._registry)
            for name, (said, labels) in COUNTERS.items()
        }
        self._runs, self._operations, self._calls, self._waits = made.values()
        self._registry.register(_OfState(workspace))

    def called(self, system: str, status: int | None) -> None:
        """A call was sent; `status` is None where no answer came."""
        self._calls.labels(system, "none" if status is None else str(status)).inc()

    def waited(self, system: str, seconds: float) -> None:
        """A call waited so long for its slot."""
        self._waits.labels(system).inc(max(0.0, seconds))

    def ran(self, report: "Report") -> None:
        """A run ended."""
        self._runs.labels(report.sync, report.outcome.value).inc()
        for done in report.operations:
            self._operations.labels(done.kind.value, done.outcome).inc()

    def failed(self, sync: str) -> None:
        """A run ended without a report."""
        self._runs.labels(sync, "failed").inc()

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)


class _OfState:
    """What the state knows, read anew for each scrape."""

    def __init__(self, workspace: "Workspace") -> None:
        self._workspace = workspace

    def describe(self) -> Iterable[Metric]:
        """The names, without a look at the state."""
        return _families().values()

    def collect(self) -> Iterator[Metric]:
        """The values of now; where the state cannot be read, that alone."""
        made = _families()
        up = made["trueup_state_up"]
        try:
            self._read(made)
        except StoreError:
            up.add_metric((), 0)
            yield up
            return
        up.add_metric((), 1)
        yield from made.values()

    def _read(self, made: dict[str, GaugeMetricFamily]) -> None:
        store, history = self._workspace.store, self._workspace.history
        syncs = [*self._workspace.settings.syncs]
        waiting, now = Waits(store).counts(syncs), store.now()
        for sync in syncs:
            made["trueup_waiting"].add_metric((sync,), waiting.get(sync, 0))
            good, last = history.latest_good(sync), history.latest(sync)
            if good is not None:
                age = (now - (good.ended_at or good.started_at)).total_seconds()
                made["trueup_last_good_run_age_seconds"].add_metric((sync,), max(0.0, age))
            drift = (last.report or {}).get("drift") if last is not None else None
            if drift is not None:
                made["trueup_drift_objects"].add_metric((sync,), drift)


def _families() -> dict[str, GaugeMetricFamily]:
    return {
        name: GaugeMetricFamily(name, said, labels=labels)
        for name, (said, labels) in GAUGES.items()
    }
