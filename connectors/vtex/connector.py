"""The VTEX connector: what VTEX can be told, and the calls that tell it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

from msgspec import structs

from canonical.actual import Actual
from canonical.allocation import Allocation, Entity, Status
from canonical.budget import Budget
from canonical.kind import Kind, kind_of
from canonical.loss import Loss
from connectors.calling.absence import prove_gone
from connectors.calling.client import Safety
from connectors.calling.paging import RawPage
from connectors.calling.parsing import parsed
from connectors.calling.steps import in_steps
from connectors.contract.capabilities import Capabilities
from connectors.contract.errors import (
    ConnectorError,
    Malformed,
    Missing,
    Rejected,
    Uncertain,
    Unsupported,
)
from connectors.contract.interface import Connector
from connectors.contract.records import Check, Draft, Known, Listed, Observed, Page, Resolved
from connectors.contract.runtime import Runtime
from connectors.vtex.batch import Batches
from connectors.vtex.client import opened
from connectors.vtex.declared import CAPABILITIES, VtexSettings
from connectors.vtex.mapping import (
    STATUS_SAID,
    actual_of,
    allocation_write,
    budget_write,
)
from connectors.vtex.movements import Movements
from connectors.vtex.objections import fitted, linked, objections, stay, unit_of, unmatched
from connectors.vtex.probing import Probe
from connectors.vtex.reading import Reader, id_of
from connectors.vtex.records import Records, allocations_of
from connectors.vtex.wire import VtexSummary


class Vtex(Connector):
    """The units of one VTEX account."""

    Settings: ClassVar = VtexSettings
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings: VtexSettings

    def __init__(self, name: str, settings: VtexSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._http = opened(name, settings, runtime)
        self._reader = Reader(self._http, settings)
        self._records = Records(name, settings, self.today)
        self._probe = Probe(self._reader, self._records)
        self._batches = Batches(self._http, self._reader, self._made)
        self.movements = Movements(self._http, self._reader, self._records.terms)
        self._writes = 0
        self._kept: tuple[Known | None, int, Sequence[Page]] | None = None

    def check(self) -> Check:
        """List one budget of each unit that is named, or of the first that VTEX knows."""
        units = self._reader.all_units()
        for unit in units[:1] if self.settings.discover else units:
            path, params = self._reader.unit_path(unit), {"page": 1, "pageSize": 1}
            self._http.call("GET", path, params=params, safety=Safety.SAFE)
        notes = []
        if len(units) > 1:
            notes.append("a new budget says by its dimension `unit` where it is made")
        if without := [unit for unit in units if not self._records.terms().contract(unit)]:
            notes.append(
                f"contract_id says no contract of {', '.join(without[:3])}: new allocations there "
                "have none, and whoever filters by contract does not see them"
            )
        return Check(f"unit {units[0]}" if len(units) == 1 else f"{len(units)} units", notes)

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
        return self._records.observed(kind, id, self._reader.one(kind, id))

    def fit(
        self, model: Budget | Allocation, until: date
    ) -> tuple[Budget | Allocation, Sequence[Loss]]:
        """Of the dimensions only the unit; a foreign currency is blocked, and so is a time that
        cycles cut into more amounts; makeshifts are shown, and an entity that checkout cannot
        know."""
        if isinstance(model, Allocation):
            model, losses = linked(model, self.name, self._records.entities)
        else:
            losses = []
        currency, units = self.settings.currency, self._reader.units
        model, more = fitted(model, self.name, currency, units, self.today())
        return model, [*losses, *more]

    def resolve(self, entities: Collection[Entity]) -> Resolved:
        """Whom checkout cannot match; no call tells whether an id is anybody's."""
        matched = self._records.entities.matched
        strange = [each for each in entities if not matched(each)]
        return Resolved(doubtful={each: unmatched(each, self.name) for each in strange})

    def directory(self, type: str) -> Iterator[Listed]:
        """Nobody: VTEX has users, addresses and values of custom fields elsewhere, each behind a
        permission of its own."""
        raise Unsupported(
            f"{self.name}: the Budgets API has no list of users, addresses or values of custom "
            "fields; the buyer portal shows their ids"
        )

    def objections(self, model: Budget | Allocation) -> Sequence[Loss]:
        """A unit that is not said, or that is none of ours."""
        return [*objections(model, self.name, self._reader.units)]

    @in_steps()
    def create(self, draft: Draft, key: str) -> Observed:
        """POST, sent once; a status other than active takes a call more."""
        model, terms = draft.model, self._records.terms()
        if isinstance(model, Budget):
            kind, within = Kind.BUDGET, unit_of(model, self.name, self._reader.all_units())
            path, body = self._reader.unit_path(within), budget_write(draft, _ALL, terms).body()
        else:
            kind, within = Kind.ALLOCATION, draft.container or ""
            path = f"{self._reader.path(Kind.BUDGET, within)}/allocations"
            body = allocation_write(draft, _ALL, terms).body()
        self._writes += 1
        made = self._http.call("POST", path, json=body, safety=Safety.ONCE)
        return self._made(kind, within, made, model.status)

    def create_many(
        self, drafts: Sequence[Draft], keys: Sequence[str]
    ) -> Sequence[Observed | ConnectorError]:
        """A batch of those that can go together; the others, and what it refused, by themselves."""
        self._writes += 1
        made = dict(self._batches.create(drafts, self._records.terms()))
        left = [index for index, _ in enumerate(drafts) if index not in made]
        alone = super().create_many([drafts[each] for each in left], [keys[each] for each in left])
        made |= zip(left, alone, strict=True)
        return [made[index] for index, _ in enumerate(drafts)]

    @in_steps()
    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """One PUT of what is stored with `fields` changed; status and entity have their own.

        Returns what the PUT answers; where there was none, the object is read again. Raises
        `Rejected`, before anything is sent, where a budget is to be in another unit.
        """
        if isinstance(draft.model, Budget):
            stay(draft.model, id, self.name)
        kind = kind_of(draft.model)
        path, whole = self._reader.path(kind, id), not _APART.issuperset(fields)
        stored = self._reader.one(kind, id) if whole else None
        self._writes += 1
        if "entity" in fields:
            self._relink(path, draft)
        if whole:
            write = budget_write if kind is Kind.BUDGET else allocation_write
            within = replace(draft, container=id.rpartition("/")[0])
            body = write(within, fields, self._records.terms(), stored).body()
            stored = self._http.call("PUT", path, json=body, safety=Safety.IDEMPOTENT)
        said = {}
        if "status" in fields:
            said = self._set_status(kind, id, draft.model.status)
        return self._records.observed(kind, id, stored | said) if stored else self.get(kind, id)

    @in_steps()
    def retire(self, kind: Kind, id: str, key: str) -> None:
        """Set INACTIVE, which takes it out of use and keeps its history."""
        with self._gone_is_fine(kind, id):
            self._set_status(kind, id, Status.INACTIVE)

    @in_steps()
    def delete(self, kind: Kind, id: str, key: str) -> None:
        """DELETE: a budget is purged; an allocation stays for its history and is gone to us."""
        with self._gone_is_fine(kind, id):
            self._http.call("DELETE", self._reader.path(kind, id), safety=Safety.IDEMPOTENT)

    def probe(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """Looks among the budgets of the drafts' names, and within the allocations' own budgets."""
        return self._probe.found(drafts)

    def actuals(self) -> Iterator[Actual]:
        """Spent and left per budget, in its present cycle; the summaries have them."""
        for unit, raw in self._reader.summaries():
            for record in raw.items:
                with suppress(Malformed):  # a listing reports it
                    summary = parsed(VtexSummary, record)
                    id, balance = f"{unit}/{summary.id}", summary.balance
                    if actual := actual_of(id, balance, self._records.terms()):
                        yield structs.replace(actual, at=self.runtime.now())

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def _pages(self, unit: str, raw: RawPage, known: Known | None) -> tuple[Page, Page]:
        """The budgets behind a page of summaries, and a page of their allocations."""
        named = {f"{unit}/{id}": each for each in raw.items if (id := id_of(each))}
        versions = {id: self._records.version(each) for id, each in named.items()}
        same = sorted(known.unchanged(versions)) if known else []
        read = [*self._reader.whole([id for id in named if id not in same])]
        nameless = [(unit, each) for each in raw.items if not id_of(each)]
        budgets = [*nameless, *((unit, record) for _, record in read)]
        shares = [(id, each) for id, record in read for each in allocations_of(record)]
        cursors = raw.cursor, raw.next_cursor
        return (
            Page(*self._records.sorted(Kind.BUDGET, budgets, versions), *cursors, unchanged=same),
            Page(*self._records.sorted(Kind.ALLOCATION, shares), *cursors, unchanged_within=same),
        )

    def _made(self, kind: Kind, within: str, record: Any, status: Status) -> Observed:
        """What a create answered, once it has its status; all that fails here is `Uncertain`."""
        try:
            id = f"{within}/{record['id']}"
            observed = self._records.observed(kind, id, record)
            if status is Status.ACTIVE:
                return observed
            return self._records.observed(kind, id, record | self._set_status(kind, id, status))
        except (ConnectorError, TypeError, KeyError, ValueError) as error:
            raise Uncertain(f"it was made, and then: {error}") from error

    @contextmanager
    def _gone_is_fine(self, kind: Kind, id: str) -> Iterator[None]:
        """Around the one call of a removal, which may be refused for being done already."""
        self._writes += 1
        try:
            yield
        except Missing as error:
            prove_gone(error, lambda: self._shows(kind, id))
        except Rejected:
            if self._shows(kind, id):
                raise

    def _shows(self, kind: Kind, id: str) -> bool:
        try:
            self.get(kind, id)
        except Missing:
            return False
        return True

    def _set_status(self, kind: Kind, id: str, status: Status) -> dict[str, Any]:
        path, body = f"{self._reader.path(kind, id)}/status", {"status": STATUS_SAID[status]}
        answer = self._http.call("PUT", path, json=body, safety=Safety.IDEMPOTENT)
        return body | (answer or {})

    def _relink(self, path: str, draft: Draft) -> None:
        assert isinstance(draft.model, Allocation)
        entity = self._records.entities.theirs(draft.model.entity)
        body = {"linkedEntityId": entity.id, "linkedEntityType": entity.type}
        self._http.call("PUT", f"{path}/linked-entity", json=body, safety=Safety.IDEMPOTENT)


_ALL = CAPABILITIES.fields
_APART = frozenset({"status", "entity"})
