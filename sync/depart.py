"""Depart: a write leaves while the lease lasts, and is journaled as sent when it does.

Between the plan of a write and its call lies time in which the lease may end. So the lease is asked
at each call of an operation, last of all, and what never leaves is never called sent.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from connectors.contract.departure import departing
from connectors.contract.request_ids import noting
from sync.send import request_fingerprint
from sync.state.journal import Journal, Operation


class Departure:
    """The gate of the calls of one operation, or of several that go together."""

    def __init__(
        self, journal: Journal, requests: Sequence[tuple[Operation, Mapping[str, Any] | None]]
    ) -> None:
        """Each of `requests` is an operation and the draft that it sends, as it is journaled."""
        self._journal, self._requests = journal, requests
        self._lock = Lock()
        self.has_left = False
        self.request_ids: list[str] = []
        """By what the vendor knows the calls that it answered."""

    @contextmanager
    def open(self) -> Iterator[None]:
        """What the target's connector is told in this block departs through this gate."""
        with departing(self._pass), noting(self.request_ids):
            yield

    def record(self) -> None:
        """Journal the operations as sent, unless they are. When this returns it is on the disk."""
        with self._lock:
            if self.has_left:
                return
            for operation, draft in self._requests:
                self._journal.sent(operation.id, request_fingerprint(operation, draft), draft)
            self.has_left = True

    def _pass(self) -> None:
        """Raises `LeaseLost` where another run may be under way, and nothing leaves."""
        self.record()
        self._journal.ensure()  # after the commit, which takes its time
