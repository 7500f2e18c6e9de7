"""Restate: what the source would have to state for the target to be as it is; tried, not reckoned.

A value of the target says less than a statement of the source: it may be the present one of many
phases, cut otherwise, rounded or converted. So what may be meant is tried, and only what the
projection makes exactly the target's values of is meant.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias

from msgspec import structs

from canonical.allocation import Allocation
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.errors import CanonicalError
from canonical.facts import Fact
from canonical.image import NotWhole, model_from
from canonical.kind import FIELDS
from canonical.period import Cadence, Period, moved, period_of
from canonical.phase import Phase
from sync.decide import Wanted
from sync.overlay import covering, overlaid
from sync.unread import TOGETHER

Model: TypeAlias = Budget | Allocation
Own: TypeAlias = Callable[[Amount], Amount]
"""An amount of the target in the source's own currency."""

_PLAIN: Final = ("limits", "cadence", "start", "end")


@dataclass(frozen=True, slots=True)
class Meant:
    """An object with values of the target, on one day: `record` is the source's own, `wanted` what
    is made of it, `own` puts amounts into the source's currency."""

    record: Model
    wanted: Wanted
    values: Mapping[str, Fact]
    day: date
    own: Own = lambda amount: amount

    def candidates(self) -> Iterator[Model]:
        """What the source may be meant to state, the likeliest first. Raises `NotWhole`."""
        shown = self._shown()
        plain = {name: getattr(shown, name) for name in self.values if name not in TOGETHER}
        record = structs.replace(self.record, **plain)
        if TOGETHER.isdisjoint(self.values):
            yield record
            return
        for each in self._counted(record, shown):
            if each is not None:
                yield each

    def _shown(self) -> Model:
        """The object as the target has it."""
        wanted = self.wanted
        image = dict(zip(FIELDS[wanted.kind], wanted.facts, strict=True)) | dict(self.values)
        return model_from(wanted.kind, wanted.key[1], wanted.key[0], image)

    def _counted(self, record: Model, shown: Model) -> Iterator[Model | None]:
        """With what says how much counts when."""
        moved = {name: getattr(shown, name) for name in _PLAIN if name in self.values}
        record = structs.replace(record, **moved)
        if {"amount", "currency", "phases"}.isdisjoint(self.values):
            yield record
            return
        if not record.phases:
            yield self._throughout(record, shown)
            yield self._directly(record, shown)
        yield self._over(record, self._pieces(shown))
        yield self._over(record, self._of_period(shown))
        if record.phases:
            yield self._directly(record, shown)

    def _directly(self, record: Model, shown: Model) -> Model:
        """The target's own amounts, as they are cut there."""
        phases = tuple(Phase(each.period, self.own(each.amount)) for each in shown.phases)
        if "phases" not in self.values:
            phases = record.phases
        return structs.replace(
            record, amount=shown.amount and self.own(shown.amount), phases=phases
        )

    def _throughout(self, record: Model, shown: Model) -> Model | None:
        """One amount, where the target shows the same for each period."""
        amounts = {each.amount for each in shown.phases}
        if len(amounts) != 1:
            return None
        return structs.replace(record, amount=self.own(amounts.pop()))

    def _over(self, record: Model, pieces: tuple[Phase, ...]) -> Model | None:
        """The source's amounts, with those of the target where it shows one."""
        units = {each.amount.unit for each in (*pieces, *record.phases)}
        if not pieces or len(units) > 1:
            return None
        whole = record if isinstance(record, Budget) else self._by_itself(record)
        made = overlaid(whole, pieces)
        return structs.replace(record, amount=made.amount, phases=made.phases)

    def _by_itself(self, record: Allocation) -> Budget:
        """The budget that a share is: where it says no time, that of its own budget."""
        stated = self.wanted.stated
        assert isinstance(stated, Allocation)
        own = structs.replace(
            record,
            cadence=record.cadence or stated.cadence,
            start=record.start or stated.start,
            end=record.end or stated.end,
        )
        return Budget.of_share(own)

    def _pieces(self, shown: Model) -> tuple[Phase, ...]:
        """What the target shows for when: its phases; of what it tells of the present alone the
        stretch of the source that holds the day."""
        phases = self._opened(shown)
        if shown.amount is None:
            return phases
        if phases:
            first = phases[0].period.start
            if self.day >= first:
                return phases
            ahead = Period(min(self.day, self._began(shown)), moved(first, -1))
            return (Phase(ahead, self.own(shown.amount)), *phases)
        record = self.record
        whole = record if isinstance(record, Budget) else self._by_itself(record)
        there = covering(whole, self.day)
        return (Phase(there.period, self.own(shown.amount)),) if there else ()

    def _opened(self, shown: Model) -> tuple[Phase, ...]:
        """The target's phases; where it is only told up to some day of what goes on, the last one
        goes on."""
        found = [Phase(each.period, self.own(each.amount)) for each in shown.phases]
        told, stated = self.wanted.model.phases, self.wanted.stated
        ends = stated.phases[-1].period.end if stated.phases else stated.end
        if found and told and found[-1].period.end == told[-1].period.end and ends is None:
            found[-1] = Phase(Period(found[-1].period.start), found[-1].amount)
        return tuple(found)

    def _of_period(self, shown: Model) -> tuple[Phase, ...]:
        """The target's amount for the period of the day alone."""
        if shown.amount is None or shown.phases or self._cadence(shown) is Cadence.ONCE:
            return ()
        start = self.wanted.stated.start
        period = period_of(self._cadence(shown), self.day, start.month if start else 1)
        return (Phase(period, self.own(shown.amount)),)

    def _began(self, shown: Model) -> date:
        """When the period of the day began."""
        if self._cadence(shown) is Cadence.ONCE:
            return self.day
        start = self.wanted.stated.start
        return period_of(self._cadence(shown), self.day, start.month if start else 1).start

    def _cadence(self, shown: Model) -> Cadence:
        return shown.cadence or self.wanted.stated.cadence or Cadence.ONCE


def first_of(meant: Meant, holds: Callable[[Model], bool]) -> Model | None:
    """The first candidate that holds; None where none does."""
    try:
        for each in meant.candidates():
            if holds(each):
                return each
    except (CanonicalError, ArithmeticError, NotWhole):
        return None
    return None
