"""Actuals: what a system has seen spent. Read-only; Trueup never writes one."""

from datetime import datetime

from msgspec import Struct

from canonical.amount import Amount
from canonical.period import Period
from canonical.records import as_dataclass


@as_dataclass
class Actual(Struct, frozen=True, gc=False):
    """`spent` of the current period as of `at` (UTC); `remaining` where the system says it.

    `ref` is the system's own id of the budget or allocation. `pending` is the part of `spent` that
    is not settled yet, where the system tells the two apart. `periods` are those that it is of,
    where they need not be that of the budget's own cadence: several where it is a sum of unlike
    ones.
    """

    ref: str
    spent: Amount
    remaining: Amount | None = None
    at: datetime | None = None
    pending: Amount | None = None
    periods: tuple[Period, ...] = ()
