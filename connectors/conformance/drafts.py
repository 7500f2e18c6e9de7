"""Drafts and field values that a connector can hold, made from its capabilities alone."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, Final

from msgspec import structs

from canonical.allocation import Alert, Allocation, Enforcement, Entity, Status
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.currency import exponent
from canonical.kind import FIELDS, Kind
from canonical.period import Cadence, Period, period_of
from connectors.contract.capabilities import Capabilities, Hold, Phasing
from connectors.contract.records import Draft

WRITTEN: Final = frozenset({Hold.EXACT, Hold.ROUNDED, Hold.TRUNCATED, Hold.EMULATED})
"""How a field is held that a write can carry."""

_ALWAYS_SAID: Final = ("description", "cadence", "start", "end", "status")
_LIKELY_CADENCES: Final = (
    Cadence.MONTHLY, Cadence.QUARTERLY, Cadence.YEARLY, Cadence.ONCE, Cadence.WEEKLY, Cadence.DAILY,
)  # fmt: skip

_VALUES: Final[Mapping[str, tuple[Any, Any]]] = {
    "description": ("Kept true by a check", "Told otherwise"),
    "limits": ((Amount(Decimal(1000), "impressions"),), (Amount(Decimal(2500), "impressions"),)),
    "carry_over": (True, False),
    "owners": (("owner-1",), ("owner-1", "owner-2")),
    "dimensions": ({"department": "sales"}, {"department": "service", "site": "Lyon"}),
    "alerts": ((Alert(Decimal(80)),), (Alert(Decimal(50)), Alert(Decimal(90)))),
}
_ABOVE: Final = frozenset({"parent", "budget"})
_EMPTY: Final[Mapping[str, Any]] = {
    "limits": (), "phases": (), "owners": (), "alerts": (), "dimensions": {},
}  # fmt: skip


def holds(capabilities: Capabilities, kind: Kind) -> Mapping[str, Hold]:
    """How each field of `kind` is held; a field that is not named is dropped."""
    named = capabilities.budget if kind is Kind.BUDGET else capabilities.allocation
    return {field: named.get(field, Hold.DROPPED) for field in FIELDS[kind]}


def drafts(
    capabilities: Capabilities,
    kind: Kind,
    *,
    day: date,
    currency: str = "USD",
    tag: str = "conformance",
) -> Iterator[Draft]:
    """Drafts without end, of which no two share a name, entity or stamp, in force on `day`.

    Budgets hang below the connector's own root; an allocation's draft has yet to be given its
    container.
    """
    held = holds(capabilities, kind)
    for n in count(1):
        ref = f"{tag}-{kind}-{n}"
        # An allocation is small, lest a vendor refuses more than its budget has.
        amount = some_amount(capabilities, currency, n + (5000 if kind is Kind.BUDGET else 10))
        model: Budget | Allocation
        if kind is Kind.BUDGET:
            model = Budget(ref=ref, name=f"Budget {tag} {n}", amount=amount)
        else:
            types = capabilities.native_entity_types or capabilities.entity_types or {"user"}
            entity = Entity(min(types), f"{tag}-{n}")
            model = Allocation(ref=ref, budget="", entity=entity, amount=amount)
        said = {
            field: field_values(capabilities, field, day=day)[0]
            for field in _ALWAYS_SAID
            if held.get(field) in WRITTEN
        }
        stamp = ref if kind in capabilities.stamps else None
        yield Draft(model=structs.replace(model, **said), stamp=stamp)


def field_values(
    capabilities: Capabilities, field: str, *, day: date, currency: str = "USD"
) -> tuple[Any, ...]:
    """Two values of `field` to write one after the other; fewer where no more can be said.

    None for a name, an entity, a parent or a currency: those are made, not looked up.
    """
    match field:
        case "amount":
            return tuple(some_amount(capabilities, currency, whole) for whole in (100, 200))
        case "enforcement":
            return tuple(each for each in Enforcement if each in capabilities.enforcements)[:2]
        case "cadence":
            return tuple(each for each in _LIKELY_CADENCES if each in capabilities.cadences)[:2]
        case "start":
            return date(day.year, 1, 1), date(day.year, 7, 1)
        case "end":
            return date(day.year + 1, 12, 31), date(day.year + 2, 12, 31)
        case "phases":
            return _phases(capabilities, day, currency)
        case "status":
            can_be = capabilities.statuses
            return tuple(each for each in (Status.ACTIVE, Status.INACTIVE) if each in can_be)
    return _VALUES.get(field, ())


def having(draft: Draft, field: str, value: Any) -> Draft:
    """`draft` with `field` at `value`, and with what cannot be said apart from it.

    A `value` of None empties the field; `currency` takes a whole amount, `parent` and `budget` a
    vendor's id.
    """
    changed = {"amount" if field == "currency" else field: value or _EMPTY.get(field, value)}
    if field == "phases" and value:
        changed["end"] = value[-1].period.end
        if len(value) > 1:  # all the time there is; a single one says what counts later
            changed |= {"amount": value[0].amount, "start": value[0].period.start}
    model = structs.replace(draft.model, **changed)
    return replace(draft, model=model, container=value if field in _ABOVE else draft.container)


def ended(phase: Phase, end: date) -> Phase:
    """The phase, up to `end` where it has none: a share ends with its budget at the latest."""
    if phase.period.end is not None:
        return phase
    return Phase(Period(phase.period.start, end), phase.amount)


def some_amount(capabilities: Capabilities, unit: str, whole: int) -> Amount:
    """`whole` and a fraction, with something in every digit that can be held."""
    digits = exponent(unit)
    if capabilities.amount_digits is not None:
        digits = min(digits, capabilities.amount_digits)
    return Amount(Decimal(whole) + Decimal("0.1255"), unit).rounded(digits)


def _phases(
    capabilities: Capabilities, day: date, currency: str
) -> tuple[tuple[Phase, ...], tuple[Phase, ...]] | tuple[()]:
    """The period that holds `day` and the next ones, or only the next where one amount for later
    is all that can be held beside today's."""
    cadence = field_values(capabilities, "cadence", day=day)[0]
    if cadence is Cadence.ONCE or capabilities.phasing is Phasing.CURRENT:
        return ()
    spans = []
    for _ in range(3):
        spans.append(period_of(cadence, day))
        assert spans[-1].end is not None
        day = spans[-1].end + timedelta(days=1)
    if capabilities.phasing is Phasing.CURRENT_AND_NEXT:
        spans = [Period(spans[1].start)]
    first, second = (
        tuple(
            Phase(span, some_amount(capabilities, currency, 50 + i * step))
            for i, span in enumerate(spans)
        )
        for step in (10, 20)
    )
    return first, second
