"""What a run is told: which sync, and the limits within which it may act."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum


class OnRemove(StrEnum):
    """What happens in the target to an object that the source no longer has."""

    KEEP = "keep"
    RETIRE = "retire"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a run may change, as shares of what is linked; None switches a rule off.

    `min_listing` is the share of the linked objects that a listing must still show.
    """

    max_changes: Decimal | None = Decimal("0.30")
    max_removals: Decimal | None = Decimal("0.05")
    max_money: Decimal | None = Decimal("0.10")
    max_budget_change: Decimal | None = Decimal("0.50")
    min_listing: Decimal | None = Decimal("0.50")
    below_spent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSpec:
    """One sync: `source` owns, `target` follows. Names are those of the settings file.

    `full_pass_every` is how long details that a cheap listing does not show are believed to be as
    they were: a time, or a number of runs of which the last reads all.
    """

    name: str
    source: str
    target: str
    on_remove: OnRemove = OnRemove.KEEP
    accept: frozenset[str] = frozenset()
    stamp: bool = True
    horizon_months: int = 12
    parallel: int = 8
    full_pass_every: timedelta | int = timedelta(hours=12)
    limits: Limits = field(default_factory=Limits)
