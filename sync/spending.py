"""Spending: what a system has seen spent, by the refs of the source that its objects stand for.

A vendor tells it by its own ids; the links of the syncs into the system say what each stands for.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from msgspec.structs import replace

from canonical.actual import Actual
from canonical.allocation import Allocation, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.facts import money_facts
from canonical.kind import Kind
from canonical.money import counted_on
from canonical.period import Period
from canonical.spent import Spent, period_now, share_of
from connectors.contract.interface import Connector
from connectors.contract.records import Observed
from sync.state.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The budgets of a system, or of all (None), in one currency."""

    system: str | None
    amount: Amount
    spent: Amount
    pending: Amount | None
    remaining: Amount

    @property
    def share(self) -> Decimal | None:
        """As of one budget."""
        return share_of(self.spent, self.amount)


def spending(
    connector: Connector,
    ledgers: Mapping[str, Ledger],
    day: date,
    *,
    sources: Mapping[str, str] = MappingProxyType({}),
    shares: bool = True,
) -> Iterator[Spent]:
    """Budgets first, then `shares` where the system tells of those; nothing where it tells nothing.

    `ledgers` are those of the syncs into the system, and `sources` where these read, by their
    names; `day` is today. Raises the errors of `connectors.contract.errors`.
    """
    budgets: dict[str, Budget] = {}
    able = connector.capabilities
    told = {Kind.BUDGET: able.reads_actuals, Kind.ALLOCATION: shares and able.spent_by_share}
    for kind in (kind for kind in Kind if told[kind]):
        actuals: dict[str, list[Actual]] = defaultdict(list)
        for each in connector.actuals() if kind is Kind.BUDGET else ():
            actuals[each.ref].append(each)
        for page in connector.list(kind):
            stands_for = _linked(ledgers, kind, [item.id for item in page.items])
            for item in page.items:
                if isinstance(item.model, Budget):
                    budgets[item.id] = item.model
                if kind is Kind.ALLOCATION and item.actual is not None:
                    actuals[item.id].append(replace(item.actual, at=connector.runtime.now()))
                for actual in actuals.get(item.id) or _nothing(item):
                    found = _spent(connector.name, item, actual, stands_for.get(item.id), day)
                    source, above = sources.get(found.sync or ""), budgets.get(item.container or "")
                    period = _period_of(item, actual, above, day)
                    yield replace_fields(found, source=source, period=period)


def totals(rows: Iterable[Spent]) -> list[Total]:
    """Of each system and currency, then over all systems.

    What counts are the budgets that syncs link, or all where they link none; those within others
    that count are part of them.
    """
    budgets = [row for row in rows if row.kind is Kind.BUDGET]
    counted = [row for row in budgets if row.ref is not None] or budgets
    ids = {(row.system, row.target_id) for row in counted}
    found: dict[tuple[str | None, str], Total] = {}
    for row in counted:
        unit = next((each.unit for each in (row.spent, row.amount) if each), None)
        if unit is None or (row.system, row.above) in ids:
            continue
        for system in (row.system, None):
            found[system, unit] = _with(found.get((system, unit)), system, unit, row)
    return sorted(found.values(), key=lambda each: (each.system is None, each.system or ""))


def _with(total: Total | None, system: str | None, unit: str, row: Spent) -> Total:
    zero = Amount.from_minor(0, unit)
    had = total or Total(system=system, amount=zero, spent=zero, pending=None, remaining=zero)
    live = row.amount if row.status is Status.ACTIVE else None
    return Total(
        system=system,
        amount=_sum(had.amount, live),
        spent=_sum(had.spent, row.spent),
        pending=_sum(had.pending or zero, row.pending) if row.pending else had.pending,
        remaining=_sum(had.remaining, row.remaining),
    )


def _sum(had: Amount, more: Amount | None) -> Amount:
    return had + more if more is not None and more.unit == had.unit else had


def _nothing(item: Observed) -> Sequence[Actual | None]:
    """What is in use and of which the system tells nothing is listed all the same."""
    return () if item.model.status is Status.RETIRED else (None,)


def _linked(
    ledgers: Mapping[str, Ledger], kind: Kind, ids: Sequence[str]
) -> dict[str, tuple[str, str, str]]:
    """Of those ids, the sync that links each, its ref and its budget's ref."""
    return {
        id: (sync, link.ref, link.budget_ref)
        for sync, ledger in ledgers.items()
        for id, link in ledger.by_targets(kind, ids).items()
    }


def _spent(
    system: str,
    item: Observed,
    actual: Actual | None,
    linked: tuple[str, str, str] | None,
    day: date,
) -> Spent:
    model, (sync, ref, budget_ref) = item.model, linked or (None, None, None)
    amount = _in_force(item, day)
    return Spent(
        system=system,
        sync=sync,
        kind=Kind.BUDGET if isinstance(model, Budget) else Kind.ALLOCATION,
        ref=ref,
        budget_ref=budget_ref or None,
        name=model.name if isinstance(model, Budget) else str(model.entity),
        target_id=item.id,
        above=item.container,
        status=model.status,
        amount=amount,
        spent=actual.spent if actual else None,
        pending=actual.pending if actual else None,
        remaining=_left(actual, amount, live=model.status is Status.ACTIVE),
        at=actual.at if actual else None,
    )


def _period_of(
    item: Observed, actual: Actual | None, above: Budget | None, day: date
) -> Period | None:
    """The period that the amounts are of; None where there is none, or they are of several."""
    if actual is not None and actual.periods:
        return actual.periods[0] if len(actual.periods) == 1 else None
    model = item.model
    if isinstance(model, Allocation) and above is not None:
        model = above.complete(model)
    return period_now(model, day)


def _left(actual: Actual | None, amount: Amount | None, *, live: bool) -> Amount | None:
    if actual is None:
        return None
    left = actual.remaining
    if left is None and amount is not None and amount.unit == actual.spent.unit:
        left = amount - actual.spent
    return left if live or left is None else Amount.from_minor(0, left.unit)


def _in_force(item: Observed, day: date) -> Amount | None:
    counted = counted_on(money_facts(item.model), day)
    return Amount(counted.amount, counted.unit) if counted else None
