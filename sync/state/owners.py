"""The owners: which syncs of this state write into one account, and what belongs to which.

An object of the target has one owner, the sync whose ledger links it. Where an earlier Trueup let
two of them link it, the elder link's sync owns it. A sync that writes into the same account is a
neighbour; it is known by its last run, or by the settings where it has not run yet.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, insert, select, tuple_, update
from sqlalchemy.engine import Connection

from canonical.kind import Kind
from sync.state.history import History
from sync.state.journal import Journal, Operation
from sync.state.lease import is_held
from sync.state.ledger import Link
from sync.state.store import Store, accounts, leases, links, versions

_BATCH = 1000
_LOOKED_AT = 5  # runs: one that still goes on, or handed something over, has no plan to ask


class UnknownHandover(LookupError):
    """There is no such giver, or it has no object of that ref; the message says which."""


class OtherAccount(Exception):
    """The target is not the account that the state knows. The message says what to do."""


class Owned(NamedTuple):
    """A link of another sync."""

    sync: str
    link: Link


class Owners:
    """What other syncs own in the account that `sync` writes into.

    `settled` names the neighbours that the settings tell of.
    """

    def __init__(
        self, store: Store, sync: str, account: str, settled: Collection[str] = ()
    ) -> None:
        self._store, self._sync, self.account = store, sync, account
        self._settled = frozenset(settled)
        self._known: str | None = None
        self.names: tuple[str, ...] = ()
        self.refresh()

    def refresh(self) -> None:
        """Look again which neighbours there are."""
        with self._store.read() as connection:
            known = {row.sync: row.account for row in connection.execute(select(accounts))}
        self._known = known.get(self._sync)
        near = {name for name, account in known.items() if account == self.account}
        near |= self._settled - known.keys()  # what has run says itself where it writes
        self.names = tuple(sorted(near - {self._sync}))

    def account_of(self, sync: str) -> str | None:
        """The account that a sync wrote into last, None where it never said."""
        query = select(accounts.c.account).where(accounts.c.sync == sync)
        with self._store.read() as connection:
            return connection.execute(query).scalar()

    def say(self, connection: Connection) -> None:
        """Remember, within the caller's transaction, which account this sync writes into."""
        connection.execute(delete(accounts).where(accounts.c.sync == self._sync))
        connection.execute(insert(accounts).values(sync=self._sync, account=self.account))
        self._known = self.account

    @property
    def is_said(self) -> bool:
        """Whether the state knows the account as it is."""
        return self._known == self.account

    @property
    def moved_from(self) -> str | None:
        """The account that the state knows, where the settings name another one."""
        return None if self.is_said else self._known

    # -- what they own -----------------------------------------------------------------------

    def by_targets(self, kind: Kind, ids: Sequence[str]) -> dict[str, Owned]:
        """The objects among `ids` that a neighbour links, by id; no question without neighbours."""
        if not self.names:
            return {}
        found = chain.from_iterable(
            self._links(links.c.kind == kind.value, links.c.target_id.in_(some))
            for some in _slices(ids)
        )
        return _elder({each.link.target_id: each} for each in found)

    def by_refs(self, kind: Kind, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Owned]:
        """The neighbours' links of those (budget_ref, ref), by key."""
        if not self.names:
            return {}
        named = tuple_(links.c.budget_ref, links.c.ref)
        found = chain.from_iterable(
            self._links(links.c.kind == kind.value, named.in_(some)) for some in _slices(keys)
        )
        return _elder({(each.link.budget_ref, each.link.ref): each} for each in found)

    def linked_before(self) -> dict[int, Owned]:
        """Our own links, by id, to objects that a neighbour linked before us."""
        if not self.names:
            return {}
        ours, theirs = links.alias("ours"), links.alias("theirs")
        same = (theirs.c.kind == ours.c.kind) & (theirs.c.target_id == ours.c.target_id)
        elder = theirs.c.sync.in_(self.names) & (theirs.c.id < ours.c.id)
        query = (
            select(ours.c.id, *_columns(theirs))
            .select_from(ours.join(theirs, same))
            .where(ours.c.sync == self._sync, elder)
        )
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        return _elder({id: _owned(rest)} for id, *rest in rows)

    def all_of(self, sync: str) -> list[Link]:
        """Every link of that sync."""
        query = select(*_columns(links)).where(links.c.sync == sync).order_by(links.c.id)
        with self._store.read() as connection:
            return [_owned(row).link for row in connection.execute(query)]

    def owns_any(self, sync: str) -> bool:
        """Whether that sync links anything."""
        with self._store.read() as connection:
            query = select(links.c.id).where(links.c.sync == sync).limit(1)
            return connection.execute(query).scalar() is not None

    def all_owners(self) -> list[str]:
        """Every sync of this state that links something, whichever account it writes into."""
        with self._store.read() as connection:
            query = select(links.c.sync).distinct().order_by(links.c.sync)
            return list(connection.execute(query).scalars())

    # -- what they are at --------------------------------------------------------------------

    def is_running(self, sync: str) -> bool:
        """Whether a run of that sync goes on."""
        with self._store.read() as connection:
            row = connection.execute(select(leases).where(leases.c.name == sync)).mappings().first()
        return row is not None and is_held(row, self._store.now())

    def waiting(self, sync: str) -> list[Operation]:
        """The writes of that sync whose outcome nobody knows."""
        return Journal(self._store, sync).open()

    def claimed(self) -> dict[tuple[Kind, str], str]:
        """Objects of ours that neighbours stated in their last runs: kind and id → the sync."""
        return {
            (Kind(each["kind"]), id): sync
            for sync in self.names
            for each in self._conflicts(sync)
            if each.get("owner") == self._sync
            for id in each["candidates"]
        }

    def _conflicts(self, sync: str) -> Sequence[Mapping[str, Any]]:
        for run in History(self._store).runs(sync, _LOOKED_AT):
            plan = (run.report or {}).get("plan")
            if plan:
                return plan.get("conflicts") or ()
        return ()

    # -- what passes from one to another -----------------------------------------------------

    def take(self, connection: Connection, giver: str, taken: Sequence[Link]) -> int:
        """Make links of `giver` ours, within the caller's transaction; how many were still its own.

        What we link ourselves by now is only taken from it.
        """
        count = 0
        for some in _slices([link.id for link in taken]):
            theirs = links.c.id.in_(some) & (links.c.sync == giver)
            ours = links.alias("ours")
            same = (ours.c.kind == links.c.kind) & (ours.c.target_id == links.c.target_id)
            twice = select(ours.c.id).where(ours.c.sync == self._sync, same).exists()
            count += connection.execute(delete(links).where(theirs, twice)).rowcount
            moved = update(links).where(theirs).values(sync=self._sync)
            count += connection.execute(moved).rowcount
        seen = [link.target_id for link in taken if link.kind is Kind.BUDGET]
        for each in _slices(seen):
            old = versions.c.target_id.in_(each)
            connection.execute(delete(versions).where(versions.c.sync == giver, old))
        return count

    def _links(self, *where: ColumnElement[bool]) -> list[Owned]:
        query = select(*_columns(links)).where(links.c.sync.in_(self.names), *where)
        with self._store.read() as connection:
            return [_owned(row) for row in connection.execute(query)]


def _columns(table: Any) -> list[Any]:
    own = table.c
    return [
        own.sync, own.id, own.kind, own.ref, own.budget_ref, own.target_id, own.origin,
        own.desired, own.echo, own.source,
    ]  # fmt: skip


def _owned(row: Sequence[Any]) -> Owned:
    sync, id, kind, *rest = row
    return Owned(sync, Link(id, Kind(kind), *rest))


def _elder(found: Iterable[Mapping[Any, Owned]]) -> dict[Any, Owned]:
    """Each by its key; where two syncs link one object, the elder link."""
    kept: dict[Any, Owned] = {}
    for each in found:
        for key, owned in each.items():
            if key not in kept or owned.link.id < kept[key].link.id:
                kept[key] = owned
    return kept


def _slices(some: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (some[start : start + _BATCH] for start in range(0, len(some), _BATCH))
