"""BILL's budgets: listed, made once, and changed in step with the period that BILL is in."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any, TypeAlias

from msgspec.structs import replace

from canonical.allocation import Allocation, Status
from canonical.budget import Budget, Phase
from canonical.facts import BUDGET_FIELDS
from canonical.identity import natural_key
from canonical.kind import Kind
from canonical.loss import Effect, Loss
from canonical.period import Cadence, Period
from connectors.bill.clock import Clock
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
from connectors.bill.wire import BUDGETS, BUFFERED, BillBudget, BillBudgetWrite
from connectors.calling.client import HttpClient, Safety
from connectors.calling.paging import ahead
from connectors.calling.parsing import parsed
from connectors.contract.errors import ConnectorError, Malformed, Rejected, Uncertain
from connectors.contract.records import Draft, Observed, Page

_PERIODIC = frozenset({"amount", "currency", "phases", "cadence"})
Model: TypeAlias = Budget | Allocation
Shape: TypeAlias = tuple[Cadence, int, date | None]
"""Of a budget: how it is reset, the month in which its years and quarters begin, its end."""


class Budgets:
    """The budgets of one company."""

    def __init__(
        self,
        http: HttpClient,
        reader: Reader,
        people: People,
        members: Members,
        settings: BillSettings,
        clock: Clock,
    ) -> None:
        self._http, self._reader, self._people, self._members = http, reader, people, members
        self._settings, self._clock = settings, clock
        self._shapes: dict[str, Shape] = {}

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
        if budget.start and budget.start > (self._clock.other_day() or self._clock.today()):
            yield "start", f"{name} starts a budget when it is made; this is for {budget.start}"
        if budget.parent and not (self._settings.budget_groups or self._reader.has_groups()):
            reason = f"{name} shows no budget group to hang it below"
            yield "parent", f"{reason}; set budget_groups in [systems.{name}]"
        owner = self._settings.default_owner
        if owner and not budget.owners and (lacking := self._people.lacks(owner)):
            yield "owners", f"default_owner: {lacking}"

    def in_time(self, model: Model) -> tuple[Model, Sequence[Loss]]:
        """The budget, or the share of one, in BILL's periods, and what is to be told of that.

        BILL has no other day than its own: in a run for another one, what counts on that day is
        the amount of BILL's current period, and what follows begins with BILL's next one.
        """
        day = self._clock.other_day()
        if day is None:
            return model, ()
        if isinstance(model, Budget):
            self._shapes[model.ref] = model.cadence, recur_month(model), model.end
        shape = self._shapes.get(model.ref if isinstance(model, Budget) else model.budget)
        if shape is None or shape[0] is Cadence.ONCE or not model.phases:
            return model, ()
        cadence, month, end = shape
        begins = next_reset(cadence, self._clock.today(), month)
        meant = next_reset(cadence, day, month)
        later = counting_on(model, meant)
        if begins == meant or later is None:
            return model, ()
        reason = f"{self._http.vendor} goes by its own day: the next amount begins on {begins}"
        over = end is not None and begins > end
        same = over or later == model.amount
        phases = () if same else (Phase(Period(begins, end), later),)
        return replace(model, phases=phases), (Loss("phases", Effect.EMULATED, reason),)

    def create(self, draft: Draft) -> Observed:
        """POST, once. `Uncertain` where it was made and the answer cannot be read."""
        budget, currency = draft.model, self._settings.currency
        assert isinstance(budget, Budget)
        month = recur_month(budget)
        buffer = self._settings.overspend_buffer
        write = budget_write(draft, BUDGET_FIELDS, currency, self._clock.today(), month, buffer)
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
            return budget_write(draft, fields, currency, self._clock.today(), month, buffer)
        shown = self._clock.current(id)
        day = self._clock.today(shown)
        if cut_alike(shown, budget):
            begun = shown.current_period.start_date
            day, month = begun or day, recurs_in(shown) or month
        else:
            fields = {*fields, "cadence"}
        self._clock.wait(shown, budget.cadence, day, month)
        write = budget_write(draft, fields, currency, day, month, buffer)
        if shown.limitless_overspend and budget.cadence not in BUFFERED:
            write.limitless_overspend = False
        return write

    def _wrote(self, found: Any) -> BillBudget:
        self._reader.outdate()
        return self._reader.saw(parsed(BillBudget, found))

    def _owners(self, budget: Budget) -> Sequence[str]:
        """BILL's ids of the owners; of whom the settings name, else of ourselves, without any."""
        stated = budget.owners or (self._settings.default_owner,)
        people = self._people
        return [people.required(owner) if owner else people.ourselves() for owner in stated]


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
