"""Allocations: a share of a budget for a team, a person or a thing."""

from datetime import date
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import force_setattr

from canonical.amount import Amount
from canonical.period import FAR, Cadence
from canonical.phase import Phase
from canonical.records import as_dataclass


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


@as_dataclass
class Entity(Struct, frozen=True, order=True, gc=False):
    """Who or what an allocation is for: ("user", "ada@example.com"), ("account", "6100")."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}:{self.id}"


@as_dataclass
class Alert(Struct, frozen=True, gc=False):
    """Tell `recipients` once spending reaches `threshold`: percent of the amount, or money."""

    threshold: Decimal
    percent: bool = True
    recipients: tuple[str, ...] = ()


@as_dataclass
class Allocation(Struct, frozen=True, kw_only=True, gc=False):
    """A share of one budget. `ref` is the owner's own stable id, unique within its budget.

    `cadence`, `start`, `end`, `enforcement` and `carry_over` are its budget's unless stated
    (`Budget.complete`); an end from 2150 on is not stated. `phases` carry differing amounts in time
    order, and are its time; without them the amount is the same throughout.
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
    phases: tuple[Phase, ...] = ()

    def __post_init__(self) -> None:
        if self.end is not None and self.end >= FAR:
            force_setattr(self, "end", None)
