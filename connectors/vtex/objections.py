"""What a VTEX system, as it is set up, cannot be told about a budget or an allocation. Pure."""

from collections.abc import Iterator, Sequence

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.change import Effect, Loss
from canonical.period import Cadence
from connectors.errors import Rejected


def objections(
    model: Budget | Allocation, system: str, currency: str, units: Sequence[str]
) -> Iterator[Loss]:
    """What is lost of a new `model` in a `system` of that currency and these units."""
    if model.amount is not None and model.amount.unit != currency:
        reason = f"{system} counts in {currency}, as currency of [systems.{system}] says"
        yield Loss("currency", Effect.BLOCKED, reason)
    if len({frozenset(alert.recipients) for alert in model.alerts or ()}) > 1:
        reason = "vtex tells the same people of every threshold"
        yield Loss("alerts", Effect.EMULATED, reason)
    if not isinstance(model, Budget):
        return
    if (unit := _unit(model, units)) not in units:
        yield Loss("unit", Effect.BLOCKED, _no_unit(system, unit, units))
    if homeless := sorted(model.dimensions.keys() - {"unit"}):
        yield Loss("dimensions", Effect.DROPPED, f"vtex has no place for {', '.join(homeless)}")
    if model.cadence is not Cadence.ONCE and model.end is not None:
        reason = f"vtex renews a {model.cadence} budget until a run in its last period stops it"
        yield Loss("end", Effect.EMULATED, reason)


def unit_of(budget: Budget, system: str, units: Sequence[str]) -> str:
    """The unit that a new budget goes to: the only one, else the one that its dimension names.

    Raises `Rejected` where nothing says which.
    """
    unit = _unit(budget, units)
    if unit is None or unit not in units:
        raise Rejected(_no_unit(system, unit, units))
    return unit


def _unit(budget: Budget, units: Sequence[str]) -> str | None:
    return units[0] if len(units) == 1 else budget.dimensions.get("unit")


def _no_unit(system: str, unit: str | None, units: Sequence[str]) -> str:
    said = f"is {unit!r}" if unit else "is not said"
    return f"{system} has {len(units)} units, and the budget's dimension `unit` {said}"
