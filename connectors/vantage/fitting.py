"""Fitting: a budget or an allocation in months, as Vantage's periods can hold it. Pure.

No cent is made or lost: an amount that does not count per month is split so that the months sum
to it, or it is blocked.
"""

from collections.abc import Collection, Iterator
from datetime import date
from itertools import pairwise
from typing import Final

from msgspec.structs import replace

from canonical.allocation import Allocation
from canonical.budget import Budget, Phase
from canonical.count import uncountable, year_starts
from canonical.loss import Effect, Loss
from canonical.period import Cadence, Period, period_of
from connectors.vantage.periods import Phases, Spans, joined, settled, spans_of

_MONTHS: Final = {Cadence.QUARTERLY: 3, Cadence.YEARLY: 12}


def fitted(
    model: Budget, emulated: Collection[Cadence], today: date, until: date
) -> tuple[Budget, tuple[Loss, ...]]:
    """`model` per month, an open end split up to `until`; and what that loses.

    What cannot be held comes back as it is, with the loss that blocks it.
    """
    if reason := uncountable(model):
        said = f"{reason}: Vantage's months are the calendar's"
        return model, (Loss("end", Effect.BLOCKED, said),)
    if model.cadence not in emulated:
        return _in_periods(model, today)
    if reason := _indivisible(model):
        return model, (Loss("cadence", Effect.BLOCKED, reason),)
    if shared := _shared_period(model):
        reason = f"two of its amounts count in one {model.cadence} period, {shared}"
        return model, (Loss("phases", Effect.BLOCKED, reason),)
    months = model.restated(Cadence.MONTHLY, until)
    budget, losses = _in_periods(months, today)
    reason = f"Vantage has no {model.cadence} budgets; it is split into months"
    return budget, (Loss("cadence", Effect.EMULATED, reason), *_goes_on(model, months), *losses)


def _goes_on(stated: Budget, months: Budget) -> Iterator[Loss]:
    """What an open end makes of a split that differs by a cent from month to month."""
    amount = stated.in_force(months.phases[-1].period.start) if months.phases else stated.amount
    if stated.end is not None or amount is None or not months.phases:
        return
    last, count = months.phases[-1], _MONTHS[stated.cadence]
    more = last.amount.value * count - amount.value
    if more:
        reason = (
            f"from {last.period.start} on it is {last.amount} each month, "
            f"{more:+f} {amount.unit} per {count} months, until a later run splits those"
        )
        yield Loss("phases", Effect.EMULATED, reason)


def _in_periods(budget: Budget, today: date) -> tuple[Budget, tuple[Loss, ...]]:
    """A budget as its periods alone tell it: in whole months."""
    if not budget.phases:
        whole = replace(budget, start=_first(budget.start), end=_last(budget.end))
        return whole, tuple(_widened(budget.start, budget.end, today))
    if month := _shared_month(budget.phases):
        reason = f"two of its amounts count in {month:%B %Y}, and in Vantage one amount a month"
        return budget, (Loss("phases", Effect.BLOCKED, reason),)
    phases = joined(Phase(_months(each.period), each.amount) for each in budget.phases)
    begins, ends = budget.phases[0].period.start, budget.phases[-1].period.end
    losses = (
        *_widened(begins, ends, today),
        *_widened_within(budget.phases, today),
        *_outside(budget, phases),
    )
    return replace(budget, **settled(phases)), losses


def _months(period: Period) -> Period:
    """The whole months in which the period has a day."""
    return Period(period.start.replace(day=1), _last(period.end))


def _first(day: date | None) -> date | None:
    return day and day.replace(day=1)


def _last(day: date | None) -> date | None:
    return day and period_of(Cadence.MONTHLY, day).end


def _widened(start: date | None, end: date | None, today: date) -> Iterator[Loss]:
    """What an amount of the whole month makes of a part of one, where that still counts."""
    first = _last(start)
    if start and first and start.day > 1 and today <= first:
        reason = f"Vantage's amounts are of a whole month: it begins on {_first(start)}"
        yield Loss("start", Effect.ROUNDED, reason)
    last = _last(end)
    if last and end != last and today <= last:
        reason = f"Vantage's amounts are of a whole month: it ends on {last}"
        yield Loss("end", Effect.ROUNDED, reason)


def _widened_within(phases: Phases, today: date) -> Iterator[Loss]:
    """What is told of parts of months beside gaps, where they still count."""
    for before, after in pairwise(phases):
        end, last = before.period.end, _last(before.period.end)
        if end and last and end != last and today <= last:
            reason = f"Vantage's amounts are of a whole month: {before.amount} counts until {last}"
            yield Loss("phases", Effect.ROUNDED, reason)
        start, first = after.period.start, after.period.start.replace(day=1)
        if start != first and today <= (_last(start) or start):
            reason = f"Vantage's amounts are of a whole month: {after.amount} counts from {first}"
            yield Loss("phases", Effect.ROUNDED, reason)


def _shared_period(budget: Budget) -> Period | None:
    """The first period of the budget's cadence with two amounts in it; None without one."""
    if budget.cadence is Cadence.ONCE:
        return None
    for before, after in pairwise(each for each in budget.all_phases() if each.amount.value):
        whole = period_of(budget.cadence, after.period.start, year_starts(budget))
        if before.period.overlaps(whole):
            return whole
    return None


def _shared_month(phases: Phases) -> date | None:
    """The first day of a month in which two phases count; None where there is none."""
    for before, after in pairwise(phases):
        end, first = before.period.end, after.period.start.replace(day=1)
        if end is None or end >= first:
            return first
    return None


def _outside(budget: Budget, phases: Phases) -> Iterator[Loss]:
    """What a budget says beside its phases, and no period can."""
    whole = Period(budget.phases[0].period.start, budget.phases[-1].period.end)
    if budget.start not in (None, whole.start):
        yield Loss("start", Effect.TRUNCATED, f"its first period begins on {whole.start}")
    if budget.end != whole.end:
        yield Loss("end", Effect.TRUNCATED, f"its last period ends on {whole.end or 'no day'}")
    if phases[0].amount.value and not all(each.amount.value for each in budget.phases):
        reason = "no period is written where the amount is nothing"
        yield Loss("phases", Effect.EMULATED, reason)


def _indivisible(budget: Budget) -> str | None:
    """Why the amounts of `budget` cannot be split; None where they can."""
    ends = [phase.period.end for phase in budget.phases] or [budget.end]
    if budget.start is None or (budget.cadence is Cadence.ONCE and None in ends):
        return f"a {budget.cadence} amount can be split only from a start to an end"
    return None


def fitted_share(
    share: Allocation,
    emulated: Collection[Cadence],
    today: date,
    until: date,
    spans: Spans | None = None,
) -> tuple[Allocation, tuple[Loss, ...]]:
    """A share in months: as long as its budget, which lasts for `spans`, or with phases of its own.

    A share of a budget that is split is split with it, where each amount of it is the same each
    month: cents that go to some months only might be more than the budget has in one of these.
    """
    whole, losses = _in_time(share, spans), tuple[Loss, ...]()
    follows = replace(share, cadence=None, start=None, end=None)
    if share.cadence in emulated and share.amount is not None:
        if reason := uncountable(whole) or _indivisible(whole) or _uneven(whole, until):
            return follows, (Loss("amount", Effect.BLOCKED, reason),)
        if share.phases and (shared := _shared_period(whole)):
            reason = f"two of its amounts count in one {share.cadence} period, {shared}"
            return follows, (Loss("phases", Effect.BLOCKED, reason),)
        reason = f"Vantage has no {share.cadence} budgets; it is split into months"
        losses = (Loss("amount", Effect.EMULATED, reason),)
        whole = whole.restated(Cadence.MONTHLY, until)
    if not share.phases:
        return replace(follows, amount=whole.amount), losses
    whole, more = _in_periods(whole, today)
    if any(loss.effect is Effect.BLOCKED for loss in more):
        return follows, (*losses, *more)
    return replace(follows, amount=whole.amount, phases=_own(whole, spans)), (*losses, *more)


def _in_time(share: Allocation, spans: Spans | None) -> Budget:
    """The share by itself, with its own time or that of its budget."""
    whole = Budget.of_share(share)
    if share.phases:
        periods = [each.period for each in share.phases]
        return replace(whole, start=periods[0].start, end=periods[-1].end)
    return replace(whole, start=spans[0].start, end=spans[-1].end) if spans else whole


def _own(whole: Budget, spans: Spans | None) -> Phases:
    """The phases of a share; none where it is the same for as long as its budget."""
    if not whole.phases and whole.start is not None and whole.amount is not None:
        whole = replace(whole, phases=(Phase(Period(whole.start, whole.end), whole.amount),))
    flat = len({each.amount for each in whole.phases}) == 1
    return () if flat and spans_of(whole) == spans else whole.phases


def _uneven(share: Budget, until: date) -> str | None:
    """Which amount of a share is not the same in each month that it is split into."""
    for phase in share.all_phases() or (None,):
        part = share
        if phase is not None:
            start, end = phase.period.start, phase.period.end
            part = replace(share, amount=phase.amount, start=start, end=end, phases=())
        if part.restated(Cadence.MONTHLY, until).phases:
            said = f"{part.amount} {share.cadence}"
            return f"{said} is not the same amount each month, as that of a share has to be"
    return None
