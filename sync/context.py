"""Context: what all steps of one sync share: its systems, its limits, and what it remembers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.contract.interface import Connector
from sync.approving import Approving
from sync.intake.selection import Selection
from sync.neighbours import Sources
from sync.queue import RunQueue
from sync.spec import SyncSpec
from sync.state.history import History
from sync.state.ledger import Ledger
from sync.state.owners import Owners
from sync.state.store import Store
from sync.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One sync between two connectors. `neighbours` are the sources of the other syncs into the
    same account, `selections` what of them each carries."""

    spec: SyncSpec
    source: Connector
    target: Connector
    store: Store
    ledger: Ledger
    owners: Owners
    history: History
    queue: RunQueue
    approving: Approving
    watch: Watch
    now: Callable[[], datetime]
    neighbours: Sources
    selections: Mapping[str, Selection | None] | None

    @property
    def takes_back(self) -> bool:
        """Whether plans change the source too."""
        return not (self.spec.fields.is_mirror or self.source.settings.only_read())
