"""The Kaireon connector: what Kaireon can be told, and the calls that tell it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date
from threading import Lock
from typing import Any, ClassVar

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.change import Effect, Kind, Loss, Problem
from canonical.identity import EntityMap
from canonical.period import Cadence, add_months
from connectors.errors import Forbidden, Malformed, Missing, Rejected
from connectors.http import Dialect, HttpClient, Safety
from connectors.interface import Capabilities, Check, Connector, Draft, Known, Observed, Page
from connectors.kaireon.declared import CAPABILITIES, KaireonSettings
from connectors.kaireon.fitting import Model, Terms, fitted
from connectors.kaireon.mapping import (
    allocation_of,
    budget_of,
    renamed,
    steps,
    wanted,
)
from connectors.kaireon.series import (
    Series,
    Title,
    container_of,
    grouped,
    name_of,
    placed,
    series_id,
    series_of,
    titled,
)
from connectors.kaireon.wire import (
    GLOBAL,
    PATH,
    KaireonRow,
    KaireonRowWrite,
    count_of,
    key_of,
    page_of,
)
from connectors.limiter import Limiter
from connectors.paging import cursor_pages
from connectors.parsing import parsed
from connectors.probing import probe_by_listing
from connectors.runtime import Runtime
from connectors.settings import parse_rate

HORIZON_MONTHS = 12
"""How far an open end is held where the caller did not say."""
_EVERY = frozenset(CAPABILITIES.budget) | frozenset(CAPABILITIES.allocation)


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
        self._names: frozenset[str] = frozenset()
        self._making: set[Title] = set()
        self._lock = Lock()
        key = settings.api_key.get_secret_value()
        bearer = settings.auth == "bearer"
        self._http = HttpClient(
            name,
            settings.base_url,
            headers={
                **({"Authorization": f"Bearer {key}"} if bearer else {"x-api-key": key}),
                "X-Tenant-Id": settings.tenant_id,
            },
            limiter=Limiter(*parse_rate(settings.rate_limit), runtime),
            runtime=runtime,
            dialect=Dialect(message=_message, credential="api_key"),
        )

    def check(self) -> Check:
        """List the rows of this month: that proves the key, and its tenant if there is a row."""
        rows = self._records(period_key=key_of(Cadence.MONTHLY, self._today()))
        notes = [] if rows else ["no row of this month shows which tenant the key belongs to"]
        return Check(f"tenant {self.settings.tenant_id}", notes)

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """One page: the rows of an object may be anywhere in Kaireon's answer."""
        records = self._records(_scope(kind))
        items, problems = [], []
        for group in grouped(kind, records):
            try:
                items.append(self._observed(kind, series_of(group), records))
            except (Malformed, ValueError) as error:
                ref = series_id(group)
                where = f"{kind} {ref or 'without an id'}"
                problems.append(Problem(self.name, where, str(error), ref))
        if kind is Kind.BUDGET:
            self._names = frozenset(record["name"] for record in records if name_of(record))
        yield Page(items, problems)

    def get(self, kind: Kind, id: str) -> Observed:
        """One object, looked for among all of its kind; raises `Missing`."""
        records = self._records(_scope(kind))
        return self._observed(kind, self._series(kind, id, records), records)

    def fit(self, model: Model, until: date | None = None) -> tuple[Model, Sequence[Loss]]:
        """`model` in whole calendar periods, an open end up to `until`; and what that loses."""
        today = self._today()
        horizon = until or add_months(today.replace(day=1), HORIZON_MONTHS)
        return fitted(model, self._terms, today, horizon)

    def objections(self, model: Model) -> Sequence[Loss]:
        """Another budget's name cannot be taken; nor can what does not fit."""
        losses = [loss for loss in self.fit(model)[1] if loss.effect is Effect.BLOCKED]
        if isinstance(model, Budget) and model.name in self._names:
            reason = f"{self.name} tells budgets apart by name, and has another {model.name!r}"
            losses.append(Loss("name", Effect.BLOCKED, f"{reason}; rename it in the source"))
        return losses

    def create(self, draft: Draft, key: str) -> Observed:
        """Look, then POST the rows that miss, each once: a create that broke off is completed."""
        model, kind = self._fitted(draft.model), _kind(draft.model)
        records = self._records(_scope(kind))
        title = self._title(model, draft.container, records)
        with self._alone(title):
            there = [*titled(title, records)]
            half = placed(there) if there else None
            if half and not half.periods < set(wanted(model, self._today())):
                raise self._taken(title)
            return self._sent(kind, half, title, model, _EVERY, records)

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """DELETE what is not wanted, PUT what changed, POST what is new; a new name moves all."""
        model, kind = self._fitted(draft.model), _kind(draft.model)
        records = self._records(None if "name" in fields else _scope(kind))
        series = self._series(kind, id, records)
        title = series.title
        if isinstance(model, Budget) and "name" in fields:
            title = Title(model.name, *title[1:])
        elif isinstance(model, Allocation) and "entity" in fields:
            title = Title(title.name, model.entity.type, self._entities.theirs(model.entity))
        if title != series.title:
            series = self._joined(series, title, model, records)
            if kind is Kind.BUDGET:
                self._rename_within(id, title.name, records)
        return self._sent(kind, series, title, model, fields, records)

    def delete(self, kind: Kind, id: str, key: str) -> None:
        """DELETE each row, the oldest last; what is gone is gone."""
        with suppress(Missing):
            series = self._series(kind, id, self._records(_scope(kind)))
            for row in sorted((row for _, row in series.rows), key=lambda row: row.id == id):
                self._delete(row)

    def probe(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """By name, or entity: rows have no place for a stamp, even where one is to be written."""
        return probe_by_listing(self, [replace(draft, stamp=None) for draft in drafts])

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def _today(self) -> date:
        return self.runtime.now().date()

    def _fitted(self, model: Model) -> Model:
        whole, losses = self.fit(model)
        for loss in losses:
            if loss.effect is Effect.BLOCKED:
                raise Rejected(loss.reason)
        return whole

    # -- reading -----------------------------------------------------------------------------

    def _records(self, scope: str | None = None, period_key: str | None = None) -> Sequence[Any]:
        """All rows of that scope and period, every page of them, all of our tenant."""
        answers = []

        def fetch(token: str | None) -> Any:
            params = {"scope": scope, "periodKey": period_key, "cursor": token}
            answers.append(self._http.call("GET", PATH, params=params, safety=Safety.SAFE))
            return page_of(answers[-1])

        pages = [page.items for page in cursor_pages(fetch, items="rows", next_token="next")]  # noqa: S106
        records = [record for page in pages for record in page]
        said = count_of(answers[-1])
        if said not in (None, len(pages[-1]), len(records)):
            raise Malformed(f"{self.name} says that it lists {said} rows, and lists {len(records)}")
        for record in records:
            self._prove(record)
        return records

    def _prove(self, record: Any) -> None:
        """With a key Kaireon ignores the tenant it is told: only an answer shows the real one."""
        tenant = record.get("tenantId") if isinstance(record, dict) else None
        if tenant not in (None, self.settings.tenant_id):
            raise Forbidden(
                f"{self.name} answers for the tenant {tenant!r}, not {self.settings.tenant_id!r}",
                hint=f"Check the api_key and the tenant_id of [systems.{self.name}]",
            )

    def _series(self, kind: Kind, id: str, records: Iterable[Any]) -> Series:
        for group in grouped(kind, records):
            if series_id(group) == id:
                return series_of(group)
        raise Missing(f"{self.name} has no {kind} {id!r}")

    def _observed(self, kind: Kind, series: Series, records: Iterable[Any]) -> Observed:
        currency, today = self.settings.currency, self._today()
        if kind is Kind.BUDGET:
            return budget_of(series, currency, today)
        above = container_of(series.title.name, series.rows[0][1].period_type, records)
        return allocation_of(series, above, self._entities, currency, today)

    # -- writing -----------------------------------------------------------------------------

    def _title(self, model: Model, container: str | None, records: Iterable[Any]) -> Title:
        if isinstance(model, Budget):
            return Title(model.name, GLOBAL, None)
        name = self._series(Kind.BUDGET, container or "", records).title.name
        return Title(name, model.entity.type, self._entities.theirs(model.entity))

    @contextmanager
    def _alone(self, title: Title) -> Iterator[None]:
        """Two threads that make one thing would both find nothing, and both make it."""
        with self._lock:
            if title in self._making:
                raise self._taken(title)
            self._making.add(title)
        try:
            yield
        finally:
            with self._lock:
                self._making.discard(title)

    def _taken(self, title: Title) -> Rejected:
        what = f"{title.scope} {title.scope_id}" if title.scope_id else "budget"
        said = f"{self.name} has another {what} under the name {title.name!r}"
        return Rejected(said, hint="Names tell budgets apart here, entities their allocations")

    def _joined(self, series: Series, title: Title, model: Model, records: Iterable[Any]) -> Series:
        """`series` with the rows that a rename that broke off has already given the `title`."""
        moved = [*titled(title, records)]
        if not moved:
            return series
        theirs = placed(moved).periods
        if theirs & series.periods or not theirs <= set(wanted(model, self._today())):
            raise self._taken(title)
        return placed([*(row for _, row in series.rows), *moved])

    def _rename_within(self, budget: str, name: str, records: Sequence[Any]) -> None:
        """First the allocations: while the budget has its old name, a rename is seen as undone."""
        for group in grouped(Kind.ALLOCATION, records):
            rows = [row for _, row in series_of(group).rows]
            if container_of(rows[0].name, rows[0].period_type, records) == budget:
                for row in rows:
                    self._write("PUT", renamed(row, name), Safety.IDEMPOTENT)

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
                self._delete(row)
        except Forbidden as error:  # the key may write all the same: other objects go on
            raise Rejected(error.message, call=error.call, hint=error.hint) from error
        stored = [self._write("PUT", write, Safety.IDEMPOTENT) for write in todo.put]
        stored += [self._write("POST", write, Safety.ONCE) for write in todo.post]
        rows = [*todo.left, *(row for row in stored if row)]
        if None in stored:  # not every answer shows its row: look
            rows = [*titled(title, self._records(_scope(kind)))]
        return self._observed(kind, placed(rows), records)

    def _write(self, method: str, write: KaireonRowWrite, safety: Safety) -> KaireonRow | None:
        """The row as stored; None where the answer does not show it, as is allowed to a PUT."""
        answer = self._http.call(method, PATH, json=write.body(), safety=safety)
        if not isinstance(answer, dict) or "id" not in answer:
            return None
        self._prove(answer)
        return parsed(KaireonRow, answer)

    def _delete(self, row: KaireonRow) -> None:
        params = {"id": row.id}
        try:
            with suppress(Missing):
                self._http.call("DELETE", PATH, params=params, safety=Safety.IDEMPOTENT)
        except Forbidden as error:
            hint = "Kaireon deletes with an admin's key only"
            raise Forbidden(error.message, call=error.call, hint=hint) from error


def _kind(model: Model) -> Kind:
    return Kind.BUDGET if isinstance(model, Budget) else Kind.ALLOCATION


def _scope(kind: Kind) -> str | None:
    """Of budgets only the global rows are asked for; an allocation needs those too, for its own."""
    return GLOBAL if kind is Kind.BUDGET else None


def _message(body: Any) -> str | None:
    """{"error": {"code", "message", "status"}}."""
    said = body.get("error") if isinstance(body, dict) else None
    return said.get("message") if isinstance(said, dict) else None
