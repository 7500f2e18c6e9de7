"""Allocations: a share of a budget for a team, a person or a thing."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from canonical.amount import Amount
from canonical.period import Cadence

if TYPE_CHECKING:
    from canonical.budget import Budget


class Status(StrEnum):
    """`active` counts; `inactive` is switched off and may return; `retired` is over."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    RETIRED = "retired"


class Enforcement(StrEnum):
    """`track` only watches, `soft` warns, `hard` stops the spending."""

    TRACK = "track"
    SOFT = "soft"
    HARD = "hard"


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """Who or what an allocation is for: ("user", "ada@example.com"), ("account", "6100")."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"


@dataclass(frozen=True, slots=True)
class Alert:
    """Tell `recipients` once spending reaches `threshold`: percent of the amount, or money."""

    threshold: Decimal
    percent: bool = True
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """A share of one budget. `ref` is the owner's own stable id, unique within its budget.

    `cadence`, `start`, `end`, `enforcement` and `carry_over` are its budget's unless stated.
    """

    ref: str
    budget: str
    entity: Entity
    amount: Amount | None
    status: Status = Status.ACTIVE
    alerts: tuple[Alert, ...] | None = None
    cadence: Cadence | None = None
    start: date | None = None
    end: date | None = None
    enforcement: Enforcement | None = None
    carry_over: bool | None = None

    def within(self, budget: "Budget") -> "Allocation":
        """This allocation with what it leaves unsaid taken from its `budget`.

        A budget that is not active takes its allocations with it.
        """
        return replace(
            self,
            status=self.status if budget.status is Status.ACTIVE else budget.status,
            cadence=self.cadence or budget.cadence,
            start=self.start or budget.start,
            end=self.end or budget.end,
            enforcement=self.enforcement or budget.enforcement,
            carry_over=budget.carry_over if self.carry_over is None else self.carry_over,
        )
