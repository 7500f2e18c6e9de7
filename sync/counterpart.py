"""Counterpart: the target's side of an object, found by link or adopted, in the owner's terms."""

from collections.abc import Collection, Iterable
from functools import cached_property
from typing import NamedTuple

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.compare import Baseline
from canonical.facts import Fact, Facts, facts
from canonical.image import image_of
from canonical.kind import Kind
from canonical.problem import Problem
from connectors.contract.errors import Missing, Unseen
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.findings import Findings
from sync.match import Key
from sync.observe import Observation
from sync.state.ledger import Ledger, Link
from sync.state.places import ABOVE

_BATCH = 1000


class Counterpart(NamedTuple):
    """One object of the target: its facts as observed, and what both sides last agreed on.

    `origin` is how its link came about, `matched` how it was recognised where it has none.
    """

    target_id: str
    origin: str
    observed: Facts
    baseline: Baseline | None = None
    link: Link | None = None
    matched: str | None = None
    item: Observed | None = None


class Counterparts:
    """Finds them in an observation, and keeps count of those adopted in this plan."""

    def __init__(
        self,
        target: Connector,
        ledger: Ledger,
        seen: Observation,
        found: Findings,
        *,
        unseen_is_gone: bool = False,
    ) -> None:
        self._unseen_is_gone = unseen_is_gone
        self._target, self._ledger, self._seen, self._found = target, ledger, seen, found
        self._refs: dict[str, str | None] = {}  # of the target's budgets, looked up or adopted
        self._moved: dict[int, str] = {}  # links whose objects go by another id now
        self.shares: dict[Key, str] = {}
        """The target's ids of the allocations adopted."""

    # -- by link -----------------------------------------------------------------------------

    def linked(
        self,
        kind: Kind,
        link: Link,
        baseline: Baseline,
        model: Budget | Allocation | None,
    ) -> Counterpart | None:
        """What is linked and wanted to be `model`, if that is known; None where it is gone.

        Raises `Unseen`, as `observed` does.
        """
        observed = self.observed(kind, link, baseline)
        if observed is None:
            return None
        target_id = self._moved.get(link.id, link.target_id)
        if link.id not in self._seen.clean:
            observed = self.disowned(kind, target_id, model, observed, baseline.desired)
        item = self._seen.drifted.get(link.id)
        return Counterpart(target_id, link.origin, observed, baseline, link, item=item)

    def observed(self, kind: Kind, link: Link, baseline: Baseline) -> Facts | None:
        """The target's facts of a linked object; None where it is proved to be gone.

        Absence from a complete listing is confirmed by asking for the object itself; one that
        answers under another id than it had is what the listing shows under that. Raises `Unseen`
        where it may be hidden, unless what is not seen is said to be gone.
        """
        if link.id in self._seen.drifted:
            return facts(self._seen.drifted[link.id].model)
        if link.id in self._seen.clean:
            return baseline.echo
        try:
            item = self._target.get(kind, link.target_id)
        except Unseen:
            if not self._unseen_is_gone:
                raise
            return None
        except Missing:
            return None
        if item.id != link.target_id:
            self._moved[link.id] = item.id
            self._seen.renamed(kind, link.id, item)
            if kind is Kind.BUDGET:
                self._refs[item.id] = link.ref
        return facts(item.model)

    # -- by recognition ----------------------------------------------------------------------

    def adopt(self, kind: Kind, key: Key, item: Observed) -> None:
        """Take note that the stranger `item` is the object of that key."""
        if kind is Kind.BUDGET:
            self._refs[item.id] = key[1]
            self.__dict__.pop("_ids", None)
        else:
            self.shares[key] = item.id
        self._found.adopted += 1

    def call(self, id: str, ref: str) -> None:
        """Take note that a budget of the target is to be of that ref in the source."""
        self._refs[id] = ref

    def adopted(self, kind: Kind) -> Collection[str]:
        """The target's ids of all that is adopted, or was looked up as above something."""
        return self._refs if kind is Kind.BUDGET else set(self.shares.values())

    def budgets(self, refs: Iterable[str]) -> dict[str, str]:
        """The target's ids of those budgets, linked or adopted, by ref, where they exist."""
        found, linked = {}, []
        for ref in sorted(set(refs)):
            if ref in self._ids:
                found[ref] = self._ids[ref]
            else:
                linked.append(("", ref))
        for start in range(0, len(linked), _BATCH):
            links = self._ledger.by_refs(Kind.BUDGET, linked[start : start + _BATCH])
            found.update((ref, link.target_id) for (_, ref), link in links.items())
        return found

    @cached_property
    def _ids(self) -> dict[str, str]:
        """The target's ids of the budgets that were adopted: all of them, as budgets come first."""
        return {ref: id for id, ref in self._refs.items() if ref is not None}

    # -- in the owner's terms ----------------------------------------------------------------

    def disowned(
        self,
        kind: Kind,
        id: str,
        model: Budget | Allocation | None,
        observed: Facts,
        agreed: Facts | None,
    ) -> Facts:
        """The target's facts without what somebody else put into the object; that is told."""
        found = self._target.disown(kind, id, model, agreed)
        if found is None:
            return observed
        item, said = found
        self._found.problems.append(Problem(self._target.name, f"{kind} {id}", said, id))
        return facts(item.model)

    def image(self, kind: Kind, observed: Facts, agreed: Baseline | None) -> dict[str, Fact]:
        """All that is there of an object, for the journal: by it the object can be made again."""
        ours = agreed and Baseline(agreed.desired, self.in_our_terms(kind, agreed.echo))
        return image_of(kind, self.in_our_terms(kind, observed), ours)

    def in_our_terms(self, kind: Kind, values: Facts) -> Facts:
        """The target's facts, its id of the budget above turned into the owner's ref."""
        at = ABOVE[kind]
        if values[at] is None:
            return values
        return (*values[:at], self.ref_of(str(values[at])), *values[at + 1 :])

    def ref_of(self, id: str) -> str | None:
        """Our ref of the target's budget of that id; None where it stands for none of ours."""
        if id not in self._refs:
            link = self._ledger.by_targets(Kind.BUDGET, [id]).get(id)
            self._refs[id] = link.ref if link else None
        return self._refs[id]
