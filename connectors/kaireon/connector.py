"""The Kaireon connector: what Kaireon can be told, and the calls that tell it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar

from msgspec import structs

from canonical.budget import Budget
from canonical.change import Effect, Kind, Loss, Problem, kind_of
from canonical.identity import EntityMap
from canonical.period import Cadence, add_months
from connectors.contract.capabilities import Capabilities
from connectors.contract.errors import ConnectorError, Forbidden, Malformed, Missing, Rejected
from connectors.contract.interface import Connector
from connectors.contract.probing import probe_by_listing
from connectors.contract.records import Check, Draft, Known, Observed, Page
from connectors.contract.runtime import Runtime
from connectors.kaireon.declared import CAPABILITIES, KaireonSettings
from connectors.kaireon.fitting import Model, Terms, fitted
from connectors.kaireon.mapping import (
    allocation_of,
    budget_of,
    renamed,
    steps,
    wanted,
)
from connectors.kaireon.names import Names
from connectors.kaireon.series import (
    Series,
    Title,
    called,
    container_of,
    grouped,
    placed,
    series_id,
    series_of,
    titled,
)
from connectors.kaireon.tenant import Tenant
from connectors.kaireon.wire import CADENCE, GLOBAL, key_of

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

    def check(self) -> Check:
        """List the rows of this month: that proves the key, and its tenant if there is a row."""
        rows = self._tenant.records(period_key=key_of(Cadence.MONTHLY, self._today()))
        notes = [] if rows else ["no row of this month shows which tenant the key belongs to"]
        return Check(f"tenant {self.settings.tenant_id}", notes)

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """One page: the rows of an object may be anywhere in Kaireon's answer."""
        records = self._tenant.records(_scope(kind))
        items, problems = [], []
        for group in grouped(kind, records):
            try:
                items.append(self._observed(kind, series_of(group), records))
            except (Malformed, ValueError) as error:
                ref = series_id(group)
                where = f"{kind} {ref or 'without an id'}"
                problems.append(Problem(self.name, where, str(error), ref))
        self._names.show(kind, records)
        yield Page(items, problems)

    def get(self, kind: Kind, id: str) -> Observed:
        """One object, looked for among all of its kind; raises `Missing`."""
        records = self._tenant.records(_scope(kind))
        return self._observed(kind, self._series(kind, id, records), records)

    def fit(self, model: Model, until: date | None = None) -> tuple[Model, Sequence[Loss]]:
        """`model` in whole calendar periods, an open end up to `until`; and what that loses."""
        self._names.call(model)
        today = self._today()
        horizon = until or add_months(today.replace(day=1), HORIZON_MONTHS)
        return fitted(self._begun(model, today), self._terms, today, horizon)

    def objections(self, model: Model) -> Sequence[Loss]:
        """What does not fit; and the title of another, which cannot be taken."""
        losses = [loss for loss in self.fit(model)[1] if loss.effect is Effect.BLOCKED]
        if not losses and model.status in self.capabilities.statuses:
            field = "name" if isinstance(model, Budget) else "entity"
            if reason := self._names.promise(model):
                losses.append(Loss(field, Effect.BLOCKED, reason))
        return losses

    def create(self, draft: Draft, key: str) -> Observed:
        """Look, then POST the rows that miss, each once: a create that broke off is completed."""
        with self._tenant.steady(), ExitStack() as alone:
            records = self._tenant.records(_scope(kind_of(draft.model)))
            return self._made(draft, records, alone)

    def create_many(
        self, drafts: Sequence[Draft], keys: Sequence[str]
    ) -> Sequence[Observed | ConnectorError]:
        """As `create` does it, after one look for all of them."""
        made: list[Observed | ConnectorError] = []
        with self._tenant.steady(), ExitStack() as alone:
            records = self._tenant.records(_scope(Kind.ALLOCATION))
            for draft in drafts:
                try:
                    made.append(self._made(draft, records, alone))
                except ConnectorError as error:
                    made.append(error)
        return made

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """DELETE what is not wanted, PUT what changed, POST what is new; a new name moves all."""
        model, kind = self._fitted(draft.model), kind_of(draft.model)
        with self._tenant.steady():
            records = self._tenant.records(None if "name" in fields else _scope(kind))
            series = self._series(kind, id, records)
            title, before = self._title_after(series, draft, fields, records), series.title
            if title != before or "cadence" in fields:
                series = self._joined(series, title, model, records)
            if kind is Kind.BUDGET and title != before:
                self._rename_within(id, title.name, records)
            return self._sent(kind, series, title, model, fields, records)

    def delete(self, kind: Kind, id: str, key: str) -> None:
        """DELETE each row, the oldest last; what is gone is gone."""
        with self._tenant.steady(), suppress(Missing):
            series = self._series(kind, id, self._tenant.records(_scope(kind)))
            for row in sorted((row for _, row in series.rows), key=lambda row: row.id == id):
                self._tenant.delete(row.id)

    def probe(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """By name, or entity: rows have no place for a stamp, even where one is to be written."""
        return probe_by_listing(self.list, [replace(draft, stamp=None) for draft in drafts])

    def close(self) -> None:
        """Give back the connections."""
        self._tenant.close()

    def _today(self) -> date:
        return self.runtime.now().date()

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

    def _series(self, kind: Kind, id: str, records: Iterable[Any]) -> Series:
        for group in grouped(kind, records):
            if series_id(group) == id:
                return series_of(group)
        raise Missing(f"{self.name} has no {kind} {id!r}")

    def _observed(self, kind: Kind, series: Series, records: Iterable[Any]) -> Observed:
        currency = self.settings.currency
        if kind is Kind.BUDGET:
            return budget_of(series, currency, self._today())
        above = container_of(series.title.name, series.rows[0][1].period_type, records)
        return allocation_of(series, above, self._entities, currency)

    # -- writing -----------------------------------------------------------------------------

    def _made(self, draft: Draft, records: Sequence[Any], alone: ExitStack) -> Observed:
        """Make what `records` do not show; its title is nobody else's until `alone` ends."""
        model, title = self._fitted(draft.model), self._title(draft, records)
        alone.enter_context(self._names.alone(title))
        there = [*titled(title, records)]
        half = placed(there) if there else None
        if half and not half.periods < set(wanted(model, self._today())):
            raise self._names.taken(title)
        return self._sent(kind_of(model), half, title, model, _ALL, records)

    def _title(self, draft: Draft, records: Sequence[Any]) -> Title:
        if isinstance(draft.model, Budget):
            return self._names.title(draft.model)
        name = called(draft.container, records)
        if name is None:
            raise Missing(f"{self.name} has no budget {draft.container!r}")
        return self._names.title(draft.model, name)

    def _title_after(
        self, series: Series, draft: Draft, fields: Collection[str], records: Sequence[Any]
    ) -> Title:
        """What an update leaves; an allocation is brought back below its budget."""
        before = series.title
        if isinstance(draft.model, Budget):
            return self._title(draft, records) if "name" in fields else before
        title = self._title(draft, records) if draft.container else before
        if "entity" not in fields:
            return Title(title.name, *before[1:])
        return self._names.title(draft.model, title.name)

    def _joined(self, series: Series, title: Title, model: Model, records: Iterable[Any]) -> Series:
        """`series` with the rows that have the `title` already: those of a rename that broke off,
        or that stayed what they were when somebody gave the oldest another name or type."""
        ours = {row.id for _, row in series.rows}
        others = [row for row in titled(title, records) if row.id not in ours]
        if title == series.title:
            others = [row for row in others if CADENCE.get(row.period_type) is model.cadence]
        if not others:
            return series
        theirs = placed(others).periods
        if theirs & series.periods or not theirs <= set(wanted(model, self._today(), series)):
            raise self._names.taken(title)
        return placed([*(row for _, row in series.rows), *others])

    def _rename_within(self, budget: str, name: str, records: Sequence[Any]) -> None:
        """First the allocations: while the budget has its old name, a rename is seen as undone."""
        for group in grouped(Kind.ALLOCATION, records):
            rows = [row for _, row in series_of(group).rows]
            if container_of(rows[0].name, rows[0].period_type, records) == budget:
                for row in rows:
                    self._tenant.change(renamed(row, name))

    def _sent(
        self,
        kind: Kind,
        series: Series | None,
        title: Title,
        model: Model,
        fields: Collection[str],
        records: Sequence[Any],
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
        rows = [*todo.left, *(row for row in stored if row)]
        if None in stored:  # not every answer shows its row: look
            rows = [*titled(title, self._tenant.records(_scope(kind)))]
        return self._observed(kind, placed(rows), records)


_ALL = CAPABILITIES.fields


def _scope(kind: Kind) -> str | None:
    """Of budgets only the global rows are asked for; an allocation needs those too, for its own."""
    return GLOBAL if kind is Kind.BUDGET else None
