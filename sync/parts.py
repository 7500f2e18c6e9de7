"""Parts: what a target of one amount a period makes of amounts that share one, or fill none.

A phase may begin and end in the middle of a period of its budget's cadence. A target that holds the
amount of the present period, or also that of the next, has that amount for all of it: what else is
stated there is lost, and is told with its days and its amount.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from canonical.budget import Budget, Phase
from canonical.loss import Effect, Loss
from canonical.period import Cadence, Period, moved, period_of
from connectors.contract.capabilities import Phasing


def parted(budget: Budget, phasing: Phasing, day: date, vendor: str) -> Iterator[Loss]:
    """What is lost of the phases of `budget` in the periods that `vendor` holds on `day`."""
    stated = budget.all_phases()
    if not stated or phasing in (Phasing.ALL, Phasing.PERIODS):
        return
    if budget.cadence is Cadence.ONCE:
        if len(stated) > 1:
            whole = Period(budget.start or stated[0].period.start, budget.end)
            held = f"{vendor} holds {budget.in_force(day)} once, in {whole}"
            yield Loss("phases", Effect.TRUNCATED, f"{_said(stated)}; {held}")
        return
    for period, amount_on in _held(budget, stated, phasing, day):
        parts = _joined([each for each in stated if each.period.overlaps(period)])
        held = f"{vendor} holds {budget.in_force(amount_on)} for all of {period}"
        if len(parts) > 1:
            yield Loss("phases", Effect.TRUNCATED, f"{_said(parts)}; {held}")
        elif parts and _is_partial(parts[0].period, period, budget):
            yield Loss("phases", Effect.ROUNDED, f"{_said(parts)}; {held}")
        elif not parts and period.start > day:
            reason = f"the source states no amount for {period}; {held}"
            yield Loss("phases", Effect.EMULATED, reason)


def unstated(budget: Budget, phasing: Phasing, day: date) -> Iterator[Loss]:
    """Where the source states amounts for other days only, and `day` gets one of them."""
    stated = budget.all_phases()
    if not stated or phasing in (Phasing.ALL, Phasing.PERIODS):
        return
    if any(day in each.period for each in stated):
        return
    before = [each for each in stated if each.period.start <= day]
    if not before and budget.start is None and budget.amount is not None:
        return  # its own amount counts until its first phase
    which = f"the last one before it, until {before[-1].period.end}," if before else ""
    which = which or f"its first one, from {stated[0].period.start} on,"
    reason = f"the source states no amount for {day}; {which} counts, {budget.in_force(day)}"
    yield Loss("amount", Effect.EMULATED, reason)


def _held(
    budget: Budget, stated: Sequence[Phase], phasing: Phasing, day: date
) -> Iterator[tuple[Period, date]]:
    """The periods that are held on `day`, each with the day whose amount counts in it."""
    first, last = stated[0].period.start, stated[-1].period.end
    if last is not None and last < day:
        return
    year_starts = budget.start.month if budget.start else 1
    now = period_of(budget.cadence, max(day, first), year_starts)
    yield now, day
    assert now.end is not None
    following = moved(now.end, 1)
    if phasing is Phasing.CURRENT_AND_NEXT and (last is None or following <= last):
        yield period_of(budget.cadence, following, year_starts), following


def _joined(stated: Sequence[Phase]) -> Sequence[Phase]:
    """With one phase in place of those that go on with the same amount."""
    found: list[Phase] = []
    for each in stated:
        last = found[-1] if found else None
        if last and last.amount == each.amount and _meet(last.period, each.period):
            found[-1] = Phase(Period(last.period.start, each.period.end), each.amount)
        else:
            found.append(each)
    return found


def _meet(before: Period, after: Period) -> bool:
    return before.end is not None and moved(before.end, 1) == after.start


def _is_partial(part: Period, period: Period, budget: Budget) -> bool:
    """Whether `part` ends within `period`, or begins there, where the budget does not."""
    assert period.end is not None
    begins = part.start > period.start and part.start != budget.start
    ends = part.end is not None and part.end < period.end and part.end != budget.end
    return begins or ends


def _said(parts: Sequence[Phase]) -> str:
    said = ", ".join(f"{each.amount} in {each.period}" for each in parts)
    return f"the source states {said}"
