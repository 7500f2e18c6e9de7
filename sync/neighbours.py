"""Neighbours: what the sources of other syncs into the same account state, asked when it matters.

Nothing is taken from a sync, and nothing that it may state is removed, on the word of the state
alone: its source is read. An empty listing proves nothing where the sync owns something, and one
with faults proves only what it shows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from canonical.budget import Budget
from canonical.kind import Kind
from connectors.contract.errors import ConnectorError
from connectors.contract.interface import Connector
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

    def __init__(self, owners: Owners, sources: Sources) -> None:
        self._owners, self._sources = owners, sources
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
        keys: set[tuple[Kind, Key]] = set()
        try:
            fault = _take_all(source, keys)
        except ConnectorError as error:
            return Stated(fault=str(error))
        if not keys and self._owners.owns_any(sync):
            fault = fault or "its source shows nothing at all"
        return Stated(frozenset(keys), fault)


def _take_all(source: Connector, keys: set[tuple[Kind, Key]]) -> str | None:
    """Add every key that `source` shows; returns the first record that cannot be read.

    A budget that only an allocation names is stated too.
    """
    fault = None
    for kind in Kind:
        for page in source.list(kind):
            for problem in page.problems:
                fault = fault or f"{problem.where}: {problem.message}"
            for item in page.items:
                model = item.model
                if isinstance(model, Budget):
                    keys.add((kind, ("", model.ref)))
                else:
                    keys.add((kind, (model.budget, model.ref)))
                    keys.add((Kind.BUDGET, ("", model.budget)))
    return fault
