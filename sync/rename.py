"""Rename: a code that changed in the source keeps its object in the target.

A person says so. The source is asked whether it states the new ref and the old one no more; the
target is asked nothing, and gets the new stamp with the next run.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from canonical.facts import facts
from canonical.kind import FIELDS, Kind
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.intake.select import key_of
from sync.match import Key
from sync.meaning import named
from sync.renames import CannotRename, RenameWaits
from sync.spec import SyncSpec
from sync.state.audit import Audit
from sync.state.audited import renamed
from sync.state.journal import Journal
from sync.state.lease import Lease
from sync.state.ledger import Ledger, Link
from sync.state.owners import Owners
from sync.state.renaming import Rename, rename
from sync.state.store import Store

_ENTITY = FIELDS[Kind.ALLOCATION].index("entity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Renaming:
    """What would be known by another ref, each with the target's id.

    `left` are allocations of a renamed budget that the source states no more below it: the next
    run treats them as `on_remove` says.
    """

    sync: str
    renames: tuple[tuple[Rename, str], ...]
    left: tuple[Link, ...] = ()
    done: bool = False

    def to_data(self) -> dict[str, Any]:
        """As JSON-ready data, in the shape that `rename --json` prints."""
        return {
            "sync": self.sync,
            "renamed": self.done,
            "objects": [
                {
                    "kind": each.kind.value,
                    "old": {"ref": each.old[1], "budget_ref": each.old[0] or None},
                    "new": {"ref": each.new[1], "budget_ref": each.new[0] or None},
                    "target_id": id,
                }
                for each, id in self.renames
            ],
            "left": [{"ref": link.ref, "target_id": link.target_id} for link in self.left],
        }


@dataclass(slots=True)
class _Stated:
    """What the source states: the keys of each kind, and by budget its allocations."""

    keys: dict[Kind, set[Key]] = field(default_factory=lambda: defaultdict(set))
    carried: set[str] = field(default_factory=set)
    shares: dict[str, list[Observed]] = field(default_factory=lambda: defaultdict(list))


class Renamer:
    """Renames what one sync links."""

    def __init__(
        self,
        spec: SyncSpec,
        source: Connector,
        store: Store,
        owners: Owners,
        now: Callable[[], datetime],
    ) -> None:
        self._spec, self._source, self._store, self._owners = spec, source, store, owners
        self._now, self._ledger = now, Ledger(store, spec.name)

    def rename(
        self,
        old: str,
        new: str,
        budget: str | None,
        approve: Callable[[Renaming], bool],
        reading: AbstractContextManager[Any] | None = None,
    ) -> Renaming:
        """Let the budget `old`, or that allocation of `budget`, be known as `new`.

        `reading` is entered while the source is read. Raises `CannotRename`, `LeaseHeld` while a
        run of the sync goes on, and the errors of `connectors.contract.errors`.
        """
        kind, before = named(old, budget)
        this = Rename(kind, before, named(new, budget)[1])
        with Lease.take(self._store, self._spec.name, now=self._now) as lease:
            link = self._link(this)
            with reading or nullcontext():
                stated = self._stated()
            self._check_stated(this, stated)
            found = self._renaming(this, link, stated)
            if not approve(found):
                return found
            below = (
                [] if kind is not Kind.BUDGET else [i for k in Kind for i in self._ledger.ids(k)]
            )
            with self._store.write() as connection:
                lease.guard(connection)
                renames = [each for each, _ in found.renames]
                rename(connection, self._ledger, self._spec.name, renames, below)
                told = renamed(self._spec.name, this.old, this.new, found.to_data()["objects"])
                Audit(self._store).append(connection, told)
        return Renaming(sync=found.sync, renames=found.renames, left=found.left, done=True)

    def _link(self, this: Rename) -> Link:
        sync, kind, old, new = self._spec.name, this.kind, this.old, this.new
        if old == new:
            raise CannotRename(f"{_said(old)} and {_said(new)} are one ref")
        found = self._ledger.by_refs(kind, [old, new])
        if old not in found:
            raise CannotRename(f"{sync} has linked no {kind} {_said(old)}; nothing can follow it")
        if new in found:
            at = found[new].target_id
            raise CannotRename(f"{sync} has linked {at} to {_said(new)} already")
        if owned := self._owners.by_refs(kind, [new]):
            raise CannotRename(f"{_said(new)} belongs to the sync {owned[new].sync}")
        if kind is Kind.BUDGET and self._ledger.within([new[1]]):
            raise CannotRename(f"{sync} has linked allocations of {_said(new)} already")
        refs = {old, new}
        for each in Journal(self._store, sync).open_on_both_sides():
            if (each.budget_ref, each.ref) in refs or each.budget_ref in {old[1], new[1]}:
                said = f"a write of {each.kind} {each.ref} has an unknown outcome"
                raise RenameWaits(f"{said}: trueup run {sync} looks at it again")
        return found[old]

    def _stated(self) -> _Stated:
        found = _Stated()
        for kind in Kind:
            for page in self._source.list(kind):
                if page.problems:
                    first = page.problems[0]
                    raise CannotRename(
                        f"not all that {self._source.name} states can be read, so nobody knows "
                        f"which refs it states: {first.where}: {first.message}"
                    )
                for item in page.items:
                    key = key_of(item)
                    found.keys[kind].add(key)
                    if kind is Kind.ALLOCATION:
                        found.shares[key[0]].append(item)
                    elif self._carries(item):
                        found.carried.add(key[1])
        return found

    def _carries(self, item: Observed) -> bool:
        select, model = self._spec.select, item.model
        return select is None or select.holds(model)  # type: ignore[arg-type]  # budgets only

    def _check_stated(self, this: Rename, stated: _Stated) -> None:
        source, keys = self._source.name, stated.keys[this.kind]
        if this.old in keys:
            raise CannotRename(
                f"{source} still states {_said(this.old)}, so {_said(this.new)} is another one"
            )
        if this.new not in keys:
            raise CannotRename(f"{source} states no {this.kind} {_said(this.new)}")
        if (this.new[0] or this.new[1]) not in stated.carried:
            raise CannotRename(f"the selection of {self._spec.name} leaves {_said(this.new)} out")

    def _renaming(self, this: Rename, link: Link, stated: _Stated) -> Renaming:
        if this.kind is Kind.ALLOCATION:
            return Renaming(sync=self._spec.name, renames=((this, link.target_id),))
        links = self._ledger.by_ids(self._ledger.within([this.old[1]]))
        shares = stated.shares[this.new[1]]
        moved, left = self._shares(this, list(links.values()), shares)
        return Renaming(
            sync=self._spec.name,
            renames=((this, link.target_id), *moved),
            left=tuple(left),
        )

    def _shares(
        self, this: Rename, links: Sequence[Link], shares: Sequence[Observed]
    ) -> tuple[list[tuple[Rename, str]], list[Link]]:
        """What becomes of the budget's allocations: by ref, else by the only one of an entity."""
        stated = {key_of(item)[1]: facts(item.model)[_ENTITY] for item in shares}
        agreed = self._ledger.baselines([link.id for link in links])
        old = {link.ref: agreed[link.id].desired[_ENTITY] for link in links}
        gone = {ref: entity for ref, entity in old.items() if ref not in stated}
        come = {ref: entity for ref, entity in stated.items() if ref not in old}
        once = {e for e, count in Counter(gone.values()).items() if count == 1}
        alike = {e: ref for ref, e in come.items() if Counter(come.values())[e] == 1 and e in once}
        moved, left = [], []
        for link in sorted(links, key=lambda link: link.ref):
            ref = link.ref if link.ref in stated else alike.get(old[link.ref])
            if ref is None:
                left.append(link)
            key = this.new[1], ref or link.ref
            moved.append(
                (Rename(Kind.ALLOCATION, (link.budget_ref, link.ref), key), link.target_id)
            )
        return moved, left


def _said(key: Key) -> str:
    return f"{key[1]} of {key[0]}" if key[0] else key[1]
