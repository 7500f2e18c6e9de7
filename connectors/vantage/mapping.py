"""Vantage's budgets, periods and alerts as ours, and ours as Vantage's. Pure: no call is made."""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeAlias

from canonical.allocation import Alert, Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.errors import CanonicalError
from canonical.identity import EntityMap
from canonical.period import Period
from connectors.errors import Rejected
from connectors.interface import Draft, Observed
from connectors.vantage.wire import (
    VantageAlert,
    VantageAlertWrite,
    VantageBudget,
    VantageBudgetWrite,
    VantagePeriodWrite,
    cadence_of,
)

Phases: TypeAlias = tuple[Phase, ...]

PERIOD_FIELDS = frozenset({"amount", "currency", "start", "end", "phases"})
"""Fields that are said by a budget's periods, and by nothing else."""

_REST = " / (unallocated)"
_SHARE = re.compile(r".* / (?P<type>[a-z][a-z0-9_]*):(?P<id>.+)", re.DOTALL)
_DAY = timedelta(days=1)


def allocation_name(budget_name: str, entity: Entity) -> str:
    """The name of the child budget that is an allocation."""
    return f"{budget_name} / {entity}"


def rest_name(budget_name: str) -> str:
    """The name of the child budget that holds what no other child uses."""
    return f"{budget_name}{_REST}"


def is_rest(name: str | None) -> bool:
    """Whether a budget of that name only makes its parent's sum right."""
    return bool(name and name.endswith(_REST))


def entity_said(name: str | None) -> Entity | None:
    """The entity in the name of an allocation; None for any other name."""
    said = _SHARE.fullmatch(name or "")
    return Entity(said["type"], said["id"]) if said else None


# -- periods -------------------------------------------------------------------------------------


def phases_of(wire: VantageBudget, currency: str) -> Phases:
    """Their periods in time order, with what counts in each month of them."""
    found = [
        Phase(Period(each.start_at, each.end_at), Amount.of(each.amount, currency))
        for each in wire.periods
    ]
    return tuple(sorted(found, key=lambda phase: phase.period.start))


def settled(phases: Phases) -> dict[str, Any]:
    """Amount, start, end and phases as a source states them: what is the same throughout is flat.

    The amount of a phased budget is that of its first phase.
    """
    if not phases:
        return {"amount": None}
    ends = [phase.period.end for phase in phases if phase.period.end is not None]
    flat = len(stretches(phases)) == 1 and len({phase.amount for phase in phases}) == 1
    return {
        "amount": phases[0].amount,
        "start": phases[0].period.start,
        "end": max(ends) if len(ends) == len(phases) else None,
        "phases": () if flat else phases,
    }


def stretches(phases: Phases) -> list[Period]:
    """The periods of `phases`, those that follow each other without a gap made one."""
    found: list[Period] = []
    for phase in phases:
        end = found[-1].end if found else None
        if end is not None and phase.period.start == end + _DAY:
            found[-1] = Period(found[-1].start, phase.period.end)
        else:
            found.append(phase.period)
    return found


def stated_phases(budget: Budget, first: date) -> Phases:
    """What `budget` states, one period per phase; without a start of its own from `first` on.

    Raises `Rejected` for a time that ends before it begins.
    """
    if budget.phases or budget.amount is None:
        return budget.phases
    try:
        return (Phase(Period(budget.start or first, budget.end), budget.amount),)
    except CanonicalError as error:
        raise Rejected(str(error)) from None


def share_phases(allocation: Allocation, budget: Phases) -> Phases:
    """What `allocation` holds, for as long as its `budget` does; raises `Rejected` for no time."""
    if not budget or allocation.amount is None:
        raise Rejected("its budget has no periods that it could have a share of")
    return throughout(allocation.amount, budget)


def throughout(amount: Amount, phases: Phases) -> Phases:
    """The same `amount` for as long as `phases` last, gaps left out."""
    return tuple([Phase(period, amount) for period in stretches(phases)])


def summed(phases: Iterable[Phase], unit: str) -> Phases:
    """What all `phases` make together, cut on each day on which one of them begins or ends."""
    steps: dict[date, tuple[Amount, int]] = {}

    def step(day: date, amount: Amount, count: int) -> None:
        before, many = steps.get(day, (Amount.from_minor(0, unit), 0))
        steps[day] = before + amount, many + count

    for phase in phases:
        step(phase.period.start, phase.amount, 1)
        if phase.period.end is not None:
            step(phase.period.end + _DAY, -phase.amount, -1)
    found, running, open_now = [], Amount.from_minor(0, unit), 0
    for day, following in pairwise([*sorted(steps), None]):
        assert day is not None
        running, open_now = running + steps[day][0], open_now + steps[day][1]
        if open_now:
            found.append(Phase(Period(day, following - _DAY if following else None), running))
    return tuple(found)


def remainder(total: Phases, shares: Iterable[Phase], unit: str) -> Phases:
    """What `shares` leave of `total`; raises `Rejected` where they need more than there is."""
    used = [Phase(share.period, -share.amount) for share in shares]
    left = summed([*total, *used], unit)
    short = next((phase for phase in left if phase.amount.value < 0), None)
    if short is not None:
        raise Rejected(
            f"the budget would hold {-short.amount} a month less than its parts from "
            f"{short.period.start} on",
            hint="In Vantage a budget with parts is their sum: lower a part or raise the budget",
        )
    return left


def period_write(phases: Phases, stored: Collection[date] = ()) -> list[VantagePeriodWrite]:
    """The whole list to send, cut where a stored period begins.

    A PUT may keep periods that it does not name: so none is left over within these.
    """
    said = []
    for phase in phases:
        period = phase.period
        days = sorted(day for day in stored if day != period.start and day in period)
        ends = [*(day - _DAY for day in days), period.end]
        for start, end in zip([period.start, *days], ends, strict=True):
            said.append(VantagePeriodWrite(start_at=start, end_at=end, amount=phase.amount.value))
    return said


# -- objects -------------------------------------------------------------------------------------


def budget_of(
    wire: VantageBudget, phases: Phases, alerts: Sequence[Alert], parent: str | None
) -> Observed:
    """Their budget as ours; `phases` are its own, or what its children make together."""
    budget = Budget(
        ref=wire.token,
        name=wire.name or "",
        cadence=cadence_of(wire.period_cadence),
        parent=parent,
        alerts=tuple(alerts),
        **settled(phases),
    )
    return Observed(wire.token, budget, None, parent)


def allocation_of(
    wire: VantageBudget,
    phases: Phases,
    alerts: Sequence[Alert],
    parent: str | None,
    entities: EntityMap,
) -> Observed:
    """Their child budget as ours; amounts that differ in time are no amount that we could state."""
    amounts = {phase.amount for phase in phases}
    allocation = Allocation(
        ref=wire.token,
        budget=parent or "",
        entity=_entity_of(wire, entities),
        amount=amounts.pop() if len(amounts) == 1 else None,
        cadence=cadence_of(wire.period_cadence),
        alerts=tuple(alerts),
    )
    return Observed(wire.token, allocation, None, parent)


def _entity_of(wire: VantageBudget, entities: EntityMap) -> Entity:
    """The one that the name says, unless the cost report has become another's."""
    named, report = entity_said(wire.name), wire.cost_report_token
    if named is not None and report in (None, entities.theirs(named)):
        return named
    return entities.ours(named.type if named else "cost_report", report or wire.token)


def alert_of(wire: VantageAlert, entities: EntityMap) -> Alert:
    """Their alert as ours; channels of chat tools are theirs alone."""
    users = [entities.ours("user", token).id for token in wire.user_tokens]
    return Alert(wire.threshold, recipients=tuple(sorted([*users, *wire.recipient_emails])))


def alert_write(alert: Alert, entities: EntityMap) -> VantageAlertWrite:
    """What is sent of an alert. A recipient without a row is an address, or a user's token."""
    users: list[str] = []
    emails: list[str] = []
    for recipient in alert.recipients:
        theirs = entities.theirs(Entity("user", recipient))
        (emails if "@" in theirs else users).append(theirs)
    said = VantageAlertWrite(threshold=int(alert.threshold), user_tokens=users)
    if emails:  # the newest of the fields: not said where it need not be
        said.recipient_emails = emails
    return said


def alert_key(alert: Alert) -> tuple[Decimal, frozenset[str]]:
    """What makes two alerts the same."""
    return alert.threshold, frozenset(alert.recipients)


def name_write(
    draft: Draft, fields: Collection[str], above: str | None, entities: EntityMap
) -> VantageBudgetWrite:
    """What is sent beside periods; an allocation's name begins with `above`, its budget's."""
    model, said = draft.model, VantageBudgetWrite()
    if isinstance(model, Allocation):
        if "entity" in fields:
            said.name = allocation_name(above or "", model.entity)
            said.cost_report_token = entities.theirs(model.entity)
    elif "name" in fields:
        said.name = model.name
    return said


def unsaid(model: Budget | Allocation, currency: str) -> dict[str, str]:
    """What Vantage has no words for: field → why."""
    found = {}
    if model.amount and model.amount.unit != currency:
        found["currency"] = f"it is in {model.amount.unit}, and the settings say {currency}"
    if any(not each.percent or each.threshold % 1 for each in model.alerts or ()):
        found["alerts"] = "Vantage takes whole percents of the amount only"
    if isinstance(model, Budget):
        if is_rest(model.name):
            found["name"] = f"a name that ends in {_REST!r} is for what nobody has"
        elif model.parent and entity_said(model.name):
            found["name"] = "below a budget, a name that ends in ' / TYPE:ID' is an allocation's"
    return found
