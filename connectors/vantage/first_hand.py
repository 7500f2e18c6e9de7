"""What answers about one budget alone have shown of it lately, where a listing may be behind.

Listings may lag behind writes; a read by id less so. For as long as that may last, what was read by
its id, written or removed by this process is told against a listing that shows it otherwise.
"""

from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from typing import Any

from connectors.contract.errors import Forbidden, Malformed, Missing
from connectors.vantage.listing import Listing
from connectors.vantage.wire import VantageBudget


class FirstHand:
    """Budgets by token, None for those that were removed; each is forgotten after the `grace`."""

    def __init__(self, monotonic: Callable[[], float], grace: timedelta) -> None:
        self._monotonic, self._grace = monotonic, grace.total_seconds()
        self._noted: dict[str, tuple[float, VantageBudget | None]] = {}
        self._lock = Lock()

    def note(self, token: str, budget: VantageBudget | None) -> None:
        """It is so now."""
        with self._lock:
            self._noted[token] = self._monotonic(), budget

    def get(self, token: str) -> VantageBudget | None:
        """The budget as it was noted, None where it was not, or was removed."""
        return self._recent().get(token)

    def correct(
        self, listing: Listing, read: Callable[[str], VantageBudget], about: str | None
    ) -> None:
        """Put right what the listing shows otherwise: `read` it again, by its id.

        With `about`, only what names that one as its part is read; the rest is as it was noted.
        """
        instead: dict[str, VantageBudget | None] = {}
        unread = listing.unreadable_tokens()
        for token, noted in self._recent().items():
            if token in unread or _same(listing.tree.get(token), noted):
                continue
            named = noted is not None and about in noted.child_budget_tokens
            seen = _read(read, token) if about is None or named else noted
            if seen is not None or noted is None:  # one 404 takes nothing from a listing
                instead[token] = seen
        if instead:
            listing.replace(instead)

    def _recent(self) -> dict[str, VantageBudget | None]:
        with self._lock:
            since = self._monotonic() - self._grace
            self._noted = {token: each for token, each in self._noted.items() if each[0] > since}
            return {token: budget for token, (_, budget) in self._noted.items()}


def _read(read: Callable[[str], VantageBudget], token: str) -> VantageBudget | None:
    try:
        return read(token)
    except (Missing, Forbidden, Malformed):
        return None


def _same(listed: VantageBudget | None, noted: VantageBudget | None) -> bool:
    return (listed and _own(listed)) == (noted and _own(noted))


def _own(budget: VantageBudget) -> tuple[Any, ...]:
    """What is the budget's own: the periods of a parent are its children's."""
    children = frozenset(budget.child_budget_tokens)
    periods = None if children else [each.model_dump() for each in budget.periods]
    alerts = frozenset(budget.budget_alert_tokens)
    return budget.name, budget.cost_report_token, children, alerts, periods
