"""Groups to canonical budgets and allocations: periods become phases where they differ."""

from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.currency import exponent
from canonical.period import Cadence
from connectors.layouts.grouping import Grouped, Share
from connectors.layouts.numbers import PLACES
from connectors.layouts.timelines import Counted

_HOLDS_PHASES: Final = "phases" in Allocation.__struct_fields__
_DIMENSION: Final = "dimension:"
_USUAL: Final = 2
_CENTS: Final = 10 ** (PLACES - _USUAL)
"""Ten-thousandths in a cent."""
_CENT: Final = Decimal("0.01")
"""To multiply with it takes two thirds of the time that scaling takes."""


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
    counted, timeline = share.counted, share.counted.timeline
    values, periods = counted.values, timeline.periods
    own = periods[0].start, periods[-1].end
    cadence = timeline.cadence
    said: dict[str, Any] = {"amount": _amount(values[0], unit)}
    if len(values) > 1 and (cadence is Cadence.ONCE or not _is_one(counted)):
        if _HOLDS_PHASES:
            said["phases"] = _phases(counted, unit)
        else:
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
    values, periods = counted.values, counted.timeline.periods
    cadence = counted.timeline.cadence
    one = len(values) == 1 or (cadence is not Cadence.ONCE and _is_one(counted))
    return replace(
        budget,
        amount=_amount(values[0], unit),
        cadence=cadence,
        start=periods[0].start,
        end=periods[-1].end,
        phases=() if one else _phases(counted, unit),
    )


def _phases(counted: Counted, unit: str) -> tuple[Phase, ...]:
    pairs = zip(counted.timeline.periods, counted.values, strict=True)
    return tuple([Phase(period, _amount(value, unit)) for period, value in pairs])


def _is_one(counted: Counted) -> bool:
    """Whether all amounts are alike and follow each other without a gap."""
    return len(set(counted.values)) == 1 and counted.timeline.follow


def _amount(value: int, unit: str) -> Amount:
    if exponent(unit) == _USUAL and not value % _CENTS:
        return Amount(Decimal(value // _CENTS) * _CENT, unit)
    return Amount(Decimal(value).scaleb(-PLACES), unit).rounded()


def _parted(text: str) -> list[str]:
    return [each for part in text.split(";") if (each := part.strip())]
