"""Timing: what phases out of an ERP's books say of a budget's amount, cadence and time."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

from canonical.period import Cadence, moved, period_of
from canonical.phase import Phase

_CADENCES: Final = (
    Cadence.MONTHLY, Cadence.QUARTERLY, Cadence.YEARLY, Cadence.WEEKLY, Cadence.DAILY,
)  # fmt: skip


def time_of(phases: tuple[Phase, ...]) -> dict[str, Any]:
    """Amount, cadence and time, as fields of a budget or an allocation; without phases where one
    amount counts again and again. `phases` are one or more, in order of time."""
    first, last, cadence = phases[0], phases[-1], _cadence(phases)
    flat = all(
        cadence is not Cadence.ONCE
        and before.amount == after.amount
        and before.period.end is not None
        and moved(before.period.end, 1) == after.period.start
        for before, after in pairwise(phases)
    )
    return {
        "amount": first.amount,
        "cadence": cadence,
        "start": first.period.start,
        "end": last.period.end,
        "phases": () if flat else phases,
    }


def overlap(phases: Sequence[Phase]) -> bool:
    """Whether two that follow each other count at one time."""
    return any(before.period.overlaps(after.period) for before, after in pairwise(phases))


def _cadence(phases: Sequence[Phase]) -> Cadence:
    """That of which each phase is a whole period; once, where there is none."""
    month = phases[0].period.start.month
    for cadence in _CADENCES:
        if all(period_of(cadence, each.period.start, month) == each.period for each in phases):
            return cadence
    return Cadence.ONCE
