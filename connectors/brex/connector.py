"""The Brex connector: what Brex can be told, and the calls that tell it."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar, Final
from urllib.parse import quote

from msgspec import structs

from canonical.actual import Actual
from canonical.allocation import Allocation, Entity, Status
from canonical.budget import Budget
from canonical.count import uncountable
from canonical.kind import Kind
from canonical.loss import Effect, Loss
from canonical.problem import Problem
from canonical.traces import Traces
from connectors.brex.declared import CAPABILITIES, BrexSettings
from connectors.brex.directory import Directory
from connectors.brex.mapping import (
    allocation_of,
    budget_of,
    budget_write,
    periods_within,
    spend_limit_write,
    spent_within,
    upwards,
)
from connectors.brex.people import People
from connectors.brex.wire import PATH, BrexBudget, BrexPage, BrexSpendLimit
from connectors.calling.absence import of_a_listing, prove_gone
from connectors.calling.answers import Dialect
from connectors.calling.client import HttpClient, Safety
from connectors.calling.exact_json import listing
from connectors.calling.limiter import Limiter
from connectors.calling.paging import RawPage, ahead, cursor_pages
from connectors.calling.parsing import data_of, decoded
from connectors.calling.steps import in_steps
from connectors.contract.capabilities import Capabilities
from connectors.contract.errors import Forbidden, Malformed, Missing, Rejected, Unsupported
from connectors.contract.interface import Connector
from connectors.contract.probing import probe_by_listing
from connectors.contract.records import Check, Draft, Known, Listed, Observed, Page, Resolved
from connectors.contract.runtime import Runtime
from connectors.contract.settings import parse_rate

PAGE_SIZE = 1000
"""The most that a page may hold; Brex answers 400 above it."""
_RIGHTS: Final = (
    "Writing takes a token with the scope budgets, and an account with budget management: "
    "ask Brex for the latter"
)


class Brex(Connector):
    """One Brex account."""

    Settings: ClassVar = BrexSettings
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings: BrexSettings

    def __init__(self, name: str, settings: BrexSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._roots = {settings.parent_budget_id} if settings.parent_budget_id else set[str]()
        self._policies: set[str] = set()
        self._listed: set[Kind] = set()
        self._http = HttpClient(
            name,
            settings.base_url,
            headers={"Authorization": f"Bearer {settings.token.get_secret_value()}"},
            limiter=Limiter(*parse_rate(settings.rate_limit), runtime),
            runtime=runtime,
            dialect=Dialect(message=_message, request_id=("X-Brex-Trace-Id",)),
        )
        self._people = People(self._http, settings.entities)
        self._directory = Directory(self._http, settings.entities)

    def check(self) -> Check:
        """List one budget, and get the parent of ours: both prove the token, the second its id."""
        params = {"limit": 1}
        found = self._http.call("GET", PATH[Kind.BUDGET], params=params, safety=Safety.SAFE)
        first = next(iter(decoded(BrexPage, found).items), {})
        notes = []
        if self.settings.parent_budget_id:
            parent = self.get(Kind.BUDGET, self.settings.parent_budget_id).model
            assert isinstance(parent, Budget)
            notes.append(f"new budgets hang below {parent.name!r}")
        return Check(f"account {first.get('account_id', 'without budgets')}", notes)

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """Pages of 1000, in the order in which Brex made the objects; archived ones included.

        A spend limit below no budget is a share of nothing: it is passed over.
        """

        if kind is Kind.BUDGET and cursor is None:
            self._people.outdated()
            self._directory.outdated()

        def fetch(token: str | None) -> Any:
            params = {"limit": PAGE_SIZE, "cursor": token}
            return self._http.call(
                "GET", PATH[kind], params=params, safety=Safety.SAFE, reader=listing
            )

        pages = cursor_pages(
            of_a_listing(fetch),
            items="items",
            next_token="next_cursor",  # noqa: S106
            cursor=cursor,
        )
        for raw in ahead(pages):
            yield self._page(kind, raw)
        self._listed.add(kind)

    def get(self, kind: Kind, id: str) -> Observed:
        """One object; raises `Missing`."""
        found = self._http.call("GET", _path(kind, id), safety=Safety.SAFE)
        return self._observed(kind, found)

    def fit(
        self, model: Budget | Allocation, until: date
    ) -> tuple[Budget | Allocation, Sequence[Loss]]:
        """As it is; told where the calendar's periods and its own come to other sums."""
        if reason := uncountable(model):
            said = f"{reason}: {self.name} does not say by which of them it starts afresh"
            return model, (Loss("end", Effect.EMULATED, said),)
        return model, ()

    def resolve(self, entities: Collection[Entity]) -> Resolved:
        """Look up users: by e-mail, one call each; by id in the list of all, read once.

        Departments and legal entities are looked for in the list of all, where the token may see
        it; their names are no ids.
        """
        found = self._people.resolve(entities)
        return replace(found, unknown={**found.unknown, **self._directory.unknown(entities)})

    def directory(self, type: str) -> Iterator[Listed]:
        """Users, departments and legal entities, each list under a scope of its own."""
        return self._directory.listed(type)

    def objections(self, model: Budget | Allocation) -> Sequence[Loss]:
        """A budget without a parent cannot be said; nor one of several expense policies guessed.

        A spend limit without any policy is sent, and Brex has the last word about it.
        """
        if isinstance(model, Budget):
            known, setting, what = self._roots, "parent_budget_id", "budgets above all others"
            said = self.settings.parent_budget_id or model.parent
        else:
            known, setting, what = self._policies, "expense_policy_id", "expense policies in use"
            said = self.settings.expense_policy_id
        if said or len(known) == 1:
            return ()
        effect = Effect.BLOCKED if known or isinstance(model, Budget) else Effect.DROPPED
        seen = f"has several {what}: {', '.join(sorted(known))}" if known else f"shows no {what}"
        reason = f"{self.name} {seen}; set {setting} in [systems.{self.name}]"
        return (Loss(setting, effect, reason),)

    @in_steps()
    def create(self, draft: Draft, key: str) -> Observed:
        """POST with the key; what Brex requires and we do not model comes from the settings."""
        kind, body = self._said(draft, _ALL)
        if kind is Kind.BUDGET:
            body["parent_budget_id"] = draft.container or self._parent()
        else:
            body |= _SPEND_LIMIT_DEFAULTS
            if policy := self._policy():
                body["expense_policy_id"] = policy
            if draft.container:
                body["parent_budget_id"] = draft.container
        return self._write("POST", PATH[kind], kind, body, key)

    @in_steps()
    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """PUT with the key and only the changed fields. Status changes by archiving alone."""
        if "status" in fields:
            raise Unsupported(f"{self.name} cannot bring back what is archived")
        kind, body = self._said(draft, fields, id)
        return self._write("PUT", _path(kind, id), kind, body, key)

    @in_steps()
    def retire(self, kind: Kind, id: str, key: str) -> None:
        """Archive, once: Brex takes no key here and does not say what a second call does."""
        try:
            self._send("POST", f"{_path(kind, id)}/archive", Safety.ONCE)
        except Missing as error:
            prove_gone(error, lambda: self._in_use(kind, id))
        except Rejected:
            if self._in_use(kind, id):
                raise

    def probe(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """By stamp, else by what they are for, users by the names that listings have."""
        there = self._people.resolve({*filter(None, map(_sought_by, drafts))}).there
        return probe_by_listing(self.list, [_as_shown(each, there) for each in drafts])

    def actuals(self) -> Iterator[Actual]:
        """Spent in the current period, per budget: the sum over the spend limits of it and of all
        budgets below it."""
        budgets = {item.id: item for page in self.list(Kind.BUDGET) for item in page.items}
        above = {id: item.container for id, item in budgets.items()}
        models = {id: item.model for id, item in budgets.items() if isinstance(item.model, Budget)}
        limits = [item for page in self.list(Kind.ALLOCATION) for item in page.items if item.actual]
        within: dict[tuple[str, str], list[Observed]] = defaultdict(list)
        for item in limits:
            for budget in upwards(item.container, above):
                within[budget, item.actual.spent.unit].append(item)  # type: ignore[union-attr]
        for (budget, unit), parts in within.items():
            own = models.get(budget)
            periods = () if own is None else periods_within(own, parts, self.today())
            yield spent_within(budget, unit, parts, self.runtime.now(), periods)

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    # -- reading -----------------------------------------------------------------------------

    def _in_use(self, kind: Kind, id: str) -> bool:
        try:
            return self.get(kind, id).model.status is not Status.RETIRED
        except Missing:
            return False

    def _page(self, kind: Kind, raw: RawPage) -> Page:
        items, problems = [], []
        for record in raw.items:
            try:
                item = self._observed(kind, record)
                if kind is Kind.BUDGET or item.container is not None:
                    items.append(item)
            except Malformed as error:
                problems.append(self._problem(kind, record, error))
        return Page(items, problems, raw.cursor, raw.next_cursor)

    def _observed(self, kind: Kind, record: Any) -> Observed:
        if kind is Kind.BUDGET:
            budget = decoded(BrexBudget, record)
            if budget.parent_budget_id is None:
                self._roots.add(budget.budget_id)
            return budget_of(budget, self._people.entities, self._roots)
        limit = decoded(BrexSpendLimit, record)
        self._policies.add(limit.expense_policy_id)
        return allocation_of(limit, self._people.entities)

    def _problem(self, kind: Kind, record: Any, error: Exception) -> Problem:
        said = data_of(record)
        id = said.get("budget_id" if kind is Kind.BUDGET else "id") if _is_object(said) else None
        ref = id if isinstance(id, str) else None
        traces = Traces.of(said, name="name" if kind is Kind.BUDGET else None)
        return Problem(self.name, f"{kind} {ref or 'without an id'}", str(error), ref, traces)

    # -- writing -----------------------------------------------------------------------------

    def _said(
        self, draft: Draft, fields: Collection[str], id: str | None = None
    ) -> tuple[Kind, dict[str, Any]]:
        entities = self._people.writing(_users(draft.model, fields))
        if isinstance(draft.model, Budget):
            return Kind.BUDGET, budget_write(draft, fields, entities).body()
        before: Allocation | None = None
        if id and not {"entity", "currency"}.isdisjoint(fields):
            there = self.get(Kind.ALLOCATION, id).model
            assert isinstance(there, Allocation)
            before = there
        strictness = self.settings.authorization_type
        said = spend_limit_write(draft, fields, entities, strictness, before)
        return Kind.ALLOCATION, said.body()

    def _write(self, method: str, path: str, kind: Kind, body: Any, key: str) -> Observed:
        return self._observed(kind, self._send(method, path, Safety.KEYED, json=body, key=key))

    def _send(self, method: str, path: str, safety: Safety, **said: Any) -> Any:
        """A write; one that is forbidden says what Brex may be missing, as it often does not."""
        try:
            return self._http.call(method, path, safety=safety, **said)
        except Forbidden as error:
            raise Forbidden(error.message, call=error.call, hint=_RIGHTS) from error

    def _parent(self) -> str:
        parent = self.settings.parent_budget_id or self._only(self._roots, Kind.BUDGET)
        if parent is None:
            message = f"{self.name} has {len(self._roots)} budgets above all others"
            hint = f"Set parent_budget_id in [systems.{self.name}]"
            raise Rejected(message, hint=hint)
        return parent

    def _policy(self) -> str | None:
        return self.settings.expense_policy_id or self._only(self._policies, Kind.ALLOCATION)

    def _only(self, known: set[str], kind: Kind) -> str | None:
        """The one id that listings showed, if it is one; lists now where none was made yet."""
        if not known and kind not in self._listed:
            for _ in self.list(kind):
                pass
        return next(iter(known)) if len(known) == 1 else None


_ALL = CAPABILITIES.fields
_SPEND_LIMIT_DEFAULTS = {
    "authorization_visibility": "PUBLIC",
    "expense_visibility": "SHARED",
    "limit_increase_setting": "DISABLED",
    "spend_type": "BUDGET_PROVISIONED_CARDS_ONLY",
    "auto_transfer_cards_setting": "DISABLED",
    "auto_create_limit_cards_setting": "DISABLED",
}


def _path(kind: Kind, id: str) -> str:
    return f"{PATH[kind]}/{quote(id, safe='')}"


def _users(model: Budget | Allocation, fields: Collection[str]) -> Collection[str]:
    """Our names of the users that a write of those fields names."""
    if isinstance(model, Budget):
        return (model.owners or ()) if "owners" in fields else ()
    is_said = "entity" in fields and model.entity.type == "user"
    return model.entity.id.split(",") if is_said else ()


def _sought_by(draft: Draft) -> Entity | None:
    """The entity by which a draft without a stamp is looked for."""
    model = draft.model
    return model.entity if isinstance(model, Allocation) and draft.stamp is None else None


def _as_shown(draft: Draft, there: Mapping[Entity, Entity]) -> Draft:
    if not isinstance(draft.model, Allocation):
        return draft
    entity = there.get(draft.model.entity, draft.model.entity)
    return replace(draft, model=structs.replace(draft.model, entity=entity))


def _is_object(record: Any) -> bool:
    return isinstance(record, dict)


def _message(body: Any) -> str | None:
    """{"type", "message", "code"?}; a 401 may have no body at all."""
    return body.get("message") if _is_object(body) else None
