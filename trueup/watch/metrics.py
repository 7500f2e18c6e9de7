"""The metrics: what this process counts, and what the state knows when it is asked.

Counters begin at nothing with the process. Gauges are read from the state at each scrape, so any
process can serve them and a restart loses none.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric

from connectors.contract.errors import Call
from sync.state.store import StoreError
from sync.state.waits import Waits
from trueup.files import file_at

if TYPE_CHECKING:
    from trueup.service import Ended
    from trueup.workspace import Workspace

# Else each counter is told with a second series, when it began.
disable_created_metrics()  # type: ignore[no-untyped-call]

GAUGES: Final = {
    "trueup_state_up": ("Whether the state could be read: 1, or 0.", ()),
    "trueup_last_good_run_age_seconds": ("Since the last run that did all it meant.", ("sync",)),
    "trueup_waiting": ("What waits for somebody to decide.", ("sync",)),
    "trueup_drift_objects": ("Objects the last run found edited in the target.", ("sync",)),
    "trueup_drift_money": ("How far their amounts were off, added up.", ("sync", "currency")),
}
COUNTERS: Final = {
    "trueup_runs_total": ("Runs by how they ended.", ("sync", "outcome")),
    "trueup_operations_total": ("Operations by what became of them.", ("kind", "outcome")),
    "trueup_calls_total": ("Calls sent, repeats too.", ("system", "status")),
    "trueup_limiter_wait_seconds_total": ("Waited for a slot of the limit.", ("system",)),
}


class Metrics:
    """The metrics of one process. It hears of calls as a `connectors.contract.runtime.Calls`, and
    of runs as a `trueup.watch.watching.Watcher`."""

    content_type: Final = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, workspace: "Workspace") -> None:
        self._registry = CollectorRegistry()
        made = {
            name: Counter(name, said, labels, registry=self._registry)
            for name, (said, labels) in COUNTERS.items()
        }
        self._runs, self._operations, self._calls, self._waits = made.values()
        self._state = _OfState(workspace)
        self._registry.register(self._state)

    def follow(self, workspace: "Workspace") -> None:
        """From now on calls and gauges are those of this workspace."""
        workspace.hear(self)
        self._state.follow(workspace)

    def called(self, call: Call, seconds: float, attempt: int) -> None:
        """A call was sent; its status is None where no answer came."""
        status = "none" if call.status is None else str(call.status)
        self._calls.labels(call.vendor, status).inc()

    def waited(self, system: str, seconds: float) -> None:
        """A call waited so long for its slot."""
        self._waits.labels(system).inc(max(0.0, seconds))

    def heard(self, ended: "Ended") -> None:
        """A scheduled run ended; what was put down for a worker is that worker's."""
        if ended.deferred:
            return
        self._runs.labels(ended.claimed.sync, _outcome(ended)).inc()
        for done in ended.report.operations if ended.report is not None else ():
            self._operations.labels(done.kind.value, done.outcome).inc()

    def look(self) -> None:
        """Read the state; raises `StoreError` where that cannot be, or is another one now."""
        self._state.look()

    def text(self) -> bytes:
        """All of them, as Prometheus reads them."""
        return generate_latest(self._registry)


def _outcome(ended: "Ended") -> str:
    if ended.report is not None:
        return ended.report.outcome.value
    if ended.kept is not None:
        return "partial" if ended.kept.failed or ended.kept.exit_code else "ok"
    return "kept_out" if ended.kept_out else "failed"


class _OfState:
    """What the state knows, read anew for each scrape."""

    def __init__(self, workspace: "Workspace") -> None:
        self.follow(workspace)

    def follow(self, workspace: "Workspace") -> None:
        """Read the state of this workspace, and hold on to which file that is in."""
        self._workspace = workspace
        self._file: tuple[int, int] | None = None
        with suppress(StoreError):  # it is told when it is asked for
            self.look()

    def look(self) -> None:
        """Raise `StoreError` where the state cannot be read, or its file is another one now."""
        store = self._workspace.store
        if store.is_sqlite:  # which would go on with the file that it has open
            found = file_at(store.where)
            self._file = self._file or found
            if found is None or found != self._file:
                raise StoreError(f"{store.where}: the state has gone, or is another file now")
        self._workspace.history.runs(limit=1)

    def describe(self) -> Iterable[Metric]:
        """The names, without a look at the state."""
        return _families().values()

    def collect(self) -> Iterator[Metric]:
        """The values of now; where the state cannot be read, that alone."""
        made = _families()
        up = made["trueup_state_up"]
        try:
            self.look()
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
            report = (last.report or {}) if last is not None else {}
            if (drift := report.get("drift")) is not None:
                made["trueup_drift_objects"].add_metric((sync,), drift)
            for currency, money in report.get("drift_money", {}).items():
                made["trueup_drift_money"].add_metric((sync, currency), float(money))


def _families() -> dict[str, GaugeMetricFamily]:
    return {
        name: GaugeMetricFamily(name, said, labels=labels)
        for name, (said, labels) in GAUGES.items()
    }
