"""Spent: what a system has seen spent, by the refs of the source that its objects stand for."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from typing import Final

from canonical.allocation import Status
from canonical.amount import Amount
from canonical.kind import Kind

_TEN_THOUSANDTH: Final = Decimal("0.0001")
_WIDE: Final = Context(prec=80)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One budget, or one allocation of a budget, in a system: what it may spend, and has spent.

    `ref` and `budget_ref` are the source's, None where no sync links the object; `target_id` is the
    system's, as is `above`, of the budget that it is part of. `remaining` is what is left to spend:
    nothing where the object is no longer in use. `pending` is the part of `spent` that is not
    settled yet. Amounts are of the current period, None where the system does not say.
    """

    system: str
    sync: str | None
    kind: Kind
    ref: str | None
    budget_ref: str | None
    name: str
    target_id: str
    above: str | None
    status: Status
    amount: Amount | None
    spent: Amount | None
    pending: Amount | None
    remaining: Amount | None
    at: datetime | None

    @property
    def share(self) -> Decimal | None:
        """The share of the amount that is spent; None where there is no amount to have one of."""
        return share_of(self.spent, self.amount)


def share_of(spent: Amount | None, amount: Amount | None) -> Decimal | None:
    """`spent` as a share of `amount`, to four digits after the point."""
    if spent is None or amount is None or spent.unit != amount.unit or not amount.value:
        return None
    return _WIDE.divide(spent.value, amount.value).quantize(_TEN_THOUSANDTH, context=_WIDE)
