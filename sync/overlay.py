"""Overlay: what a source states over time, with the amounts of the target in place of its own on
the days for which the target shows one.

The source's own stretches stay as they are cut; one is cut in two only where another amount counts
for a part of it.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from msgspec import structs

from canonical.amount import Amount
from canonical.budget import Budget
from canonical.period import Period, moved
from canonical.phase import Phase


def overlaid(stated: Budget, pieces: Sequence[Phase]) -> Budget:
    """`stated` with the amounts of `pieces`, which are in time order and do not overlap.

    Days that no stretch of the source covers get none. Its `amount` stays that of the time before
    its first phase, where it states one, else it is that of the first stretch.
    """
    whole = _whole(stated)
    if not whole or stated.amount is None:
        return stated
    before = len(stated.all_phases()) - len(stated.phases)
    cut = [[*_cut(each, pieces)] for each in whole]
    if not stated.phases:
        return _alone(stated, cut[0])
    if before and len(cut[0]) == 1:
        amount, cut = cut[0][0].amount, cut[1:]
    else:
        amount = cut[0][0].amount
    return structs.replace(
        stated, amount=amount, phases=tuple(each for some in cut for each in some)
    )


def covering(stated: Budget, day: date) -> Phase | None:
    """The stretch of the source that holds `day`; None where it states none for that day."""
    return next((each for each in _whole(stated) if day in each.period), None)


def _whole(stated: Budget) -> tuple[Phase, ...]:
    """Each stretch with its amount; of what has no phases its own time."""
    if stated.phases:
        return stated.all_phases()
    if stated.amount is None or stated.start is None:
        return ()
    return (Phase(Period(stated.start, stated.end), stated.amount),)


def _alone(stated: Budget, cut: Sequence[Phase]) -> Budget:
    """What had one amount throughout: it has one still, or phases."""
    if len(cut) == 1:
        return structs.replace(stated, amount=cut[0].amount)
    return structs.replace(stated, amount=cut[0].amount, phases=tuple(cut))


def _cut(phase: Phase, pieces: Sequence[Phase]) -> Iterator[Phase]:
    """The stretch in parts with the amount that counts for each; neighbours that have the same are
    one."""
    days = sorted({phase.period.start, *_days(phase.period, pieces)})
    ends = [*(moved(day, -1) for day in days[1:]), phase.period.end]
    begun: Phase | None = None
    for first, last in zip(days, ends, strict=True):
        amount = _on(first, pieces) or phase.amount
        if begun is not None and begun.amount == amount:
            begun = Phase(Period(begun.period.start, last), amount)
            continue
        if begun is not None:
            yield begun
        begun = Phase(Period(first, last), amount)
    if begun is not None:
        yield begun


def _days(period: Period, pieces: Sequence[Phase]) -> Iterator[date]:
    """Where within the period another amount may begin to count."""
    for each in pieces:
        if each.period.start in period:
            yield each.period.start
        if each.period.end is not None and (after := moved(each.period.end, 1)) in period:
            yield after


def _on(day: date, pieces: Sequence[Phase]) -> Amount | None:
    return next((each.amount for each in pieces if day in each.period), None)
