"""Holdings: the links of all syncs, by which one budget is seen over all systems that hold it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import select

from canonical.compare import Baseline
from canonical.kind import Kind
from sync.state.audit import Audit
from sync.state.ledger import Ledger
from sync.state.store import Store, links

_BATCH = 5000


class Held(NamedTuple):
    """That an object of a sync's target stands for one of ours. `version` is another one where
    anything of what was agreed is, and empty where that is looked at again by the next plan."""

    id: int
    sync: str
    ref: str
    budget_ref: str
    target_id: str
    version: bytes


class Holdings:
    """What the state knows of whom holds what; it is read only."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def mark(self) -> str:
        """Another one once a run has ended, a person decided, or anything else was put down."""
        number, digest = Audit(self._store).head()
        return f"{number} {digest}"

    def of(self, syncs: Collection[str], kind: Kind = Kind.BUDGET) -> list[Held]:
        """All objects of that kind which those syncs link."""
        return self._read(syncs, kind, None)

    def within(self, syncs: Collection[str], budget_ref: str) -> list[Held]:
        """The allocations of that budget which those syncs link."""
        return self._read(syncs, Kind.ALLOCATION, budget_ref)

    def agreed(self, ids: Sequence[int]) -> dict[int, Baseline]:
        """What both sides last agreed, by link; read in batches."""
        ledger, found = Ledger(self._store, ""), dict[int, Baseline]()
        for start in range(0, len(ids), _BATCH):
            found |= ledger.baselines(ids[start : start + _BATCH])
        return found

    def _read(self, syncs: Collection[str], kind: Kind, budget_ref: str | None) -> list[Held]:
        query = select(
            links.c.id, links.c.sync, links.c.ref, links.c.budget_ref, links.c.target_id,
            links.c.desired, links.c.echo,
        ).where(links.c.sync.in_(syncs), links.c.kind == kind.value)  # fmt: skip
        if budget_ref is not None:
            query = query.where(links.c.budget_ref == budget_ref)
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        return [
            Held(id, sync, ref, budget, target_id, desired + echo if desired else b"")
            for id, sync, ref, budget, target_id, desired, echo in rows
        ]
