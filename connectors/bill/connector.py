"""The BILL connector: what BILL can be told, and the calls that tell it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import zip_longest
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr

from canonical.actual import Actual
from canonical.allocation import Allocation, Enforcement, Status
from canonical.budget import Budget
from canonical.change import Effect, Kind, Loss
from canonical.identity import natural_key
from canonical.period import Cadence
from connectors.bill.mapping import (
    RECURRING_INTERVAL,
    budget_of,
    budget_write,
    next_reset,
    recur_month,
    version_of,
)
from connectors.bill.members import Members, split
from connectors.bill.people import UUID, People
from connectors.bill.reading import Reader, budget_path, member_path, page_of
from connectors.bill.wire import BUDGETS, CADENCE, BillBudget
from connectors.errors import (
    ConnectorError,
    Malformed,
    Missing,
    Rejected,
    Stale,
    Uncertain,
    Unsupported,
)
from connectors.http import Dialect, HttpClient, Safety
from connectors.interface import (
    Capabilities,
    Check,
    Connector,
    Draft,
    Hold,
    Known,
    Observed,
    Page,
    Phasing,
    Removal,
)
from connectors.limiter import Limiter
from connectors.paging import ahead
from connectors.parsing import parsed
from connectors.runtime import Runtime
from connectors.settings import HttpSettings, parse_rate

CAPABILITIES = Capabilities(
    vendor="bill",
    budget={
        "name": Hold.EXACT,
        "description": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "cadence": Hold.EXACT,
        "start": Hold.READ_ONLY,
        "end": Hold.EXACT,
        "phases": Hold.EXACT,
        "status": Hold.EXACT,
        "enforcement": Hold.EXACT,
        "carry_over": Hold.EXACT,
        "parent": Hold.EXACT,
        "owners": Hold.EMULATED,
    },
    allocation={
        "entity": Hold.EXACT,
        "amount": Hold.EXACT,
        "currency": Hold.EXACT,
        "status": Hold.EXACT,
        "cadence": Hold.FOLLOWS,
        "start": Hold.FOLLOWS,
        "end": Hold.FOLLOWS,
        "enforcement": Hold.FOLLOWS,
        "carry_over": Hold.FOLLOWS,
    },
    cadences=frozenset(RECURRING_INTERVAL),
    entity_types=frozenset({"user"}),
    statuses=frozenset({Status.ACTIVE, Status.RETIRED}),
    enforcements=frozenset({Enforcement.SOFT, Enforcement.HARD}),
    removal=Removal.RETIRE_FOR_GOOD,
    phasing=Phasing.CURRENT_AND_NEXT,
    clearable=frozenset({"description", "end"}),
    stamps=frozenset({Kind.BUDGET}),
    amount_digits=2,
    unit_of_writing="one budget, or one member of one",
    rate_limit="60/1m",
    reads_actuals=True,
)


class BillSettings(HttpSettings):
    """The keys of a system with connector = "bill"."""

    base_url: str = Field(
        default="https://gateway.prod.bill.com/connect", description="BILL's address."
    )
    rate_limit: str = Field(default="60/1m", description="Calls per window.")
    api_token: SecretStr = Field(description="Token of an administrator, as a reference.")
    currency: str = Field(default="USD", description="BILL names none; it holds US dollars.")
    default_owner: str | None = Field(
        default=None,
        description="Owner of new budgets that state none; default: the user who made the token.",
    )
    timezone: str | None = Field(
        default=None,
        pattern="^US/.+",
        description="In which new budgets are reset at midnight, such as US/Pacific; default: the "
        "company's own, taken for US/Eastern when a first period is computed.",
    )
    budget_groups: bool = Field(
        default=False, description="Make budgets without a parent groups, so that they can be one."
    )
    create_users: bool = Field(
        default=False, description="Make users whose email BILL does not know, as members."
    )


class Bill(Connector):
    """One company at BILL."""

    Settings: ClassVar = BillSettings
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings: BillSettings

    def __init__(self, name: str, settings: BillSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._http = HttpClient(
            name,
            settings.base_url,
            headers={"apiToken": settings.api_token.get_secret_value()},
            limiter=Limiter(*parse_rate(settings.rate_limit), runtime),
            runtime=runtime,
            dialect=Dialect(message=_message, credential="api_token"),
        )
        self._reader = Reader(self._http)
        self._people = People(
            self._http, settings.entities, self._reader.users, make=settings.create_users
        )
        self._members = Members(self._http, self._reader, self._people, settings.currency)

    def check(self) -> Check:
        """Ask who made the token."""
        user = self._people.current()
        notes = [] if user.role == "ADMIN" else [f"the token's user is {user.role}, not ADMIN"]
        return Check(user.email or user.id, notes)

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """Budgets by name, 100 a page, retired ones last; members budget by budget.

        Members cost a call per budget, except below budgets that are `known` to be unchanged.
        """
        if kind is Kind.BUDGET:
            return self._list_budgets(cursor)
        return self._list_members(cursor, known)

    def get(self, kind: Kind, id: str) -> Observed:
        """One object, also a retired one; raises `Missing`."""
        if kind is Kind.BUDGET:
            return self._budget(self._reader.budget(id))
        return self._members.get(id)

    def objections(self, model: Budget | Allocation) -> Sequence[Loss]:
        """Other money, a start that is yet to come, no parent to be had, a user without a name."""
        said = self._against(model)
        return [Loss(field, Effect.BLOCKED, reason) for field, reason in said]

    def create(self, draft: Draft, key: str) -> Observed:
        """POST a budget, once; PUT a member, as often as it takes."""
        if isinstance(draft.model, Allocation):
            return self._members.create(draft)
        month = recur_month(draft.model)
        write = budget_write(draft, _ALL, self.settings.currency, self._today(), month)
        write.owners = [*self._owners(draft.model)]
        if self.settings.timezone:
            write.timezone = self.settings.timezone
        if draft.container:
            write.parent_budget_id = draft.container
        elif self.settings.budget_groups:
            write.budget_group = True
        found = self._http.call("POST", BUDGETS, json=write.body(), safety=Safety.ONCE)
        try:
            made = self._wrote(found)
            if not any(owner.startswith(UUID) for owner in write.owners):
                self._members.owned(made.id, write.owners)
            return self._budget(made)
        except ConnectorError as error:  # it was made all the same
            raise Uncertain(f"it was made, and cannot be read: {error}") from error

    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """PATCH or PUT what changed; raises `Rejected` for a budget's parent, a member's user."""
        if "status" in fields:
            raise Unsupported(f"{self.name} cannot bring back what is retired")
        if isinstance(draft.model, Allocation):
            return self._members.update(id, draft, fields)
        body = self._changes(id, draft, fields)
        if not body and set(fields) == {"parent"}:
            hint = "Retire it, so that it is made again below the other one"
            raise Rejected("a budget stays below the parent that it was made below", hint=hint)
        if "owners" in fields and draft.model.owners:
            self._members.move_owners(id, self._owners(draft.model))
        if not body:
            return self.get(Kind.BUDGET, id)
        found = self._http.call("PATCH", budget_path(id), json=body, safety=Safety.IDEMPOTENT)
        return self._budget(self._wrote(found))

    def retire(self, kind: Kind, id: str, key: str) -> None:
        """DELETE; what is gone or retired already stays so."""
        path = budget_path(id) if kind is Kind.BUDGET else member_path(*split(id))
        try:
            self._http.call("DELETE", path, safety=Safety.IDEMPOTENT)
        except Missing:
            pass
        except Rejected:
            if self.get(kind, id).model.status is not Status.RETIRED:
                raise
        self._reader.outdate(id)

    def probe(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """Budgets by name, then by the stamp where one was written; members by their id."""
        found = {}
        for index, draft in enumerate(drafts):
            look: Callable[[Draft], Collection[Observed]]
            look = self._budgets_like if isinstance(draft.model, Budget) else self._members.like
            if matches := look(draft):
                found[index] = [*matches]
        return found

    def actuals(self) -> Iterator[Actual]:
        """Spent in the current period, per budget."""
        for page in self._list_budgets(None):
            for item in page.items:
                if item.actual is not None:
                    yield replace(item.actual, at=self.runtime.now())

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    # -- reading -----------------------------------------------------------------------------

    def _list_budgets(self, cursor: str | None) -> Iterator[Page]:
        self._people.outdated()
        for raw in ahead(self._reader.budgets(cursor)):
            self._reader.keep(raw)
            yield page_of(self.name, Kind.BUDGET, raw, self._parsed)

    def _list_members(self, cursor: str | None, known: Known | None) -> Iterator[Page]:
        """A first page that only says what need not be read, then the others' by budget id."""
        budgets = self._reader.in_use()
        versions = {id: version_of(budget) for id, budget in budgets.items()}
        skipped = set(known.unchanged(versions)) if known else set()
        first, _, token = (cursor or "").partition(" ")
        wanted = [id for id in budgets if id >= first and id not in skipped]
        if cursor is None:
            yield Page((), (), None, wanted[0] if wanted else None, (), [*skipped])
        elif not wanted:
            yield Page((), (), cursor)
        for id, following in zip_longest(wanted, wanted[1:]):
            yield from self._members.pages(budgets[id], token if id == first else "", following)

    def _parsed(self, row: Any) -> Observed:
        return self._budget(parsed(BillBudget, row))

    def _budget(self, wire: BillBudget) -> Observed:
        return budget_of(wire, self.settings.currency, self._reader.parent(wire))

    def _budgets_like(self, draft: Draft) -> Collection[Observed]:
        name = draft.model.name if isinstance(draft.model, Budget) else ""
        # How a name with a mark of the filters' own is written in one is not documented.
        odd = name != name.strip() or set(name) & set(',:"\\')
        asked, name = None if odd else name, name.strip()
        found = []
        for raw in self._reader.budgets(None, asked):
            for row in raw.items:
                try:
                    found.append(self._parsed(row))
                except Malformed:
                    if _name_of(row) in (name, None):  # it may be the one we look for
                        raise
        return [item for item in found if _left_behind(draft, item)]

    # -- writing -----------------------------------------------------------------------------

    def _changes(self, id: str, draft: Draft, fields: Collection[str]) -> dict[str, Any]:
        """Raises `Stale` where it is tomorrow here and BILL has not begun the period meant."""
        budget, currency = draft.model, self.settings.currency
        assert isinstance(budget, Budget)
        day, month = self._today(), recur_month(budget)
        if budget.cadence is not Cadence.ONCE and not _PERIODIC.isdisjoint(fields):
            shown = self._reader.known(id)
            today = day = self._today(shown)
            if CADENCE.get(shown.recurring_interval) is budget.cadence:
                day, month = shown.current_period.start_date or day, shown.recur_month or month
            if today < next_reset(budget.cadence, day, month) <= self._here():
                where = shown.timezone or _EASTERN
                raise Stale(
                    f"what is meant for the next period has to wait for midnight in {where}"
                )
        return budget_write(draft, fields, currency, day, month).body()

    def _wrote(self, found: Any) -> BillBudget:
        self._reader.outdate()
        return self._reader.saw(parsed(BillBudget, found))

    def _owners(self, budget: Budget) -> Sequence[str]:
        """BILL's ids of the owners; of whom the settings name, else of ourselves, without any."""
        stated = budget.owners or (self.settings.default_owner,)
        return [
            self._people.required(owner) if owner else self._people.current().id for owner in stated
        ]

    def _against(self, model: Budget | Allocation) -> Iterator[tuple[str, str]]:
        if model.amount and model.amount.unit != self.settings.currency:
            yield "currency", f"{self.name} holds {self.settings.currency}, not {model.amount.unit}"
        if isinstance(model, Allocation):
            if not self._people.has_name(model.entity.id):
                hint = f"an email, or a row in [systems.{self.name}.entities]"
                yield "entity", f"{self.name} lists users by email: {model.entity} needs {hint}"
            return
        if model.start and model.start > self._today():
            yield "start", f"{self.name} starts a budget when it is made; this is for {model.start}"
        if model.parent and not (self.settings.budget_groups or self._reader.has_groups()):
            reason = f"{self.name} shows no budget group to hang it below"
            yield "parent", f"{reason}; set budget_groups in [systems.{self.name}]"

    def _today(self, budget: BillBudget | None = None) -> date:
        """The day where the budget is; a new one is where the settings say."""
        named = (budget and budget.timezone) or self.settings.timezone or _EASTERN
        try:
            zone = ZoneInfo(named)
        except (ZoneInfoNotFoundError, ValueError):
            zone = ZoneInfo(_EASTERN)
        return self.runtime.now().astimezone(zone).date()

    def _here(self) -> date:
        """The day on this machine, for which plans are made."""
        return self.runtime.now().astimezone().date()


_ALL = frozenset(CAPABILITIES.budget)
_PERIODIC = frozenset({"amount", "currency", "phases", "cadence"})
_EASTERN = "US/Eastern"


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


def _message(body: Any) -> str | None:
    """A list of {"code", "message", …}; a 401 may be something else."""
    first = body[0] if isinstance(body, list) else body
    said = f"{first.get('message') or ''} ({first.get('code') or 'no code'})"
    return said if first.get("message") else None
