"""Phases: stretches of time with an amount of their own, of a budget or of a share of one."""

from msgspec import Struct
from msgspec.structs import force_setattr

from canonical.amount import Amount
from canonical.period import FAR, Period
from canonical.records import as_dataclass


@as_dataclass
class Phase(Struct, frozen=True, gc=False):
    """A stretch with an amount of its own, such as one month of twelve."""

    period: Period
    amount: Amount

    def __post_init__(self) -> None:
        end = self.period.end
        if end is not None and end >= FAR:
            force_setattr(self, "period", Period(self.period.start))
