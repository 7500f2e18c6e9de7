"""Groups to canonical budgets and allocations: periods become phases where they differ."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.period import Cadence, Period, add_months
from connectors.file.layouts.grouping import Amounts, Grouped, Share
from connectors.file.layouts.numbers import PLACES
from connectors.file.mapping import settled

_CADENCES: Final = {1: Cadence.MONTHLY, 3: Cadence.QUARTERLY, 12: Cadence.YEARLY}
_HOLDS_PHASES: Final = "phases" in Allocation.__struct_fields__
_DIMENSION: Final = "dimension:"


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
        group.amounts,
        unit,
    )


def allocation_of(share: Share, group: Grouped, whole: Budget, unit: str) -> Allocation:
    """The allocation of a share of `group`; what it has in common with its budget is not said.

    Where an allocation cannot hold the amounts of several periods it is their sum, counted once.
    """
    own = _in_time(Budget(ref=group.ref, name="", amount=None), share.amounts, unit)
    entity = Entity(group.entity_type, share.entity)
    said: dict[str, Any] = {"amount": own.amount}
    if own.phases and _HOLDS_PHASES:
        said["phases"] = own.phases
    elif own.phases:
        said["amount"] = _amount(sum(share.counted.by_place.values()), unit)
        said["cadence"] = Cadence.ONCE
    if own.cadence is not whole.cadence:
        said.setdefault("cadence", own.cadence)
    if own.start != whole.start:
        said["start"] = own.start
    if own.end != whole.end:
        said["end"] = own.end
    return Allocation(ref=str(entity), budget=group.ref, entity=entity, **said)


def _in_time(budget: Budget, amounts: Amounts, unit: str) -> Budget:
    """The budget with those amounts: one where they are alike in a row, else phases."""
    phases = tuple(Phase(period, _amount(value, unit)) for period, value in amounts.items())
    cadence = _cadence([*amounts])
    if cadence is Cadence.ONCE and len(phases) == 1:
        period, amount = phases[0].period, phases[0].amount
        return replace(budget, amount=amount, start=period.start, end=period.end)
    if cadence is Cadence.ONCE:  # what counts once is never one stretch of several
        first, last = phases[0], phases[-1]
        return replace(
            budget,
            amount=first.amount,
            start=first.period.start,
            end=last.period.end,
            phases=phases,
        )
    return settled(replace(budget, cadence=cadence, phases=phases))


def _amount(value: int, unit: str) -> Amount:
    return Amount(Decimal(value).scaleb(-PLACES), unit).rounded()


def _cadence(periods: list[Period]) -> Cadence:
    """How often the amounts start afresh; once, where the periods are no months of a kind."""
    first = periods[0]
    for months, cadence in _CADENCES.items():
        if all(_is_whole(each, months, first) for each in periods):
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
