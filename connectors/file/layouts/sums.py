"""Sums of amounts by group and period, in ten-thousandths, small enough for millions of them."""

from array import array
from collections.abc import Iterator
from typing import Final, Protocol

_BLANK: Final = -(1 << 63)
_BITS: Final = 24


class Sums(Protocol):
    """Amounts by the numbers of a group and a period; what was never added is not there."""

    def add(self, group: int, period: int, amount: int) -> None:
        """Add to what is there; raises `OverflowError` beyond any amount."""

    def of(self, group: int) -> Iterator[tuple[int, int]]:
        """Each period of the group with its sum."""


class Dense:
    """For files of one column a period: nearly every group has nearly every period."""

    def __init__(self) -> None:
        self._columns: list[array[int]] = []

    def add(self, group: int, period: int, amount: int) -> None:
        while period >= len(self._columns):
            self._columns.append(array("q"))
        column = self._columns[period]
        if group >= len(column):
            column.extend([_BLANK] * (group - len(column)))
            column.append(amount)
            return
        before = column[group]
        column[group] = amount if before == _BLANK else before + amount

    def of(self, group: int) -> Iterator[tuple[int, int]]:
        for period, column in enumerate(self._columns):
            if group < len(column) and (amount := column[group]) != _BLANK:
                yield period, amount


class Sparse:
    """For files of one row a period, whose periods may be many and far between."""

    def __init__(self) -> None:
        self._amounts: dict[int, int] = {}
        self._periods: list[int | list[int]] = []

    def add(self, group: int, period: int, amount: int) -> None:
        key = group << _BITS | period
        before = self._amounts.get(key)
        self._amounts[key] = amount if before is None else before + amount
        if before is None:
            self._note(group, period)

    def _note(self, group: int, period: int) -> None:
        while group >= len(self._periods):
            self._periods.append([])
        held = self._periods[group]
        assert isinstance(held, list)
        held.append(period)

    def of(self, group: int) -> Iterator[tuple[int, int]]:
        held = self._periods[group] if group < len(self._periods) else []
        assert isinstance(held, list)
        for period in held:
            yield period, self._amounts[group << _BITS | period]
