"""The BILL connector: what BILL can be told, and the calls that tell it."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import zip_longest
from typing import Any, ClassVar

from msgspec.structs import replace

from canonical.actual import Actual
from canonical.allocation import Allocation, Enforcement, Entity, Status
from canonical.budget import Budget
from canonical.count import uncountable
from canonical.kind import Kind, kind_of
from canonical.loss import Effect, Loss
from connectors.bill.budgets import Budgets
from connectors.bill.clock import Clock
from connectors.bill.declared import CAPABILITIES, BillSettings
from connectors.bill.mapping import version_of
from connectors.bill.members import Members, split
from connectors.bill.people import People
from connectors.bill.reading import Reader
from connectors.bill.wire import BUFFERED
from connectors.calling.absence import prove_gone
from connectors.calling.answers import Dialect
from connectors.calling.client import HttpClient
from connectors.calling.limiter import Limiter
from connectors.calling.steps import in_steps
from connectors.contract.capabilities import Capabilities
from connectors.contract.errors import ConnectorError, Missing, Rejected, Unsupported
from connectors.contract.interface import Connector
from connectors.contract.records import Check, Draft, Known, Listed, Observed, Page, Resolved
from connectors.contract.runtime import Runtime
from connectors.contract.settings import parse_rate


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
        clock = Clock(self._reader, runtime, settings.timezone, self.day)
        self._members = Members(self._http, self._reader, self._people, clock, settings.currency)
        self._budgets = Budgets(
            self._http, self._reader, self._people, self._members, settings, clock
        )

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
            return self._budgets.pages(cursor)
        return self._list_members(cursor, known)

    def get(self, kind: Kind, id: str) -> Observed:
        """One object, also a retired one; raises `Missing`."""
        return self._part(kind).get(id)

    def fit(
        self, model: Budget | Allocation, until: date
    ) -> tuple[Budget | Allocation, Sequence[Loss]]:
        """A budget in BILL's own periods, and per day or week without the wish to be soft, as
        BILL's are always hard; other money is blocked. Of a share, who is to have it."""
        foreign = self._foreign(model)
        if isinstance(model, Allocation):
            self._members.memberships.want(model)
            model, losses = self._budgets.in_time(model)
            return model, (*foreign, *losses)
        model, losses = self._budgets.in_time(model)
        losses = (*foreign, *losses)
        if reason := uncountable(model):
            said = f"{reason}: {self.name} resets by the calendar"
            return model, (*losses, Loss("end", Effect.BLOCKED, said))
        if model.cadence in BUFFERED or model.enforcement is not Enforcement.SOFT:
            return model, losses
        reason = f"{self.name} lets no {model.cadence} budget spend beyond its limit"
        lost = Loss("enforcement", Effect.DROPPED, reason)
        return replace(model, enforcement=None), (*losses, lost)

    def resolve(self, entities: Collection[Entity]) -> Resolved:
        """Find users by email in the list of all, which is read once; the default owner as well."""
        owner = self.settings.default_owner
        self._people.resolve([Entity("user", owner)] if owner else ())
        return self._people.resolve(entities)

    def directory(self, type: str) -> Iterator[Listed]:
        """Users in use; nobody else can have a share here."""
        if type != "user":
            raise Unsupported(f"{self.name} gives shares to users only, not to a {type}")
        return self._people.in_use()

    def objections(self, model: Budget | Allocation) -> Sequence[Loss]:
        """A start that is yet to come, no parent to be had, a default owner who is nobody, a user
        without a name or with a share of the budget already."""
        if isinstance(model, Budget):
            said = self._budgets.against(model)
        else:
            said = self._members.against(model)
        return [Loss(field, Effect.BLOCKED, reason) for field, reason in said]

    def _foreign(self, model: Budget | Allocation) -> Sequence[Loss]:
        own, amounts = (
            self.settings.currency,
            [model.amount, *(each.amount for each in model.phases)],
        )
        units = {each.unit for each in amounts if each and each.unit != own}
        reason = f"{self.name} holds {own}, not {' and '.join(sorted(units))}"
        return [Loss("currency", Effect.BLOCKED, reason)] if units else []

    @in_steps()
    def create(self, draft: Draft, key: str) -> Observed:
        """POST a budget, once; PUT a member, as often as it takes."""
        return self._part(kind_of(draft.model)).create(draft)

    def create_many(
        self, drafts: Sequence[Draft], keys: Sequence[str]
    ) -> Sequence[Observed | ConnectorError]:
        """PUT members in bulk and list who is there; who is not is PUT by themselves."""
        return self._members.create_many(drafts)

    @in_steps()
    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """PATCH or PUT what changed, a PUT also brings back a member; raises `Rejected` for a
        budget's parent and a member's user, `Unsupported` for a retired budget."""
        if "status" in fields and kind_of(draft.model) is Kind.BUDGET:
            raise Unsupported(f"{self.name} cannot bring back a retired budget")
        return self._part(kind_of(draft.model)).update(id, draft, fields)

    @in_steps()
    def retire(self, kind: Kind, id: str, key: str) -> None:
        """DELETE; what is gone or retired already stays so. Who owns or observes the budget is
        PUT without money instead."""
        try:
            self._part(kind).remove(id)
        except Missing as error:
            prove_gone(error, lambda: self._in_use(kind, id))
        except Rejected:
            if self._in_use(kind, id):
                raise
        self._reader.outdate(id)
        if kind is Kind.ALLOCATION:
            self._members.memberships.free(*split(id))

    def probe(self, drafts: Sequence[Draft]) -> Mapping[int, Sequence[Observed]]:
        """Budgets by name, then by the stamp where one was written; members by their id."""
        found = {}
        for index, draft in enumerate(drafts):
            if matches := self._part(kind_of(draft.model)).like(draft):
                found[index] = [*matches]
        return found

    def actuals(self) -> Iterator[Actual]:
        """Spent in the current period, per budget."""
        for page in self._budgets.pages(None):
            for item in page.items:
                if item.actual is not None:
                    yield replace(item.actual, at=self.runtime.now())

    def close(self) -> None:
        """Give back the connections."""
        self._http.close()

    def _in_use(self, kind: Kind, id: str) -> bool:
        try:
            return self.get(kind, id).model.status is not Status.RETIRED
        except Missing:
            return False

    def _part(self, kind: Kind) -> Budgets | Members:
        return self._budgets if kind is Kind.BUDGET else self._members

    def _list_members(self, cursor: str | None, known: Known | None) -> Iterator[Page]:
        """A first page that only says what need not be read, then the others' by budget id."""
        budgets = self._reader.in_use()
        versions = {id: version_of(budget) for id, budget in budgets.items()}
        skipped = set(known.unchanged(versions)) if known else set()
        first, _, token = (cursor or "").partition(" ")
        wanted = [id for id in budgets if id >= first and id not in skipped]
        if cursor is None:
            self._members.memberships.forget()
            yield Page((), (), None, wanted[0] if wanted else None, (), [*skipped])
        elif not wanted:
            yield Page((), (), cursor)
        for id, following in zip_longest(wanted, wanted[1:]):
            yield from self._members.pages(budgets[id], token if id == first else "", following)


def _message(body: Any) -> str | None:
    """A list of {"code", "message", …}, one per failure; a 401 may be something else."""
    items = body if isinstance(body, list) else [body]
    said = [
        f"{item['message']} ({item.get('code') or 'no code'})"
        for item in items
        if item.get("message")
    ]
    return "; ".join(said) or None
