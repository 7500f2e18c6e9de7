"""Groups to canonical budgets and allocations: periods become phases where they differ."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.currency import exponent
from canonical.period import Cadence, Period, add_months
from connectors.file.layouts.grouping import Counted, Grouped, Share
from connectors.file.layouts.numbers import PLACES

_CADENCES: Final = {1: Cadence.MONTHLY, 3: Cadence.QUARTERLY, 12: Cadence.YEARLY}
_HOLDS_PHASES: Final = "phases" in Allocation.__struct_fields__
_DIMENSION: Final = "dimension:"
_USUAL: Final = 2
_CENTS: Final = 10 ** (PLACES - _USUAL)
"""Ten-thousandths in a cent."""


def budget_of(group: Grouped, unit: str) -> Budget:
    """The budget of a group, its amounts in `unit`."""
    facts = group.facts
    owners = facts.get("owners")
    return _in_time(
        Budget(
            ref=group.ref,
            name=group.name,
            amount=None,
            description=facts.get("description"),
            parent=facts.get("parent"),
            owners=None if owners is None else tuple(_parted(owners)),
            dimensions={
                name.removeprefix(_DIMENSION): text
                for name, text in facts.items()
                if name.startswith(_DIMENSION)
            },
        ),
        group.counted,
        unit,
    )


def allocation_of(share: Share, group: Grouped, whole: Budget, unit: str) -> Allocation:
    """The allocation of a share of `group`; what it has in common with its budget is not said.

    Where an allocation cannot hold the amounts of several periods it is their sum, counted once.
    """
    entity = Entity(group.entity_type, share.entity)
    periods, values = share.counted.in_order()
    own = periods[0].start, periods[-1].end
    cadence = _cadence(periods)
    said: dict[str, Any] = {"amount": _amount(values[0], unit)}
    if cadence is Cadence.ONCE or not _is_one(periods, values):
        if _HOLDS_PHASES:
            said["phases"] = _phases(periods, values, unit)
        elif len(periods) > 1:
            said["amount"] = _amount(sum(values), unit)
            cadence = Cadence.ONCE
    if cadence is not whole.cadence:
        said["cadence"] = cadence
    if own[0] != whole.start:
        said["start"] = own[0]
    if own[1] != whole.end:
        said["end"] = own[1]
    return Allocation(ref=str(entity), budget=group.ref, entity=entity, **said)


def _in_time(budget: Budget, counted: Counted, unit: str) -> Budget:
    """The budget with those amounts: one where they are alike in a row, else phases."""
    periods, values = counted.in_order()
    cadence = _cadence(periods)
    one = len(values) == 1 or (cadence is not Cadence.ONCE and _is_one(periods, values))
    return replace(
        budget,
        amount=_amount(values[0], unit),
        cadence=cadence,
        start=periods[0].start,
        end=periods[-1].end,
        phases=() if one else _phases(periods, values, unit),
    )


def _phases(periods: Sequence[Period], values: Sequence[int], unit: str) -> tuple[Phase, ...]:
    return tuple(
        Phase(period, _amount(value, unit)) for period, value in zip(periods, values, strict=True)
    )


def _is_one(periods: Sequence[Period], values: Sequence[int]) -> bool:
    """Whether all amounts are alike and follow each other without a gap."""
    return len(set(values)) == 1 and _follow(tuple(periods))


@lru_cache(maxsize=256)
def _follow(periods: tuple[Period, ...]) -> bool:
    return all(
        before.end is not None and after.start == before.end + timedelta(days=1)
        for before, after in pairwise(periods)
    )


def _amount(value: int, unit: str) -> Amount:
    if exponent(unit) == _USUAL and not value % _CENTS:
        return Amount(Decimal(value // _CENTS).scaleb(-_USUAL), unit)
    return Amount(Decimal(value).scaleb(-PLACES), unit).rounded()


def _cadence(periods: Sequence[Period]) -> Cadence:
    """How often the amounts start afresh; once, where the periods are no months of a kind."""
    return _cadence_of(tuple(periods))


@lru_cache(maxsize=256)
def _cadence_of(periods: tuple[Period, ...]) -> Cadence:
    for months, cadence in _CADENCES.items():
        if all(_is_whole(each, months, periods[0]) for each in periods):
            return cadence
    return Cadence.ONCE


def _is_whole(period: Period, months: int, first: Period) -> bool:
    start = period.start
    if start.day != 1 or period.end is None:
        return False
    apart = (start.year - first.start.year) * 12 + start.month - first.start.month
    return apart % months == 0 and period.end == add_months(start, months) - timedelta(days=1)


def _parted(text: str) -> list[str]:
    return [each for part in text.split(";") if (each := part.strip())]
