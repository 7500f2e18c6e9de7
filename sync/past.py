"""Past: what a source that knows only the present leaves as it was.

A platform that holds one amount, or this period's and the later ones', says nothing of periods that
are over. Where the target keeps every period, its past ones stay as they are there; and so do those
that are longer over than a sync writes.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import cast

from msgspec.structs import replace

from canonical.allocation import Allocation
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import ALLOCATION_FIELDS, BUDGET_FIELDS, Fact, Facts
from canonical.period import Cadence, Period, moved, period_of
from connectors.contract.capabilities import Capabilities, Phasing

_PRESENT = frozenset({Phasing.CURRENT, Phasing.CURRENT_AND_NEXT})


def keeps_past(source: Capabilities, target: Capabilities) -> bool:
    """Whether the target holds periods of which the source can say nothing once they are over."""
    return source.phasing in _PRESENT and target.phasing not in _PRESENT


def present(stated: Budget, as_of: date) -> date | None:
    """The first day of the period of `stated` that holds `as_of`; None where it has no periods."""
    if stated.cadence is Cadence.ONCE:
        return None
    return period_of(stated.cadence, as_of, stated.start.month if stated.start else 1).start


def with_past(
    model: Budget, observed: Facts, begins: date | None, since: date | None = None
) -> Budget:
    """`model` from the day `begins` on, and before, back to `since`, as `observed`."""
    said = dict(zip(BUDGET_FIELDS, observed, strict=True))
    if begins is None or model.amount is None:
        return model
    past = [*_cut(_phases_said(said), since, moved(begins, -1))]
    if not past:
        return model
    first = model.start or begins
    flat = Phase(Period(first, model.end), model.amount)
    now = [*_cut(model.phases or (flat,), begins, None)]
    return replace(model, start=past[0].period.start, phases=(*past, *now))


def with_earlier_start(
    model: Allocation, observed: Facts, begins: date, since: date | None
) -> Allocation:
    """`model`, begun as early before the day `begins` as `observed`, but not before `since`."""
    said = dict(zip(ALLOCATION_FIELDS, observed, strict=True))["start"]
    if not said or model.start is None:
        return model
    first = max(date.fromisoformat(str(said)), since or date.min)
    return replace(model, start=first) if first < min(begins, model.start) else model


def _cut(phases: Iterable[Phase], first: date | None, last: date | None) -> Iterator[Phase]:
    """What of `phases` lies between the two days, both inclusive."""
    for phase in phases:
        start, end = phase.period.start, phase.period.end
        start = max(start, first) if first else start
        end = min(end or last, last) if last else end
        if end is None or start <= end:
            yield Phase(Period(start, end), phase.amount)


def _phases_said(said: Mapping[str, Fact]) -> Iterator[Phase]:
    """The phases that the facts of a budget tell; its only amount, where they tell none."""
    stated = said["phases"]
    if stated is None and said["amount"] is not None and said["start"] is not None:
        stated = ((f"{said['start']}..{said['end'] or ''}", said["amount"]),)
    for period, amount in cast("tuple[tuple[str, str], ...]", stated or ()):
        yield Phase(_period(period), Amount.of(amount, str(said["currency"])))


def _period(text: str) -> Period:
    start, _, end = text.partition("..")
    return Period(date.fromisoformat(start), date.fromisoformat(end) if end else None)
