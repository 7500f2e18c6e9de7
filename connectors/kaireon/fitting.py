"""Fitting: a budget or an allocation in whole calendar periods, as rows can hold it. Pure.

No cent is made or lost: an amount that falls into periods that Kaireon does not have is divided so
that the shares sum to it, or it is blocked.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, TypeAlias

from msgspec.structs import replace

from canonical.allocation import Allocation
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.count import uncountable
from canonical.currency import COUNTS, exponent
from canonical.errors import CanonicalError
from canonical.loss import Effect, Loss
from canonical.period import Cadence, Period, period_of, periods
from connectors.kaireon.wire import CADENCE, COUNT_FIELD, LIMIT_FIELDS

Model: TypeAlias = Budget | Allocation

_NATIVE = frozenset(CADENCE.values())
_DIGITS = 2
_AT_ONCE = 1200
"""How many rows an amount is divided over at most: a hundred years of months."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a system counts in: its currency, and the cadences that it may hold as others."""

    currency: str
    emulate: frozenset[Cadence] = frozenset()


class _Unfit(Exception):
    """`field` cannot be held; the reason follows."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


def fitted(model: Model, terms: Terms, today: date, until: date) -> tuple[Model, tuple[Loss, ...]]:
    """`model` in whole calendar periods, an open end up to `until`; and what that loses.

    What cannot be held comes back as it is, with the loss that blocks it. Fitting what is fitted
    changes nothing. Without a start there are no phases: the periods from today on are meant. A
    share of one amount in all of its periods has none either.
    """
    foreign = tuple(_foreign(model, terms))
    if foreign:
        return model, foreign
    whole = model if isinstance(model, Budget) else Budget.of_share(model)
    budget, losses = _rounded(whole)
    try:
        changed = _spread(budget, terms, until)
    except _Unfit as unfit:
        return model, (*losses, Loss(unfit.field, Effect.BLOCKED, str(unfit)))
    if isinstance(model, Budget) or not is_one_amount(changed["phases"]):
        changed["amount"] = _shown(replace(budget, **changed), today)
    elif phases := changed["phases"]:
        changed |= {"amount": phases[0].amount, "phases": ()}
    losses += _moved(budget, changed, today)
    return replace(model, **changed), tuple(losses)


def whole_periods(cadence: Cadence, first: date, last: date) -> Iterator[Period]:
    """The calendar periods that hold a day from `first` to `last`, none of them cut."""
    for cut in periods(cadence, first, last):
        yield period_of(cadence, cut.start)


def _shown(whole: Budget, today: date) -> Amount | None:
    """What rows show as the amount: where there are phases, nothing counts before the first."""
    return replace(whole, amount=None).in_force(today) if whole.phases else whole.amount


def _rounded(budget: Budget) -> tuple[Budget, list[Loss]]:
    """The amounts in as many digits as rows hold; what the phases lose by it."""
    phases = tuple(Phase(each.period, _held(each.amount)) for each in budget.phases)
    whole = replace(budget, amount=budget.amount and _held(budget.amount), phases=phases)
    if phases == budget.phases:
        return whole, []
    return whole, [Loss("phases", Effect.ROUNDED, f"kaireon holds {_DIGITS} digits of an amount")]


def _held(amount: Amount) -> Amount:
    return amount.rounded(min(_DIGITS, exponent(amount.unit)))


def _foreign(model: Model, terms: Terms) -> Iterator[Loss]:
    """Amounts in units that rows do not have, or do not have beside each other."""
    limits = model.limits if isinstance(model, Budget) else ()
    if model.amount and limits:
        fields = [COUNT_FIELD.get(each.unit, "max_spend") for each in (model.amount, *limits)]
        if len({*fields}) < len(fields):
            yield Loss("limits", Effect.BLOCKED, "kaireon has one limit of each kind in a period")
        elif fields[0] != min(fields, key=LIMIT_FIELDS.index):
            reason = (
                "kaireon takes money for the amount, else impressions, where a limit is beside it"
            )
            yield Loss("limits", Effect.BLOCKED, reason)
    for field, amount in (("currency", model.amount), *(("limits", limit) for limit in limits)):
        if amount is None:
            continue
        if amount.unit not in COUNTS and amount.unit != terms.currency:
            reason = f"kaireon counts in {terms.currency} here, not in {amount.unit}"
            yield Loss(field, Effect.BLOCKED, reason)
        elif amount.unit in COUNTS and not amount.is_exact():
            yield Loss(field, Effect.BLOCKED, f"kaireon counts {amount.unit} in whole numbers")


def _spread(budget: Budget, terms: Terms, until: date) -> dict[str, Any]:
    """Cadence, start, end, phases and limits in calendar periods; raises `_Unfit`."""
    if budget.start and budget.end and budget.end < budget.start:
        raise _Unfit("end", f"it ends on {budget.end}, before its start on {budget.start}")
    until = max(until, budget.start or until)  # what starts beyond the horizon has its first period
    stated, end = budget.by_period(until), budget.end or until
    if budget.cadence in _NATIVE:
        if not stated:
            *_, last = whole_periods(budget.cadence, end, end)
            return {"end": last.end, "phases": ()}
        phases = _whole(budget, stated, until)
        plain = replace(budget, phases=()) if _is_flat(budget) else budget
        if reason := uncountable(plain, calendar=budget.cadence is Cadence.QUARTERLY):
            raise _Unfit("end", f"{reason}: kaireon's are the calendar's")
        changed: dict[str, Any] = {}
    elif budget.cadence not in terms.emulate:
        raise _Unfit("cadence", f"kaireon has no {budget.cadence} budgets")
    elif not stated:
        raise _Unfit("start", f"a {budget.cadence} amount cannot be divided without a start")
    else:
        changed = _divided(budget, stated)
        phases = changed["phases"]
    return changed | {
        "phases": tuple(phases),
        "start": phases[0].period.start,
        "end": phases[-1].period.end,
    }


def _is_flat(budget: Budget) -> bool:
    """Whether the phases say no more than one amount from the start to the end."""
    if not budget.phases:
        return True
    first, last = budget.phases[0].period.start, budget.phases[-1].period.end
    follow = (first, last) == (budget.start, budget.end) and all(
        one.period.end is not None and one.period.end + timedelta(days=1) == two.period.start
        for one, two in pairwise(budget.phases)
    )
    return follow and len({phase.amount for phase in budget.phases}) == 1


def _whole(budget: Budget, stated: Sequence[Phase], until: date) -> list[Phase]:
    """Each stated stretch as the calendar periods that it touches, each with its full amount."""
    phases: list[Phase] = []
    for phase in stated:
        first, last = phase.period.start, phase.period.end or until
        spans = [*whole_periods(budget.cadence, first, last)]
        aligned = spans[0].start == first and phase.period.end in (None, spans[-1].end)
        if budget.cadence is Cadence.QUARTERLY and len(spans) > 1 and not aligned:
            raise _Unfit("cadence", f"kaireon's quarters are the calendar's; {phase.period} is not")
        if phases and spans[0].start <= last_day(phases[-1].period):
            raise _Unfit("phases", f"two amounts fall into the period that holds {first}")
        phases += [Phase(span, phase.amount) for span in spans]
    return phases


def _divided(budget: Budget, stated: Sequence[Phase]) -> dict[str, Any]:
    """Amounts that count once or a year, as quarters where all begin with one, else as months."""
    pieces = [*_pieces(budget, stated)]
    for cadence in (Cadence.QUARTERLY, Cadence.MONTHLY):
        parts = [[*whole_periods(cadence, p.period.start, last_day(p.period))] for p in pieces]
        if all(_fills(spans, piece.period) for spans, piece in zip(parts, pieces, strict=True)):
            break
    else:
        raise _Unfit("cadence", f"a {budget.cadence} amount is divided over whole months only")
    counts = {len(spans) for spans in parts}
    if sum(map(len, parts)) > _AT_ONCE:
        raise _Unfit("end", f"it takes {sum(map(len, parts))} rows, and kaireon lists each")
    limits = tuple(_share(limit, counts) for limit in budget.limits)
    return ({"limits": limits} if limits else {}) | {
        "cadence": cadence,
        "phases": [
            Phase(span, share)
            for piece, spans in zip(pieces, parts, strict=True)
            for span, share in zip(spans, piece.amount.split([1] * len(spans)), strict=True)
        ],
    }


def _pieces(budget: Budget, stated: Sequence[Phase]) -> Iterator[Phase]:
    """One phase per amount that is to be divided: a year of an open end is always a whole one."""
    for phase in stated:
        start, end = phase.period.start, phase.period.end
        if budget.cadence is Cadence.ONCE:
            if end is None or budget.end is None:
                raise _Unfit("end", "an amount that counts once cannot be divided without an end")
            yield phase
            continue
        if end is None or (budget.end is None and phase is stated[-1]):
            end = period_of(Cadence.YEARLY, end or start, start.month).end
        assert end is not None
        for year in periods(Cadence.YEARLY, start, end, start.month):
            yield Phase(year, phase.amount)


def _fills(spans: Sequence[Period], whole: Period) -> bool:
    return (spans[0].start, spans[-1].end) == (whole.start, whole.end)


def _share(limit: Amount, counts: Collection[int]) -> Amount:
    """The share of each of as many periods; raises `_Unfit` where the shares are not all one."""
    shares = {share for count in counts for share in limit.split([1] * count)}
    if len(shares) > 1:
        raise _Unfit("limits", f"{limit} cannot be divided evenly over {min(counts)} periods")
    return shares.pop()


def is_one_amount(phases: Sequence[Phase]) -> bool:
    """Whether periods say no more than one amount from the first to the last of them."""
    follow = all(
        last_day(one.period) + timedelta(days=1) == two.period.start
        for one, two in pairwise(phases)
    )
    return follow and len({phase.amount for phase in phases}) < 2


def _moved(budget: Budget, changed: dict[str, Any], today: date) -> Iterator[Loss]:
    """What became of cadence, start and end, where it still counts today."""
    cadence, start, end = changed.get("cadence"), changed.get("start"), changed["end"]
    if cadence is not None:
        reason = f"kaireon has no {budget.cadence} budgets; the amount is divided, {cadence}"
        yield Loss("cadence", Effect.EMULATED, reason)
    if budget.start and start and start < budget.start and today <= _first_end(changed, budget):
        yield Loss("start", Effect.ROUNDED, f"the calendar period begins on {start}")
    if budget.end is None:
        reason = f"kaireon's periods are listed one by one: up to {end} now, later ones in time"
        yield Loss("end", Effect.EMULATED, reason)
    elif budget.end < end and today <= end:
        yield Loss("end", Effect.ROUNDED, f"the calendar period ends on {end}")
    if cadence is None:
        yield from _widened_within(budget, today)


def _widened_within(budget: Budget, today: date) -> Iterator[Loss]:
    """What is told of parts of periods beside gaps, where they still count."""
    for before, after in pairwise(budget.phases):
        end, start = last_day(before.period), after.period.start
        whole, following = period_of(budget.cadence, end), period_of(budget.cadence, start)
        if end != whole.end and today <= last_day(whole):
            reason = f"{before.amount} counts in all of the calendar period {whole}"
            yield Loss("phases", Effect.ROUNDED, reason)
        if start != following.start and today <= last_day(following):
            reason = f"{after.amount} counts in all of the calendar period {following}"
            yield Loss("phases", Effect.ROUNDED, reason)


def _first_end(changed: dict[str, Any], budget: Budget) -> date:
    cadence = changed.get("cadence", budget.cadence)
    return last_day(period_of(cadence, changed["start"]))


def last_day(period: Period) -> date:
    """The end of a period; raises `CanonicalError` where it has none."""
    if period.end is None:
        raise CanonicalError(f"{period} has no end")
    return period.end
