"""Ownership: whose an object is, where other syncs of this state write into the same account.

An object that a neighbour owns is adopted by nobody else. It passes to this sync in a plan only
where it is proved that its owner has done with it: the owner's source does not state it any more,
no run of the owner goes on, and no write of it waits. Everything else is a conflict that names the
owner, and nothing that a neighbour states or links is removed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from canonical.allocation import Status
from canonical.change import Conflict
from canonical.kind import Kind, Op
from canonical.problem import Problem
from connectors.contract.errors import Missing, Unseen
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.match import Key, Newcomer, name_of, place_of
from sync.neighbours import Neighbours
from sync.observe import Observation
from sync.state.journal import Operation
from sync.state.ledger import Link
from sync.state.owners import Owned, Owners


@dataclass(frozen=True, slots=True)
class _Index:
    """The ids of what neighbours own, by what it can be recognised by."""

    keys: dict[Key, str] = field(default_factory=dict)
    stamps: dict[str | Key, str] = field(default_factory=dict)
    names: dict[Key, str] = field(default_factory=dict)


class Ownership:
    """Judges one plan's objects of the sync `sync`; asks nothing where it has no neighbours."""

    def __init__(
        self,
        sync: str,
        owners: Owners,
        neighbours: Neighbours,
        observation: Observation,
        identity: Collection[str] = (),
    ) -> None:
        """`identity` are the target's (`Capabilities.identity`)."""
        self._sync, self._owners, self._neighbours = sync, owners, neighbours
        self._seen, self._identity = observation, identity
        self._indexes: dict[Kind, _Index] = {}
        self._waiting: dict[str, Sequence[Operation]] = {}
        self.problems: dict[str, Problem] = {}

    @cached_property
    def elders(self) -> dict[int, Owned]:
        """Our links, by id, to objects of which a neighbour is the owner."""
        return self._owners.linked_before()

    # -- what is new here --------------------------------------------------------------------

    def owned(self, kind: Kind, newcomers: Sequence[Newcomer]) -> dict[Key, Owned]:
        """Those newcomers that stand for an object of a neighbour.

        It is the one linked under the newcomer's key, else the one that bears its stamp or, where
        it bears none, its name. An object that the listing did not read is found by key alone.
        """
        if not self._owners.names:
            return {}
        seen = self._seen.owned[kind]
        found = self._unread(kind, newcomers)
        for new in newcomers if seen else ():
            id = self._like(kind, new)
            if id is not None:
                found[new.key] = seen[id][1]
        return found

    def being_made(self, kind: Kind) -> dict[Key, str]:
        """What neighbours may have made just now, the answer being lost: key → the sync."""
        return {
            (each.budget_ref, each.ref): sync
            for sync in self._owners.names
            for each in self._at(sync)
            if each.kind is kind and each.op is Op.CREATE
        }

    def _unread(self, kind: Kind, newcomers: Sequence[Newcomer]) -> dict[Key, Owned]:
        keys = [new.key for new in newcomers if new.container in self._seen.unread_within]
        return self._owners.by_refs(kind, keys) if kind is Kind.ALLOCATION and keys else {}

    def _like(self, kind: Kind, new: Newcomer) -> str | None:
        if kind not in self._indexes:
            self._indexes[kind] = _indexed(kind, self._seen.owned[kind].values(), self._identity)
        index = self._indexes[kind]
        if new.key in index.keys:
            return index.keys[new.key]
        if kind is Kind.ALLOCATION and new.container is None:
            return None
        stamped = index.stamps.get(place_of(kind, new.container, new.key[1]))
        return stamped or index.names.get(name_of(kind, new.container, new.model, self._identity))

    def item(self, kind: Kind, owned: Owned, target: Connector) -> Observed | None:
        """The neighbour's object as it is; None where it is gone, or of another account.

        Raises `Unseen` where it may only be hidden.
        """
        seen = self._seen.owned[kind].get(owned.link.target_id)
        if seen is not None:
            return seen[0]
        try:
            return target.get(kind, owned.link.target_id)
        except Unseen:
            raise
        except Missing:
            return None

    def obstacle(self, kind: Kind, key: Key, owned: Owned) -> str | None:
        """Why the object does not pass to this sync; None where its owner has done with it."""
        sync, link = owned
        if (link.budget_ref, link.ref) != key:
            return (
                f"it belongs to the sync {sync}, which knows it as {link.ref}: rename one of them"
            )
        said = f"it belongs to the sync {sync}"
        command = f"`trueup handover {self._sync} --from {sync}` hands it over"
        if self._owners.is_running(sync):
            return f"{said}, of which a run goes on"
        if any((each.kind, (each.budget_ref, each.ref)) == (kind, key) for each in self._at(sync)):
            return f"{said}, which waits for the outcome of a write of it"
        stated = self._neighbours.stated(sync)
        if (kind, key) in stated.keys:
            return f"{said}, whose source states it too: take it out of one source; {command}"
        if stated.fault is not None:
            return f"{said}, and what its source states is not known ({stated.fault}); {command}"
        return None

    def conflict(self, kind: Kind, key: Key, owned: Owned, reason: str) -> Conflict:
        """The conflict about an object of a neighbour that does not pass to this sync."""
        budget_ref, ref = key
        ids = (owned.link.target_id,)
        return Conflict(kind, ref, budget_ref or None, reason, ids, owned.sync)

    # -- what is to go -----------------------------------------------------------------------

    def protected(self, kind: Kind, links: Sequence[Link]) -> set[int]:
        """Those of our links, by id, whose object a neighbour links, states or may state."""
        if not (self._owners.names and links):
            return set()
        linked = self._owners.by_targets(kind, [link.target_id for link in links])
        kept = {link.id for link in links if self._is_needed(kind, link, linked)}
        named = {(link.budget_ref, link.ref): link for link in links if link.id not in kept}
        elsewhere = self._owners.by_refs(kind, list(named))
        for sync in self._neighbours.names:
            stated = self._neighbours.stated(sync)
            for key, link in named.items():
                other = elsewhere.get(key)
                if stated.fault is not None or (
                    (kind, key) in stated.keys and (other is None or other.sync != sync)
                ):
                    kept.add(link.id)
            if stated.fault is not None and named:
                self._tell(sync, stated.fault)
        return kept

    def _is_needed(self, kind: Kind, link: Link, linked: Mapping[str, Owned]) -> bool:
        claimant = self._claimed.get((kind, link.target_id))
        if link.target_id in linked:
            return True
        return claimant is not None and claimant not in self._neighbours.names

    def _tell(self, sync: str, fault: str) -> None:
        reason = f"nothing is removed while it is not known what this source states: {fault}"
        self.problems[sync] = Problem(sync, f"the source of the sync {sync}", reason)

    # -- asked of the state, once ------------------------------------------------------------

    def _at(self, sync: str) -> Sequence[Operation]:
        if sync not in self._waiting:
            self._waiting[sync] = self._owners.waiting(sync)
        return self._waiting[sync]

    @cached_property
    def _claimed(self) -> dict[tuple[Kind, str], str]:
        return self._owners.claimed()


def _indexed(
    kind: Kind, owned: Iterable[tuple[Observed, Owned]], identity: Collection[str]
) -> _Index:
    index = _Index()
    for item, (_, link) in owned:
        index.keys[link.budget_ref, link.ref] = item.id
        if item.model.status is Status.RETIRED:
            continue
        if item.stamp is not None:
            index.stamps[place_of(kind, item.container, item.stamp)] = item.id
        else:
            index.names[name_of(kind, item.container, item.model, identity)] = item.id
    return index
