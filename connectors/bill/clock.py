"""Clock: which day it is where a budget of BILL's is, and which of its periods that is in.

Periods begin at midnight where the budget is. While it is another day there than here, what is
meant for the period of one of the two days waits until both are in it.
"""

from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from canonical.period import Cadence, period_of
from connectors.bill.mapping import next_reset, recurs_in
from connectors.bill.reading import Reader
from connectors.bill.wire import CADENCE, BillBudget
from connectors.contract.errors import Stale
from connectors.contract.runtime import Runtime

_EASTERN = "US/Eastern"


class Clock:
    """Days of one company. `day` is that of the run that goes on, if one does."""

    def __init__(
        self,
        reader: Reader,
        runtime: Runtime,
        timezone: str | None,
        day: Callable[[], date | None],
    ) -> None:
        """`timezone` is that of new budgets, if one is set."""
        self._reader, self._runtime, self._timezone, self._day = reader, runtime, timezone, day

    def current(self, id: str) -> BillBudget:
        """The budget as it was last seen, or read now where its period is over since."""
        shown = self._reader.known(id)
        cadence, start = CADENCE.get(shown.recurring_interval), shown.current_period.start_date
        if cadence in (None, Cadence.ONCE) or start is None:
            return shown
        reset = next_reset(cadence, start, recurs_in(shown) or start.month)
        return self._reader.budget(id) if reset <= self.today(shown) else shown

    def wait(self, shown: BillBudget, cadence: Cadence, day: date, month: int) -> None:
        """Raises `Stale` where the period of `day` counts on one of both sides only; a run for
        another day has been fitted to BILL's periods."""
        if self.other_day():
            return
        there, here = self.today(shown), self._day() or self._here()
        begun, reset = period_of(cadence, day, month).start, next_reset(cadence, day, month)
        where = shown.timezone or _EASTERN
        if there < reset <= here:
            raise Stale(f"what is meant for the next period has to wait for midnight in {where}")
        if here < begun <= there:
            raise Stale(
                f"the next period has begun in {where}; what is meant for it waits for ours"
            )

    def today(self, budget: BillBudget | None = None) -> date:
        """The day where the budget is; a new one is where the settings say."""
        named = (budget and budget.timezone) or self._timezone or _EASTERN
        try:
            zone = ZoneInfo(named)
        except (ZoneInfoNotFoundError, ValueError):
            zone = ZoneInfo(_EASTERN)
        return self._runtime.now().astimezone(zone).date()

    def other_day(self) -> date | None:
        """The day that a run is for, where that is not today: nor is it a midnight away, as it may
        be in a run that goes on over one, or in another time zone."""
        day = self._day()
        return None if day is None or abs(day - self._here()) <= timedelta(days=1) else day

    def _here(self) -> date:
        return self._runtime.now().astimezone().date()
