"""Vantage's budgets and alerts as ours, and ours as Vantage's. Pure: no call is made."""

import re
from collections.abc import Collection, Sequence
from decimal import Decimal

from canonical.allocation import Alert, Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.identity import EntityMap
from connectors.contract.records import Draft, Observed
from connectors.vantage.periods import Phases, follows, settled
from connectors.vantage.wire import (
    VantageAlert,
    VantageAlertWrite,
    VantageBudget,
    VantageBudgetWrite,
    cadence_of,
)

_REST = " / (unallocated)"
_EXACT = 15
"""Digits that survive in the double that an amount is sent as."""
_SHARE = re.compile(r"(?P<budget>.*) / (?P<type>[a-z][a-z0-9_]*):(?P<id>.+)", re.DOTALL)


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


def budget_said(name: str | None) -> str | None:
    """The name of the budget that a share's or a rest's name begins with; None for any other."""
    if is_rest(name):
        return (name or "").removesuffix(_REST)
    said = _SHARE.fullmatch(name or "")
    return said["budget"] if said else None


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
    above: Phases,
    entities: EntityMap,
) -> Observed:
    """Their child budget as ours; `above` are the phases of its parent.

    It has phases where it is not the same for as long as its parent lasts, and states no amount
    below no budget: a share of nothing.
    """
    allocation = Allocation(
        ref=wire.token,
        budget=parent or "",
        entity=_entity_of(wire, entities),
        amount=phases[0].amount if parent and phases else None,
        phases=() if parent is None or follows(phases, above) else phases,
        cadence=cadence_of(wire.period_cadence),
        alerts=tuple(alerts),
    )
    return Observed(wire.token, allocation, None, parent)


def _entity_of(wire: VantageBudget, entities: EntityMap) -> Entity:
    """The one that the name says, if the cost report is that one's; else the report itself."""
    named, report = entity_said(wire.name), wire.cost_report_token
    if named is not None:
        theirs = entities.theirs(named)
        if report == theirs or (report is None and theirs == named.id):
            return named
    return entities.ours("cost_report", report or wire.token)


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
        if "entity" in fields or "budget" in fields:
            said.name = allocation_name(above or "", model.entity)
        if "entity" in fields:
            said.cost_report_token = entities.theirs(model.entity)
    elif "name" in fields:
        said.name = model.name
    return said


def unsaid(model: Budget | Allocation, currency: str) -> dict[str, str]:
    """What Vantage has no words for: field → why."""
    found = {}
    if model.amount and model.amount.unit != currency:
        found["currency"] = f"it is in {model.amount.unit}, and the settings say {currency}"
    if long := next((each for each in _amounts(model) if _digits(each) > _EXACT), None):
        found["amount"] = f"{long} has more than the {_EXACT} digits that a number of theirs keeps"
    if any(not each.percent or each.threshold % 1 for each in model.alerts or ()):
        found["alerts"] = "Vantage takes whole percents of the amount only"
    if isinstance(model, Budget):
        if is_rest(model.name):
            found["name"] = f"a name that ends in {_REST!r} is for what nobody has"
        elif model.parent and entity_said(model.name):
            found["name"] = "below a budget, a name that ends in ' / TYPE:ID' is an allocation's"
    return found


def _amounts(model: Budget | Allocation) -> list[Amount]:
    return [each.amount for each in model.phases] + ([model.amount] if model.amount else [])


def _digits(amount: Amount) -> int:
    return len(amount.value.normalize().as_tuple().digits)
