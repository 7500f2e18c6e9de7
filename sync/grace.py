"""Grace: what was made a moment ago and is not shown yet is not absent, it is waited for.

Listings of some vendors lag behind their writes, and at a few of them so do reads by id. Within the
grace time that a target's capabilities declare, absence proves nothing.
"""

from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import Final

from canonical.kind import Kind
from connectors.contract.errors import Missing
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.match import Key
from sync.observe import Observation, add
from sync.send import draft_of
from sync.state.journal import Journal, Operation
from sync.state.ledger import Ledger

_FIRST: Final = 1.0
_LONGEST: Final = 8.0


class Wait:
    """Waiting for what may yet be shown, in growing steps; never beyond the patience of a call."""

    def __init__(self, target: Connector, now: Callable[[], datetime], stop: Event) -> None:
        self._runtime, self._grace = target.runtime, target.capabilities.grace
        self._stop, self._began = stop, now()
        self._waited, self._step = 0.0, _FIRST

    def left(self, since: datetime | None) -> float:
        """Seconds in which what was sent, or answered, at `since` need not be shown yet."""
        if since is None:
            return 0.0
        return (since + self._grace - self._began).total_seconds() - self._waited

    def more(self, left: float) -> bool:
        """Wait a moment of the seconds that are `left`; false where there is no time for it."""
        step = min(self._step, left)
        if step <= 0 or self._stop.is_set() or self._waited + step > self._runtime.patience:
            return False
        self._runtime.sleep(step)
        self._waited += step
        self._step = min(self._step * 2, _LONGEST)
        return True


class Newborn:
    """The objects that runs of a sync made within the grace time of its target."""

    def __init__(self, target: Connector, ledger: Ledger, journal: Journal) -> None:
        self._target, self._ledger, self._journal = target, ledger, journal

    def unseen(
        self, observation: Observation, now: Callable[[], datetime], stop: Event
    ) -> frozenset[tuple[Kind, Key]]:
        """Those that neither the listing nor a read of their own shows in their place, even after
        a wait.

        What a read shows is put into `observation`, as if it had been listed.
        """
        grace = self._target.capabilities.grace
        if not grace:
            return frozenset()
        made = self._unlisted(observation, self._journal.made_since(now() - grace))
        wait = Wait(self._target, now, stop)
        while made := [each for each in made if not self._shown(*each, observation)]:
            if not wait.more(max(wait.left(each.ended_at) for each, _ in made)):
                break
        young = [each for each, _ in made if wait.left(each.ended_at) > 0]
        return frozenset((each.kind, (each.budget_ref, each.ref)) for each in young)

    def _unlisted(
        self, observation: Observation, made: list[Operation]
    ) -> list[tuple[Operation, int]]:
        """Those that the listing does not show in their place, each with its link."""
        found = []
        for kind in Kind:
            ids = [str(each.target_id) for each in made if each.kind is kind]
            links = self._ledger.by_targets(kind, ids)
            for each in made:
                link = links.get(str(each.target_id)) if each.kind is kind else None
                if link is not None and not self._in_place(each, observation, link.id):
                    found.append((each, link.id))
        return found

    def _in_place(self, operation: Operation, observation: Observation, link: int) -> bool:
        """Whether it was listed, and not before it had got the place that it was made for."""
        item = observation.drifted.get(link)
        return observation.has(link) if item is None else _has_place(operation, item)

    def _shown(self, operation: Operation, link: int, observation: Observation) -> bool:
        try:
            item = self._target.get(operation.kind, str(operation.target_id))
        except Missing:
            return False
        observation.drifted.pop(link, None)
        add(observation, operation.kind, item, self._ledger)
        return _has_place(operation, item)


def _has_place(operation: Operation, item: Observed) -> bool:
    """Whether an object is below something, if it was made below something."""
    return item.container is not None or draft_of(operation)[0].container is None
