"""What may have been made without our knowing: it is waited for before it is made again."""

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Final, TypeVar

from connectors.contract.runtime import Runtime

_FIRST: Final = 1.0
_LONGEST: Final = 8.0

T = TypeVar("T")


class Unanswered:
    """Since when something may be there, by the token of the budget that it was made for.

    Whatever another process began was begun before this object was made; `lately` names the budgets
    that one wrote within the grace time.
    """

    def __init__(
        self, runtime: Runtime, grace: timedelta, lately: Callable[[], Collection[str]]
    ) -> None:
        self._runtime, self._grace, self._lately = runtime, grace.total_seconds(), lately
        self._began = runtime.monotonic()
        self._since: dict[str, float] = {}

    def note(self, token: str) -> None:
        """This process has just sent it, and does not know what became of it."""
        self._since[token] = self._runtime.monotonic()

    def doubt(self, token: str) -> None:
        """Another process may have sent it."""
        self._since.setdefault(token, self._began)

    def awaited(
        self, token: str, look: Callable[[], T | None], parts: Collection[str] = ()
    ) -> T | None:
        """What `look` finds, in growing steps, until it would be shown were it there.

        None at once where nobody can have made it: then nobody wrote the budget or its `parts` of
        late. Never beyond the patience of a call.
        """
        if not {token, *parts}.isdisjoint(self._lately()):
            self.doubt(token)
        if token not in self._since:
            return None
        left = self._since[token] + self._grace - self._runtime.monotonic()
        left, step = min(left, self._runtime.patience), _FIRST
        while left > 0 and not self._runtime.stopping():
            self._runtime.sleep(min(step, left))
            left, step = left - step, min(step * 2, _LONGEST)
            if (found := look()) is not None:
                return found
        del self._since[token]
        return None
