"""Budgets: money, or a count, promised to a purpose for a period."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from canonical.allocation import Alert, Allocation, Enforcement, Status
from canonical.amount import Amount
from canonical.period import Cadence, Period


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a budget's life with an amount of its own, such as one month of twelve."""

    period: Period
    amount: Amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A budget as one side states it. `amount` counts per period of `cadence`.

    None means "this side does not say", and is never compared; only an `end` of None says
    something: an open end. `phases` carry differing amounts in time order; without them the
    amount is the same throughout. `extensions` holds vendor-only fields by vendor name.
    """

    ref: str
    name: str
    amount: Amount | None
    description: str | None = None
    limits: tuple[Amount, ...] = ()
    cadence: Cadence = Cadence.ONCE
    start: date | None = None
    end: date | None = None
    phases: tuple[Phase, ...] = ()
    status: Status = Status.ACTIVE
    enforcement: Enforcement | None = None
    carry_over: bool | None = None
    parent: str | None = None
    owners: tuple[str, ...] | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)
    alerts: tuple[Alert, ...] | None = None
    allocations: tuple[Allocation, ...] = ()
    extensions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def in_force(self, day: date) -> Amount | None:
        """The amount that counts on `day`.

        Before the first phase it is the first one's, so that a budget can be made ahead of time;
        in a gap and after the end it is the one that counted last.
        """
        current = None
        for phase in self.phases:
            if phase.period.start > day and current is not None:
                break
            current = phase.amount
        return self.amount if current is None else current

    def following(self, day: date) -> Phase | None:
        """The next phase that starts after `day`, if any."""
        return next((phase for phase in self.phases if phase.period.start > day), None)
