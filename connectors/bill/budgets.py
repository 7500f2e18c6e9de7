"""BILL's budgets: listed, made once, and changed in step with the period that BILL is in.

Periods begin at midnight where the budget is. While it is another day there than here, what is
meant for the period of one of the two days waits until both are in it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec.structs import replace

from canonical.allocation import Status
from canonical.budget import Budget, Phase
from canonical.change import Effect, Kind, Loss
from canonical.facts import BUDGET_FIELDS
from canonical.identity import natural_key
from canonical.period import Cadence, Period, period_of
from connectors.bill.declared import BillSettings
from connectors.bill.mapping import (
    budget_of,
    budget_write,
    counting_on,
    cut_alike,
    next_reset,
    recur_month,
    recurs_in,
)
from connectors.bill.members import Members
from connectors.bill.people import People
from connectors.bill.reading import Reader, budget_path, page_of
from connectors.bill.users import UUID
from connectors.bill.wire import BUDGETS, BUFFERED, CADENCE, BillBudget, BillBudgetWrite
from connectors.calling.client import HttpClient, Safety
from connectors.calling.paging import ahead
from connectors.calling.parsing import parsed
from connectors.contract.errors import ConnectorError, Malformed, Rejected, Stale, Uncertain
from connectors.contract.records import Draft, Observed, Page
from connectors.contract.runtime import Runtime

_PERIODIC = frozenset({"amount", "currency", "phases", "cadence"})
_EASTERN = "US/Eastern"


class Budgets:
    """The budgets of one company."""

    def __init__(
        self,
        http: HttpClient,
        reader: Reader,
        people: People,
        members: Members,
        settings: BillSettings,
        runtime: Runtime,
        day: Callable[[], date | None],
    ) -> None:
        """`day` is that of the run that goes on, if one does."""
        self._http, self._reader, self._people, self._members = http, reader, people, members
        self._settings, self._runtime, self._day = settings, runtime, day

    def pages(self, cursor: str | None) -> Iterator[Page]:
        """All budgets by name, retired ones last."""
        self._people.outdated()
        for raw in ahead(self._reader.budgets(cursor)):
            self._reader.keep(raw)
            yield page_of(self._http.vendor, Kind.BUDGET, raw, self._parsed)

    def get(self, id: str) -> Observed:
        """One budget, also a retired one; raises `Missing`."""
        return self._observed(self._reader.budget(id))

    def against(self, budget: Budget) -> Iterator[tuple[str, str]]:
        """Fields in which a new budget cannot be made, and why."""
        name = self._http.vendor
        if budget.start and budget.start > (self._other_day() or self._today()):
            yield "start", f"{name} starts a budget when it is made; this is for {budget.start}"
        if budget.parent and not (self._settings.budget_groups or self._reader.has_groups()):
            reason = f"{name} shows no budget group to hang it below"
            yield "parent", f"{reason}; set budget_groups in [systems.{name}]"
        owner = self._settings.default_owner
        if owner and not budget.owners and (lacking := self._people.lacks(owner)):
            yield "owners", f"default_owner: {lacking}"

    def in_time(self, budget: Budget) -> tuple[Budget, Sequence[Loss]]:
        """The budget in BILL's periods, and what is to be told of that.

        BILL has no other day than its own: in a run for another one, what counts on that day is
        the amount of BILL's current period, and what follows begins with BILL's next one.
        """
        day, cadence = self._other_day(), budget.cadence
        if day is None or cadence is Cadence.ONCE or not budget.phases:
            return budget, ()
        month, here = recur_month(budget), self._today()
        begins, meant = next_reset(cadence, here, month), next_reset(cadence, day, month)
        later = counting_on(budget, meant)
        if begins == meant or later is None:
            return budget, ()
        reason = f"{self._http.vendor} goes by its own day: the next amount begins on {begins}"
        over = budget.end is not None and begins > budget.end
        same = over or later == budget.amount
        phases = () if same else (Phase(Period(begins, budget.end), later),)
        return replace(budget, phases=phases), (Loss("phases", Effect.EMULATED, reason),)

    def create(self, draft: Draft) -> Observed:
        """POST, once. `Uncertain` where it was made and the answer cannot be read."""
        budget, currency = draft.model, self._settings.currency
        assert isinstance(budget, Budget)
        month = recur_month(budget)
        buffer = self._settings.overspend_buffer
        write = budget_write(draft, BUDGET_FIELDS, currency, self._today(), month, buffer)
        write.owners = [*self._owners(budget)]
        if self._settings.timezone:
            write.timezone = self._settings.timezone
        if draft.container:
            write.parent_budget_id = draft.container
        elif self._settings.budget_groups:
            write.budget_group = True
        found = self._http.call("POST", BUDGETS, json=write.body(), safety=Safety.ONCE)
        try:
            made = self._wrote(found)
            if not any(owner.startswith(UUID) for owner in write.owners):
                self._members.memberships.owned(made.id, write.owners)
            return self._observed(made)
        except ConnectorError as error:  # it was made all the same
            raise Uncertain(f"it was made, and cannot be read: {error}") from error

    def update(self, id: str, draft: Draft, fields: Collection[str]) -> Observed:
        """Move the owners and PATCH what changed; raises `Rejected` for the parent."""
        budget = draft.model
        assert isinstance(budget, Budget)
        body = self._changes(id, draft, fields).body()
        if not body and set(fields) == {"parent"}:
            hint = "Retire it, so that it is made again below the other one"
            raise Rejected("a budget stays below the parent that it was made below", hint=hint)
        if "owners" in fields and budget.owners:
            self._members.move_owners(id, self._owners(budget))
        if not body:
            return self.get(id)
        found = self._http.call("PATCH", budget_path(id), json=body, safety=Safety.IDEMPOTENT)
        return self._observed(self._wrote(found))

    def remove(self, id: str) -> None:
        """Retire it, for good; raises `Missing` where it is gone."""
        self._http.call("DELETE", budget_path(id), safety=Safety.IDEMPOTENT)

    def like(self, draft: Draft) -> Collection[Observed]:
        """Those in use that the draft may have made: by name, then by the stamp if it has one."""
        assert isinstance(draft.model, Budget)
        name = draft.model.name.strip()
        # How a name with a mark of the filters' own is written in one is not documented.
        odd = name != draft.model.name or set(name) & set(',:"\\')
        found = []
        for raw in self._reader.budgets(None, None if odd else name):
            for row in raw.items:
                try:
                    found.append(self._parsed(row))
                except Malformed:
                    if _name_of(row) in (name, None):  # it may be the one we look for
                        raise
        return [item for item in found if _left_behind(draft, item)]

    def _parsed(self, row: Any) -> Observed:
        return self._observed(parsed(BillBudget, row))

    def _observed(self, wire: BillBudget) -> Observed:
        return budget_of(wire, self._settings.currency, self._reader.parent(wire))

    def _changes(self, id: str, draft: Draft, fields: Collection[str]) -> BillBudgetWrite:
        """What is sent of the `fields`, in the periods that BILL has or will have from it."""
        budget, currency = draft.model, self._settings.currency
        assert isinstance(budget, Budget)
        month, buffer = recur_month(budget), self._settings.overspend_buffer
        if budget.cadence is Cadence.ONCE or _PERIODIC.isdisjoint(fields):
            return budget_write(draft, fields, currency, self._today(), month, buffer)
        shown = self._current(id)
        day = self._today(shown)
        if cut_alike(shown, budget):
            begun = shown.current_period.start_date
            day, month = begun or day, recurs_in(shown) or month
        else:
            fields = {*fields, "cadence"}
        self._wait(shown, budget.cadence, day, month)
        write = budget_write(draft, fields, currency, day, month, buffer)
        if shown.limitless_overspend and budget.cadence not in BUFFERED:
            write.limitless_overspend = False
        return write

    def _current(self, id: str) -> BillBudget:
        """The budget as it was last seen, or read now where its period is over since."""
        shown = self._reader.known(id)
        cadence, start = CADENCE.get(shown.recurring_interval), shown.current_period.start_date
        if cadence in (None, Cadence.ONCE) or start is None:
            return shown
        reset = next_reset(cadence, start, recurs_in(shown) or start.month)
        return self._reader.budget(id) if reset <= self._today(shown) else shown

    def _wait(self, shown: BillBudget, cadence: Cadence, day: date, month: int) -> None:
        """Raises `Stale` where the period of `day` counts on one of both sides only; a run for
        another day has been fitted to BILL's periods."""
        if self._other_day():
            return
        there, here = self._today(shown), self._day() or self._here()
        begun, reset = period_of(cadence, day, month).start, next_reset(cadence, day, month)
        where = shown.timezone or _EASTERN
        if there < reset <= here:
            raise Stale(f"what is meant for the next period has to wait for midnight in {where}")
        if here < begun <= there:
            raise Stale(
                f"the next period has begun in {where}; what is meant for it waits for ours"
            )

    def _wrote(self, found: Any) -> BillBudget:
        self._reader.outdate()
        return self._reader.saw(parsed(BillBudget, found))

    def _owners(self, budget: Budget) -> Sequence[str]:
        """BILL's ids of the owners; of whom the settings name, else of ourselves, without any."""
        stated = budget.owners or (self._settings.default_owner,)
        people = self._people
        return [people.required(owner) if owner else people.ourselves() for owner in stated]

    def _today(self, budget: BillBudget | None = None) -> date:
        """The day where the budget is; a new one is where the settings say."""
        named = (budget and budget.timezone) or self._settings.timezone or _EASTERN
        try:
            zone = ZoneInfo(named)
        except (ZoneInfoNotFoundError, ValueError):
            zone = ZoneInfo(_EASTERN)
        return self._runtime.now().astimezone(zone).date()

    def _other_day(self) -> date | None:
        """The day that a run is for, where that is not today: nor is it a midnight away, as it may
        be in a run that goes on over one, or in another time zone."""
        day = self._day()
        return None if day is None or abs(day - self._here()) <= timedelta(days=1) else day

    def _here(self) -> date:
        return self._runtime.now().astimezone().date()


def _name_of(row: Any) -> str | None:
    name = row.get("name") if isinstance(row, dict) else None
    return name.strip() if isinstance(name, str) else None


def _left_behind(draft: Draft, item: Observed) -> bool:
    """Whether the budget may come from that draft; an answer may leave its parent unsaid."""
    if item.model.status is Status.RETIRED:
        return False
    if draft.stamp is not None:
        return item.stamp == draft.stamp
    if item.container is not None and item.container != (draft.container or item.container):
        return False
    return natural_key(item.model) == natural_key(draft.model)
