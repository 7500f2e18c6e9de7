"""VTEX's records as ours: each in the terms of the day, or said to be one that cannot be read."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, Final

from canonical.allocation import Status
from canonical.kind import Kind
from canonical.problem import Problem
from canonical.traces import Traces
from connectors.calling.parsing import parsed
from connectors.contract.errors import Malformed, Missing
from connectors.contract.records import Observed
from connectors.vtex.declared import VtexSettings
from connectors.vtex.entities import Entities
from connectors.vtex.mapping import Terms, allocation_of, budget_of
from connectors.vtex.reading import id_of
from connectors.vtex.wire import ENTITY_TYPE, VtexAllocation, VtexBudget

_READ_BY: Final = set({"currency", "scale", "end_date", "contract_id", "entity_types", "entities"})
"""Settings by which the same record is read as something else."""


class Records:
    """Reads the records of the system `name` by its settings, as they count today."""

    def __init__(self, name: str, settings: VtexSettings, today: Callable[[], date]) -> None:
        self._name, self._settings, self._today = name, settings, today
        self.entities = Entities(ENTITY_TYPE | settings.entity_types, settings.entities)

    def terms(self) -> Terms:
        """How to read what VTEX leaves unsaid, today."""
        return Terms(
            currency=self._settings.currency,
            minor=self._settings.scale == "minor",
            inclusive=self._settings.end_date == "inclusive",
            today=self._today(),
            entities=self.entities,
            contracts=self._settings.contracts(),
        )

    def observed(self, kind: Kind, id: str, record: Any, version: str | None = None) -> Observed:
        """The object of that id; raises `Missing` for an allocation kept as deleted."""
        within = id.rpartition("/")[0]
        if kind is Kind.BUDGET:
            return budget_of(parsed(VtexBudget, record), within, self.terms(), version)
        found = allocation_of(parsed(VtexAllocation, record), within, self.terms())
        if found.model.status is Status.RETIRED:
            raise Missing(f"the allocation {id} is deleted; only its history is kept")
        return found

    def sorted(
        self,
        kind: Kind,
        records: Iterable[tuple[str, Any]],
        versions: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[Sequence[Observed], Sequence[Problem]]:
        """Records, each after what it hangs on, as what can be read and what cannot.

        A deleted allocation is neither.
        """
        items, problems = [], []
        for within, record in records:
            id = f"{within}/{id_of(record)}" if id_of(record) else None
            try:
                items.append(self.observed(kind, f"{id}", record, versions.get(f"{id}")))
            except Missing:
                continue
            except (Malformed, ValueError) as error:
                where = f"{kind} {id or f'without an id in {within}'}"
                name = "name" if kind is Kind.BUDGET else None
                traces = Traces.of(record, name=name, within=[within])
                problems.append(Problem(self._name, where, str(error), id, traces))
        return items, problems

    def version(self, summary: Any) -> str:
        """The summary, the settings that details are read by, and the day: on a new one, a renewal
        may be due to stop that no summary shows."""
        settings = self._settings.model_dump(include=_READ_BY)
        said = json.dumps([summary, settings, self.terms().today], sort_keys=True, default=str)
        return blake2b(said.encode(), digest_size=8).hexdigest()


def allocations_of(budget: Any) -> Sequence[Any]:
    """The records of a budget's allocations; what is no list is one record, to be named as odd."""
    found = budget.get("allocations") if isinstance(budget, dict) else None
    return found if isinstance(found, list) else [found]
