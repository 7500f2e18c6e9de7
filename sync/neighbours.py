"""Neighbours: what the sources of other syncs into the same account state, asked when it matters.

Nothing is taken from a sync, and nothing that it may state is removed, on the word of the state
alone: its source is read. An empty listing proves nothing where the sync owns something, and one
with faults proves only what it shows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.errors import ConnectorError
from connectors.contract.interface import Connector
from sync.intake.selection import Selection
from sync.match import Key
from sync.state.owners import Owners

Sources = Mapping[str, Callable[[], Connector | None]]
"""The sources of neighbours by the sync's name; None where one cannot be connected."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What a source states: the keys of its objects, and what keeps the list from being whole."""

    keys: frozenset[tuple[Kind, Key]] = frozenset()
    fault: str | None = None


class Neighbours:
    """Reads each neighbour's source at most once, and only when asked about it."""

    def __init__(
        self,
        owners: Owners,
        sources: Sources,
        selections: Mapping[str, Selection | None] | None = None,
    ) -> None:
        """`selections` say what of its source each carries, by the sync's name."""
        self._owners, self._sources, self._selections = owners, sources, selections or {}
        self._read: dict[str, Stated] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Those whose source can be asked."""
        return tuple(name for name in self._owners.names if name in self._sources)

    def stated(self, sync: str) -> Stated:
        """What the source of that sync states now. Raises nothing: a failure is a fault."""
        if sync not in self._read:
            self._read[sync] = self._ask(sync)
        return self._read[sync]

    def _ask(self, sync: str) -> Stated:
        if sync not in self._sources:
            return Stated(fault="these settings have no such sync")
        source = self._sources[sync]()
        if source is None:
            return Stated(fault="its source cannot be connected")
        reading = _Reading(self._selections.get(sync))
        try:
            fault = reading.take_all(source)
        except ConnectorError as error:
            return Stated(fault=str(error))
        keys = reading.keys
        if not reading.is_alive and self._owners.owns_any(sync):
            fault = fault or "its source shows nothing at all"
        return Stated(frozenset(keys), fault)


class _Reading:
    """The `keys` of what a source shows and its sync selects; `is_alive` if it shows anything."""

    def __init__(self, selection: Selection | None) -> None:
        self._selection, self._left = selection, set[str]()
        self.keys: set[tuple[Kind, Key]] = set()
        self.is_alive = False

    def take_all(self, source: Connector) -> str | None:
        """Read all of it; returns the first record that cannot be read.

        A budget that only an allocation names is stated too.
        """
        fault = None
        for kind in Kind:
            for page in source.list(kind):
                for problem in page.problems:
                    fault = fault or f"{problem.where}: {problem.message}"
                for item in page.items:
                    self._take(item.model)
        return fault

    def _take(self, model: Budget | Allocation) -> None:
        self.is_alive = True
        if isinstance(model, Budget):
            if self._selection is None or self._selection.holds(model):
                self.keys.add((Kind.BUDGET, ("", model.ref)))
            else:
                self._left.add(model.ref)
        elif model.budget not in self._left:
            self.keys.add((Kind.ALLOCATION, (model.budget, model.ref)))
            self.keys.add((Kind.BUDGET, ("", model.budget)))
