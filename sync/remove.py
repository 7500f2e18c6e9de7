"""Remove: what is linked and the source no longer has, kept or taken out as the sync says."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

from canonical.allocation import Status
from canonical.change import Unstated
from canonical.compare import Baseline, Cause
from canonical.facts import Fact, Facts
from canonical.kind import Kind, Op
from canonical.waiting import Waiting
from connectors.contract.capabilities import Capabilities, Removal
from connectors.contract.errors import Unseen
from sync.counterpart import Counterparts
from sync.decide import is_out_of_use, removal
from sync.decided import Take
from sync.doable import barring
from sync.findings import MANY, Findings
from sync.intake.select import Left
from sync.match import Key
from sync.observe import BitSet, Observation
from sync.ownership import Ownership
from sync.reconcile import STATUS
from sync.removed import Removed
from sync.spec import OnRemove
from sync.state.ledger import Ledger, Link
from sync.state.places import ABOVE
from sync.weigh import Weigher

_KEEP = 'on_remove = "keep"'
_LEFT = "it left the selection of this sync"
_BELOW = f"{_LEFT}, and what is selected still hangs below it"
_GONE = "if it is gone, say so with --allow unseen"
_SHARED = (
    "somebody put something into it that no source states and that would go with it: "
    "take that out, or let the source state it"
)
_WAITS = "whether it goes waits for a decision, as the target changed it"
_DECIDED = "it was decided that it stays"
_WITHIN = "something in it stays, as the target changed that"


class _Leaving(NamedTuple):
    link: Link
    observed: Facts
    agreed: Baseline


class Removals:
    """Decides about linked objects that a source listing did not mention.

    Without a `policy` other than keep, or where the listing is not to be trusted, all stay; so do
    those links that are `disputed`, for the reason that stands there. What is `left` out by the
    selection is told so.
    """

    def __init__(
        self,
        policy: OnRemove,
        able: Capabilities,
        ledger: Ledger,
        seen: Observation,
        counterparts: Counterparts,
        ownership: Ownership,
        disputed: Mapping[int, str],
        weigher: Weigher,
        left: Left,
        found: Findings,
        removed: Removed | None = None,
    ) -> None:
        """`removed` judges what the target changed meanwhile; None where that never counts."""
        self._removed = removed
        self._policy, self._able, self._ledger, self._seen = policy, able, ledger, seen
        self._there, self._ownership, self._disputed = counterparts, ownership, disputed
        self._weigher, self._left, self._found = weigher, left, found
        self._above: set[str] = set()
        self._mentioned = BitSet()

    def remove(self, mentioned: BitSet, *, trusted: bool) -> None:
        """Decide about all links but those `mentioned`.

        One that the target's listing does not show is asked for by its id: it may have lost its
        place in the middle of an earlier removal.
        """
        self._mentioned = mentioned
        for kind in Kind:
            absent = (id for id in self._ledger.ids(kind) if id not in mentioned)
            ours = list(self._ours(absent))
            leaving = self._unless_moved(kind, list(self._leaving(kind, ours, trusted=trusted)))
            self._unless_owned(kind, leaving)
        self._found.problems.extend(self._ownership.problems.values())

    def _ours(self, ids: Iterable[int]) -> Iterator[int]:
        """Of objects that a neighbour owns only our link goes."""
        elders = self._ownership.elders
        for id in ids:
            if id in elders:
                self._found.forgotten.append(id)
            else:
                yield id

    def _leaving(self, kind: Kind, ids: Sequence[int], *, trusted: bool) -> Iterator[_Leaving]:
        """What is still in use there; of the others a link to nothing is forgotten."""
        for link, agreed in self._ledger.agreements(ids):
            reason = self._reason_to_keep(link, trusted=trusted)
            was_out = self._is_out(kind, agreed.echo)
            if reason is not None or (was_out and not self._seen.has(link.id)):
                self._keep(link, self._seen.last_seen(link.id, agreed), reason)
                continue
            try:
                observed = self._there.observed(kind, link, agreed)
            except Unseen as error:
                self._keep(link, agreed.echo, f"{error.message}: {_GONE}")
                continue
            if observed is not None and not self._is_out(kind, observed):
                yield _Leaving(link, observed, agreed)
                continue
            self._found.kept += 1
            if observed is None:  # neither listed nor to be read
                self._found.forgotten.append(link.id)

    def _reason_to_keep(self, link: Link, *, trusted: bool) -> str | None:
        if link.id in self._seen.unreadable or link.target_id in self._seen.above:
            return "it cannot be read"
        if not trusted:
            return "not all of the source could be read"
        if self._policy is OnRemove.KEEP:
            return f"{_LEFT}; {_KEEP}" if link.id in self._left.links else _KEEP
        return self._disputed.get(link.id)

    def _keep(self, link: Link, values: Facts, reason: str | None) -> None:
        """Count what stays, and name what is still in use."""
        self._found.kept += 1
        if len(self._found.kept_objects) < MANY and not self._is_out(link.kind, values):
            ref, above = link.ref, link.budget_ref or None
            said = Unstated.of(
                link.kind,
                link.target_id,
                values,
                self._cause(link),
                ref=ref,
                budget_ref=above,
                reason=reason,
            )
            self._found.kept_objects.append(said)

    def _is_out(self, kind: Kind, values: Facts) -> bool:
        return is_out_of_use(values[STATUS[kind]], self._able, self._policy)

    def _unless_moved(self, kind: Kind, leaving: Sequence[_Leaving]) -> Sequence[_Leaving]:
        """Nothing goes that the target changed meanwhile and a person has to decide about, nor what
        that is in."""
        if self._removed is None:
            return leaving
        staying = {}
        for each in leaving:
            judged = self._removed.dropped(each.link, each.observed, each.agreed)
            if isinstance(judged, Waiting):
                refused = self._refusal(each)
                self._found.waits.append(barring(judged, {Take.SOURCE: refused}))
            if judged is not Take.SOURCE:
                staying[each.link.id] = _DECIDED if judged is Take.TARGET else _WAITS
        if kind is Kind.BUDGET:
            budgets = {each.link.target_id: each for each in leaving}
            stays = [str(each.observed[ABOVE[kind]]) for each in leaving if each.link.id in staying]
            for above in [*stays, *self._moved_shares()]:
                while (holding := budgets.get(above)) and holding.link.id not in staying:
                    staying[holding.link.id] = _WITHIN
                    above = str(holding.observed[ABOVE[kind]])
        for each in leaving:
            if reason := staying.get(each.link.id):
                self._keep(each.link, each.observed, reason)
        return [each for each in leaving if each.link.id not in staying]

    def _refusal(self, leaving: _Leaving) -> str | None:
        """Why the target could not let it go."""
        link = leaving.link
        key = link.budget_ref, link.ref
        change = removal(link.kind, key, link.target_id, leaving.observed, self._policy, self._able)
        return change.losses[0].reason if change.op is Op.BLOCKED else None

    def _moved_shares(self) -> Iterator[str]:
        """The target's ids of budgets with a share that stays, as the target changed it."""
        assert self._removed is not None
        for link, agreed in self._ledger.agreements(list(self._seen.drifted)):
            if link.kind is not Kind.ALLOCATION or link.id in self._mentioned:
                continue
            observed = self._seen.last_seen(link.id, agreed)
            if self._removed.dropped(link, observed, agreed) is not Take.SOURCE:
                yield str(observed[ABOVE[Kind.ALLOCATION]])

    def _unless_owned(self, kind: Kind, leaving: Sequence[_Leaving]) -> None:
        """Nothing goes that another sync links, states or may state."""
        protected = self._ownership.protected(kind, [each.link for each in leaving])
        if kind is Kind.BUDGET:
            self._above = self._above_selected(leaving)
        shared = self._shared(leaving) if kind is Kind.BUDGET and self._deletes else set()
        for link, observed, agreed in leaving:
            if link.id in protected:
                self._keep(link, observed, "another sync needs it, or may")
                continue
            if link.id in shared:
                self._keep(link, observed, _SHARED)
                continue
            if (link.budget_ref or link.ref) in self._above:
                self._keep(link, observed, _BELOW)
                continue
            if link.id in self._seen.drifted:
                observed = self._there.disowned(
                    kind, link.target_id, None, observed, agreed.desired
                )
            key = link.budget_ref, link.ref
            change = removal(kind, key, link.target_id, observed, self._policy, self._able)
            self._found.note(change.losses)
            money = self._weigher.removal(kind, key, observed, change.op)
            image = self._there.image(kind, observed, agreed)
            cause = self._cause(link)
            self._found.changes.append(replace(change, money=money, cause=cause, image=image))

    @property
    def _deletes(self) -> bool:
        able = self._able.removal in (Removal.DELETE, Removal.RETIRE_OR_DELETE)
        return self._policy is OnRemove.DELETE and able

    def _cause(self, link: Link) -> Cause:
        return Cause.SELECTION if link.id in self._left.links else Cause.SOURCE

    def _above_selected(self, leaving: Sequence[_Leaving]) -> set[str]:
        """The refs of budgets that left the selection, and below which, or below whose parts, the
        target shows what did not."""
        left = {each.link.target_id: each for each in leaving if each.link.id in self._left.links}
        children = [("", ref) for ref in self._left.parents] if left else []
        found: set[str] = set()
        for link, agreed in self._ledger.agreements(self._ids(children)):
            above = self._seen.last_seen(link.id, agreed)[ABOVE[Kind.BUDGET]]
            while (parent := left.get(str(above))) and parent.link.ref not in found:
                found.add(parent.link.ref)
                above = parent.observed[ABOVE[Kind.BUDGET]]
        return found

    def _ids(self, keys: Sequence[Key]) -> list[int]:
        starts = range(0, len(keys), MANY)
        batches = (self._ledger.by_refs(Kind.BUDGET, keys[at : at + MANY]) for at in starts)
        return [link.id for batch in batches for link in batch.values()]

    def _shared(self, leaving: Sequence[_Leaving]) -> set[int]:
        """Links of budgets that hold, or whose parts hold, what is in use and not ours."""
        budgets = {each.link.target_id: each for each in leaving}
        found: set[int] = set()
        for above in self._holding_others() if budgets else ():
            while (holding := budgets.get(str(above))) and holding.link.id not in found:
                found.add(holding.link.id)
                above = holding.observed[ABOVE[Kind.BUDGET]]
        return found

    def _holding_others(self) -> Iterator[Fact]:
        """The ids of what somebody else's objects hang below."""
        for kind in Kind:
            adopted = self._there.adopted(kind)
            owned = (item for item, _ in self._seen.owned[kind].values())
            for item in chain(self._seen.strangers[kind].values(), owned):
                in_use = item.id not in adopted and item.model.status is not Status.RETIRED
                if in_use and item.container:
                    yield item.container
