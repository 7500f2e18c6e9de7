"""Actuals: what a system has seen spent. Read-only; Trueup never writes one."""

from dataclasses import dataclass
from datetime import datetime

from canonical.amount import Amount


@dataclass(frozen=True, slots=True)
class Actual:
    """`spent` of the current period as of `at` (UTC); `remaining` where the system says it."""

    ref: str
    spent: Amount
    remaining: Amount | None = None
    at: datetime | None = None
