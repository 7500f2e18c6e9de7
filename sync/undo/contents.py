"""Contents: which budgets cannot be removed, as something is in them that stays."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain

from canonical.allocation import Status
from canonical.change import Change
from canonical.kind import Kind, Op
from sync.counterpart import Counterparts
from sync.observe import Observation
from sync.state.ledger import Ledger
from sync.state.places import ABOVE


class Contents:
    """What hangs below what, as the target shows it, once `changes` have moved things out."""

    def __init__(
        self,
        seen: Observation,
        ledger: Ledger,
        there: Counterparts,
        changes: Sequence[Change],
    ) -> None:
        self._seen, self._ledger, self._there = seen, ledger, there
        self._moving = {
            each.target_id
            for each in changes
            if each.op is Op.UPDATE and not {"parent", "budget"}.isdisjoint(each.fields)
        }

    def kept(self, going: Collection[str]) -> Mapping[str, str]:
        """Which of those ids cannot go, each with something that is in it; going on with what is
        above them."""
        left, found = set(going), dict[str, str]()
        pairs = list(self._pairs())
        while stuck := {
            above: said for id, above, said in pairs if above in left and id not in left
        }:
            found |= stuck
            left -= stuck.keys()
        return found

    def _pairs(self) -> Iterator[tuple[str, str, str]]:
        """Each object in use, the id of the budget above it, and what it is called."""
        for kind in Kind:
            owned = (item for item, _ in self._seen.owned[kind].values())
            for item in chain(self._seen.strangers[kind].values(), owned):
                if item.container and item.model.status is not Status.RETIRED:
                    yield item.id, item.container, f"{kind} {item.id}, which is not of this sync,"
            for link, agreed in self._ledger.agreements(list(self._ledger.ids(kind))):
                values = self._seen.last_seen(link.id, agreed)
                above = values[ABOVE[kind]]
                if above and self._seen.has(link.id) and link.target_id not in self._moving:
                    yield link.target_id, str(above), f"{kind} {link.ref}"
