"""Link: a person says which object of the target is meant by a ref.

The object is read, and the next run is planned as if it were said already, so that what is shown is
what would be done. Nothing is agreed by it: the next run adopts the object as any other.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from canonical.allocation import Status
from canonical.change import Change, Conflict, Plan
from canonical.facts import Fact, facts
from canonical.kind import FIELDS, Kind
from canonical.side import Side
from canonical.waiting import Waiting
from connectors.contract.errors import Missing, Unseen
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.links import CannotLink, LinkWaits
from sync.match import Key
from sync.meaning import Meaning, Word, named, unlinking
from sync.spec import SyncSpec
from sync.state.audit import Audit
from sync.state.audited import linked
from sync.state.decisions import Decided
from sync.state.journal import Journal
from sync.state.lease import Lease
from sync.state.ledger import Ledger
from sync.state.meanings import Meanings
from sync.state.owners import Owners
from sync.state.store import Store
from sync.stating import stated

Preview = Callable[[Meaning], Plan]
"""What the next run would do, if that were said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """A ref and the object that is to be its: what both say, and what the next run would do.

    `sides` are the fields that either says, as (source, target); `change` is None where nothing of
    the object would be written.
    """

    sync: str
    kind: Kind
    key: Key
    target_id: str
    stamp: str | None
    sides: Mapping[str, tuple[Fact, Fact]]
    change: Change | None
    conflicts: tuple[Conflict, ...] = ()
    waits: tuple[Waiting, ...] = ()
    guards: tuple[str, ...] = ()
    done: bool = False

    def to_data(self) -> dict[str, Any]:
        """As JSON-ready data, in the shape that `link --json` prints."""
        change = self.change
        return {
            "sync": self.sync,
            "linked": self.done,
            "kind": self.kind.value,
            "ref": self.key[1],
            "budget_ref": self.key[0] or None,
            "target_id": self.target_id,
            "stamp": self.stamp,
            "fields": {
                name: {"source": ours, "target": theirs}
                for name, (ours, theirs) in self.sides.items()
            },
            "next": {
                "op": None if change is None else change.op.value,
                "fields": {
                    name: {"before": before, "after": after}
                    for name, (before, after) in (change.fields if change else {}).items()
                },
                "losses": [f"{each.name}: {each.reason}" for each in change.losses]
                if change
                else [],
                "conflicts": [each.reason for each in self.conflicts],
                "waits": [each.reason for each in self.waits],
                "guards": [*self.guards],
            },
        }


class Linker:
    """Links refs of one sync. `preview` plans its next run with a word more."""

    def __init__(
        self,
        spec: SyncSpec,
        source: Connector,
        target: Connector,
        store: Store,
        owners: Owners,
        now: Callable[[], datetime],
        preview: Preview,
    ) -> None:
        self._spec, self._source, self._target = spec, source, target
        self._store, self._owners, self._now, self._preview = store, owners, now, preview
        self._ledger = Ledger(store, spec.name)
        self._meanings = Meanings(store, spec.name)

    def link(
        self,
        ref: str,
        id: str,
        budget: str | None,
        approve: Callable[[Linking], bool],
        reading: AbstractContextManager[Any] | None = None,
    ) -> Linking:
        """Say that the budget `ref`, or that allocation of `budget`, is the target's object `id`.

        `reading` is entered while both sides are read. Raises `CannotLink`, `LeaseHeld` while a
        run of the sync goes on, and the errors of `connectors.contract.errors`.
        """
        kind, key = named(ref, budget)
        with Lease.take(self._store, self._spec.name, now=self._now) as lease:
            ensure_settled(self._store, self._spec.name, kind, key, id)
            self._check_ref(kind, key, id)
            with reading or nullcontext():
                record = stated(self._spec, self._source, kind, key)
                item = self._item(kind, id)
            self._check_free(kind, key, item.id)
            self._check_place(kind, key, item)
            meaning = Meaning(word=Word.LINK, kind=kind, key=key, id=item.id)
            found = self._linking(meaning, record, item)
            if not approve(found):
                return found
            with self._store.write() as connection:
                lease.guard(connection)
                self._meanings.unsay(connection, self._overtaken(meaning))
                self._meanings.say(connection, [meaning])
                self._ledger.outdate_versions(connection, {key[0]} - {""})
                told = linked(self._spec.name, kind, key, item.id)
                Audit(self._store).append(connection, told)
        return replace(found, done=True)

    def _check_ref(self, kind: Kind, key: Key, id: str) -> None:
        sync, ref = self._spec.name, key[1]
        if (link := self._ledger.by_refs(kind, [key]).get(key)) is not None:
            if link.target_id == id:
                raise CannotLink(f"{sync} has linked {ref} to {id} already")
            free = unlinking(sync, kind, key)
            raise CannotLink(f"{sync} has linked {ref} to {link.target_id}; {free} frees it")
        if owned := self._owners.by_refs(kind, [key]):
            raise CannotLink(f"{ref} belongs to the sync {owned[key].sync}")

    def _item(self, kind: Kind, id: str) -> Observed:
        """The target's object, in use or such as can be again."""
        able = self._target.capabilities
        try:
            item = self._target.get(kind, id)
        except Unseen:
            raise
        except Missing:
            raise CannotLink(f"{self._spec.target} has no {kind} {id}") from None
        if item.model.status is Status.RETIRED and kind not in able.revives:
            raise CannotLink(f"{id} was retired in {able.vendor}, which cannot revive")
        return item

    def _check_free(self, kind: Kind, key: Key, id: str) -> None:
        """One object of the target goes to one of ours."""
        sync = self._spec.name
        if (link := self._ledger.by_targets(kind, [id]).get(id)) is not None:
            other = (link.budget_ref, link.ref)
            free = unlinking(sync, kind, other)
            raise CannotLink(f"{sync} has linked {id} to {link.ref}; {free} frees it")
        for taken, other in Decided(self._store).open(sync).takers(id):
            if taken is kind and other != key:
                free = unlinking(sync, kind, other)
                raise CannotLink(f"it is said already that {id} is {other[1]}; {free} frees it")
        if owned := self._owners.by_targets(kind, [id]):
            owner = owned[id].sync
            raise CannotLink(
                f"{id} belongs to the sync {owner}, which knows it as {owned[id].link.ref}; "
                f"trueup handover {sync} --from {owner} hands over what it owns"
            )

    def _check_place(self, kind: Kind, key: Key, item: Observed) -> None:
        """An allocation's object lies in the object of its budget."""
        if kind is Kind.BUDGET:
            return
        above = ("", key[0])
        link = self._ledger.by_refs(Kind.BUDGET, [above]).get(above)
        said = [each.id for each in self._meanings.of(Kind.BUDGET, above) if each.word is Word.LINK]
        place = link.target_id if link else said[-1] if said else None
        if place is None:
            raise CannotLink(f"{self._spec.name} has linked no budget {key[0]} yet: that is first")
        if item.container != place:
            raise CannotLink(f"{item.id} lies in {item.container}, and {key[0]} is {place}")

    def _linking(self, meaning: Meaning, record: Observed, item: Observed) -> Linking:
        plan = self._preview(meaning)
        kind, key = meaning.kind, meaning.key
        both = zip(FIELDS[kind], facts(record.model), facts(item.model), strict=True)
        above = key[0] or None

        def about(each: Change | Conflict | Waiting) -> bool:
            return (each.kind, each.budget_ref, each.ref) == (kind, above, key[1])

        return Linking(
            sync=self._spec.name,
            kind=kind,
            key=key,
            target_id=item.id,
            stamp=item.stamp,
            sides={n: (ours, theirs) for n, ours, theirs in both if not ours is theirs is None},
            change=next(filter(about, plan.changes), None),
            conflicts=tuple(filter(about, plan.conflicts)),
            waits=tuple(filter(about, plan.waits)),
            guards=tuple(trip.message for trip in plan.guards),
        )

    def _overtaken(self, meaning: Meaning) -> Sequence[Meaning]:
        """What was said before and is otherwise now."""
        return [
            each
            for each in self._meanings.of(meaning.kind, meaning.key)
            if each.word is Word.LINK or each.id == meaning.id
        ]


def ensure_settled(store: Store, sync: str, kind: Kind, key: Key, id: str | None) -> None:
    """Raise `LinkWaits` while a write of that object, to either side, has an unknown outcome."""
    for each in Journal(store, sync).open_on_both_sides():
        is_it = each.side is Side.TARGET and each.target_id == id
        same = each.kind is kind and ((each.budget_ref, each.ref) == key or is_it)
        above = each.kind is Kind.BUDGET and each.ref == key[0]
        if same or above or (kind is Kind.BUDGET and each.budget_ref == key[1]):
            said = f"a write of {each.kind} {each.ref} has an unknown outcome"
            raise LinkWaits(f"{said}: trueup run {sync} looks at it again")
