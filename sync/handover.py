"""Handover: an object passes from the sync that owns it, the giver, to another one.

In a plan it passes where the giver has done with it; by command, because a person says so. Both
hold the giver's lease meanwhile, so that no run of it goes on, and both are in the history.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy.engine import Connection

from canonical.kind import Kind
from sync.match import Key
from sync.outcome import COUNTS, Exit, Outcome
from sync.state.history import History, Run
from sync.state.lease import Lease
from sync.state.ledger import Ledger, LedgerError, Link
from sync.state.owners import Owned, Owners, UnknownHandover
from sync.state.store import Store

_LINKED = "linked"
_WAITING = "waiting"


@contextmanager
def take_over(
    store: Store, owners: Owners, taken: Sequence[Owned], now: Callable[[], datetime]
) -> Iterator[Callable[[Connection], None]]:
    """Hold the givers' leases; yields what makes their links ours, in the caller's transaction.

    Raises `LeaseHeld` where a run of a giver goes on, `LedgerError` where a link changed since.
    """
    by_giver: dict[str, list[Link]] = defaultdict(list)
    for giver, link in taken:
        by_giver[giver].append(link)
    with ExitStack() as held:
        leases = {
            giver: held.enter_context(Lease.take(store, giver, now=now))
            for giver in sorted(by_giver)
        }

        def taking(connection: Connection) -> None:
            for giver, links in by_giver.items():
                leases[giver].guard(connection)
                if owners.take(connection, giver, links) != len(links):
                    raise LedgerError(f"what {giver} hands over changed meanwhile; run again")

        yield taking


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What `giver` hands over to `sync`; `obstacles` say by link's id why one cannot pass.

    An obstacle is its kind and its text: what this sync links otherwise is a conflict, a write of
    unknown outcome has to be settled first.
    """

    sync: str
    giver: str
    links: tuple[Link, ...]
    obstacles: dict[int, tuple[str, str]] = field(default_factory=dict)

    @property
    def passing(self) -> tuple[Link, ...]:
        """The links that can pass."""
        return tuple(link for link in self.links if link.id not in self.obstacles)

    @property
    def exit_code(self) -> int:
        """What keeps objects back, as the process's exit code."""
        kinds = {kind for kind, _ in self.obstacles.values()}
        if _WAITING in kinds:
            return Exit.UNCERTAIN
        return Exit.CONFLICTS if kinds else Exit.OK


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """What became of an offer, in the shape of a run's report."""

    run_id: str
    offer: Offer
    approved: bool = True

    @property
    def outcome(self) -> Outcome:
        """Partial where something was kept back, aborted where it was not approved."""
        if not self.approved:
            return Outcome.ABORTED
        return Outcome.PARTIAL if self.offer.obstacles else Outcome.OK

    @property
    def exit_code(self) -> int:
        """The most pressing thing about it, as the process's exit code."""
        return self.offer.exit_code if self.approved else Exit.PARTIAL

    def to_data(self) -> dict[str, Any]:
        """As JSON-ready data, in the shape that `handover --json` prints."""
        operations = [self._operation(link) for link in self.offer.links]
        seen = Counter(each["outcome"] for each in operations)
        return {
            "run_id": self.run_id,
            "sync": self.offer.sync,
            "from": self.offer.giver,
            "outcome": self.outcome.value,
            "counts": {name: seen[name] for name in COUNTS},
            "operations": operations,
            "verified": False,
            "error": None if self.approved else "not approved",
            "plan": None,
        }

    def _operation(self, link: Link) -> dict[str, Any]:
        _, error = self.offer.obstacles.get(link.id, ("", None))
        return {
            "op": "handover",
            "kind": link.kind.value,
            "ref": link.ref,
            "budget_ref": link.budget_ref or None,
            "target_id": link.target_id,
            "outcome": "skipped" if error or not self.approved else "applied",
            "error": error,
        }


class Handing:
    """Hands objects of one sync over to another, because a person says so."""

    def __init__(
        self, store: Store, sync: str, owners: Owners, now: Callable[[], datetime]
    ) -> None:
        self._store, self._sync, self._owners, self._now = store, sync, owners, now
        self._ledger = Ledger(store, sync)

    def hand_over(
        self, giver: str, refs: Collection[str], approve: Callable[[Offer], bool]
    ) -> Handed:
        """Hand over the budgets `refs` with their allocations, or all that `giver` owns.

        Raises `UnknownHandover`, and `LeaseHeld` while a run of either goes on.
        """
        self._check(giver)
        began = self._now()
        with Lease.take(self._store, self._sync, now=self._now) as lease:
            offer = self._offer(giver, refs)
            taken = [Owned(giver, link) for link in offer.passing]
            handed = Handed(run_id=uuid4().hex, offer=offer, approved=approve(offer))
            if not handed.approved:
                return handed
            with (
                take_over(self._store, self._owners, taken, self._now) as taking,
                self._store.write() as connection,
            ):
                lease.guard(connection)
                self._owners.say(connection)
                taking(connection)
                self._record(connection, handed, began)
        return handed

    def _check(self, giver: str) -> None:
        if giver == self._sync:
            raise UnknownHandover(f"{giver} cannot hand over to itself")
        owning = self._owners.all_owners()
        if giver not in owning:
            who = ", ".join(owning) or "none"
            raise UnknownHandover(f'no sync "{giver}" owns anything; of this state do: {who}')
        account = self._owners.account_of(giver)
        if account is not None and giver not in self._owners.names:
            raise UnknownHandover(
                f"{giver} writes into another account ({account}) than {self._sync} does"
            )

    def _offer(self, giver: str, refs: Collection[str]) -> Offer:
        links = self._owners.all_of(giver)
        if refs:
            known = {link.budget_ref or link.ref for link in links}
            if missing := sorted(set(refs) - known):
                raise UnknownHandover(f"{giver} owns no budget {', '.join(missing)}")
            links = [link for link in links if (link.budget_ref or link.ref) in refs]
        return Offer(
            sync=self._sync,
            giver=giver,
            links=tuple(links),
            obstacles=self._obstacles(giver, links),
        )

    def _obstacles(self, giver: str, links: Sequence[Link]) -> dict[int, tuple[str, str]]:
        waiting = {
            (each.kind, (each.budget_ref, each.ref))
            for sync in (giver, self._sync)
            for each in self._owners.waiting(sync)
        }
        found: dict[int, tuple[str, str]] = {}
        for kind in Kind:
            mine = [link for link in links if link.kind is kind]
            by_ref = self._ledger.by_refs(kind, [_key(link) for link in mine])
            by_target = self._ledger.by_targets(kind, [link.target_id for link in mine])
            for link in mine:
                ours, same = by_ref.get(_key(link)), by_target.get(link.target_id)
                if (kind, _key(link)) in waiting:
                    found[link.id] = _WAITING, "a write of it has an unknown outcome: run it first"
                elif ours is not None and ours.target_id != link.target_id:
                    said = f"{self._sync} has linked {ours.target_id} to that ref"
                    found[link.id] = _LINKED, said
                elif same is not None and _key(same) != _key(link):
                    found[link.id] = _LINKED, f"{self._sync} knows it as {same.ref}"
        return found

    def _record(self, connection: Connection, handed: Handed, began: datetime) -> None:
        run = Run(
            run_id=handed.run_id,
            sync=self._sync,
            command="handover",
            outcome=handed.outcome.value,
            started_at=began,
            ended_at=self._now(),
            report=handed.to_data(),
        )
        History(self._store).record(connection, run)


def _key(link: Link) -> Key:
    return link.budget_ref, link.ref
