"""Entries to budgets and allocations, and a budget's amounts back to lines.

Spend is positive in ours; `sign` is what the ERP's amounts are multiplied by for that.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Context, Decimal, Inexact, InvalidOperation
from itertools import pairwise
from typing import Final

from msgspec import structs

from canonical.allocation import Allocation, Entity
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.period import Period, moved
from connectors.contract.errors import Malformed, Rejected
from connectors.erp.entries import Entry
from connectors.erp.timing import overlap, time_of

_EXACT: Final = Context(prec=100, traps=[Inexact, InvalidOperation])
_NOTHING: Final = Decimal(0)
ACCOUNT: Final = "account"
"""The type of an allocation's entity."""


def turned(value: Decimal, sign: int) -> Decimal:
    """The value times a sign, with all its digits; a zero has none."""
    if not value:
        return value.copy_abs()
    return value.copy_negate() if sign < 0 else value


def together(values: Iterable[Decimal]) -> Decimal:
    """Their sum, with all its digits."""
    found = _NOTHING
    for each in values:
        found = _EXACT.add(found, each)
    return found


def by_ref(entries: Iterable[Entry]) -> Mapping[str, Sequence[Entry]]:
    """The entries of each account, in order of time."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for each in entries:
        found[each.whose.ref].append(each)
    return {ref: sorted(of, key=lambda each: each.period) for ref, of in found.items()}


def budget_of(entries: Sequence[Entry], unit: str, sign: int) -> Budget | None:
    """What the entries of one account state together; None where all of them are blank.

    Raises `Malformed` where they are not of one account, or two count at one time.
    """
    if not (phases := _phases(entries, unit, sign)):
        return None
    whose = entries[-1].whose
    return Budget(
        ref=whose.ref,
        name=whose.name,
        status=whose.status,
        **time_of(phases),
    )


def summed(ref: str, entries: Iterable[Entry], unit: str, sign: int) -> Budget | None:
    """The budget of all accounts together; raises `Malformed` where their periods are unlike."""
    sums: dict[Period, Decimal] = {}
    for each in entries:
        if each.amount is not None:
            sums[each.period] = together([sums.get(each.period, _NOTHING), each.amount])
    phases = tuple(Phase(period, _amount(sums[period], unit, sign)) for period in sorted(sums))
    if not phases:
        return None
    if overlap(phases):
        raise Malformed("its lines have unlike periods: give all of them the same, or none")
    return Budget(ref=ref, name=ref, **time_of(phases))


def allocation_of(
    entries: Sequence[Entry], budget: Budget, unit: str, sign: int
) -> Allocation | None:
    """The share of `budget` that the entries of one account state; None where all are blank.

    Raises `Malformed` as `budget_of` does, and where it counts otherwise than its budget.
    """
    if not (phases := _phases(entries, unit, sign)):
        return None
    said = time_of(phases)
    if said["cadence"] is not budget.cadence:
        message = f"it counts {said['cadence']}, and its budget {budget.ref} {budget.cadence}"
        raise Malformed(f"{message}: give it the periods of its budget")
    whose = entries[-1].whose
    return Allocation(
        ref=whose.ref,
        budget=budget.ref,
        entity=Entity(ACCOUNT, whose.label),
        status=whose.status,
        **said,
    )


def rewritten(entries: Sequence[Entry], wanted: Budget, sign: int) -> Mapping[int, Decimal]:
    """Line → its new amount, for those of one account that `wanted` says otherwise.

    What it does not speak of stays. Raises `Rejected` where it speaks of a time that no line has,
    or of a part of one.
    """
    found: dict[int, Decimal] = {}
    for phase in _spoken_of(wanted, entries):
        within = [each for each in entries if phase.period.holds(each.period)]
        if any(phase.period.overlaps(each.period) for each in entries if each not in within):
            raise Rejected(f"{wanted.ref}: {phase.period} cuts the period of a line in two")
        if gap := _uncovered(phase.period, within):
            hint = "Make a budget with a line for it in the ERP"
            raise Rejected(f"{wanted.ref}: there is no line for {gap}", hint=hint)
        amount = turned(phase.amount.value, sign)
        found |= {each.line: amount for each in within if each.amount != amount}
    return found


def overlaid(
    entries: Sequence[Entry], wanted: Budget, amounts: Mapping[int, Decimal], sign: int
) -> Budget:
    """`wanted`, and for all time that it does not speak of what stands there: as the lines say once
    they have the new `amounts`, by line."""
    if wanted.amount is None:
        return wanted
    then = [replace(each, amount=amounts.get(each.line, each.amount)) for each in entries]
    phases = _phases(then, wanted.amount.unit, sign)
    return structs.replace(wanted, **time_of(phases)) if phases else wanted


def _spoken_of(wanted: Budget, entries: Sequence[Entry]) -> Sequence[Phase]:
    """What is wanted, and when; without a start or an end as far as there are entries."""
    if wanted.phases:
        return wanted.all_phases()
    if wanted.amount is None or not entries:
        raise Rejected(f"{wanted.ref}: there is no amount, or no line for it")
    start = wanted.start or entries[0].period.start
    last = entries[-1].period.end
    end = wanted.end or (last if last is None else max(start, last))
    return [Phase(Period(start, end), wanted.amount)]


def _uncovered(whole: Period, entries: Sequence[Entry]) -> str | None:
    """The first stretch of `whole` that no entry has."""
    next_day = whole.start
    for each in entries:
        if each.period.start > next_day:
            return f"{next_day} to {moved(each.period.start, -1)}"
        assert each.period.end is not None
        next_day = moved(each.period.end, 1)
    if whole.end is not None and next_day <= whole.end:
        return f"{next_day} to {whole.end}"
    return None


def _phases(entries: Sequence[Entry], unit: str, sign: int) -> tuple[Phase, ...]:
    keys = {each.whose.key for each in entries}
    if len(keys) > 1:
        message = (
            f"several accounts have the code {entries[0].whose.ref!r}: {', '.join(sorted(keys))}"
        )
        raise Malformed(message)
    stated = [each for each in entries if each.amount is not None]
    for before, after in pairwise(stated):
        if before.period.overlaps(after.period):
            said = f"{after.period.start}, in {before.document!r} and {after.document!r}"
            hint = "say in names, or in allocations, which is read"
            raise Malformed(f"it counts twice on {said}; {hint}")
    return tuple(Phase(each.period, _amount(each.amount, unit, sign)) for each in stated)


def _amount(value: Decimal | None, unit: str, sign: int) -> Amount:
    assert value is not None
    return Amount.of(turned(value, sign), unit)
