"""The ledger: which object of the target stands for which of ours, and what both last agreed.

A link is small, so that a page of a listing is judged by fingerprints alone; the agreed facts are
read only for the objects where something moved. One ref has one target id and one target id one
ref. Keys travel as one JSON text, so a page costs one statement that never needs compiling anew.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    TextClause,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from canonical.compare import Baseline
from canonical.facts import Facts, fingerprint, tuples
from canonical.kind import FIELDS, Kind
from sync.state.places import Places
from sync.state.store import Moment, Store, links, versions

_BATCH = 1000
_KINDS = {kind.value: kind for kind in Kind}
_LINKS = (
    "SELECT l.id, l.kind, l.ref, l.budget_ref, l.target_id, l.origin, l.desired, l.echo, l.source"
)
_BASELINES = "SELECT l.link_id, l.desired, l.echo, l.stated, l.rates, l.shown FROM baselines AS l"
_KEYS = {
    "sqlite": "(SELECT value FROM json_each(:keys))",
    "postgresql": "(SELECT json_array_elements_text(CAST(:keys AS json)))",
}
_NUMBERS = {
    "sqlite": "(SELECT value FROM json_each(:keys))",
    "postgresql": "(SELECT CAST(json_array_elements_text(CAST(:keys AS json)) AS integer))",
}
_PAIRS = {
    "sqlite": "(SELECT json_extract(value, '$[0]') AS budget_ref, json_extract(value, '$[1]')"
    " AS ref FROM json_each(:keys))",
    "postgresql": "(SELECT value ->> 0 AS budget_ref, value ->> 1 AS ref"
    " FROM json_array_elements(CAST(:keys AS json)))",
}
_REMEMBER = text(
    "INSERT INTO baselines (link_id, desired, echo, stated, rates, shown, run_id)"
    " VALUES (:link_id, :desired, :echo, :stated, :rates, :shown, :run_id)"
    " ON CONFLICT (link_id) DO UPDATE"
    " SET desired = excluded.desired, echo = excluded.echo, stated = excluded.stated,"
    " rates = excluded.rates, shown = excluded.shown, run_id = excluded.run_id"
)

_SEEN = text(
    "INSERT INTO versions (sync, target_id, version, read_at)"
    " VALUES (:sync, :target_id, :version, :read_at) ON CONFLICT (sync, target_id) DO UPDATE"
    " SET version = excluded.version, read_at = excluded.read_at"
).bindparams(bindparam("read_at", type_=Moment()))
_FREE = {
    kind: frozenset(at for at, name in enumerate(FIELDS[kind]) if name in ("name", "description"))
    for kind in Kind
}
"""Which of an object's facts people write as they like."""
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class LedgerError(Exception):
    """What was to be remembered contradicts what is."""


class Link(NamedTuple):
    """One of our objects and the target's that stands for it.

    `budget_ref` is "" for budgets; `origin` is "created" or "adopted"; `desired`, `echo` and
    `source` are fingerprints: what was wanted, what the target answered, what the source said.
    A tuple because a million of them are made in a run: a frozen dataclass costs four times more.
    """

    id: int
    kind: Kind
    ref: str
    budget_ref: str
    target_id: str
    origin: str
    desired: bytes
    echo: bytes
    source: bytes


class LinkFingerprint(NamedTuple):
    """What is needed of a link to see that nothing changed: its id, and one of its fingerprints."""

    id: int
    fingerprint: bytes


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """What is to be remembered of one object that was written or adopted.

    What is not `agreed` is looked at again by the next plan, whatever it shows.
    """

    kind: Kind
    ref: str
    budget_ref: str
    target_id: str
    origin: str
    baseline: Baseline
    source: bytes
    agreed: bool = True


class Ledger:
    """The links of one sync; `neighbours` tells which other syncs write into the same account."""

    def __init__(
        self, store: Store, sync: str, neighbours: Callable[[], Sequence[str]] = tuple
    ) -> None:
        self._store = store
        self._sync = sync
        self._neighbours = neighbours
        dialect = store.engine.dialect.name
        keys, numbers, pairs = _KEYS[dialect], _NUMBERS[dialect], _PAIRS[dialect]
        mine = "l.sync = :sync AND l.kind = :kind"
        self._by_targets = text(f"{_LINKS} FROM links AS l WHERE {mine} AND l.target_id IN {keys}")
        self._by_refs = text(
            f"{_LINKS} FROM {pairs} AS k CROSS JOIN links AS l WHERE {mine}"
            " AND l.budget_ref = k.budget_ref AND l.ref = k.ref"
        )
        self._echoes = text(
            "SELECT l.target_id, l.id, l.echo FROM links AS l"
            f" WHERE {mine} AND l.target_id IN {keys}"
        )
        self._desires = text(
            f"SELECT l.budget_ref, l.ref, l.id, l.desired FROM {pairs} AS k CROSS JOIN links AS l"
            f" WHERE {mine} AND l.budget_ref = k.budget_ref AND l.ref = k.ref"
        )
        # by the ids, not by the sync: SQLite would read all links of that for each page
        self._by_ids = text(
            f"{_LINKS} FROM links AS l WHERE l.sync || '' = :sync AND l.id IN {numbers}"
        )
        self._versions = text(
            "SELECT target_id, version FROM versions"
            f" WHERE sync = :sync AND read_at >= :since AND target_id IN {keys}"
        ).bindparams(bindparam("since", type_=Moment()))
        self._outdate = text(
            "DELETE FROM versions WHERE sync = :sync AND target_id IN (SELECT target_id FROM links"
            f" WHERE sync = :sync AND kind = '{Kind.BUDGET.value}' AND ref IN {keys})"
        )
        self._within = text(
            f"SELECT id FROM links WHERE sync = :sync AND kind = '{Kind.ALLOCATION.value}'"
            f" AND budget_ref IN {keys}"
        )
        self._baselines = text(f"{_BASELINES} WHERE l.link_id IN {numbers}")

    def count(self, kind: Kind | None = None) -> int:
        """How many links there are, of `kind` or altogether."""
        query = select(func.count()).select_from(links).where(links.c.sync == self._sync)
        if kind is not None:
            query = query.where(links.c.kind == kind.value)
        with self._store.read() as connection:
            return connection.execute(query).scalar_one()

    def by_targets(self, kind: Kind, ids: Sequence[str]) -> dict[str, Link]:
        """The links of those target ids; an id without a link is left out."""
        with self._store.read() as connection:
            return self._targets(connection, kind, ids)

    def by_refs(self, kind: Kind, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Link]:
        """The links of those (budget_ref, ref); a pair without a link is left out."""
        with self._store.read() as connection:
            return self._refs(connection, kind, keys)

    def echoes(self, kind: Kind, ids: Sequence[str]) -> dict[str, LinkFingerprint]:
        """As `by_targets`, but only what each is compared with: the fingerprint of its echo."""
        with self._store.read() as connection:
            rows = connection.execute(self._echoes, self._asked(kind, ids)).all()
        return {target_id: LinkFingerprint(id, echo) for target_id, id, echo in rows}

    def desires(
        self, kind: Kind, keys: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], LinkFingerprint]:
        """As `by_refs`, but only the fingerprint of what was desired."""
        with self._store.read() as connection:
            rows = connection.execute(self._desires, self._asked(kind, keys)).all()
        return {
            (budget_ref, ref): LinkFingerprint(id, desired) for budget_ref, ref, id, desired in rows
        }

    def by_ids(self, ids: Sequence[int]) -> dict[int, Link]:
        """The links of those ids; one that is gone is left out."""
        with self._store.read() as connection:
            found = self._found(connection, self._by_ids, None, ids)
        return {link.id: link for link in found}

    def ids(self, kind: Kind) -> Iterator[int]:
        """The ids of all links of `kind`, ascending; no transaction stays open between them."""
        query = (
            select(links.c.id)
            .where(links.c.sync == self._sync, links.c.kind == kind.value)
            .order_by(links.c.id)
            .limit(_BATCH * 10)
        )
        last = 0
        while True:
            with self._store.read() as connection:
                found = connection.execute(query.where(links.c.id > last)).scalars().all()
            if not found:
                return
            yield from found
            last = found[-1]

    def baselines(self, ids: Sequence[int]) -> dict[int, Baseline]:
        """What was agreed for those links, exactly as it was saved."""
        with self._store.read() as connection:
            rows = connection.execute(self._baselines, {"keys": json.dumps(ids)}).all()
            return {
                id: Baseline(
                    _facts(desired),
                    _facts(echo),
                    _facts(stated) if stated else None,
                    rates,
                    _facts(shown) if shown else None,
                )
                for id, desired, echo, stated, rates, shown in rows
            }

    def agreements(self, ids: Sequence[int]) -> Iterator[tuple[Link, Baseline]]:
        """The links of those ids, in their order, each with what was agreed; read in batches."""
        for start in range(0, len(ids), _BATCH):
            some = ids[start : start + _BATCH]
            found, agreed = self.by_ids(some), self.baselines(some)
            yield from ((found[id], agreed[id]) for id in some if id in found)

    def placed(self) -> Places:
        """Where the target last showed each object: target id → that of the budget above it."""
        return Places(self._store, self._sync)

    def versions(self, ids: Sequence[str], since: datetime | None = None) -> dict[str, str]:
        """The versions that those budgets of the target had when both sides last agreed.

        Left out are those whose details were last read before `since`.
        """
        keys = json.dumps(ids, ensure_ascii=False)
        asked = {"sync": self._sync, "keys": keys, "since": since or _LONG_AGO}
        with self._store.read() as connection:
            rows = connection.execute(self._versions, asked).all()
        return {target_id: version for target_id, version in rows}  # noqa: C416

    def save_versions(
        self, connection: Connection, seen: Mapping[str, str], read_at: datetime
    ) -> None:
        """Remember, within the caller's transaction, the versions at which all agreed.

        `read_at` is a moment before the reading of what they stand for.
        """
        rows = [
            {"sync": self._sync, "target_id": target_id, "version": version, "read_at": read_at}
            for target_id, version in seen.items()
        ]
        if rows:
            connection.execute(_SEEN, rows)

    def outdate_versions(self, connection: Connection, budget_refs: Collection[str]) -> None:
        """Forget, within the caller's transaction, the versions of those budgets of ours."""
        keys = json.dumps(sorted(budget_refs), ensure_ascii=False)
        connection.execute(self._outdate, {"sync": self._sync, "keys": keys})

    def within(self, budget_refs: Sequence[str]) -> list[int]:
        """The ids of the links of all allocations of those budgets."""
        asked = {"sync": self._sync, "keys": json.dumps(budget_refs, ensure_ascii=False)}
        with self._store.read() as connection:
            return list(connection.execute(self._within, asked).scalars())

    def save(
        self,
        connection: Connection,
        *,
        kind: Kind,
        ref: str,
        budget_ref: str,
        target_id: str,
        origin: str,
        baseline: Baseline,
        source: bytes,
        run_id: str,
        agreed: bool = True,
    ) -> None:
        """Remember one object within the caller's transaction, as `save_many` does."""
        entry = Entry(
            kind=kind,
            ref=ref,
            budget_ref=budget_ref,
            target_id=target_id,
            origin=origin,
            baseline=baseline,
            source=source,
            agreed=agreed,
        )
        self.save_many(connection, [entry], run_id)

    def save_many(self, connection: Connection, entries: Iterable[Entry], run_id: str) -> None:
        """Make links, or bring those of the same refs up to date; their origin stays.

        Raises `LedgerError` where a target id is linked to another ref: one object of the target
        cannot stand for two of ours. So it does where a neighbour links it, which owns it then.
        The transaction is then of no more use.
        """
        rest = iter(entries)
        while batch := list(islice(rest, _BATCH)):
            by_kind: dict[Kind, list[Entry]] = defaultdict(list)
            for entry in batch:
                by_kind[entry.kind].append(entry)
            for kind, each in by_kind.items():
                self._save(connection, kind, each, run_id)

    def forget(self, connection: Connection, id: int) -> None:
        """Remove a link and its baseline within the caller's transaction; none is no error."""
        self._forget(connection, links.c.id == id)

    def forget_ref(self, connection: Connection, kind: Kind, budget_ref: str, ref: str) -> None:
        """As `forget`, by what the link is for."""
        this = (links.c.kind == kind.value) & (links.c.budget_ref == budget_ref)
        self._forget(connection, this & (links.c.ref == ref))

    def _forget(self, connection: Connection, these: ColumnElement[bool]) -> None:
        """With its version: what is still shown of it is then read, as a stranger."""
        ours = (links.c.sync == self._sync) & these
        seen = versions.c.target_id.in_(select(links.c.target_id).where(ours))
        connection.execute(delete(versions).where(versions.c.sync == self._sync, seen))
        connection.execute(delete(links).where(ours))

    def _targets(self, connection: Connection, kind: Kind, ids: Sequence[str]) -> dict[str, Link]:
        found = self._found(connection, self._by_targets, kind, ids)
        return {link.target_id: link for link in found}

    def _refs(
        self, connection: Connection, kind: Kind, keys: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], Link]:
        found = self._found(connection, self._by_refs, kind, keys)
        return {(link.budget_ref, link.ref): link for link in found}

    def _found(
        self, connection: Connection, query: TextClause, kind: Kind | None, keys: Sequence[object]
    ) -> list[Link]:
        rows = connection.execute(query, self._asked(kind, keys)).all()
        return [
            Link(id, _KINDS[kind], ref, budget_ref, target_id, origin, desired, echo, source)
            for id, kind, ref, budget_ref, target_id, origin, desired, echo, source in rows
        ]

    def _asked(self, kind: Kind | None, keys: Sequence[object]) -> dict[str, str]:
        asked = {"sync": self._sync, "keys": json.dumps(keys, ensure_ascii=False)}
        return asked if kind is None else asked | {"kind": kind.value}

    def _save(
        self, connection: Connection, kind: Kind, entries: Sequence[Entry], run_id: str
    ) -> None:
        """Ids are taken from a sequence, and only for what is new: an upsert would burn one for
        every row that is there, and leave the ids no longer dense."""
        known = self._refs(connection, kind, [(each.budget_ref, each.ref) for each in entries])
        holders = self._targets(connection, kind, [each.target_id for each in entries])
        for each in entries:
            holder = holders.get(each.target_id)
            if holder and (holder.budget_ref, holder.ref) != (each.budget_ref, each.ref):
                raise LedgerError(
                    f"{kind} {each.target_id} is linked to {holder.ref} already; "
                    f"it cannot stand for {each.ref} too"
                )
        ids = {key: link.id for key, link in known.items()}
        old = [_row(each) | {"at": ids[_key(each)]} for each in entries if _key(each) in ids]
        new = [_row(each) | self._first(each) for each in entries if _key(each) not in ids]
        self._check_owners(connection, kind, [each["target_id"] for each in new])
        try:
            if old:
                at = links.c.id == bindparam("at")
                connection.execute(update(links).where(at), old)
            if new:
                back = insert(links).returning(links.c.id, links.c.budget_ref, links.c.ref)
                for id, budget_ref, ref in connection.execute(back, new):
                    ids[budget_ref, ref] = id
        except IntegrityError as error:
            raise LedgerError(f"two of {len(entries)} objects share a ref or an id") from error
        connection.execute(
            _REMEMBER,
            [
                _agreed(ids[_key(each)], fit_to_keep(each, self._store.mask), run_id)
                for each in entries
            ],
        )

    def _check_owners(self, connection: Connection, kind: Kind, new: Sequence[str]) -> None:
        names = self._neighbours()
        if not (names and new):
            return
        held = links.c.sync.in_(names) & (links.c.kind == kind.value) & links.c.target_id.in_(new)
        found = connection.execute(select(links.c.target_id, links.c.sync).where(held)).first()
        if found is not None:
            raise LedgerError(f"{kind} {found.target_id} belongs to the sync {found.sync}")

    def _first(self, entry: Entry) -> dict[str, str]:
        return {
            "sync": self._sync,
            "kind": entry.kind.value,
            "ref": entry.ref,
            "budget_ref": entry.budget_ref,
            "origin": entry.origin,
        }


def _key(entry: Entry) -> tuple[str, str]:
    return entry.budget_ref, entry.ref


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "target_id": entry.target_id,
        "desired": fingerprint(entry.baseline.all_facts) if entry.agreed else b"",
        "echo": fingerprint(entry.baseline.echo),
        "source": entry.source,
    }


def fit_to_keep(entry: Entry, mask: Callable[[str], str]) -> Entry:
    """With no secret in what people write, names and descriptions, should a vendor repeat one.

    All else is compared and found again by what it is, and stays.
    """
    free, said = _FREE[entry.kind], entry.baseline
    told = said.desired, said.echo, said.shown or ()
    kept = tuple(
        tuple(mask(v) if i in free and isinstance(v, str) else v for i, v in enumerate(each))
        for each in told
    )
    if kept == told:
        return entry
    shown = kept[2] if said.shown else said.shown
    return replace(entry, baseline=Baseline(kept[0], kept[1], said.stated, said.rates, shown))


def _agreed(link_id: int, entry: Entry, run_id: str) -> dict[str, Any]:
    return {
        "link_id": link_id,
        "desired": json.dumps(entry.baseline.desired, ensure_ascii=False),
        "echo": json.dumps(entry.baseline.echo, ensure_ascii=False),
        "stated": _text(entry.baseline.stated),
        "rates": entry.baseline.rates,
        "shown": _text(entry.baseline.shown),
        "run_id": run_id,
    }


def _facts(text: str) -> Facts:
    found = json.loads(text)
    if not isinstance(found, list):
        raise ValueError("facts are a list")
    facts: Facts = tuples(found)
    return facts


def _text(stated: Facts | None) -> str | None:
    return None if stated is None else json.dumps(stated, ensure_ascii=False)
