"""Waves: a plan cut into parts that are applied one after the other.

What hangs together is in one wave: a budget with its allocations, what takes a name with what gives
it up, and an allocation that moves with both its budgets. The order is that of the refs, but that a
budget comes after the one above it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from itertools import pairwise

from canonical.budget import Budget
from canonical.change import Change
from canonical.kind import Kind


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a wave ends: after a share, in percent, of a migration's objects, or after so many."""

    size: Decimal
    is_share: bool

    def of(self, total: int) -> int:
        """How many of `total` objects are in place when the wave has ended; at least one."""
        if not self.is_share:
            return min(int(self.size), total)
        exact = self.size * total / 100
        return min(total, max(1, int(exact.to_integral_value(ROUND_CEILING))))

    def __str__(self) -> str:
        return f"{self.size:f}{'%' if self.is_share else ''}"


def marks_of(said: str) -> tuple[Mark, ...]:
    """The marks written as "1%,10%,100%" or "50,500,100%"; raises `ValueError`.

    Each counts from the beginning, so each is beyond the one before it.
    """
    marks = tuple(_mark(each.strip()) for each in said.split(","))
    for before, after in pairwise(marks):
        if before.is_share == after.is_share and after.size <= before.size:
            raise ValueError(f"the wave {after} does not go beyond {before}, which is before it")
    return marks


def _mark(said: str) -> Mark:
    is_share = said.endswith("%")
    number = said.removesuffix("%")
    try:
        size = Decimal(number) if number.isascii() and "_" not in number else Decimal("NaN")
    except InvalidOperation:
        size = Decimal("NaN")
    whole = is_share or (size.is_finite() and size == size.to_integral_value())
    if not (size.is_finite() and whole and size > 0) or (is_share and size > 100):
        raise ValueError(f'"{said}" is no wave; write a share such as 10%, or a count such as 50')
    return Mark(size, is_share)


def bundles(changes: Collection[Change]) -> list[tuple[Change, ...]]:
    """What has to be in one wave, each bundle in the plan's order, what is above others first."""
    above: dict[str, str] = {}
    for each in changes:
        own = _budget(each)
        for other in _needed(each):
            _join(above, own, other)
    found: dict[str, list[Change]] = defaultdict(list)
    for each in changes:
        found[_top(above, _budget(each))].append(each)
    return [tuple(found[name]) for name in _in_order(found, above)]


def _in_order(found: Mapping[str, Sequence[Change]], above: dict[str, str]) -> list[str]:
    """The bundles' names, each after those that hold the budgets above its own."""
    parents = {name: {_top(above, ref) for ref in _parents(found[name])} for name in found}
    order: dict[str, None] = {}
    for name in sorted(found):
        path = [name]
        while path:
            ahead = (each for each in sorted(parents[path[-1]]) if each in found)
            missing = [each for each in ahead if each not in order and each not in path]
            if missing:
                path.append(missing[0])
            else:
                order[path.pop()] = None
    return list(order)


def _parents(changes: Sequence[Change]) -> Iterator[str]:
    for each in changes:
        if isinstance(each.desired, Budget) and each.desired.parent is not None:
            yield each.desired.parent


def _budget(change: Change) -> str:
    return change.budget_ref or change.ref


def _needed(change: Change) -> Iterator[str]:
    """The refs of the budgets that a change hangs together with."""
    for kind, budget_ref, ref in change.after:
        yield ref if kind is Kind.BUDGET else budget_ref
    if "budget" in change.fields:
        yield from (str(ref) for ref in change.fields["budget"] if ref is not None)


def _top(above: dict[str, str], ref: str) -> str:
    while above.get(ref, ref) != ref:
        ref = above[ref]
    return ref


def _join(above: dict[str, str], one: str, other: str) -> None:
    """The smaller ref stands for both."""
    first, second = sorted((_top(above, one), _top(above, other)))
    above[second] = first


def cut(
    changes: Collection[Change], marks: Sequence[Mark], done: int = 0
) -> list[tuple[Mark, tuple[Change, ...]]]:
    """The waves that are left, none of them empty, where `done` objects are in place already.

    What is beyond the last mark is in none. A bundle that reaches over a mark is in the wave that
    ends there.
    """
    total = done + len(changes)
    left = iter(bundles(changes))
    waves, count = [], done
    for mark in marks:
        wave: list[Change] = []
        while count < mark.of(total) and (bundle := next(left, None)) is not None:
            wave += bundle
            count += len(bundle)
        if wave:
            waves.append((mark, tuple(wave)))
    return waves
