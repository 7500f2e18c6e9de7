"""BILL's budgets and members as ours, and ours as BILL's. Pure: no call is made here."""

import re
from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from canonical.actual import Actual
from canonical.allocation import Allocation, Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import fingerprint
from canonical.identity import stamped, unstamped
from canonical.period import Cadence, Period, moved, period_of
from connectors.bill.wire import (
    BUFFERED,
    CADENCE,
    FISCAL,
    BillBudget,
    BillBudgetWrite,
    BillMember,
    BillMemberWrite,
)
from connectors.calling.parsing import known
from connectors.contract.errors import Rejected
from connectors.contract.records import Draft, Observed

Limits: TypeAlias = tuple[Amount, Amount]
"""What a member may spend in the current period, and in each later one."""

RECURRING_INTERVAL = {ours: theirs for theirs, ours in CADENCE.items()}
_WITHOUT_A_SHARE = frozenset({"OWNER", "OBSERVER"})
_ZERO = Decimal()


def amount_of(number: Decimal | None, currency: str) -> Amount | None:
    """Their number as an amount; they name no currency, the settings do."""
    return None if number is None else Amount(number, currency)


def number_of(amount: Amount, currency: str) -> Decimal:
    """An amount as their number; raises `Rejected` for money of another currency."""
    if amount.unit != currency:
        raise Rejected(f"BILL holds {currency} here, not {amount.unit}")
    return amount.value


def budget_of(wire: BillBudget, currency: str, container: str | None) -> Observed:
    """Their budget as ours, below `container`, with what was spent in its current period."""
    description, stamp = unstamped(wire.description)
    cadence: Cadence = known(CADENCE, wire.recurring_interval, "recurringInterval")
    now = amount_of(wire.current_period.limit, currency)
    budget = Budget(
        ref=wire.id,
        name=wire.name,
        description=description,
        amount=now,
        cadence=cadence,
        start=_start_of(wire, cadence),
        end=wire.expiration_date,
        phases=_phases_of(wire, cadence, now, amount_of(wire.recurring_limit, currency)),
        status=Status.RETIRED if wire.retired else Status.ACTIVE,
        enforcement=_enforcement_of(wire, cadence),
        carry_over=wire.carry_over,
        parent=container,
    )
    actual = _actual_of(wire, currency)
    return Observed(wire.id, budget, stamp, container, actual, version_of(wire))


def version_of(wire: BillBudget) -> str:
    """Stays the same while nobody changes the budget's amounts or its members' shares.

    A reset, which also resets the members' limits, makes it another one.
    """
    period = wire.current_period
    moved = (period.limit, wire.recurring_limit, period.assigned)
    shown = [None if number is None else f"{number.normalize():f}" for number in moved]
    return fingerprint((*shown, str(period.start_date), wire.retired, wire.share_funds)).hex()


def _start_of(wire: BillBudget, cadence: Cadence) -> date | None:
    """The day on which it was made; for years and quarters the first of the one it was made in,
    as a canonical budget's begin in the month of its start."""
    if wire.start_date is None or cadence not in FISCAL:
        return wire.start_date
    return period_of(cadence, wire.start_date, recurs_in(wire) or wire.start_date.month).start


def _phases_of(
    wire: BillBudget, cadence: Cadence, now: Amount | None, later: Amount | None
) -> tuple[Phase, ...]:
    """What counts `later` of a budget, or of a share of it, from the next period to the budget's
    end; nothing where it is the amount of `now`, or no period follows.

    The next period is told from where the current one began, so that it does not matter whether
    `endDate` is its last day or the day after, nor whether it is there.
    """
    start = wire.current_period.start_date
    if cadence is Cadence.ONCE or start is None or later in (None, now):
        return ()
    assert later is not None
    following = next_reset(cadence, start, recurs_in(wire) or start.month)
    if wire.expiration_date is not None and following > wire.expiration_date:
        return ()
    return (Phase(Period(following, wire.expiration_date), later),)


def _enforcement_of(wire: BillBudget, cadence: Cadence) -> Enforcement:
    beyond = wire.limitless_overspend or (wire.current_period.overspend_buffer or _ZERO) > 0
    return Enforcement.SOFT if beyond and cadence in BUFFERED else Enforcement.HARD


def _actual_of(wire: BillBudget, currency: str) -> Actual | None:
    period = wire.current_period
    if period.spent is None:
        return None
    spent, limit = Amount(period.spent.total, currency), amount_of(period.limit, currency)
    pending = amount_of(period.spent.pending, currency)
    return Actual(wire.id, spent, limit - spent if limit else None, pending=pending)


def allocation_of(wire: BillMember, budget: BillBudget, user: str, currency: str) -> Observed:
    """Their member of `budget` as ours; who shares the whole budget has no amount of their own.

    Where another amount counts later, the first is said to count since the budget began.
    """
    id = f"{budget.id}/{wire.user_id}"
    amount = None if wire.share_budget_funds else amount_of(wire.limit, currency)
    later = amount and amount_of(wire.recurring_limit, currency)
    cadence: Cadence = known(CADENCE, budget.recurring_interval, "recurringInterval")
    phases = _phases_of(budget, cadence, amount, later)
    begun = _start_of(budget, cadence) or budget.current_period.start_date
    spent = amount_of(wire.spent, currency)
    allocation = Allocation(
        ref=id,
        budget=budget.id,
        entity=Entity("user", user),
        amount=amount,
        status=Status.RETIRED if budget.retired or not is_share(wire) else Status.ACTIVE,
        start=begun if phases else None,
        phases=phases,
    )
    actual = Actual(id, spent, amount - spent if amount else None) if spent else None
    return Observed(id, allocation, None, budget.id, actual)


def has_a_share(wire: BillMember) -> bool:
    """Whether the member is an allocation, and not there for their role alone."""
    return bool(wire.limit) or not has_a_part(wire.budget_role)


def is_share(wire: BillMember) -> bool:
    """Whether that is a member in use who has an allocation."""
    return not wire.retired and has_a_share(wire)


def has_a_part(role: str | None) -> bool:
    """Whether who has that role is a member without money, too."""
    return role in _WITHOUT_A_SHARE


def next_reset(cadence: Cadence, day: date, month: int) -> date:
    """The first day after the period of `day`, years and quarters beginning in `month`."""
    last = period_of(cadence, day, month).end
    assert last is not None
    return moved(last, 1)


def counting_on(model: Budget | Allocation, day: date) -> Amount | None:
    """What counts on `day`, as far as the draft says: its amount, until its next phase begins."""
    begun = [phase.amount for phase in model.phases if phase.period.start <= day]
    return begun[-1] if begun else model.amount


def recur_month(budget: Budget) -> int:
    """The month in which the budget's years and quarters begin; January where it has no start."""
    return budget.start.month if budget.start else 1


def recurs_in(wire: BillBudget) -> int | None:
    """The month in which BILL begins the budget's years and quarters; not every answer says it."""
    start = wire.current_period.start_date
    return wire.recur_month or (start.month if start else None)


def cut_alike(wire: BillBudget, budget: Budget) -> bool:
    """Whether BILL cuts the periods that the budget has.

    The month in which years and quarters begin matters only where amounts differ between them.
    """
    if CADENCE.get(wire.recurring_interval) is not budget.cadence:
        return False
    length, theirs = FISCAL.get(budget.cadence), recurs_in(wire)
    if length is None or theirs is None or not budget.phases:
        return True
    return (theirs - recur_month(budget)) % length == 0


def budget_write(
    draft: Draft,
    fields: Collection[str],
    currency: str,
    day: date,
    month: int,
    buffer: Decimal | None = None,
) -> BillBudgetWrite:
    """What is sent of a budget; only `fields`. `day` is in its current period at BILL.

    `month` is the one in which its years and quarters begin there. What is soft spends `buffer`
    more than its limit, without one as much as it likes.
    """
    budget = draft.model
    assert isinstance(budget, Budget)
    said: dict[str, Any] = {}
    if "name" in fields:
        said["name"] = budget.name
    if not {"description", "stamp"}.isdisjoint(fields):
        said["description"] = stamped(budget.description, draft.stamp)
    if "cadence" in fields:
        said["recurring_interval"] = RECURRING_INTERVAL[budget.cadence]
        if budget.cadence in FISCAL:
            said["recur_month"] = month
    if "end" in fields:
        said["expiration_date"] = budget.end
    if "carry_over" in fields and budget.carry_over is not None:
        said["carry_over"] = budget.carry_over
    said |= _amounts(budget, fields, currency, day, month)
    return BillBudgetWrite(**said, **_enforcement(budget, fields, buffer))


def _amounts(
    budget: Budget, fields: Collection[str], currency: str, day: date, month: int
) -> dict[str, Any]:
    said: dict[str, Any] = {}
    once = budget.cadence is Cadence.ONCE
    start = day if once else period_of(budget.cadence, day, month).start
    now = counting_on(budget, start)
    if now and not {"amount", "currency"}.isdisjoint(fields):
        said["limit"] = number_of(now, currency)
    later = None if once else counting_on(budget, next_reset(budget.cadence, day, month))
    if later and not {"amount", "currency", "phases", "cadence"}.isdisjoint(fields):
        said["recurring_limit"] = number_of(later, currency)
    return said


def _enforcement(budget: Budget, fields: Collection[str], buffer: Decimal | None) -> dict[str, Any]:
    """Nothing is said for days and weeks, whose budgets are always hard, unless it is refused."""
    if "enforcement" not in fields or budget.enforcement is None:
        return {}
    if budget.enforcement is Enforcement.SOFT:
        if buffer:
            return {"limitless_overspend": False, "overspend_buffer": buffer}
        return {"limitless_overspend": True}
    if budget.cadence in BUFFERED:
        return {"limitless_overspend": False, "overspend_buffer": _ZERO}
    return {}


def member_write(limits: Limits, role: str | None, currency: str) -> BillMemberWrite:
    """What is sent of a member: the limits of the current period and of all later ones, and the
    role they have."""
    now, later = (number_of(amount, currency) for amount in limits)
    if has_a_part(role) and not now:
        said = f"who is there as {role} has no allocation without money"
        raise Rejected(said, hint="Retire the allocation")
    write = BillMemberWrite(limit=now, recurring_limit=later, share_budget_funds=False)
    if role is not None:
        write.role = role
    return write


def with_role(wire: BillMember, role: str) -> BillMemberWrite:
    """The member with another role, and otherwise as they are."""
    if wire.share_budget_funds:
        return BillMemberWrite(role=role, share_budget_funds=True)
    limit = wire.limit or _ZERO
    later = limit if wire.recurring_limit is None else wire.recurring_limit
    return BillMemberWrite(role=role, limit=limit, recurring_limit=later, share_budget_funds=False)


def without_money(role: str) -> BillMemberWrite:
    """A member who is there for their role alone."""
    return BillMemberWrite(role=role, limit=_ZERO, recurring_limit=_ZERO, share_budget_funds=False)


def new_user(email: str) -> dict[str, str]:
    """A user of whom no more than the email is known; their name is taken from it."""
    words = [word for word in re.split(r"[._+-]", email.partition("@")[0]) if word] or [email]
    first, last = words[0].capitalize(), words[-1].capitalize()
    return {"firstName": first, "lastName": last, "email": email, "role": "MEMBER"}
