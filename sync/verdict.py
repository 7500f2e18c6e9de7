"""Verdict: how a write of unknown outcome ended, as a person says it.

Never while a run goes on: the lease of the sync is taken first, and each step is journaled and
audited as a run's own. What is said to have been made is looked at once, and linked as something
about which nothing is agreed yet: the next plan compares it field by field, and makes no other.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from sqlalchemy.engine import Connection

from canonical.kind import Op
from canonical.side import Side
from connectors.contract.errors import Missing
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.decided import Take
from sync.gone import in_use
from sync.intake.select import key_of
from sync.match import Key
from sync.returned import remember_returned
from sync.send import remember
from sync.state.decisions import Decided, Ruling
from sync.state.journal import Journal, Operation, State
from sync.state.lease import Lease
from sync.state.ledger import Ledger
from sync.state.owners import Owners
from sync.state.store import Store
from sync.state.waits import Undecidable, Wait

_REMOVALS = (Op.RETIRE, Op.DELETE)


class Verdicts:
    """Ends the open writes of one sync as people say; `day` is the today of a system while it is
    asked for what a write may have made."""

    def __init__(
        self,
        store: Store,
        sync: str,
        systems: Mapping[Side, Callable[[], Connector]],
        owners: Owners,
        now: Callable[[], datetime],
        day: date,
    ) -> None:
        """`systems` connect when they are needed: to say that nothing happened asks nobody."""
        self._store, self._sync, self._systems = store, sync, systems
        self._owners, self._now, self._day = owners, now, day
        self._ledger = Ledger(store, sync, lambda: owners.names)
        self._decided = Decided(store)

    def end(self, ruling: Ruling) -> None:
        """End what the wait is about; raises `LeaseHeld` while a run goes on, `Undecidable` where
        it has ended since, or what was named cannot be it."""
        with Lease.take(self._store, self._sync, now=self._now) as lease:
            side = ruling.wait.waiting.side
            journal = Journal(self._store, self._sync, lease).of_side(side)
            *first, last = self._open(journal, ruling.wait)
            for each in first:
                self._end(journal, each, ruling, lambda connection: None)
            self._end(journal, last, ruling, lambda c: self._remember(c, ruling))

    def _open(self, journal: Journal, wait: Wait) -> list[Operation]:
        said = wait.waiting
        key = said.kind, said.budget_ref or "", said.ref
        found = [each for each in journal.open() if (each.kind, each.budget_ref, each.ref) == key]
        if not found:
            raise Undecidable(f"{wait.number} waits no more: its write has an outcome by now")
        return found

    def _remember(self, connection: Connection, ruling: Ruling) -> None:
        self._decided.decide_within(connection, [ruling], done=True)

    def _end(
        self,
        journal: Journal,
        operation: Operation,
        ruling: Ruling,
        then: Callable[[Connection], None],
    ) -> None:
        if ruling.take is Take.NOT_APPLIED:
            said = f"{self._store.author.called} said that it did not happen"
            journal.ended(operation.id, State.LOST, said, remember=then)
            return
        system = self._systems[operation.side]()
        id = operation.target_id if ruling.take is Take.APPLIED else str(ruling.value)
        echo = None if operation.op in _REMOVALS else self._shown(system, operation, ruling, id)

        def keep(connection: Connection) -> None:
            if operation.side is Side.SOURCE:
                remember_returned(self._ledger, connection, operation, echo, whole=False)
            else:
                remember(system, self._ledger, connection, operation, echo, whole=False)
            then(connection)

        journal.applied(operation.id, echo.id if echo else id, keep)

    def _shown(
        self, system: Connector, operation: Operation, ruling: Ruling, id: str | None
    ) -> Observed:
        """The object that the write made or changed, as the system shows it."""
        number = ruling.wait.number
        if id is None:
            raise Undecidable(f"{number}: say which object it made: --take ID")
        with system.on(self._day):
            try:
                item = system.get(operation.kind, id)
            except Missing:
                raise Undecidable(f"{number}: {system.name} has no {operation.kind} {id}") from None
        container = (operation.draft or {}).get("container")
        if container is not None and item.container != container:
            raise Undecidable(f"{number}: {id} is not within {operation.budget_ref}")
        if not in_use(system, item, operation.op):
            raise Undecidable(f"{number}: {id} is not in use at {system.name}")
        if taken := self._taken(operation, item):
            raise Undecidable(f"{number}: {id} {taken}")
        return item

    def _taken(self, operation: Operation, item: Observed) -> str | None:
        """What speaks for it that the object is another than the write was about."""
        own: Key = operation.budget_ref, operation.ref
        if operation.side is Side.SOURCE:
            links = self._ledger.by_refs(operation.kind, [key_of(item)])
            others = [each.target_id for key, each in links.items() if key != own]
            return f"is linked to {others[0]} already" if others else None
        ids = [item.id]
        for link in self._ledger.by_targets(operation.kind, ids).values():
            if (link.budget_ref, link.ref) != own:
                return f"is linked to {link.ref} already"
        for owned in self._owners.by_targets(operation.kind, ids).values():
            return f"belongs to the sync {owned.sync}"
        return None
