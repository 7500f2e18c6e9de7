"""Facts: a budget or an allocation as plain comparable values, one per field, always in one order.

Everything that compares, remembers or prints a field goes through these tuples, so two spellings
of one meaning (1000 and 1000.00, owners in another order, a trailing blank, twelve months of one
amount and a year of it) are one value here.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, TypeAlias

from msgspec import json

from canonical.allocation import Alert, Allocation
from canonical.amount import Amount
from canonical.budget import Budget, Phase

Fact: TypeAlias = str | bool | None | tuple[object, ...]
Facts: TypeAlias = tuple[Fact, ...]

BUDGET_FIELDS: Final = (
    "name", "description", "amount", "currency", "limits", "cadence", "start", "end", "phases",
    "status", "enforcement", "carry_over", "parent", "owners", "dimensions", "alerts",
)  # fmt: skip
ALLOCATION_FIELDS: Final = (
    "entity", "amount", "currency", "status", "cadence", "start", "end", "phases", "enforcement",
    "carry_over", "alerts", "budget",
)  # fmt: skip

MONEY_FIELDS: Final = frozenset(
    {"amount", "currency", "limits", "cadence", "start", "end", "phases", "status", "enforcement"}
)
"""Fields where another spelling is never taken for the same meaning: they move money."""

SAID_BY_NONE: Final = frozenset({"end", "phases"})
"""Fields whose None is a statement: an open end, the same amount throughout. Everywhere else it
means "not said" and is not compared."""

TAKEN_BACK_BY_NONE: Final = frozenset(
    {
        "description",
        "parent",
        "owners",
        "dimensions",
        "limits",
        "enforcement",
        "carry_over",
        "alerts",
    }
)
"""Fields whose None, where something was stated before, takes it back. Amounts, days, cadence and
status are not among them: without those there is no telling what counts."""


def facts(subject: Budget | Allocation) -> Facts:
    """The comparable values of `subject`, in the order of its field names."""
    if isinstance(subject, Budget):
        return _budget_facts(subject)
    return _allocation_facts(subject)


def money_facts(subject: Budget | Allocation) -> Facts:
    """Of the comparable values those that say how much counts when: amount, currency, cadence,
    start, end and phases."""
    return *_plain_money(subject), _phases(subject) if subject.phases else None


def stated_money(subject: Budget | Allocation) -> Facts:
    """The same of what has phases, with these as one text, as they are stated: made for every such
    object in each plan, and a tuple of a year's months costs ten times more."""
    return *_plain_money(subject), json.encode(subject.phases).decode()


def phases_of(text: str) -> Sequence[Phase]:
    """The phases of such a text."""
    return json.decode(text, type=list[Phase])


def _plain_money(subject: Budget | Allocation) -> Facts:
    amount = subject.amount
    return (
        amount.text() if amount else None,
        amount.unit if amount else None,
        str(subject.cadence) if subject.cadence else None,
        _day(subject.start) if subject.start else None,
        _day(subject.end) if subject.end else None,
    )


def fields_of(subject: Budget | Allocation) -> tuple[str, ...]:
    """The names that go with `facts(subject)`."""
    return BUDGET_FIELDS if isinstance(subject, Budget) else ALLOCATION_FIELDS


def fingerprint(values: Facts) -> bytes:
    """Sixteen bytes that differ when any value does; stable across processes and versions."""
    return blake2b(_encoded(values), digest_size=16).digest()


def lists(fact: Any) -> Any:
    """A fact, or several, as JSON gives it back: tuples are lists."""
    return [*map(lists, fact)] if isinstance(fact, tuple) else fact


def tuples(said: Any) -> Any:
    """The fact that `lists` made it of, or that JSON holds."""
    return tuple(map(tuples, said)) if isinstance(said, list) else said


def _budget_facts(budget: Budget) -> Facts:
    # made twice for every budget of a run: what is mostly empty costs no call
    amount, owners, alerts = budget.amount, budget.owners, budget.alerts
    return (
        _text(budget.name),
        _text(budget.description) if budget.description else None,
        amount.text() if amount else None,
        amount.unit if amount else None,
        _amounts(budget.limits) if budget.limits else None,
        str(budget.cadence),
        _day(budget.start) if budget.start else None,
        _day(budget.end) if budget.end else None,
        _phases(budget) if budget.phases else None,
        str(budget.status),
        str(budget.enforcement) if budget.enforcement else None,
        budget.carry_over,
        budget.parent,
        _owners(owners) if owners else owners,
        _pairs(budget.dimensions) if budget.dimensions else None,
        _alerts(alerts) if alerts else alerts,
    )


def _allocation_facts(allocation: Allocation) -> Facts:
    amount = allocation.amount
    return (
        str(allocation.entity),
        amount.text() if amount else None,
        amount.unit if amount else None,
        str(allocation.status),
        str(allocation.cadence) if allocation.cadence else None,
        _day(allocation.start) if allocation.start else None,
        _day(allocation.end) if allocation.end else None,
        _phases(allocation) if allocation.phases else None,
        str(allocation.enforcement) if allocation.enforcement else None,
        allocation.carry_over,
        _alerts(allocation.alerts),
        allocation.budget or None,
    )


def _phases(subject: Budget | Allocation) -> Fact:
    budget = subject if isinstance(subject, Budget) else Budget.of_share(subject)
    return tuple((str(each.period), each.amount.text()) for each in budget.stretches()) or None


def _owners(owners: tuple[str, ...] | None) -> Fact:
    return owners if owners is None or len(owners) < 2 else tuple(sorted(owners))


def _encoded(values: Facts) -> bytes:
    try:
        return json.encode(values)
    except UnicodeEncodeError:  # half a character, which no UTF-8 has
        return repr(values).encode()


@lru_cache(maxsize=4096)
def _day(day: date) -> str:
    return day.isoformat()


def _text(value: str | None) -> str | None:
    if not value:
        return None
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    return value.strip() or None


def _amounts(amounts: Sequence[Amount]) -> Fact:
    return tuple(sorted((amount.unit, amount.text()) for amount in amounts))


def _pairs(mapping: Mapping[str, str]) -> Fact:
    return tuple(sorted(mapping.items()))


def _alerts(alerts: Sequence[Alert] | None) -> Fact:
    if alerts is None:
        return None
    return tuple(
        sorted(
            (
                f"{alert.threshold.normalize():f}{'%' if alert.percent else ''}",
                *sorted(alert.recipients),
            )
            for alert in alerts
        )
    )
