"""The Kaireon connector: what Kaireon can be told, and the calls that tell it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import date
from typing import ClassVar

from msgspec import structs

from canonical.allocation import Allocation, Entity
from canonical.budget import Budget
from canonical.facts import Facts
from canonical.identity import EntityMap, natural_key
from canonical.kind import Kind, kind_of
from canonical.loss import Effect, Loss
from canonical.period import Cadence, add_months
from canonical.problem import Problem
from canonical.traces import Traces
from connectors.contract.capabilities import Capabilities
from connectors.contract.errors import ConnectorError, Forbidden, Malformed, Missing, Rejected
from connectors.contract.interface import Connector
from connectors.contract.probing import probe_by_listing
from connectors.contract.records import Check, Draft, Known, Listed, Observed, Page, Resolved
from connectors.contract.runtime import Runtime
from connectors.kaireon.declared import CAPABILITIES, KaireonSettings
from connectors.kaireon.fitting import Model, Terms, fitted
from connectors.kaireon.foreign import foreign, spans_of
from connectors.kaireon.mapping import (
    allocation_of,
    budget_of,
    renamed,
    steps,
    wanted,
)
from connectors.kaireon.names import Names
from connectors.kaireon.offers import Offers
from connectors.kaireon.placing import Placing
from connectors.kaireon.rows import Doubt, Group, Rows, Said
from connectors.kaireon.scopes import SILENT, enforcing, scoped
from connectors.kaireon.series import Series, Title, placed
from connectors.kaireon.tenant import Tenant
from connectors.kaireon.wire import CADENCE, key_of

HORIZON_MONTHS = 12
"""How far an open end is held where the caller did not say."""


class Kaireon(Connector):
    """One tenant."""

    Settings: ClassVar = KaireonSettings
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings: KaireonSettings

    def __init__(self, name: str, settings: KaireonSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        emulate = frozenset(map(Cadence, settings.emulate))
        wider = replace(CAPABILITIES, cadences=CAPABILITIES.cadences | emulate)
        self.capabilities = wider  # type: ignore[misc]  # what one system is told to do more
        self._terms = Terms(settings.currency, emulate)
        self._entities = EntityMap(settings.entities)
        self._names = Names(name, self._entities)
        self._tenant = Tenant(name, settings, runtime)
        self._offers = Offers(name, self._tenant, settings.entities)
        self._placing = Placing(name, self._names, self._today)
        self._listed = Rows(())
        self._spared: dict[str, frozenset[str]] = {}

    def check(self) -> Check:
        """List the rows of this month: that proves the key, and its tenant if there is a row."""
        rows = self._tenant.records(period_key=key_of(Cadence.MONTHLY, self._today()))
        notes = [] if rows else ["no row of this month shows which tenant the key belongs to"]
        return Check(f"tenant {self.settings.tenant_id}", [*notes, SILENT])

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """One page: the rows of an object may be anywhere in Kaireon's answer."""
        rows = Rows(self._tenant.shown())
        items, problems = [], [self._doubtful(kind, *each, rows) for each in rows.doubts_of(kind)]
        for group in rows.of(kind):
            try:
                items.append(self._observed(kind, group.series(), rows))
            except (Malformed, ValueError) as error:
                problems.append(self._problem(kind, group, error, rows))
        self._names.show(kind, rows.begins(kind))
        self._listed = rows
        if kind is Kind.BUDGET:
            self._spared.clear()
            self._offers.outdated()
        yield Page(items, problems)

    def get(self, kind: Kind, id: str) -> Observed:
        """One object, looked for among all of its kind; raises `Missing`."""
        rows = Rows(self._tenant.shown())
        return self._observed(kind, rows.series(kind, id), rows)

    def fit(self, model: Model, until: date | None = None) -> tuple[Model, Sequence[Loss]]:
        """`model` in whole calendar periods, an open end up to `until`; and what that loses."""
        model, losses = scoped(model)
        self._names.call(model)
        today = self._today()
        horizon = until or add_months(today.replace(day=1), HORIZON_MONTHS)
        whole, more = fitted(self._begun(model, today), self._terms, today, horizon)
        return whole, (*losses, *more, *self._unheld(model))

    def _unheld(self, model: Model) -> Iterator[Loss]:
        """What the scope of the rows makes of enforcement, and of allocations."""
        if isinstance(model, Allocation) and self._names.is_scoped(model.budget):
            reason = "kaireon holds no allocations below a budget of one category, offer or channel"
            yield Loss("budget", Effect.BLOCKED, reason)
        yield from enforcing(model.enforcement, self._names.title(model).scope)

    def resolve(self, entities: Collection[Entity]) -> Resolved:
        """Look for offers in the list of all, read once; of the other scopes there is no list."""
        return Resolved(unknown=self._offers.unknown(entities))

    def directory(self, type: str) -> Iterator[Listed]:
        """The offers of the tenant."""
        return self._offers.listed(type)

    def objections(self, model: Model) -> Sequence[Loss]:
        """What does not fit; and rows that would be an allocation of others, or those of them."""
        losses = [loss for loss in self.fit(model)[1] if loss.effect is Effect.BLOCKED]
        if not losses and model.status in self.capabilities.statuses:
            field = "name" if isinstance(model, Budget) else "entity"
            if reason := self._names.promise(model):
                losses.append(Loss(field, Effect.BLOCKED, reason))
        return losses

    def disown(
        self, kind: Kind, id: str, model: Model | None, agreed: Facts | None
    ) -> tuple[Observed, str] | None:
        """Rows of periods that are neither wanted nor agreed: somebody else's, under one name."""
        with suppress(Missing, Malformed):
            series = self._listed.series(kind, id)
            ours = wanted(model, self._today(), series) if model else {}
            spans = None if agreed is None else spans_of(kind, agreed)
            strange = foreign(series, id, ours, spans)
            self._spared[id] = frozenset(row.id for row in strange)
            left = self._without_spared(id, series)
            if strange and left:
                keys = ", ".join(row.period_key for row in strange)
                said = f"the rows for {keys} are not ours, and are left alone"
                return self._observed(kind, left, self._listed), said
        return None

    def parts(self, kind: Kind, id: str, model: Model, container: str | None) -> Collection[str]:
        """Rows under the title of `model` that go on where those of the object end."""
        with suppress(Missing, Malformed, Rejected):
            series = self._listed.series(kind, id)
            return self._placing.parts(series, model, container, self._listed)
        return ()

    def create(self, draft: Draft, key: str) -> Observed:
        """Look, then POST the rows that miss, each once: a create that broke off is completed."""
        with self._tenant.operation(), ExitStack() as alone:
            return self._made(draft, self._rows(), alone)

    def create_many(
        self, drafts: Sequence[Draft], keys: Sequence[str]
    ) -> Sequence[Observed | ConnectorError]:
        """As `create` does it, after one look for all of them."""
        made: list[Observed | ConnectorError] = []
        with self._tenant.operation():
            rows = self._rows()
        with ExitStack() as alone:
            for draft in drafts:
                try:
                    with self._tenant.operation():
                        made.append(self._made(draft, rows, alone))
                except ConnectorError as error:
                    made.append(error)
        return made

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """DELETE what is not wanted, PUT what changed, POST what is new; a new name moves all."""
        model, kind = self._fitted(draft.model), kind_of(draft.model)
        with self._tenant.operation():
            rows = self._rows()
            whole = rows.series(kind, id)
            title, before = self._placing.title_after(whole, draft, fields, rows), whole.title
            series = self._without_spared(id, whole)
            if series and (title != before or "cadence" in fields):
                series = self._placing.joined(series, title, model, rows)
            if title != before:
                self._placing.make_sure(kind, title, rows)
            if kind is Kind.BUDGET and title.name != before.name:
                self._rename_within(before.name, title.name, rows)
            stored = self._sent(kind, series, title, model, fields, rows)
            return structs.replace(stored, id=id) if self._spared.get(id) else stored

    def delete(self, kind: Kind, id: str, key: str) -> None:
        """DELETE each row, the oldest last; what is listed no more is gone.

        Refused while rows stand below: without theirs they would be budgets of their own.
        """
        with self._tenant.operation(), suppress(Missing):
            rows = self._rows()
            series = rows.series(kind, id)
            if kind is Kind.BUDGET and rows.leaves_alone(series):
                said = f"allocations stand below {series.title.name!r}, which would be budgets then"
                raise Rejected(said, hint="Remove them first")
            spared = self._spared.get(id, ())
            ours = [row for _, row in series.rows if row.id not in spared]
            for row in sorted(ours, key=lambda row: row.id == id):
                self._tenant.delete(row.id)

    def probe(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """By name, or entity: rows have no place for a stamp, even where one is to be written.

        Only what is whole: a half-made object is not what the create was to leave. It is recognised
        by its name in the next plan, and completed.
        """
        found = probe_by_listing(self.list, [replace(draft, stamp=None) for draft in drafts])
        whole = {
            index: [item for item in items if self._is_whole(drafts[index].model, item)]
            for index, items in found.items()
        }
        return {index: items for index, items in whole.items() if items}

    def _is_whole(self, model: Model, item: Observed) -> bool:
        """Whether all periods of `model` have a row."""
        fit, _ = self.fit(model)
        if isinstance(fit, Budget) and isinstance(item.model, Budget):
            if fit.dimensions != item.model.dimensions:
                return False
            there = {phase.period for phase in item.model.phases}
        else:
            there = set(wanted(item.model, self._today()))
        return set(wanted(fit, self._today())) <= there

    def close(self) -> None:
        """Give back the connections."""
        self._tenant.close()

    def _today(self) -> date:
        return self.today()

    def _fitted(self, model: Model) -> Model:
        whole, losses = self.fit(model)
        for loss in losses:
            if loss.effect is Effect.BLOCKED:
                raise Rejected(loss.reason)
        return whole

    def _begun(self, model: Model, today: date) -> Model:
        """A model without a start begins with the first row that is listed, or with today's.

        So a first row that somebody deletes is found to miss, as is any other.
        """
        first = self._names.begins(model) if model.start is None else None
        if first is None or model.cadence not in CADENCE.values():
            return model
        return structs.replace(model, start=min(first, today, model.end or today))

    # -- reading -----------------------------------------------------------------------------

    def _rows(self) -> Rows:
        """For a write: what we made is there, listed or not."""
        return Rows(self._tenant.there())

    def _observed(self, kind: Kind, series: Series, rows: Rows) -> Observed:
        currency = self.settings.currency
        if kind is Kind.BUDGET:
            return budget_of(series, self._entities, currency, self._today())
        above = rows.container(series.title.name, series.rows[0][1].period_type)
        return allocation_of(series, above, self._entities, currency, self._today())

    def _problem(self, kind: Kind, group: Group, error: Exception, rows: Rows) -> Problem:
        where = f"{kind} {group.id or 'without an id'}"
        said = Said(*group.title, group.period_type)
        return Problem(self.name, where, str(error), group.id, self._traces(kind, said, rows))

    def _doubtful(self, kind: Kind, doubt: Doubt, ids: frozenset[str], rows: Rows) -> Problem:
        traces = self._traces(kind, doubt.said, rows, ids)
        return Problem(self.name, str(doubt), str(doubt.error), doubt.id, traces)

    def _traces(
        self, kind: Kind, said: Said, rows: Rows, ids: frozenset[str] = frozenset()
    ) -> Traces:
        """What newcomers a row that cannot be read may be."""
        model: Model | None = None
        if kind is Kind.BUDGET and said.name is not None:
            model = Budget(ref="", name=said.name, amount=None)
        if kind is Kind.ALLOCATION and said.scope and said.scope_id:
            entity = self._entities.ours(said.scope, said.scope_id)
            model = Allocation(ref="", budget="", entity=entity, amount=None)
        names = frozenset([natural_key(model)]) if model else None
        above = rows.containers(said.name) if said.name is not None else None
        return Traces(names, above, ids=ids)

    # -- writing -----------------------------------------------------------------------------

    def _made(self, draft: Draft, rows: Rows, alone: ExitStack) -> Observed:
        """Make what `rows` do not show; its title is nobody else's until `alone` ends."""
        model, kind = self._fitted(draft.model), kind_of(draft.model)
        title = self._placing.title(draft, rows)
        alone.enter_context(self._names.alone(title))
        half = self._placing.half(title, rows)
        if half and not half.periods < set(wanted(model, self._today())):
            raise self._names.taken(title)
        self._placing.make_sure(kind, title, rows)
        return self._sent(kind, half, title, model, _ALL, rows)

    def _without_spared(self, id: str, series: Series) -> Series | None:
        spared = self._spared.get(id)
        if not spared:
            return series
        left = [row for _, row in series.rows if row.id not in spared]
        return placed(left) if left else None

    def _rename_within(self, before: str, name: str, rows: Rows) -> None:
        """First the allocations: while the budget has its old name, a rename is seen as undone."""
        for group in rows.below(before):
            for _, row in group.series().rows:
                self._tenant.change(renamed(row, name))

    def _sent(
        self,
        kind: Kind,
        series: Series | None,
        title: Title,
        model: Model,
        fields: Collection[str],
        rows: Rows,
    ) -> Observed:
        """Take all steps; returns what is stored then."""
        todo = steps(series, title, model, fields, self._today())
        try:
            for row in todo.delete:
                self._tenant.delete(row.id)
        except Forbidden as error:  # the key may write all the same: other objects go on
            raise Rejected(error.message, call=error.call, hint=error.hint) from error
        stored = [self._tenant.change(write) for write in todo.put]
        stored += [self._tenant.make(write) for write in todo.post]
        held = [*todo.left, *(row for row in stored if row)]
        if None in stored:  # not every answer shows its row: look
            rows = self._rows()
            held = rows.titled(title)
        return self._observed(kind, placed(held), rows)


_ALL = CAPABILITIES.fields
