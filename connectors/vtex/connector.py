"""The VTEX connector: what VTEX can be told, and the calls that tell it."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from hashlib import blake2b
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import quote

from canonical.actual import Actual
from canonical.allocation import Allocation, Entity, Status
from canonical.budget import Budget
from canonical.change import Kind, Loss, Problem
from canonical.identity import EntityMap, natural_key
from connectors.errors import ConnectorError, Malformed, Missing, Rejected, Uncertain
from connectors.http import Safety
from connectors.interface import (
    Capabilities,
    Check,
    Connector,
    Draft,
    Hold,
    Known,
    Observed,
    Page,
    Removal,
)
from connectors.paging import RawPage
from connectors.parsing import parsed
from connectors.runtime import Runtime
from connectors.vtex.mapping import (
    STATUS_SAID,
    Funding,
    Movement,
    Terms,
    actual_of,
    allocation_of,
    allocation_write,
    budget_of,
    budget_write,
    entity_said,
    funding_of,
    movement_of,
)
from connectors.vtex.objections import fitted, objections, stay, unit_of
from connectors.vtex.reading import Reader, id_of
from connectors.vtex.settings import VtexSettings, opened
from connectors.vtex.wire import (
    ENTITY_TYPE,
    VtexAllocation,
    VtexBudget,
    VtexHits,
    VtexMovement,
    VtexSummary,
)

CAPABILITIES = Capabilities(
    vendor="vtex",
    budget={
        "name": Hold.EXACT,
        "description": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "cadence": Hold.EXACT,
        "start": Hold.EMULATED,
        "end": Hold.EMULATED,
        "status": Hold.EXACT,
        "carry_over": Hold.EXACT,
        "dimensions": Hold.EMULATED,
        "alerts": Hold.EMULATED,
    },
    allocation={
        "entity": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "status": Hold.EXACT,
        "cadence": Hold.FOLLOWS,
        "start": Hold.FOLLOWS,
        "end": Hold.FOLLOWS,
        "carry_over": Hold.FOLLOWS,
        "alerts": Hold.EMULATED,
    },
    statuses=frozenset({Status.ACTIVE, Status.INACTIVE}),
    removal=Removal.DELETE,
    clearable=frozenset({"description", "end", "alerts"}),
    stamps=frozenset(Kind),
    unit_of_writing="one budget or one allocation, its status apart",
    rate_limit="20/1s",
    reads_actuals=True,
)


class Vtex(Connector):
    """The units of one VTEX account."""

    Settings: ClassVar = VtexSettings
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings: VtexSettings

    def __init__(self, name: str, settings: VtexSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._entities = EntityMap(settings.entities)
        self._types = ENTITY_TYPE | settings.entity_types
        self._http = opened(name, settings, runtime)
        self._reader = Reader(self._http, settings)
        self._writes = 0
        self._kept: tuple[Known | None, int, Sequence[Page]] | None = None

    def check(self) -> Check:
        """List one budget of each unit that is named, or of the first that VTEX knows."""
        units = self._reader.all_units()
        for unit in units[:1] if self.settings.discover else units:
            path, params = self._reader.unit_path(unit), {"page": 1, "pageSize": 1}
            self._http.call("GET", path, params=params, safety=Safety.SAFE)
        if len(units) == 1:
            return Check(f"unit {units[0]}")
        notes = ["a new budget says by its dimension `unit` where it is made"]
        return Check(f"{len(units)} units", notes)

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """Unit by unit, a page of summaries at a time; what is not `known` costs a read per budget.

        A read shows the budget's allocations too. Those of a whole listing of budgets are kept for
        the listing of allocations that follows it, unless something is written in between.
        """
        kept, self._kept, writes = self._kept, None, self._writes
        if kind is Kind.ALLOCATION and cursor is None and kept and kept[:2] == (known, writes):
            yield from kept[2]
            return
        within = []
        for unit, raw in self._reader.summaries(cursor):
            budgets, allocations = self._pages(unit, raw, known)
            within.append(allocations)
            yield budgets if kind is Kind.BUDGET else allocations
        if kind is Kind.BUDGET and cursor is None:
            self._kept = known, writes, within

    def get(self, kind: Kind, id: str) -> Observed:
        """One object; raises `Missing`, also for an allocation that VTEX keeps as deleted."""
        return self._observed(kind, id, self._reader.one(kind, id))

    def fit(
        self, model: Budget | Allocation, until: date
    ) -> tuple[Budget | Allocation, Sequence[Loss]]:
        """Of the dimensions only the unit; a foreign currency is blocked, makeshifts are shown."""
        return fitted(model, self.name, self.settings.currency, self._reader.units)

    def objections(self, model: Budget | Allocation) -> Sequence[Loss]:
        """A unit that is not said, or that is none of ours."""
        return [*objections(model, self.name, self._reader.units)]

    def create(self, draft: Draft, key: str) -> Observed:
        """POST, sent once; a status other than active takes a call more."""
        model, terms = draft.model, self._terms()
        if isinstance(model, Budget):
            kind, within = Kind.BUDGET, unit_of(model, self.name, self._reader.all_units())
            path, body = self._reader.unit_path(within), budget_write(draft, _ALL, terms).body()
        else:
            kind, within = Kind.ALLOCATION, draft.container or ""
            path = f"{self._reader.path(Kind.BUDGET, within)}/allocations"
            body = allocation_write(draft, _ALL, terms).body()
        self._writes += 1
        made = self._http.call("POST", path, json=body, safety=Safety.ONCE)
        try:
            id = f"{within}/{made['id']}"
            observed = self._observed(kind, id, made)
            if model.status is Status.ACTIVE:
                return observed
            return self._observed(kind, id, made | self._set_status(kind, id, model.status))
        except (ConnectorError, TypeError, KeyError, ValueError) as error:
            raise Uncertain(f"it was made, and then: {error}") from error

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """One PUT of what is stored with `fields` changed; status and entity have their own.

        Returns what the PUT answers; where there was none, the object is read again. Raises
        `Rejected`, before anything is sent, where a budget is to be in another unit.
        """
        if isinstance(draft.model, Budget):
            stay(draft.model, id, self.name)
        kind = Kind.BUDGET if isinstance(draft.model, Budget) else Kind.ALLOCATION
        path, whole = self._reader.path(kind, id), not _APART.issuperset(fields)
        stored = self._reader.one(kind, id) if whole else None
        self._writes += 1
        if "entity" in fields:
            self._relink(path, draft)
        if whole:
            write = budget_write if kind is Kind.BUDGET else allocation_write
            body = write(draft, fields, self._terms(), stored).body()
            stored = self._http.call("PUT", path, json=body, safety=Safety.IDEMPOTENT)
        said = {}
        if "status" in fields:
            said = self._set_status(kind, id, draft.model.status)
        return self._observed(kind, id, stored | said) if stored else self.get(kind, id)

    def delete(self, kind: Kind, id: str, key: str) -> None:
        """DELETE: a budget is purged; an allocation stays for its history and is gone to us."""
        self._writes += 1
        try:
            self._http.call("DELETE", self._reader.path(kind, id), safety=Safety.IDEMPOTENT)
        except Missing:
            pass
        except Rejected:
            try:
                self.get(kind, id)
            except Missing:
                return
            raise

    def probe(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """Looks among the budgets of the drafts' names, and within the allocations' own budgets."""
        found: dict[int, list[Observed]] = defaultdict(list)
        names = {natural_key(each.model) for each in drafts if isinstance(each.model, Budget)}
        within = {each.container for each in drafts if isinstance(each.model, Allocation)}
        near = [*self._named(names), *self._inside(sorted(filter(None, within)))]
        for index, draft in enumerate(drafts):
            for item in near:
                if _left_behind(draft, item):
                    found[index].append(item)
        return found

    def actuals(self) -> Iterator[Actual]:
        """Spent and left per budget, in its present cycle; the summaries have them."""
        for unit, raw in self._reader.summaries():
            for record in raw.items:
                with suppress(Malformed):  # a listing reports it
                    summary = parsed(VtexSummary, record)
                    id, balance = f"{unit}/{summary.id}", summary.balance
                    if actual := actual_of(id, balance, self._terms()):
                        yield replace(actual, at=self.runtime.now())

    def funding(self, entities: Sequence[Entity]) -> Sequence[Funding]:
        """The allocations, of all units, that may fund an order of these entities."""
        terms, found = self._terms(), []
        body = {"items": [entity_said(entity, terms).model_dump() for entity in entities]}
        for unit in self._reader.all_units():
            path = f"{self._reader.unit_path(unit)}/allocations/query"
            answer = self._http.call("POST", path, json=body, safety=Safety.SAFE)
            found += [funding_of(hit, unit, terms) for hit in parsed(VtexHits, answer).items]
        return found

    def statements(self, id: str) -> Iterator[Movement]:
        """What was booked on a budget, or on one allocation, in the order that VTEX has."""
        kind = Kind.BUDGET if id.count("/") == 1 else Kind.ALLOCATION
        return self._movements(f"{self._reader.path(kind, id)}/statements", id, "transactions")

    def reservations(self, allocation: str, status: str | None = None) -> Iterator[Movement]:
        """What is set aside on an allocation for orders that are not booked yet.

        `status` is RESERVED, CONFIRMED or CANCELED; None for all.
        """
        path = f"{self._reader.path(Kind.ALLOCATION, allocation)}/reservations"
        return self._movements(path, allocation, "items", status=status)

    def transaction(self, allocation: str, id: str) -> Movement:
        """One booking on an allocation, with its reference; raises `Missing`."""
        path = f"{self._reader.path(Kind.ALLOCATION, allocation)}/transactions/{quote(id, safe='')}"
        found = self._http.call("GET", path, safety=Safety.SAFE)
        return movement_of(parsed(VtexMovement, found), _budget_of(allocation), self._terms())

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def _movements(self, path: str, id: str, items: str, **filters: Any) -> Iterator[Movement]:
        terms = self._terms()
        for page in self._reader.pages(path, items, **filters):
            for record in page.items:
                yield movement_of(parsed(VtexMovement, record), _budget_of(id), terms)

    def _terms(self) -> Terms:
        return Terms(
            currency=self.settings.currency,
            minor=self.settings.scale == "minor",
            inclusive=self.settings.end_date == "inclusive",
            today=self.runtime.now().date(),
            types=self._types,
            entities=self._entities,
        )

    def _observed(self, kind: Kind, id: str, record: Any, version: str | None = None) -> Observed:
        """The object of that id; raises `Missing` for an allocation kept as deleted."""
        within = id.rpartition("/")[0]
        if kind is Kind.BUDGET:
            return budget_of(parsed(VtexBudget, record), within, self._terms(), version)
        found = allocation_of(parsed(VtexAllocation, record), within, self._terms())
        if found.model.status is Status.RETIRED:
            raise Missing(f"the allocation {id} is deleted; only its history is kept")
        return found

    def _pages(self, unit: str, raw: RawPage, known: Known | None) -> tuple[Page, Page]:
        """The budgets behind a page of summaries, and a page of their allocations."""
        named = {f"{unit}/{id}": each for each in raw.items if (id := id_of(each))}
        versions = {id: self._version(each) for id, each in named.items()}
        same = sorted(known.unchanged(versions)) if known else []
        read = [*self._reader.whole([id for id in named if id not in same])]
        nameless = [(unit, each) for each in raw.items if not id_of(each)]
        budgets = [*nameless, *((unit, record) for _, record in read)]
        shares = [(id, each) for id, record in read for each in _allocations_of(record)]
        cursors = raw.cursor, raw.next_cursor
        return (
            Page(*self._sorted(Kind.BUDGET, budgets, versions), *cursors, unchanged=same),
            Page(*self._sorted(Kind.ALLOCATION, shares), *cursors, unchanged_within=same),
        )

    def _sorted(
        self,
        kind: Kind,
        records: Iterable[tuple[str, Any]],
        versions: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[Sequence[Observed], Sequence[Problem]]:
        """Records, each after what it hangs on, as what can be read and what cannot."""
        items, problems = [], []
        for within, record in records:
            id = f"{within}/{id_of(record)}" if id_of(record) else None
            try:
                items.append(self._observed(kind, f"{id}", record, versions.get(f"{id}")))
            except Missing:
                continue
            except (Malformed, ValueError) as error:
                where = f"{kind} {id or f'without an id in {within}'}"
                problems.append(Problem(self.name, where, str(error), id))
        return items, problems

    def _version(self, summary: Any) -> str:
        """The summary and the day: on a new one, a renewal may be due to stop that none shows."""
        said = json.dumps([summary, self._terms().today], sort_keys=True, default=str)
        return blake2b(said.encode(), digest_size=8).hexdigest()

    def _named(self, names: Collection[str]) -> Sequence[Observed]:
        """All budgets of these names; a summary tells the name, a read the stamp."""
        found: Sequence[Observed] = ()
        for unit, raw in self._reader.summaries() if names else ():
            ids = [f"{unit}/{id_of(each)}" for each in raw.items if _name_of(each) in names]
            records = [(unit, record) for _, record in self._reader.whole(ids)]
            found = [*found, *self._sorted(Kind.BUDGET, records)[0]]
        return found

    def _inside(self, budgets: Sequence[str]) -> Sequence[Observed]:
        """All allocations of these budgets."""
        read = self._reader.whole(budgets)
        shares = [(id, each) for id, record in read for each in _allocations_of(record)]
        return self._sorted(Kind.ALLOCATION, shares)[0]

    def _set_status(self, kind: Kind, id: str, status: Status) -> dict[str, Any]:
        path, body = f"{self._reader.path(kind, id)}/status", {"status": STATUS_SAID[status]}
        answer = self._http.call("PUT", path, json=body, safety=Safety.IDEMPOTENT)
        return body | (answer or {})

    def _relink(self, path: str, draft: Draft) -> None:
        assert isinstance(draft.model, Allocation)
        entity = entity_said(draft.model.entity, self._terms())
        body = {"linkedEntityId": entity.id, "linkedEntityType": entity.type}
        self._http.call("PUT", f"{path}/linked-entity", json=body, safety=Safety.IDEMPOTENT)


_ALL = frozenset(CAPABILITIES.budget) | frozenset(CAPABILITIES.allocation)
_APART = frozenset({"status", "entity"})


def _allocations_of(record: Any) -> Sequence[Any]:
    found = record.get("allocations") if isinstance(record, dict) else None
    return found if isinstance(found, list) else [found]


def _name_of(summary: Any) -> str | None:
    name = summary.get("name") if isinstance(summary, dict) and id_of(summary) else None
    return natural_key(Budget(ref="", name=name, amount=None)) if isinstance(name, str) else None


def _left_behind(draft: Draft, item: Observed) -> bool:
    if type(draft.model) is not type(item.model):
        return False
    if isinstance(draft.model, Allocation) and item.container != draft.container:
        return False
    if draft.stamp is not None:
        return item.stamp == draft.stamp
    return natural_key(item.model) == natural_key(draft.model)


def _budget_of(id: str) -> str:
    return "/".join(id.split("/")[:2])
