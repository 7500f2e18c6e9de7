"""What a plan gives away of BILL's hard budgets.

For a budget that declines what goes beyond it, BILL's own pages let owners assign no more than it
has. The API is not said to refuse more, so it is told and not blocked.
"""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from canonical.allocation import Allocation, Enforcement, Status
from canonical.amount import Amount
from canonical.budget import Budget
from canonical.change import Effect, Loss
from connectors.bill.wire import BUFFERED


class Assigned:
    """The shares of each hard budget, as they are stated one after the other."""

    def __init__(self, vendor: str) -> None:
        self._vendor = vendor
        self._limits: dict[str, Amount] = {}
        self._shares: dict[str, dict[str, Decimal]] = defaultdict(dict)

    def forget(self) -> None:
        """A new reading begins."""
        self._shares.clear()

    def state(self, budget: Budget) -> None:
        """Take note of a budget; how strict one is that does not say is BILL's own: hard."""
        soft = budget.enforcement is Enforcement.SOFT and budget.cadence in BUFFERED
        if budget.amount is None or soft:
            self._limits.pop(budget.ref, None)
        else:
            self._limits[budget.ref] = budget.amount

    def over(self, share: Allocation) -> Iterator[Loss]:
        """What is to be said of a share with which its budget gives away more than it has."""
        limit, shares = self._limits.get(share.budget), self._shares[share.budget]
        shares.pop(share.ref, None)
        if limit is None or share.amount is None or share.status is not Status.ACTIVE:
            return
        shares[share.ref] = share.amount.value
        given = Amount(sum(shares.values(), Decimal()), limit.unit)
        if given.value > limit.value:
            reason = f"the shares of {share.budget} come to {given}, more than its {limit}"
            known = f"in {self._vendor}'s own pages a hard budget gives away no more than it has"
            yield Loss("amount", Effect.EMULATED, f"{reason}; {known}")
