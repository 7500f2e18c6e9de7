"""Past: what a source that knows only the present leaves as it was.

A platform that holds one amount, or this period's and the later ones', says nothing of periods that
are over. Where the target keeps every period, its past ones stay as they are there.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import cast

from msgspec.structs import replace

from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import BUDGET_FIELDS, Facts
from canonical.period import Cadence, Period, period_of
from connectors.contract.capabilities import Capabilities, Phasing

_PRESENT = frozenset({Phasing.CURRENT, Phasing.CURRENT_AND_NEXT})


def keeps_past(source: Capabilities, target: Capabilities) -> bool:
    """Whether the target holds periods of which the source can say nothing once they are over."""
    return source.phasing in _PRESENT and target.phasing not in _PRESENT


def with_past(model: Budget, stated: Budget, observed: Facts, as_of: date) -> Budget:
    """`model` from the period of `stated` on that holds `as_of`, and before as `observed`."""
    if stated.cadence is Cadence.ONCE or model.amount is None:
        return model
    year_starts = stated.start.month if stated.start else 1
    begins = period_of(stated.cadence, as_of, year_starts).start
    past = [*_cut(_phases_said(observed), None, begins - timedelta(days=1))]
    if not past:
        return model
    first = model.start or begins
    flat = Phase(Period(first, model.end), model.amount)
    present = [*_cut(model.phases or (flat,), begins, None)]
    return replace(model, start=past[0].period.start, phases=(*past, *present))


def _cut(phases: Iterable[Phase], first: date | None, last: date | None) -> Iterator[Phase]:
    """What of `phases` lies between the two days, both inclusive."""
    for phase in phases:
        start, end = phase.period.start, phase.period.end
        start = max(start, first) if first else start
        end = min(end or last, last) if last else end
        if end is None or start <= end:
            yield Phase(Period(start, end), phase.amount)


def _phases_said(observed: Facts) -> Iterator[Phase]:
    """The phases that the facts of a budget tell; its only amount, where they tell none."""
    said = dict(zip(BUDGET_FIELDS, observed, strict=True))
    stated = said["phases"]
    if stated is None and said["amount"] is not None and said["start"] is not None:
        stated = ((f"{said['start']}..{said['end'] or ''}", said["amount"]),)
    for period, amount in cast("tuple[tuple[str, str], ...]", stated or ()):
        yield Phase(_period(period), Amount.of(amount, str(said["currency"])))


def _period(text: str) -> Period:
    start, _, end = text.partition("..")
    return Period(date.fromisoformat(start), date.fromisoformat(end) if end else None)
