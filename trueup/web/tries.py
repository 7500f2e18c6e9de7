"""How often somebody may try in a minute, by the address that they come from."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

_MINUTE: Final = timedelta(minutes=1)
_MOST: Final = 10_000


class Tries:
    """The tries of the last minute, of which `limit` from an address are looked at. Safe to share
    between threads."""

    def __init__(self, now: Callable[[], datetime], limit: int) -> None:
        self._now, self._limit = now, limit
        self._tries: list[tuple[datetime, str]] = []
        self._lock = Lock()

    def note(self, address: str) -> None:
        """There was one."""
        with self._lock:
            self._tries = [*self._lately(), (self._now(), address)][-_MOST:]

    def are_too_many(self, address: str) -> bool:
        """Whether the next is not looked at."""
        with self._lock:
            self._tries = self._lately()
            return sum(each == address for _, each in self._tries) >= self._limit

    def _lately(self) -> list[tuple[datetime, str]]:
        now = self._now()
        return [each for each in self._tries if now - each[0] < _MINUTE]
