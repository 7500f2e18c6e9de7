"""The Vantage connector: what Vantage can be told, and the calls that tell it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date
from threading import RLock
from typing import Any, ClassVar

from msgspec.structs import replace

from canonical.allocation import Allocation, Entity
from canonical.budget import Budget
from canonical.identity import EntityMap, natural_key
from canonical.kind import Kind, kind_of
from canonical.loss import Effect, Loss
from canonical.period import Cadence
from canonical.problem import Problem
from canonical.traces import Traces
from connectors.calling.steps import Steps, in_steps
from connectors.contract.capabilities import Capabilities
from connectors.contract.errors import ConnectorError, Forbidden, Malformed, Missing, Rejected
from connectors.contract.interface import Connector
from connectors.contract.records import Check, Draft, Known, Listed, Observed, Page, Resolved
from connectors.contract.runtime import Runtime
from connectors.vantage.declared import CAPABILITIES, VantageSettings, widened
from connectors.vantage.fitting import fitted, fitted_share
from connectors.vantage.hierarchy import Hierarchy
from connectors.vantage.mapping import (
    allocation_name,
    allocation_of,
    budget_of,
    entity_said,
    is_rest,
    name_write,
    unsaid,
)
from connectors.vantage.periods import (
    PERIOD_FIELDS,
    Phases,
    Spans,
    period_write,
    share_phases,
    spans_of,
    stated_phases,
)
from connectors.vantage.reports import Reports
from connectors.vantage.unanswered import Unanswered
from connectors.vantage.wire import VantageBudget
from connectors.vantage.workspace import Workspace


class Vantage(Connector):
    """One workspace of a Vantage account."""

    Settings: ClassVar = VantageSettings
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings: VantageSettings

    def __init__(self, name: str, settings: VantageSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._spans: dict[str, Spans] = {}  # of budgets by ref, as last fitted
        self._shared_spans: dict[Spans, Spans] = {}
        self._emulated = frozenset(Cadence(each) for each in settings.emulate)
        if self._emulated:
            self.capabilities = widened(self._emulated)  # type: ignore[misc]  # per system
        self._entities = EntityMap(settings.entities)
        self._lock = RLock()  # whatever changes a sum does so alone
        self._just_listed = False  # the next listing of allocations needs no call
        self._workspace = Workspace(name, settings, self._entities, runtime, lambda: self.placed())
        self._reports = Reports(name, self._workspace.calls, settings.entities)
        self._unanswered = Unanswered(runtime, CAPABILITIES.grace, lambda: self.lately())
        self._hierarchy = Hierarchy(self._workspace, settings.currency, self._unanswered)

    def check(self) -> Check:
        """Ask who we are: it proves the token, its scopes, and that it sees the workspace."""
        me = self._workspace.me()
        ours = self.settings.workspace_token
        seen = next((each for each in me.workspaces if each.token == ours), None)
        if seen is None:
            hint = f"Check workspace_token in [systems.{self.name}], and what the token may see"
            raise Forbidden(f"{self.name}: the token does not see workspace {ours}", hint=hint)
        notes = [] if "write" in me.bearer_token.scope else ["the token may only read"]
        if seen.currency != self.settings.currency:
            notes.append(f"the workspace is in {seen.currency}, the settings say otherwise")
        return Check(f"token {me.bearer_token.description!r}, workspace {seen.name!r}", notes)

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """Pages that come empty until the last, which has all: only then each place is known.

        A listing begins at its first page whatever the cursor. Allocations come without a call
        when they are asked for after the budgets and nothing was written in between.
        """
        if kind is Kind.ALLOCATION and self._just_listed:
            self._just_listed = False
            yield self._page(kind, None)
            return
        if kind is Kind.BUDGET:
            self._reports.outdated()
        for raw in self._workspace.read():
            if raw.next_cursor is not None:
                yield Page((), (), raw.cursor, raw.next_cursor)
        self._just_listed = kind is Kind.BUDGET
        yield self._page(kind, raw.cursor)

    def get(self, kind: Kind, id: str) -> Observed:
        """One object, and a listing for its place; raises `Missing`, for a usage budget too."""
        self._workspace.fetch(id)
        return self._observed(kind, self._workspace.known(id))

    def fit(
        self, model: Budget | Allocation, until: date
    ) -> tuple[Budget | Allocation, Sequence[Loss]]:
        """In months, and as periods alone tell it; other cadences if a setting says so. Other money
        is blocked."""
        today, foreign = self.today(), self._foreign(model)
        if isinstance(model, Allocation):
            spans_above = self._spans.get(model.budget)
            share, losses = fitted_share(model, self._emulated, today, until, spans_above)
            return share, (*foreign, *losses)
        budget, losses = fitted(model, self._emulated, today, until)
        spans = spans_of(budget)
        self._spans[model.ref] = self._shared_spans.setdefault(spans, spans)
        return budget, (*foreign, *losses)

    def _foreign(self, model: Budget | Allocation) -> Sequence[Loss]:
        found = unsaid(model, self.settings.currency)
        return [Loss(each, Effect.BLOCKED, found[each]) for each in ("currency",) if each in found]

    def resolve(self, entities: Collection[Entity]) -> Resolved:
        """Look for the cost reports that allocations are for in the list of all, read once."""
        unnamed = {each: reason for each in entities if (reason := self._reports.unnamed(each))}
        return Resolved(unknown=self._reports.unknown(entities), doubtful=unnamed)

    def directory(self, type: str) -> Iterator[Listed]:
        """The cost reports of the workspace, whichever type of ours is one."""
        return self._reports.listed()

    def objections(self, model: Budget | Allocation) -> Sequence[Loss]:
        """What Vantage has no words for, and an entity whose cost report nobody named."""
        found = unsaid(model, self.settings.currency)
        found.pop("currency", None)  # `fit` says so, also of what is there
        if isinstance(model, Allocation) and (reason := self._reports.unnamed(model.entity)):
            found["entity"] = reason
        return [Loss(field, Effect.BLOCKED, reason) for field, reason in found.items()]

    def create(self, draft: Draft, key: str) -> Observed:
        """POST, once; then its place below its budget, then its alerts."""
        workspace, above = self._workspace, draft.container
        with self._writing() as steps, self._alone(above is not None):
            self._refuse(draft)
            if above is not None:
                workspace.read_whole()
            name = self._name_of(above)
            phases = self._phases(draft, None)
            if above is not None:
                self._hierarchy.left(above, workspace.tree.phases(above), {"": phases})
            said = name_write(draft, _ALL, name, self._entities)
            said.periods = period_write(phases)
            token = workspace.post(said)
            if above is not None:
                self._join(token, above, steps)
            workspace.say_alerts(token, draft.model.alerts)
            return self._observed(kind_of(draft.model), workspace.known(token))

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """PUT of what changed, all periods if one did; then what hangs together with it."""
        with self._writing():
            return self._updated(id, draft, fields)

    def delete(self, kind: Kind, id: str, key: str) -> None:
        """DELETE; what it held goes to the rest of the budget above, and its own rest goes too."""
        with self._writing(), self._alone(True):
            self._workspace.read_whole()
            self._hierarchy.remove(id)

    def probe(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """By name and place, in one listing; what was made and has no place yet is given it."""
        found: dict[int, Sequence[Observed]] = {}
        if not drafts:
            return found
        with self._writing(), self._alone(True):
            self._workspace.read_whole(again=True)
            for index, draft in enumerate(drafts):
                left = self._left_behind(draft)
                if len(left) == 1 and not self._finished(draft, left[0].token):
                    continue
                known = [self._workspace.known(each.token) for each in left]
                if known:
                    found[index] = [self._observed(kind_of(draft.model), each) for each in known]
        return found

    def close(self) -> None:
        """Give back the connections."""
        self._workspace.close()

    # -- reading -----------------------------------------------------------------------------

    def _page(self, kind: Kind, cursor: str | None) -> Page:
        items, problems, tree = [], [], self._workspace.tree
        for budget in tree.all():
            if is_rest(budget.name) or self._kind_of(budget.token, budget.name) is not kind:
                continue
            try:
                items.append(self._observed(kind, budget))
            except (Malformed, ValueError) as error:
                problems.append(self._problem(kind, budget.token, budget.name, error))
        for record, reason in self._workspace.unreadable:
            said = record if isinstance(record, dict) else {}
            token, name = (
                value if isinstance(value := said.get(key), str) else None
                for key in ("token", "name")
            )
            if self._kind_of(token, name) is kind:
                problems.append(self._problem(kind, token, name, reason))
        return Page(items, problems, cursor)

    def _kind_of(self, token: str | None, name: str | None) -> Kind:
        shared = token and self._workspace.tree.is_allocation(token, name)
        return Kind.ALLOCATION if shared else Kind.BUDGET

    def _observed(self, kind: Kind, budget: VantageBudget) -> Observed:
        workspace = self._workspace
        phases, parent = workspace.tree.phases(budget.token), workspace.tree.above(budget.token)
        alerts = workspace.alerts.of(budget)
        if kind is Kind.BUDGET:
            return budget_of(budget, phases, alerts, parent)
        above = workspace.tree.phases(parent) if parent and workspace.tree.get(parent) else ()
        return allocation_of(budget, phases, alerts, parent, above, self._entities)

    def _problem(
        self, kind: Kind, token: str | None, name: str | None, error: Exception
    ) -> Problem:
        where = f"{kind} {token or 'without an id'}"
        if kind is Kind.BUDGET:
            return Problem(self.name, where, str(error), token, Traces.of({"n": name}, name="n"))
        entity, above = entity_said(name), token and self._workspace.tree.above(token)
        share = Allocation(ref="", budget="", entity=entity, amount=None) if entity else None
        names = frozenset([natural_key(share)]) if share else None
        traces = Traces(names, frozenset([above]) if above else None)
        return Problem(self.name, where, str(error), token, traces)

    # -- writing -----------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[Steps]:
        """One operation; where it breaks off in the middle, all is read again before the next."""
        self._just_listed = False
        with in_steps() as steps:
            try:
                yield steps
            except ConnectorError:
                if steps.taken:
                    self._workspace.doubt()
                raise

    def _alone(self, hierarchy: bool) -> AbstractContextManager[Any]:
        return self._lock if hierarchy else nullcontext()

    def _updated(self, id: str, draft: Draft, fields: Collection[str]) -> Observed:
        workspace = self._workspace
        workspace.read_whole()
        related = workspace.known(id).child_budget_tokens or workspace.tree.above(id)
        with self._alone(bool(related or draft.container)):
            self._refuse(draft)
            if "cadence" in fields:
                raise Rejected("how often an amount counts cannot be changed")
            above = draft.container or workspace.tree.above(id)
            said = name_write(draft, fields, self._name_of(above), self._entities)
            if PERIOD_FIELDS.isdisjoint(fields):
                workspace.put(id, said)
            else:
                self._hierarchy.resize(id, self._phases(draft, id), said)
            if draft.container and ("parent" in fields or isinstance(draft.model, Allocation)):
                self._hierarchy.move(id, draft.container)
            if "alerts" in fields:
                workspace.say_alerts(id, draft.model.alerts)
            return self._observed(kind_of(draft.model), workspace.known(id))

    def _refuse(self, draft: Draft) -> None:
        """Raise `Rejected` where there are no words; of new objects the plan says so already."""
        for field, reason in unsaid(draft.model, self.settings.currency).items():
            raise Rejected(f"{field}: {reason}")

    def _name_of(self, token: str | None) -> str:
        return (self._workspace.known(token).name or "") if token else ""

    def _phases(self, draft: Draft, id: str | None) -> Phases:
        """What the draft holds; a share as long as its budget, which `id` may tell."""
        model, tree = draft.model, self._workspace.tree
        if isinstance(model, Budget):
            held = tree.phases(id) if id else ()
            first = held[0].period.start if held else self.today().replace(day=1)
            return stated_phases(model, first)
        above = draft.container or (tree.above(id) if id else None)
        return share_phases(model, tree.phases(above) if above else ())

    def _join(self, token: str, above: str, steps: Steps) -> None:
        """Put a new budget below another; what is refused there does not stay."""
        try:
            self._hierarchy.join(token, above)
        except (Rejected, Missing):
            if self._hierarchy.take_back(token, above):
                steps.undone()
            raise

    def _left_behind(self, draft: Draft) -> Sequence[VantageBudget]:
        """What the draft may have become: in its place, else without any."""
        tree, above = self._workspace.tree, draft.container
        alike = [each for each in tree.all() if self._is_like(draft, each)]
        placed = [each for each in alike if tree.above(each.token) == above]
        return placed or [each for each in alike if tree.above(each.token) is None]

    def _is_like(self, draft: Draft, budget: VantageBudget) -> bool:
        """Whether both have the same natural key; a share without a place, the same whole name."""
        model, name = draft.model, budget.name or ""
        if isinstance(model, Budget):
            if self._kind_of(budget.token, name) is Kind.ALLOCATION:
                return False
            return natural_key(replace(model, name=name)) == natural_key(model)
        if self._workspace.tree.above(budget.token) is None:
            return name == allocation_name(self._name_of(draft.container), model.entity)
        entity = entity_said(name)
        return entity is not None and str(entity) == str(model.entity)

    def _finished(self, draft: Draft, token: str) -> bool:
        """Give what a lost create left behind its place and its alerts.

        False where no place is to be had: then it is there no longer.
        """
        workspace, above = self._workspace, draft.container
        placed = workspace.tree.above(token) == above and above not in workspace.guessed
        if above is not None and not placed:
            self._unanswered.doubt(above)
            try:
                self._hierarchy.join(token, above)
            except (Rejected, Missing):
                self._hierarchy.take_back(token, above)
                return False
        workspace.say_alerts(token, draft.model.alerts)
        return True


_ALL = CAPABILITIES.fields
