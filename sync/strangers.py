"""Strangers: what is in use in the target, and no source of any sync of this state ever stated."""

from collections.abc import Callable, Collection, Mapping

from canonical.allocation import Status
from canonical.change import Unstated
from canonical.facts import facts
from canonical.kind import Kind
from canonical.side import Side
from connectors.contract.records import Observed
from sync.additions import Additions
from sync.counterpart import Counterparts
from sync.fields import OnNew
from sync.findings import MANY, Findings
from sync.observe import Observation
from sync.source_side import SourceSide


class Strangers:
    """Makes them in the source, names them one by one, or says nothing, as the sync has it."""

    def __init__(
        self,
        on_new: OnNew,
        seen: Observation,
        counterparts: Counterparts,
        found: Findings,
        additions: Additions | None = None,
        side: SourceSide | None = None,
        unlinked: Callable[[Kind], Collection[str]] = lambda kind: (),
    ) -> None:
        """What was `unlinked` is made nowhere: whose it is, a person says."""
        self._unlinked = unlinked
        self._on_new, self._seen, self._there, self._found = on_new, seen, counterparts, found
        self._additions, self._side = additions, side

    def settle(self, *, trusted: bool) -> None:
        """Once all that the source states is judged. Nothing is made in a source that is not
        `trusted`, as what it could not be read of may be just this."""
        if self._on_new is OnNew.IGNORE:
            return
        left = {kind: self._left(kind) for kind in Kind}
        if self._additions is not None and self._side is not None and trusted:
            for kind in Kind:
                spoken = self._added(self._additions, self._side, kind, left[kind])
                left[kind] = {id: item for id, item in left[kind].items() if id not in spoken}
        for kind in Kind:
            for id, item in left[kind].items():
                self._name(kind, id, item)

    def _left(self, kind: Kind) -> Mapping[str, Observed]:
        adopted = self._there.adopted(kind)
        return {
            id: item
            for id, item in self._seen.strangers[kind].items()
            if id not in adopted and item.model.status is not Status.RETIRED
        }

    def _added(
        self, additions: Additions, side: SourceSide, kind: Kind, items: Mapping[str, Observed]
    ) -> Collection[str]:
        """The ids of those that the plan speaks of among its changes."""
        doubtful = {id for each in self._found.conflicts for id in each.candidates}
        doubtful |= {*self._unlinked(kind), *side.removed(kind, list(items))}

        def stays(item: Observed) -> bool:
            above = ""
            if kind is Kind.ALLOCATION and item.container is not None:
                above = self._there.ref_of(item.container) or ""
            if side.is_being_made(item.model, above, Side.SOURCE):
                self._found.waiting += 1
                return True
            return item.id in doubtful or side.is_being_made(item.model, above, Side.TARGET)

        return additions.add(kind, items.values(), stays)

    def _name(self, kind: Kind, id: str, item: Observed) -> None:
        self._found.stranger_count += 1
        if len(self._found.strangers) < MANY:
            self._found.strangers.append(Unstated.of(kind, id, facts(item.model)))
