"""The past of a table: what stood in it before, for readers who are behind."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

_Stood: TypeAlias = dict[str, Any] | None


class Old(dict[str, _Stood]):
    """By id, those rows that were others at an earlier time; None where there was none."""

    def ids(self, now: Sequence[str]) -> list[str]:
        """The ids that were there, of those that are there `now` and those that are gone."""
        left = [id for id in now if self.get(id, {}) is not None]
        there = set(now)
        return [*left, *(id for id, row in self.items() if row is not None and id not in there)]


class Past:
    """Rows that were replaced or removed, and until when each stood."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._was: list[tuple[float, str, _Stood]] = []

    def note(self, id: str, row: _Stood) -> None:
        """Until now `row` stood at that id; None is nothing."""
        self._was.append((self._clock(), id, row))

    def at(self, time: float) -> Old:
        """What stood at that time and does no more; nobody asks for an earlier one after that."""
        self._was = [each for each in self._was if each[0] > time]
        found = Old()
        for _, id, row in self._was:
            found.setdefault(id, row)
        return found

    def clear(self) -> None:
        """Forget it."""
        self._was.clear()
