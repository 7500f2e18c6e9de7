"""The periods of BILL's budgets: where one begins and ends, and what was spent in it.

Source: "Budgets and Users" (resets, `currentPeriod`) and the reference of /v3/spend/budgets
(`recurringInterval`, `recurMonth`), read in November 2026. Weeks are reset on Monday, months on
the 1st, quarters and years on the 1st of `recurMonth`.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from canonical.period import Cadence, period_of
from connectors.sandbox.state import Row


def new_period(budget: Row, day: date, limit: Any, buffer: Any, *, end: str) -> Row:
    """The period that holds `day`; one that never recurs has no end.

    `end` is "exclusive", "inclusive" or "absent". Where years begin is kept in the budget.
    """
    zero, interval = Decimal(), budget["recurringInterval"]
    spent = {"cleared": zero, "pending": zero, "total": zero}
    money: Row = {"limit": limit, "overspendBuffer": buffer, "assigned": zero, "spent": spent}
    if interval == "NONE":
        return {"startDate": day.isoformat(), **money}
    if interval in ("QUARTERLY", "YEARLY"):
        budget.setdefault("recurMonth", day.month)
    period = period_of(Cadence(interval.lower()), day, budget.get("recurMonth", 1))
    assert period.end is not None
    last = period.end + timedelta(days=end == "exclusive")
    shown = {} if end == "absent" else {"endDate": last.isoformat()}
    return {"startDate": period.start.isoformat(), **shown, **money}


def with_spent(period: Row, amount: Decimal) -> Row:
    """The period with more of it spent, and cleared at once."""
    before = period["spent"]
    cleared = {name: before[name] + amount for name in ("cleared", "total")}
    return {**period, "spent": {**before, **cleared}}
