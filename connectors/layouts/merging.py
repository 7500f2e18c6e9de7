"""Several files as one: a budget may have its months in several of them, but each only once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from connectors.layouts.calendars import label
from connectors.layouts.grouping import EXACT, Grouped, Share
from connectors.layouts.questions import Finding
from connectors.layouts.timelines import Amounts, Counted


class Twice(ValueError):
    """Two files state the same amount."""


def merged_budgets(files: Sequence[tuple[str, Iterable[Grouped]]]) -> Iterator[Grouped | Finding]:
    """The budgets of the files by name, those of one ref as one; a `Finding` where two collide."""
    if len(files) == 1:
        yield from files[0][1]
        return
    found: dict[str, tuple[str, Grouped]] = {}
    wrong: dict[str, Finding] = {}
    for name, budgets in files:
        for budget in budgets:
            other = found.get(budget.ref)
            if other is None:
                found[budget.ref] = name, budget
                continue
            try:
                found[budget.ref] = name, _together(other[1], budget)
            except Twice as error:
                said = f"{budget.ref} stands in {other[0]} too, {error}"
                wrong[budget.ref] = Finding(f"{name} row {budget.row}", said, budget.ref)
    for ref, (_, budget) in found.items():
        yield wrong.get(ref, budget)


def _together(one: Grouped, other: Grouped) -> Grouped:
    if one.currency != other.currency:
        raise Twice(f"in {one.currency or 'no currency'} there and {other.currency or 'none'} here")
    if bool(one.shares) != bool(other.shares):
        raise Twice("with allocations in one of them only")
    shares = {share.entity: share.amounts for share in one.shares}
    roundings = {share.entity: share.rounding for share in one.shares}
    for share in other.shares:
        shares[share.entity] = _joined(shares.get(share.entity, {}), share.amounts)
        roundings[share.entity] = roundings.get(share.entity, EXACT) + share.rounding
    amounts = _summed(shares.values()) if shares else _joined(one.amounts, other.amounts)
    told = tuple(
        Share(entity, Counted.of(each), roundings[entity]) for entity, each in shares.items()
    )
    rounding = one.rounding + other.rounding
    return replace(one, counted=Counted.of(amounts), shares=told, rounding=rounding)


def _joined(one: Amounts, other: Amounts) -> Amounts:
    if both := sorted(one.keys() & other.keys()):
        raise Twice(f"both with an amount for {label(both[0])}")
    return dict(sorted({**one, **other}.items()))


def _summed(all_: Iterable[Amounts]) -> Amounts:
    found: Amounts = {}
    for amounts in all_:
        for period, amount in amounts.items():
            found[period] = found.get(period, 0) + amount
    return dict(sorted(found.items()))
