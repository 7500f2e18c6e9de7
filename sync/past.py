"""Past: what a source that knows only the present leaves as it was.

A platform that holds one amount, or this period's and the later ones', says nothing of periods that
are over. Where the target keeps every period, its past ones stay as they are there; and so do those
that are longer over than a sync writes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeAlias, cast

from msgspec.structs import replace

from canonical.allocation import Allocation
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.facts import ALLOCATION_FIELDS, Fact, Facts, fields_of
from canonical.period import Cadence, Period, moved, period_of
from connectors.contract.capabilities import Capabilities, Phasing

Model: TypeAlias = Budget | Allocation
_PRESENT = frozenset({Phasing.CURRENT, Phasing.CURRENT_AND_NEXT})


def keeps_past(source: Capabilities, target: Capabilities) -> bool:
    """Whether the target holds periods of which the source can say nothing once they are over."""
    return source.phasing in _PRESENT and target.phasing not in _PRESENT


def present(stated: Model, as_of: date) -> date | None:
    """The first day of the period of `stated` that holds `as_of`; None where it has no periods."""
    if stated.cadence in (None, Cadence.ONCE):
        return None
    assert stated.cadence is not None
    return period_of(stated.cadence, as_of, stated.start.month if stated.start else 1).start


def with_past(
    model: Model, observed: Facts, begins: date | None, since: date | None = None
) -> Model:
    """`model` from the day `begins` on, and before, back to `since`, as `observed`."""
    said = dict(zip(fields_of(model), observed, strict=True))
    if begins is None or model.amount is None:
        return model
    past = [*_cut(_phases_said(said), since, moved(begins, -1))]
    if not past:
        return model
    first = model.start or begins
    flat = Phase(Period(first, model.end), model.amount)
    now = [*_cut(model.phases or (flat,), begins, None)]
    return replace(model, start=past[0].period.start, phases=(*past, *now))


def share_with_past(
    model: Allocation, stated: Allocation, observed: Facts, begins: date | None
) -> Allocation:
    """The same of a share; one that is told no time of its own has that of its budget, and no
    phases where its past says no other amount."""
    time = {"start": stated.start, "end": stated.end}
    said = zip(ALLOCATION_FIELDS, observed, strict=True)
    told = tuple(
        day.isoformat() if value is None and (day := time.get(name)) else value
        for name, value in said
    )
    timed = replace(model, start=model.start or stated.start, end=model.end or stated.end)
    whole = with_past(timed, told, begins)
    assert isinstance(whole, Allocation)
    if whole is timed or (model.start is None and _is_flat(whole.phases)):
        return model
    if model.start is not None:
        return whole
    return replace(whole, start=None, end=model.end, amount=whole.phases[0].amount)


def _is_flat(phases: Sequence[Phase]) -> bool:
    """Whether one amount counts throughout, without a gap."""
    ends = [each.period.end and moved(each.period.end, 1) for each in phases[:-1]]
    follow = ends == [each.period.start for each in phases[1:]]
    return follow and len({each.amount for each in phases}) == 1


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
    """The phases that the facts of an object tell; its only amount, where they tell none."""
    stated = said["phases"]
    if stated is None and said["amount"] is not None and said["start"] is not None:
        stated = ((f"{said['start']}..{said['end'] or ''}", said["amount"]),)
    for period, amount in cast("tuple[tuple[str, str], ...]", stated or ()):
        yield Phase(_period(period), Amount.of(amount, str(said["currency"])))


def _period(text: str) -> Period:
    start, _, end = text.partition("..")
    return Period(date.fromisoformat(start), date.fromisoformat(end) if end else None)
