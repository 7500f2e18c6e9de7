"""Stating: what a source states of one object, where a person names it."""

from canonical.allocation import Status
from canonical.kind import Kind
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.intake.select import key_of
from sync.links import CannotLink
from sync.match import Key
from sync.spec import SyncSpec


def stated(spec: SyncSpec, source: Connector, kind: Kind, key: Key) -> Observed:
    """The record that the sync carries of that key; raises `CannotLink` where there is none."""
    name, above = key[1], key[0] or key[1]
    budget = _record(source, Kind.BUDGET, ("", above))
    found = budget if kind is Kind.BUDGET else _record(source, kind, key)
    if budget is None or found is None:
        raise CannotLink(f"{source.name} states no {kind} {name}")
    if spec.select is not None and not spec.select.holds(budget.model):  # type: ignore[arg-type]
        raise CannotLink(f"the selection of {spec.name} leaves {above} out")
    if Status.RETIRED in (found.model.status, budget.model.status):
        raise CannotLink(f"{source.name} states that {name} is retired: nothing stands for it")
    return found


def _record(source: Connector, kind: Kind, key: Key) -> Observed | None:
    for page in source.list(kind):
        for item in page.items:
            if key_of(item) == key:
                return item
    return None
