"""Approval: whether somebody else has to say yes to a plan before any of it is made.

Money is as the guards weigh it, with two differences: what is new counts also where nothing is
linked yet, as a first filling is all new money; and no rule lets one object alone pass. What moves
in the source and what moves in the target counts together, as one plan moves both.
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from canonical.kind import Kind
from canonical.money import Move, said
from sync.scales import Scales, Weighed, weight
from sync.spec import Limit, percent


def reason(
    over: Limit | None, scales: Scales, weighed: Iterable[Weighed], back: Iterable[Weighed] = ()
) -> str | None:
    """Why a plan that changes something and moves this needs an approval; None where it does not.

    `over` is what passes without one, None where nothing does. `weighed` moves in the target,
    `back` in the source.
    """
    if over is None:
        return "every change of this sync needs one"
    there, here = _moved(weighed), _moved(back)
    for kind, unit in sorted({*there, *here}):
        each = [*there.get((kind, unit), ()), *here.get((kind, unit), ())]
        amount = _sum(each)
        total, _ = scales.total(kind, unit)
        share = sum(map(weight, each), Fraction(0)) / total if total else None
        if amount and (limit := _beyond(over, amount, unit, share)):
            of_it = _sum(here.get((kind, unit), ()))
            where = f" ({said(of_it)} of it in the source)" if of_it else ""
            much = f"{said(amount)} {unit} in {kind}s would move{where}"
            return f"{much}, {_of(share)}: over {limit}"
    return None


def _sum(moves: Iterable[Move]) -> Fraction:
    return sum((abs(move.step) for move in moves), Fraction(0))


def _moved(weighed: Iterable[Weighed]) -> dict[tuple[Kind, str], list[Move]]:
    """The largest move of each object; one that gives a currency up for another moves both."""
    found: dict[tuple[Kind, str], list[Move]] = defaultdict(list)
    for each in weighed:
        if not each.moves:
            continue
        largest = each.largest
        found[each.kind, largest.unit].append(largest)
        if largest.before is not None and largest.before.unit != largest.unit:
            gone = Move(largest.day, largest.before, None)
            found[each.kind, largest.before.unit].append(gone)
    return found


def _beyond(over: Limit, amount: Fraction, unit: str, share: Fraction | None) -> str:
    """The limit that is passed: any of them suffices. A share of nothing is over every share, and
    a currency that no amount names is over them all where there is no share to judge it."""
    if over.share is not None and (share is None or share > Fraction(over.share)):
        return percent(over.share)
    if unit in over.money and amount > Fraction(over.money[unit]):
        return f"{over.money[unit]:f} {unit}"
    if over.share is None and unit not in over.money:
        return f"nothing, as approval names no amount of {unit}"
    return ""


def _of(share: Fraction | None) -> str:
    if share is None:
        return "from nothing"
    exact = Decimal(share.numerator) * 100 / Decimal(share.denominator)
    return f"{exact.quantize(Decimal('0.01')):f}% of what counts"
