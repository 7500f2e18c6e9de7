"""Brex's budgets and spend limits as ours, and ours as Brex's. Pure: no call is made here."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from sys import intern
from typing import Any

from anyascii import anyascii

from canonical.actual import Actual
from canonical.allocation import Allocation, Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.errors import UnknownUnit
from canonical.identity import EntityMap, stamped, unstamped
from canonical.period import Cadence, Period
from canonical.spent import period_now
from connectors.brex.wire import (
    BrexAuthorizationWrite,
    BrexBudget,
    BrexBudgetWrite,
    BrexMoney,
    BrexMoneyWrite,
    BrexSpendLimit,
    BrexSpendLimitWrite,
)
from connectors.brex.words import CADENCE, ENFORCEMENT, NATIVE, SPEND_LIMIT_CADENCE, STATUS
from connectors.calling.parsing import known
from connectors.contract.errors import Malformed
from connectors.contract.records import Draft, Observed

PERIOD_TYPE = {ours: theirs for theirs, ours in CADENCE.items()}
SPEND_LIMIT_PERIOD_TYPE = {ours: theirs for theirs, ours in SPEND_LIMIT_CADENCE.items()}
AUTHORIZATION_TYPE: dict[Enforcement | None, str] = {
    Enforcement.HARD: "HARD",
    Enforcement.SOFT: "SOFT",
}
_FOR = re.compile(r"for (?P<type>[^:\s]+):(?P<id>\S.*)", re.DOTALL)


def amount_of(money: BrexMoney | None) -> Amount | None:
    """Their minor units as an amount; a null currency is USD."""
    return None if money is None else _amount(money.amount, money.currency or "USD")


@lru_cache(maxsize=4096)
def _amount(minor: int, currency: str) -> Amount:
    # a spend limit states the same amount up to three times, and its neighbours state it too
    try:
        return Amount.from_minor(minor, currency)
    except UnknownUnit as error:
        raise Malformed(str(error)) from None


def money_of(amount: Amount) -> BrexMoneyWrite:
    """An amount in their minor units; raises `Inexact` where it would have to be rounded."""
    return BrexMoneyWrite(amount=amount.minor(), currency=amount.unit)


def budget_of(
    wire: BrexBudget, entities: EntityMap, roots: Collection[str] = frozenset()
) -> Observed:
    """Their budget as ours. What hangs below one of the account's `roots` has no parent to us."""
    parent = wire.parent_budget_id and intern(wire.parent_budget_id)  # one text for many budgets
    description, stamp = unstamped(wire.description)
    budget = Budget(
        ref=wire.budget_id,
        name=wire.name,
        description=description,
        amount=amount_of(wire.amount),
        cadence=known(CADENCE, wire.period_recurrence_type, "period_recurrence_type"),
        start=_shared(wire.start_date),
        end=_shared(wire.end_date),
        status=known(STATUS, wire.spend_budget_status, "spend_budget_status"),
        enforcement=Enforcement.HARD if wire.limit_type == "HARD" else None,
        parent=None if parent in roots else parent,
        owners=tuple([intern(entities.our_id("user", id)) for id in wire.owner_user_ids]),
    )
    return Observed(wire.budget_id, budget, stamp, parent)


@lru_cache(maxsize=1024)
def _shared(day: date | None) -> date | None:
    """One object for a day on which many budgets begin or end."""
    return day


def allocation_of(wire: BrexSpendLimit, entities: EntityMap) -> Observed:
    """Their spend limit as ours, with what has been spent from it in the current period."""
    description, stamp = unstamped(wire.description)
    limit = wire.authorization_settings
    allocation = Allocation(
        ref=wire.id,
        budget=wire.parent_budget_id or "",
        entity=_entity_of(wire, description, entities),
        amount=amount_of(limit.base_limit) if limit else None,
        status=known(STATUS, wire.status, "status"),
        cadence=known(SPEND_LIMIT_CADENCE, wire.period_recurrence_type, "period_recurrence_type"),
        start=wire.start_date,
        end=wire.end_date,
        enforcement=known(ENFORCEMENT, limit.authorization_type, "authorization_type")
        if limit
        else None,
        carry_over=limit.rollover_refresh_rate != "OFF" if limit else None,
    )
    actual = _actual_of(wire, allocation)
    return Observed(wire.id, allocation, stamp, wire.parent_budget_id, actual)


def _entity_of(wire: BrexSpendLimit, description: str | None, entities: EntityMap) -> Entity:
    """The one in the text, by Brex's own id if there is a field for it; else the first field."""
    said = _FOR.fullmatch(description or "")
    if said and said["type"] not in NATIVE:
        return Entity(said["type"], said["id"])
    held = {"department": wire.department_id, "legal_entity": wire.legal_entity_id}
    if said and (id := held.get(said["type"])):
        return entities.ours(said["type"], id)
    if wire.member_user_ids:
        members = [entities.our_id("user", id) for id in wire.member_user_ids]
        return Entity("user", ",".join(sorted(members)))
    for type, id in held.items():
        if id:
            return entities.ours(type, id)
    return Entity("spend_limit", wire.name)


def _actual_of(wire: BrexSpendLimit, share: Allocation) -> Actual | None:
    balance, limit = wire.current_period_balance, wire.authorization_settings
    if balance is None or (spent := amount_of(balance.amount_spent)) is None:
        return None
    available = amount_of(limit.limit_with_increases) if limit else None
    remaining = available - spent if available and available.unit == spent.unit else None
    return Actual(wire.id, spent, remaining, periods=_told(balance.start_date, share))


def _told(start: date | None, share: Allocation) -> tuple[Period, ...]:
    """The period of a balance by the day that it begins: whether Brex's own end of it is the last
    day or the one after is not said. None where it tells no day, and of what counts once."""
    if start is None or share.cadence in (None, Cadence.ONCE):
        return ()
    whole = period_now(share, start)
    return (whole if whole is not None and whole.start == start else Period(start, start),)


def upwards(budget: str | None, above: Mapping[str, str | None]) -> Iterator[str]:
    """That budget and all above it, once each."""
    seen: set[str] = set()
    while budget is not None and budget not in seen:
        seen.add(budget)
        yield budget
        budget = above.get(budget)


def spent_within(
    budget: str,
    unit: str,
    parts: Sequence[Observed],
    at: datetime,
    periods: tuple[Period, ...] = (),
) -> Actual:
    """What was spent in `unit` through a budget's spend limits, and what those in use have left."""
    zero = Amount.from_minor(0, unit)
    spent = sum((part.actual.spent for part in parts if part.actual), zero)
    live = [part.actual for part in parts if part.model.status is not Status.RETIRED]
    left = [actual.remaining for actual in live if actual and actual.remaining is not None]
    remaining = sum(left, zero) if len(left) == len(live) else None
    return Actual(budget, spent, remaining, at, periods=periods)


def periods_within(budget: Budget, parts: Iterable[Observed], day: date) -> tuple[Period, ...]:
    """The periods that its spend limits' balances are of; none where that is the budget's own."""
    found = {each for part in parts if (each := _counts_in(part, budget, day)) is not None}
    return () if found <= {period_now(budget, day)} else tuple(sorted(found, key=str))


def _counts_in(limit: Observed, budget: Budget, day: date) -> Period | None:
    """The period that a spend limit's balance is of; None where there is nothing to be of one.

    A limit that counts once counts in the whole time of a budget that does.
    """
    share, actual = limit.model, limit.actual
    if share.cadence is Cadence.ONCE and budget.cadence is Cadence.ONCE:
        return period_now(budget, day)
    told = actual.periods[0] if actual and actual.periods else period_now(share, day)
    told = told or Period(date.min)
    over = told.end is not None and told.end < day
    silent = actual is None or not actual.spent.value
    return None if silent and over else told


def budget_write(draft: Draft, fields: Collection[str], entities: EntityMap) -> BrexBudgetWrite:
    """What is sent of a budget; only `fields`, and nothing that would be null."""
    budget = draft.model
    assert isinstance(budget, Budget)
    said: dict[str, Any] = {}
    if "name" in fields:
        said["name"] = budget.name
    if not {"description", "stamp"}.isdisjoint(fields):
        said["description"] = stamped(budget.description, draft.stamp)
    if "cadence" in fields:
        said["period_recurrence_type"] = PERIOD_TYPE[budget.cadence]
    if budget.amount and not {"amount", "currency"}.isdisjoint(fields):
        said["amount"] = money_of(budget.amount)
    if "parent" in fields and draft.container:
        said["parent_budget_id"] = draft.container
    if "owners" in fields and budget.owners is not None:
        said["owner_user_ids"] = [entities.theirs(Entity("user", id)) for id in budget.owners]
    return BrexBudgetWrite(**said, **_dates(budget, fields))


def spend_limit_write(
    draft: Draft,
    fields: Collection[str],
    entities: EntityMap,
    authorization_type: str,
    before: Allocation | None = None,
) -> BrexSpendLimitWrite:
    """What is sent of a spend limit; only `fields`, and nothing that would be null.

    `authorization_type` is taken where the allocation does not say how strict it is. `before` is
    what an update finds: settings that are not there are made whole, and whose wallet it was gives
    it up.
    """
    allocation = draft.model
    assert isinstance(allocation, Allocation)
    said: dict[str, Any] = {}
    if before is not None and before.amount is None:
        fields = {*fields, "enforcement", "carry_over"}
    if "entity" in fields:
        if before is not None and before.entity.type == "user":
            said["member_user_ids"] = []
        said |= _entity_said(allocation.entity, draft.stamp, entities)
    elif "stamp" in fields:
        said["description"] = _text_said(allocation.entity, draft.stamp)
    if "cadence" in fields and allocation.cadence:
        said["period_recurrence_type"] = SPEND_LIMIT_PERIOD_TYPE[allocation.cadence]
    limit: dict[str, Any] = {}
    if allocation.amount and not {"amount", "currency"}.isdisjoint(fields):
        limit["base_limit"] = money_of(allocation.amount)
    if "enforcement" in fields:
        limit["authorization_type"] = AUTHORIZATION_TYPE.get(
            allocation.enforcement, authorization_type
        )
    if "carry_over" in fields:
        limit["rollover_refresh_rate"] = "NEVER" if allocation.carry_over else "OFF"
    if limit:
        said["authorization_settings"] = BrexAuthorizationWrite(**limit)
    return BrexSpendLimitWrite(**said, **_dates(allocation, fields))


def _dates(model: Budget | Allocation, fields: Collection[str]) -> dict[str, Any]:
    dates = {"start": model.start, "end": model.end}
    return {
        f"{name}_date": day for name, day in dates.items() if day is not None and name in fields
    }


def _entity_said(entity: Entity, stamp: str | None, entities: EntityMap) -> dict[str, Any]:
    """Who it is for, in a field where there is one; of all but users in the text too, as the
    fields of earlier entities stay."""
    said: dict[str, Any] = {"name": anyascii(entity.id), "description": _text_said(entity, stamp)}
    if entity.type == "user":
        users = [Entity("user", id) for id in entity.id.split(",")]
        said["member_user_ids"] = [entities.theirs(user) for user in users]
        return said
    if entity.type in NATIVE:
        said[f"{entity.type}_id"] = entities.theirs(entity)
    return said


def _text_said(entity: Entity, stamp: str | None) -> str:
    return stamped(None if entity.type == "user" else anyascii(f"for {entity}"), stamp)
