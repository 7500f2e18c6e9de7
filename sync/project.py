"""Projection: a desired object as far as the target can hold it, and what is lost on the way.

Done before anything is compared, so that what a vendor cannot hold never shows as a difference.
"""

import calendar
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final

from anyascii import anyascii
from msgspec.structs import replace

from canonical.allocation import Allocation, Enforcement
from canonical.amount import Amount
from canonical.budget import Budget, Phase
from canonical.count import calendar_periods
from canonical.currency import COUNTS
from canonical.loss import Effect, Loss
from canonical.period import Cadence, Period, add_months, moved, period_of
from connectors.contract.capabilities import Capabilities, Hold, Phasing
from sync.own_time import alone, has_own_time, time_lost
from sync.parts import parted, unstated
from sync.terms import Losses, ShareTerms, blocked, dropped, enforce

LISTS: Final = (Phasing.ALL, Phasing.PERIODS)
"""Where a target holds all differing amounts at once."""


class Projector:
    """Projects onto one target on one day. `project` returns its argument where all of it fits."""

    def __init__(
        self, capabilities: Capabilities, as_of: date, horizon_months: int, past_months: int = 12
    ) -> None:
        self._able = capabilities
        self._as_of = as_of
        self._since = _months_before(as_of, past_months)
        beyond = add_months(as_of.replace(day=1), horizon_months)
        last_day = calendar.monthrange(beyond.year, beyond.month)[1]
        self.horizon = beyond.replace(day=min(as_of.day, last_day))
        self._droppable = [
            (field, empty)
            for field, empty in _DROPPABLE
            if capabilities.budget.get(field, Hold.DROPPED) is Hold.DROPPED
        ]
        time = [capabilities.allocation.get(name) for name in ("start", "end")]
        self._in_budgets_time = Hold.FOLLOWS in time
        self._terms = ShareTerms(capabilities, self._is_far)

    def budget(self, budget: Budget) -> tuple[Budget, Losses]:
        """`budget` as the target can hold it on the day."""
        losses: list[Loss] = []
        changed: dict[str, Any] = {}
        budget = self._in_time(budget)
        if budget.phases or self._able.phasing is Phasing.PERIODS:
            whole = self._without_past(budget, changed, losses)
            self._phases(whole, self._able.phasing, changed)
            losses.extend(self._in_parts(budget, self._able.phasing))
        amount: Amount | None = changed.get("amount", budget.amount)
        self._amount(amount, changed, losses)
        phases = changed.get("phases", budget.phases)
        self._held([each.amount for each in phases], "phases", losses)
        self._held(budget.limits, "limits", losses)
        self._name(budget.name, losses)
        if budget.cadence not in self._able.cadences:
            losses.append(blocked(self._able, "cadence", f"has no {budget.cadence} budgets"))
        if budget.status not in self._able.statuses:
            losses.append(blocked(self._able, "status", f"has no {budget.status} budgets"))
        for field, empty in self._droppable:
            stated = getattr(budget, field)
            if stated:
                changed[field] = empty
                if stated is not Enforcement.TRACK:
                    losses.append(dropped(self._able, field))
        if "enforcement" in self._able.budget:
            enforce(self._able, budget.enforcement, changed, losses)
        if self._able.ascii_text:
            self._ascii("name", budget.name, changed, losses)
            self._ascii("description", budget.description, changed, losses)
        return (replace(budget, **changed) if changed else budget), tuple(losses)

    def allocation(
        self, allocation: Allocation, budget: Budget | None = None
    ) -> tuple[Allocation, Losses]:
        """`allocation`, filled from its `budget`, as the target can hold it."""
        if not self._able.allocation:
            return allocation, (blocked(self._able, "entity", "has no allocations"),)
        terms = self._terms.of(allocation)
        losses: list[Loss] = [*terms.of_entity]
        changed: dict[str, Any] = {}
        entity = allocation.entity
        if terms.as_text and self._able.ascii_text and not entity.id.isascii():
            changed["entity"] = replace(entity, id=anyascii(entity.id))
        self._share_in_time(allocation, budget, changed, losses)
        amount: Amount | None = changed.get("amount", allocation.amount)
        self._amount(amount, changed, losses)
        if phases := changed.get("phases", allocation.phases):
            self._held([each.amount for each in phases], "phases", losses)
        losses += terms.losses
        changed |= terms.changed
        return (replace(allocation, **changed) if changed else allocation), tuple(losses)

    def begins(self, stated: Budget | Allocation) -> date | None:
        """The day from which on the target is told of `stated`; None where that is its start."""
        if self._able.phasing is not Phasing.PERIODS:
            return None
        whole = stated if isinstance(stated, Budget) else Budget.of_share(stated)
        kept = whole.since(self._since)
        return None if kept is whole else kept.start

    def _in_time(self, budget: Budget) -> Budget:
        """With an open end in place of one so far away that its periods are written in time."""
        last = budget.phases[-1].period.end if budget.phases else budget.end
        if not self._is_far(budget.cadence, budget.start, last):
            return budget
        near = [each for each in budget.phases if each.period.start <= self.horizon]
        near = near or [*budget.phases[:1]]
        phases = (*near[:-1], *(_open(each, self.horizon) for each in near[-1:]))
        return replace(budget, end=None, phases=phases)

    def _is_far(self, cadence: Cadence | None, start: date | None, end: date | None) -> bool:
        if self._able.phasing is not Phasing.PERIODS or end is None:
            return False
        first = max(start or self._as_of, self._as_of)
        if cadence in (None, Cadence.ONCE) or end <= max(first, self.horizon):
            return False
        assert cadence is not None
        several = _MONTHS_OF_A_YEAR if cadence is Cadence.YEARLY else 1
        return calendar_periods(cadence, first, end) * several > _AT_ONCE

    def _without_past(self, budget: Budget, changed: dict[str, Any], losses: list[Loss]) -> Budget:
        begins = self.begins(budget)
        if begins is None:
            return budget
        changed["start"] = begins
        losses.append(self._over(begins))
        # what counts on the day may be the amount of what is over
        return replace(budget.since(begins), amount=budget.in_force(self._as_of))

    def _share_in_time(
        self, share: Allocation, budget: Budget | None, changed: dict[str, Any], losses: list[Loss]
    ) -> None:
        """What a share holds when, where it has phases or a time that is not its budget's."""
        own = self._in_budgets_time and has_own_time(share, budget)
        if not share.phases and not own:
            changed |= self._without_past_share(share, losses)
            return
        whole = alone(share, own and self._able.share_phasing in LISTS)
        if own and budget is not None and self._able.share_phasing not in LISTS:
            losses.extend(time_lost(share, budget, self._as_of, self._able.vendor))
        if whole.phases:
            self._phased_share(whole, budget, changed, losses)
        else:
            changed["phases"] = ()
            changed |= self._without_past_share(share, losses)

    def _phased_share(
        self, whole: Budget, budget: Budget | None, changed: dict[str, Any], losses: list[Loss]
    ) -> None:
        phasing = self._able.share_phasing
        whole = self._without_past(self._in_time(whole), changed, losses)
        held = whole
        if budget is not None and self._in_budgets_time and phasing not in LISTS:
            held = replace(whole, start=budget.start, end=budget.end)
        self._phases(held, phasing, changed)
        if self._in_budgets_time and phasing is Phasing.ALL:  # nor is its cadence told
            stated = replace(whole, phases=changed["phases"])
            changed["phases"] = stated.stretches() or stated.phases
        losses.extend(self._in_parts(whole, phasing))

    def _without_past_share(self, share: Allocation, losses: list[Loss]) -> dict[str, Any]:
        begins = self.begins(share)
        if begins is None or self._able.allocation.get("start") is None:
            return {}
        losses.append(self._over(begins))
        return {"start": begins}

    def _over(self, begins: date) -> Loss:
        reason = f"no period before {begins} is written; past_months of the sync says which are"
        return Loss("start", Effect.EMULATED, reason)

    def _phases(self, budget: Budget, phasing: Phasing, changed: dict[str, Any]) -> None:
        """Keep of the phases what the target holds at a time; the calendar brings the others."""
        if phasing is Phasing.ALL:
            changed["phases"] = budget.all_phases()
            return
        changed["amount"] = budget.in_force(self._as_of)
        if phasing is Phasing.PERIODS:
            changed["phases"] = budget.by_period(self.horizon)
        elif phasing is Phasing.CURRENT_AND_NEXT:
            changed["phases"] = self._later(budget)
        else:
            changed["phases"] = ()

    def _in_parts(self, whole: Budget, phasing: Phasing) -> Iterator[Loss]:
        """What is told of amounts that share a period, or are not stated for the day."""
        yield from unstated(whole, phasing, self._as_of)
        yield from parted(whole, phasing, self._as_of, self._able.vendor)

    def _later(self, budget: Budget) -> tuple[Phase, ...]:
        """From the next period to the end, the amount that counts when that period begins.

        None where it is the amount of the day, or no period follows.
        """
        if budget.cadence is Cadence.ONCE:
            return ()
        month = budget.start.month if budget.start else 1
        last = period_of(budget.cadence, self._as_of, month).end
        assert last is not None
        following = moved(last, 1)
        now, later = (self._rounded(budget.in_force(day)) for day in (self._as_of, following))
        if later is None or later == now or (budget.end is not None and budget.end < following):
            return ()
        return (Phase(Period(following, budget.end), later),)

    def _rounded(self, amount: Amount | None) -> Amount | None:
        return amount and amount.rounded(self._able.amount_digits)

    def _amount(self, amount: Amount | None, changed: dict[str, Any], losses: list[Loss]) -> None:
        if amount is None:
            losses.append(Loss("amount", Effect.BLOCKED, "the source states no amount"))
        elif amount.unit in COUNTS and "limits" not in self._able.budget:
            losses.append(blocked(self._able, "amount", f"cannot count {amount.unit}"))
        else:
            held = amount.rounded(self._able.amount_digits)
            if held.value != amount.value:
                changed["amount"] = held
                reason = f"{amount} becomes {held}: {self._able.vendor} holds no finer amount"
                losses.append(Loss("amount", Effect.ROUNDED, reason))

            self._held([held], "amount", losses)

    def _held(self, amounts: Iterable[Amount], field: str, losses: list[Loss]) -> None:
        """Block `field` where one of its amounts would not arrive as it was sent."""
        for each in amounts:
            if each.value < 0 and not self._able.below_zero:
                reason = f"takes no amount below zero, such as {each}"
                losses.append(blocked(self._able, field, reason))
                return
            if not self._able.numbers.hold(each):
                reason = f"takes an amount as {self._able.numbers}, which does not hold {each}"
                losses.append(blocked(self._able, field, reason))
                return

    def _name(self, name: str, losses: list[Loss]) -> None:
        most = self._able.name_length
        if most is not None and (length := len(name.encode("utf-16-le")) // 2) > most:
            losses.append(
                blocked(self._able, "name", f"takes {most} characters; this has {length}")
            )

    def _ascii(
        self, field: str, text: str | None, changed: dict[str, Any], losses: list[Loss]
    ) -> None:
        if not text or text.isascii():
            return
        changed[field] = anyascii(text)
        reason = f"{self._able.vendor} takes ASCII only"
        losses.append(Loss(field, Effect.EMULATED, reason))


def _months_before(day: date, months: int) -> date:
    """The first day of the month that lies so many months back; the calendar's, where none does."""
    first = day.replace(day=1)
    return max(add_months(first, -min(months, (first.year - 1) * 12)), date.min)


def _open(phase: Phase, horizon: date) -> Phase:
    """The phase without an end, where that lies beyond the horizon."""
    end = phase.period.end
    return phase if end and end <= horizon else Phase(Period(phase.period.start), phase.amount)


_AT_ONCE: Final = 400
"""How many periods ahead a list of them is written whole; of more, those up to the horizon."""
_MONTHS_OF_A_YEAR: Final = 12
_DROPPABLE: tuple[tuple[str, Any], ...] = (
    ("description", None),
    ("limits", ()),
    ("enforcement", None),
    ("carry_over", None),
    ("parent", None),
    ("owners", None),
    ("dimensions", {}),
    ("alerts", None),
)
