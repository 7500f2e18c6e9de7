"""Claim: newcomers that stand for an object of another sync, and what passes to this one."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from canonical.allocation import Status
from canonical.change import Conflict, Handover
from canonical.facts import facts
from canonical.kind import Kind
from connectors.contract.errors import Unseen
from connectors.contract.interface import Connector
from sync.counterpart import Counterpart, Counterparts
from sync.decide import Wanted
from sync.findings import Findings
from sync.match import Key, Newcomer
from sync.ownership import Ownership
from sync.reconcile import Reconciler
from sync.state.ledger import Ledger
from sync.state.owners import Owned
from sync.stuck import UNDECIDED, Stuck


class Claims:
    """Decides about them as `ownership` says; what stays with its owner is `undecided` here."""

    def __init__(
        self,
        target: Connector,
        ledger: Ledger,
        ownership: Ownership,
        counterparts: Counterparts,
        reconciler: Reconciler,
        stuck: Stuck,
        waiting: Collection[tuple[Kind, Key]],
        found: Findings,
    ) -> None:
        self._target, self._ledger, self._ownership = target, ledger, ownership
        self._there, self._reconciler, self._stuck = counterparts, reconciler, stuck
        self._waiting, self._found = waiting, found
        self.undecided: dict[Kind, set[Key]] = {kind: set() for kind in Kind}

    def without_owner(
        self, kind: Kind, newcomers: Sequence[Wanted], containers: Mapping[str, str]
    ) -> Iterator[Wanted]:
        """The newcomers that no other sync owns; one that it has done with is taken over."""
        open = [
            Newcomer(each.key, each.model, containers.get(each.key[0]))
            for each in newcomers
            if (kind, each.key) not in self._waiting and each.key[0] not in self._stuck
        ]
        owned, being_made = self._ownership.owned(kind, open), self._ownership.being_made(kind)
        for wanted in newcomers:
            key = wanted.key
            if key in self._there.shares or key in self.undecided[kind]:
                continue
            if key in owned:
                if not self._take_over(wanted, owned[key]):
                    yield wanted
            elif key in being_made and (kind, key) not in self._waiting:
                sync = being_made[key]
                said = f"the sync {sync} waits for the outcome of making it"
                self.leave(Conflict(kind, key[1], key[0] or None, said, (), sync))
            else:
                yield wanted

    def passes(self, wanted: Wanted, owned: Owned, *, over: bool = False) -> bool:
        """Whether the object passes to this sync: not while its owner needs it, which is a
        conflict, and not where it is `over`, which is none."""
        kind, key = wanted.kind, wanted.key
        reason = self._ownership.obstacle(kind, key, owned)
        if reason is not None:
            self.leave(self._ownership.conflict(kind, key, owned, reason))
        elif not over:
            said = Handover(kind, key[1], key[0] or None, owned.link.target_id, owned.sync)
            self._found.handovers.append(said)
            self._found.taken.append(owned)
        return reason is None and not over

    def leave(self, conflict: Conflict) -> None:
        """Nothing is decided about the object of this conflict, nor below it."""
        key = conflict.budget_ref or "", conflict.ref
        self._found.conflicts.append(conflict)
        self.undecided[conflict.kind].add(key)
        self._stuck.add(conflict.kind, key, UNDECIDED)

    def _take_over(self, wanted: Wanted, owned: Owned) -> bool:
        """Take the object over, or say why not; false where there is none, or it is over."""
        try:
            item = self._ownership.item(wanted.kind, owned, self._target)
        except Unseen as error:
            said = f"it belongs to the sync {owned.sync}, and {error.message}"
            self.leave(self._ownership.conflict(wanted.kind, wanted.key, owned, said))
            return True
        if item is None:
            return False
        if not self.passes(wanted, owned, over=item.model.status is Status.RETIRED):
            return wanted.key in self.undecided[wanted.kind]
        self._there.adopt(wanted.kind, wanted.key, item)
        link, values = owned.link, facts(item.model)
        baseline = self._ledger.baselines([link.id])[link.id]
        there = Counterpart(item.id, link.origin, values, baseline, link, "handover")
        self._reconciler.reconcile(wanted, there)
        return True
