"""Sums of amounts by group and period, in ten-thousandths, small enough for millions of them."""

from array import array
from collections.abc import Sequence
from typing import Final, Protocol

_BLANK: Final = -(1 << 63)
_BITS: Final = 24


class Sums(Protocol):
    """Amounts by the numbers of a group and a period; what was never added is not there."""

    def add(self, group: int, periods: Sequence[int], values: Sequence[int]) -> None:
        """Add `values` to what is there of `periods`, which are in order and each there once.

        Raises `OverflowError` beyond any amount.
        """

    def of(self, group: int) -> tuple[tuple[int, ...], list[int]]:
        """The periods of the group by number, and the sum of each."""


class Dense:
    """For files of one column a period: nearly every group has nearly every period.

    All amounts stand in one array, group by group, `width` of them each.
    """

    def __init__(self, width: int = 12) -> None:
        self._width = max(width, 1)
        self._amounts: array[int] = array("q")
        self._row = array("q", [_BLANK]) * self._width
        self._every: tuple[int, ...] = ()

    def add(self, group: int, periods: Sequence[int], values: Sequence[int]) -> None:
        if periods and periods[-1] >= self._width:
            self._widen(periods[-1] + 1)
        amounts, begin = self._amounts, group * self._width
        if begin == len(amounts) and len(periods) == self._width:
            amounts.extend(array("q", values))  # a whole row of a group that is new
            return
        while begin >= len(amounts):
            amounts.extend(self._row)
        for period, amount in zip(periods, values, strict=True):
            before = amounts[begin + period]
            amounts[begin + period] = amount if before == _BLANK else before + amount

    def _widen(self, width: int) -> None:
        """Make room for more periods: those of another year, for instance."""
        old, before = self._amounts, self._width
        self._width = max(width, 2 * before)
        more = array("q", [_BLANK]) * (self._width - before)
        self._row = array("q", [_BLANK]) * self._width
        self._amounts = array("q")
        for begin in range(0, len(old), before):
            self._amounts.extend(old[begin : begin + before])
            self._amounts.extend(more)

    def of(self, group: int) -> tuple[tuple[int, ...], list[int]]:
        begin = group * self._width
        values = self._amounts[begin : begin + self._width].tolist()
        if _BLANK not in values:
            return self._all(len(values)), values
        held = [(period, amount) for period, amount in enumerate(values) if amount != _BLANK]
        return tuple([period for period, _ in held]), [amount for _, amount in held]

    def _all(self, count: int) -> tuple[int, ...]:
        if len(self._every) != count:
            self._every = tuple(range(count))
        return self._every


class Sparse:
    """For files of one row a period, whose periods may be many and far between."""

    def __init__(self) -> None:
        self._amounts: dict[int, int] = {}
        self._periods: list[list[int]] = []

    def add(self, group: int, periods: Sequence[int], values: Sequence[int]) -> None:
        for period, amount in zip(periods, values, strict=True):
            key = group << _BITS | period
            before = self._amounts.get(key)
            if before is not None:
                self._amounts[key] = before + amount
                continue
            self._amounts[key] = amount
            while group >= len(self._periods):
                self._periods.append([])
            self._periods[group].append(period)

    def of(self, group: int) -> tuple[tuple[int, ...], list[int]]:
        periods = self._periods[group] if group < len(self._periods) else []
        return tuple(periods), [self._amounts[group << _BITS | period] for period in periods]
