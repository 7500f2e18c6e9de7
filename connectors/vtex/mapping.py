"""VTEX's budgets and allocations as ours, and ours as VTEX's. Pure: no call is made here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from canonical.actual import Actual
from canonical.allocation import Alert, Allocation, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.errors import Inexact
from canonical.identity import stamped, unstamped
from canonical.period import Cadence
from connectors.calling.parsing import known, parsed
from connectors.contract.errors import Rejected
from connectors.contract.records import Draft, Observed
from connectors.vtex.cycle import Recurrence, cycle_of, cycle_on, cycle_said, noted, recurrence_of
from connectors.vtex.entities import Entities
from connectors.vtex.wire import (
    IS_PERCENT,
    STATUS,
    Notifications,
    VtexAllocation,
    VtexAllocationWrite,
    VtexBalance,
    VtexBudget,
    VtexBudgetWrite,
    VtexCycle,
    VtexEntity,
    VtexNotifications,
)

THRESHOLD_TYPE = {is_percent: theirs for theirs, is_percent in IS_PERCENT.items()}
STATUS_SAID = {Status.ACTIVE: "ACTIVE", Status.INACTIVE: "INACTIVE"}
_MONEY = frozenset({"amount", "currency"})
_RECURRENCE = frozenset({"cadence", "start", "end"})
_CYCLE = _RECURRENCE | {"carry_over"}


@dataclass(frozen=True, slots=True)
class Terms:
    """How to read what VTEX leaves unsaid, on one day.

    `contracts` are the contracts' ids by unit; that of "" is every other unit's.
    """

    currency: str
    minor: bool
    inclusive: bool
    today: date
    entities: Entities
    contracts: Mapping[str, str] = field(default_factory=dict)

    def contract(self, id: str) -> str | None:
        """The contract of the unit that an id of ours begins with; None where none is set."""
        return self.contracts.get(id.partition("/")[0]) or self.contracts.get("")


def amount_of(number: Decimal, terms: Terms) -> Amount:
    """Their number as an amount; raises `Inexact` for a fraction of a minor unit."""
    if not terms.minor:
        return Amount.of(number, terms.currency)
    if number != int(number):
        raise Inexact(f"{number} is not a whole number of minor units")
    return Amount.from_minor(int(number), terms.currency)


def number_of(amount: Amount, terms: Terms) -> Decimal | int:
    """An amount as their number; raises `Rejected` for another currency, or too many digits."""
    if amount.unit != terms.currency:
        raise Rejected(f"{amount} cannot be said: this system counts in {terms.currency}")
    try:
        return amount.minor() if terms.minor else amount.value
    except Inexact as error:
        raise Rejected(str(error)) from error


def actual_of(ref: str, balance: VtexBalance | None, terms: Terms) -> Actual | None:
    """What is spent: what is not left. None where VTEX does not say what is left."""
    if balance is None or balance.remaining is None:
        return None
    remaining = amount_of(balance.remaining, terms)
    return Actual(ref, amount_of(balance.amount, terms) - remaining, remaining)


def budget_of(wire: VtexBudget, unit: str, terms: Terms, version: str | None = None) -> Observed:
    """Their budget as ours."""
    text, stamp, note = _said_in(wire.description)
    recurrence, cycle = _recurrence_of(wire, note, terms), wire.cycle_configuration
    id = f"{unit}/{wire.id}"
    budget = Budget(
        ref=id,
        name=wire.name,
        description=text,
        amount=amount_of(wire.balance.amount, terms),
        cadence=recurrence.cadence,
        start=recurrence.start,
        end=recurrence.end,
        status=known(STATUS, wire.status, "status"),
        carry_over=cycle.carry_over_balance if cycle else None,
        dimensions={"unit": unit},
        alerts=alerts_of(wire.notification_settings, terms),
    )
    actual = actual_of(id, wire.balance, terms)
    return Observed(id, budget, stamp, actual=actual, version=version)


def allocation_of(wire: VtexAllocation, budget: str, terms: Terms) -> Observed:
    """Their allocation as ours.

    What has a stamp of ours for a reference, as earlier versions wrote it, shows the stamp only
    where a contract can take its place.
    """
    id = f"{budget}/{wire.id}"
    stamp = unstamped(wire.reference_id)[1] if terms.contract(id) else None
    allocation = Allocation(
        ref=id,
        budget=budget,
        entity=terms.entities.ours(wire.linked_entity),
        amount=amount_of(wire.balance.amount, terms),
        status=known(STATUS, wire.status, "status"),
        alerts=alerts_of(wire.notification_settings, terms),
    )
    return Observed(id, allocation, stamp, budget, actual_of(id, wire.balance, terms))


def alerts_of(wire: Notifications | None, terms: Terms) -> tuple[Alert, ...]:
    """Their thresholds, from either shape; none where they are switched off."""
    if wire is None or (isinstance(wire, VtexNotifications) and not wire.enable):
        return ()
    shared = wire.recipients if isinstance(wire, VtexNotifications) else []
    found = []
    for each in wire.thresholds if isinstance(wire, VtexNotifications) else wire:
        percent = known(IS_PERCENT, each.type, "threshold type")
        threshold = each.value if percent else amount_of(each.value, terms).value
        told = [recipient.identifier for recipient in (*each.recipients, *shared)]
        found.append(Alert(threshold, percent, tuple(dict.fromkeys(told))))
    return tuple(found)


def alerts_said(alerts: Sequence[Alert], terms: Terms) -> dict[str, Any]:
    """Alerts as an object, where whoever is told of one threshold is told of all."""
    told = dict.fromkeys(recipient for alert in alerts for recipient in alert.recipients)
    thresholds = []
    for each in alerts:
        money = Amount(each.threshold, terms.currency)
        value = each.threshold if each.percent else number_of(money, terms)
        thresholds.append({"type": THRESHOLD_TYPE[each.percent], "Value": value})
    return {
        "enable": bool(alerts),
        "thresholds": thresholds,
        "recipients": [{"type": "Email", "identifier": recipient} for recipient in told],
    }


def budget_write(
    draft: Draft, fields: Collection[str], terms: Terms, stored: Any = None
) -> VtexBudgetWrite:
    """What is sent of a budget: `fields` of the draft, and the rest as `stored`, if it is."""
    budget = draft.model
    assert isinstance(budget, Budget)
    before = parsed(VtexBudget, stored) if stored else None
    text, stamp, note = _said_in(before.description if before else None)
    if before is None or not {"description", "stamp"}.isdisjoint(fields):
        text, stamp = budget.description, draft.stamp
    cycle = before.cycle_configuration if before else None
    if before is None or not _CYCLE.isdisjoint(fields):
        seen = _recurrence_of(before, note, terms) if before else Recurrence(Cadence.ONCE)
        if before is None or not _RECURRENCE.isdisjoint(fields):
            seen = Recurrence(budget.cadence, budget.start or seen.start or terms.today, budget.end)
            note = seen
        cycle = _cycle_said(budget, fields, cycle, seen, terms)
    return VtexBudgetWrite(
        name=budget.name if before is None or "name" in fields else before.name,
        description=stamped(_with_note(text, note), stamp),
        amount=_amount_said(budget, fields, before, terms),
        cycle_configuration=cycle,
        notification_settings=_alerts_said(budget, fields, stored, before, terms),
    )


def allocation_write(
    draft: Draft, fields: Collection[str], terms: Terms, stored: Any = None
) -> VtexAllocationWrite:
    """What is sent of an allocation: `fields` of the draft, and the rest as `stored`, if it is."""
    allocation = draft.model
    assert isinstance(allocation, Allocation)
    before = parsed(VtexAllocation, stored) if stored else None
    entity = terms.entities.theirs(allocation.entity)
    if before is not None and "entity" not in fields:
        entity = before.linked_entity
    reference, contract = _contract_said(before, entity, terms.contract(draft.container or ""))
    return VtexAllocationWrite(
        linked_entity=entity,
        amount=_amount_said(allocation, fields, before, terms),
        reference_id=reference,
        contract_id=contract,
        notification_settings=_alerts_said(allocation, fields, stored, before, terms),
    )


def _contract_said(
    before: VtexAllocation | None, entity: VtexEntity, contract: str | None
) -> tuple[str, str | None]:
    """Reference and contract, which are one thing at VTEX; what a person wrote there stays.

    VTEX requires the reference: where no contract is known it is the entity's id.
    """
    if before is not None:
        contract = before.contract_id or contract
        said = before.reference_id
        ours = unstamped(said)[1] is not None or said == before.linked_entity.id
        if said and not ours:
            return said, before.contract_id
    return contract or entity.id, contract


def _said_in(description: str | None) -> tuple[str | None, str | None, Recurrence | None]:
    """A description's own text, its stamp and its note."""
    text, stamp = unstamped(description)
    text, note = noted(text)
    return text, stamp, note


def _with_note(text: str | None, note: Recurrence | None) -> str | None:
    said = note.note() if note else None
    return f"{text} {said}" if text and said else text or said


def _recurrence_of(wire: VtexBudget, note: Recurrence | None, terms: Terms) -> Recurrence:
    said = wire.cycle_configuration
    cycle = cycle_of(said, inclusive=terms.inclusive) if said else None
    return recurrence_of(cycle, note, terms.today)


def _cycle_said(
    budget: Budget,
    fields: Collection[str],
    before: VtexCycle | None,
    recurrence: Recurrence,
    terms: Terms,
) -> VtexCycle:
    """The cycle that goes with `fields`; where only the carry over changes, its dates stay."""
    carry_over = bool(budget.carry_over)
    if before is not None and "carry_over" not in fields:
        carry_over = before.carry_over_balance
    if before is not None and _RECURRENCE.isdisjoint(fields):
        return before.model_copy(update={"carry_over_balance": carry_over})
    cycle = cycle_on(recurrence, terms.today)
    return cycle_said(cycle, carry_over=carry_over, inclusive=terms.inclusive)


def _amount_said(
    model: Budget | Allocation,
    fields: Collection[str],
    before: VtexBudget | VtexAllocation | None,
    terms: Terms,
) -> Decimal | int:
    if before is not None and (model.amount is None or _MONEY.isdisjoint(fields)):
        return before.balance.amount
    assert model.amount is not None
    return number_of(model.amount, terms)


def _alerts_said(
    model: Budget | Allocation,
    fields: Collection[str],
    stored: Any,
    before: VtexBudget | VtexAllocation | None,
    terms: Terms,
) -> dict[str, Any] | None:
    if before is None or "alerts" in fields:
        return None if model.alerts is None else alerts_said(model.alerts, terms)
    kept = stored.get("notificationSettings")
    if isinstance(kept, list):
        return alerts_said(alerts_of(before.notification_settings, terms), terms)
    return dict(kept) if kept else None
