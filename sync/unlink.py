"""Unlink: a person says that an object of the target does not stand for a ref.

Only the state forgets it; no system is asked or told anything. The object may bear the ref's stamp
still, and its name: what was unlinked is remembered too, so that the next plan asks which object is
meant, or makes another one where that was said.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from canonical.kind import Kind
from sync.link import ensure_settled
from sync.links import CannotLink
from sync.match import Key
from sync.meaning import Meaning, Word, named
from sync.state.audit import Audit
from sync.state.audited import unlinked
from sync.state.lease import Lease
from sync.state.ledger import Ledger, Link
from sync.state.meanings import Meanings
from sync.state.renaming import name_above
from sync.state.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinking:
    """A ref that is to stand for none of `target_ids` any more.

    With `anew` another object is made for it. `below` are its allocations, which are forgotten
    with it. `pending` is true where the object was yet to be adopted.
    """

    sync: str
    kind: Kind
    key: Key
    target_ids: tuple[str, ...]
    anew: bool
    below: tuple[Link, ...] = ()
    pending: bool = False
    done: bool = False

    def to_data(self) -> dict[str, Any]:
        """As JSON-ready data, in the shape that `unlink --json` prints."""
        below = [{"ref": link.ref, "target_id": link.target_id} for link in self.below]
        return {
            "sync": self.sync,
            "unlinked": self.done,
            "kind": self.kind.value,
            "ref": self.key[1],
            "budget_ref": self.key[0] or None,
            "target_ids": [*self.target_ids],
            "anew": self.anew,
            "below": below,
            "next": self.next,
        }

    @property
    def next(self) -> str:
        """What the next run does: "create", "ask" or, as for any new one, "match"."""
        return "create" if self.anew else "match" if self.pending else "ask"


class Unlinker:
    """Unlinks refs of one sync."""

    def __init__(self, sync: str, store: Store, now: Callable[[], datetime]) -> None:
        self._sync, self._store, self._now = sync, store, now
        self._ledger, self._meanings = Ledger(store, sync), Meanings(store, sync)

    def unlink(
        self,
        ref: str,
        budget: str | None,
        anew: bool,
        approve: Callable[[Unlinking], bool],
    ) -> Unlinking:
        """Forget what stands for the budget `ref`, or for that allocation of `budget`.

        Raises `CannotLink`, and `LeaseHeld` while a run of the sync goes on.
        """
        kind, key = named(ref, budget)
        with Lease.take(self._store, self._sync, now=self._now) as lease:
            link = self._ledger.by_refs(kind, [key]).get(key)
            said = self._meanings.of(kind, key)
            ensure_settled(self._store, self._sync, kind, key, link and link.target_id)
            found = self._unlinking(kind, key, link, said, anew=anew)
            budgets = list(self._ledger.ids(Kind.BUDGET)) if kind is Kind.BUDGET else []
            if not approve(found):
                return found
            with self._store.write() as connection:
                lease.guard(connection)
                self._forget(connection, found, link, said)
                name_above(connection, budgets, {key[1]: None})
                told = unlinked(self._sync, kind, key, found.to_data())
                Audit(self._store).append(connection, told)
        return replace(found, done=True)

    def _unlinking(
        self, kind: Kind, key: Key, link: Link | None, said: Sequence[Meaning], *, anew: bool
    ) -> Unlinking:
        words = [each for each in said if link is None]
        ids = [link.target_id] if link else [each.id for each in words if each.word is Word.LINK]
        pending = link is None and bool(ids)
        if not ids and anew:
            ids = [each.id for each in words if each.word is Word.APART]
        if not ids:
            raise CannotLink(f"{self._sync} has linked no {kind} {key[1]}: nothing can be unlinked")
        below: tuple[Link, ...] = ()
        if link is not None and kind is Kind.BUDGET:
            below = tuple(self._ledger.by_ids(self._ledger.within([key[1]])).values())
        return Unlinking(
            sync=self._sync,
            kind=kind,
            key=key,
            target_ids=tuple(dict.fromkeys(ids)),
            anew=anew,
            below=below,
            pending=pending,
        )

    def _forget(
        self, connection: Connection, found: Unlinking, link: Link | None, said: Sequence[Meaning]
    ) -> None:
        kind, key = found.kind, found.key
        over = [e for e in said if e.word is Word.LINK or e.id in found.target_ids]
        self._meanings.unsay(connection, over)
        if link is not None:
            self._ledger.outdate_versions(connection, {key[0] or key[1]})
            for each in (*found.below, link):
                self._ledger.forget(connection, each.id)
        if found.anew or not found.pending:
            word = Word.ANEW if found.anew else Word.APART
            self._meanings.say(
                connection,
                [Meaning(word=word, kind=kind, key=key, id=id) for id in found.target_ids],
            )
