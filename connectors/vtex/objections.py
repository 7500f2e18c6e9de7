"""What a VTEX system, as it is set up, cannot be told about a budget or an allocation. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date

from msgspec.structs import replace

from canonical.allocation import Alert, Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.count import uncountable
from canonical.loss import Effect, Loss
from canonical.period import Cadence
from connectors.contract.errors import Rejected
from connectors.vtex.cycle import Recurrence, cycle_on, cycle_said
from connectors.vtex.entities import Entities


def fitted(
    model: Budget | Allocation, system: str, currency: str, units: Sequence[str], today: date
) -> tuple[Budget | Allocation, Sequence[Loss]]:
    """`model` as a `system` of that currency and these units has it, and what that loses.

    Of the dimensions it is the unit that counts, and where there is only one, not even that.
    Raises `CanonicalError` for a time that no cycle can hold.
    """
    losses = [*_losses(model, system, currency)]
    if isinstance(model, Budget) and model.cadence is not Cadence.ONCE:
        losses += _renewed(model, today)
    alerts = tuple(_rounded(alert, currency) for alert in model.alerts or ())
    if model.alerts and alerts != model.alerts:
        model = replace(model, alerts=alerts)
        losses.append(Loss("alerts", Effect.ROUNDED, f"{currency} has no smaller unit"))
    if not isinstance(model, Budget):
        return model, losses
    kept = {name: each for name, each in model.dimensions.items() if name == "unit"}
    if len(units) == 1:
        kept = {}
    if homeless := sorted(model.dimensions.keys() - {"unit"}):
        reason = f"vtex has no place for {', '.join(homeless)}"
        losses.append(Loss("dimensions", Effect.DROPPED, reason))
    return (replace(model, dimensions=kept) if kept != model.dimensions else model), losses


def linked(model: Allocation, system: str, entities: Entities) -> tuple[Allocation, list[Loss]]:
    """An allocation under the one name of its entity, and what is lost where checkout, which goes
    by VTEX's own type and id, cannot know that entity."""
    entity, losses = entities.named(model.entity), list[Loss]()
    if not entities.matched(entity):
        losses.append(Loss("entity", Effect.EMULATED, unmatched(entity, system)))
    return (model if entity == model.entity else replace(model, entity=entity)), losses


def unmatched(entity: Entity, system: str) -> str:
    """What an entity wants that checkout cannot know."""
    return (
        f"checkout cannot match {entity}: it has no row in [systems.{system}.entities] with "
        "its type and id at VTEX, such as CUSTOMFIELD:ID or USER:ID"
    )


def objections(model: Budget | Allocation, system: str, units: Sequence[str]) -> Iterator[Loss]:
    """What keeps a new `model` out of a `system` of these units."""
    if isinstance(model, Budget) and (unit := _unit(model, units)) not in units:
        yield Loss("unit", Effect.BLOCKED, _no_unit(system, unit, units))


def _losses(model: Budget | Allocation, system: str, currency: str) -> Iterator[Loss]:
    if model.amount is not None and model.amount.unit != currency:
        reason = f"{system} counts in {currency}, as currency of [systems.{system}] says"
        yield Loss("currency", Effect.BLOCKED, reason)
    if len({frozenset(alert.recipients) for alert in model.alerts or ()}) > 1:
        reason = "vtex tells the same people of every threshold"
        yield Loss("alerts", Effect.EMULATED, reason)


def _renewed(model: Budget, today: date) -> Iterator[Loss]:
    """What becomes of the time of a budget that starts afresh, as cycles are the calendar's."""
    if reason := uncountable(model):
        yield Loss("end", Effect.BLOCKED, f"{reason}: vtex renews by the calendar")
    elif model.end is not None:
        reason = f"vtex renews a {model.cadence} budget until a run in its last period stops it"
        yield Loss("end", Effect.EMULATED, reason)

    recurrence = Recurrence(model.cadence, model.start, model.end)
    cycle = cycle_on(recurrence, today)
    cycle_said(cycle, carry_over=False, inclusive=False)
    if model.start is not None and cycle.first < model.start:
        yield Loss("start", Effect.ROUNDED, f"vtex's first cycle begins on {cycle.first}")


def _rounded(alert: Alert, currency: str) -> Alert:
    if alert.percent:
        return alert
    return replace(alert, threshold=Amount(alert.threshold, currency).rounded().value)


def unit_of(budget: Budget, system: str, units: Sequence[str]) -> str:
    """The unit that a new budget goes to: the only one, else the one that its dimension names.

    Raises `Rejected` where nothing says which.
    """
    unit = _unit(budget, units)
    if unit is None or unit not in units:
        raise Rejected(_no_unit(system, unit, units))
    return unit


def stay(budget: Budget, id: str, system: str) -> None:
    """Raises `Rejected` where a budget is to be in another unit than its `id` says."""
    unit, said = id.partition("/")[0], budget.dimensions.get("unit")
    if said is not None and said != unit:
        message = f"{system} cannot move a budget from unit {unit!r} to {said!r}"
        hint = "Delete it there, or let its dimension `unit` say where it is"
        raise Rejected(message, hint=hint)


def _unit(budget: Budget, units: Sequence[str]) -> str | None:
    return units[0] if len(units) == 1 else budget.dimensions.get("unit")


def _no_unit(system: str, unit: str | None, units: Sequence[str]) -> str:
    said = f"is {unit!r}" if unit else "is not said"
    return f"{system} has {len(units)} units, and the budget's dimension `unit` {said}"
