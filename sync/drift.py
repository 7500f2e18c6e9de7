"""Drift: what a plan found edited in the target, in objects and in money."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Context, Decimal, Inexact
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from canonical.compare import Cause
from canonical.money import Move
from canonical.waiting import Rule, Waiting

if TYPE_CHECKING:
    from canonical.change import Plan

_EXACT: Final = Context(prec=200, traps=[Inexact])
_ROUNDED: Final = Context(prec=200, traps=[])
_CENT: Final = Decimal("0.01")


def drifted(plan: "Plan") -> int:
    """How many objects a plan found edited in the target."""
    edited = {each.key for each in plan.changes if each.cause is Cause.DRIFT}
    asked = {
        (each.kind, each.budget_ref or "", each.ref)
        for each in plan.waits
        if each.rule is Rule.DRIFT
    }
    return len(edited | asked)


def drifted_money(plan: "Plan") -> dict[str, str]:
    """How far edited amounts are from what they should be, per currency, without a sign.

    Amounts are those of the plan's day, per period of each budget, and exact; only where an edit
    made a period another one may a sum be rounded, to cents. A currency that was edited counts
    with both amounts, each in its own.
    """
    sums: dict[str, Fraction] = defaultdict(Fraction)
    for unit, amount in _apart(plan):
        sums[unit] += abs(amount)
    return {unit: _text(sums[unit]) for unit in sorted(sums) if sums[unit]}


def _apart(plan: "Plan") -> Iterator[tuple[str, Fraction]]:
    for change in plan.changes:
        if change.cause is Cause.DRIFT and change.money:
            yield from _of_move(change.money[0])
    for wait in plan.waits:
        if wait.rule is Rule.DRIFT and wait.field == "amount":
            yield from _of_wait(wait)


def _of_move(move: Move) -> Iterator[tuple[str, Fraction]]:
    yield move.unit, move.step
    if move.before is not None and move.before.unit != move.unit:
        yield move.before.unit, Fraction(move.before.amount)


def _of_wait(wait: Waiting) -> Iterator[tuple[str, Fraction]]:
    source, target = (Fraction(str(each or 0)) for each in (wait.source, wait.target))
    unit, other = wait.currencies
    if unit == other and unit is not None:
        yield unit, source - target
        return
    for each, amount in ((unit, source), (other, target)):
        if each is not None:
            yield each, amount


def _text(number: Fraction) -> str:
    above, below = Decimal(number.numerator), Decimal(number.denominator)
    try:
        return f"{_EXACT.normalize(_EXACT.divide(above, below)):f}"
    except Inexact:
        return f"{_ROUNDED.quantize(_ROUNDED.divide(above, below), _CENT):f}"
