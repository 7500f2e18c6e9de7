"""The Tryton connector: what its books state, and the amounts that can be changed in them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.loss import Effect, Loss
from canonical.spent import Spent
from connectors.calling.answers import Dialect
from connectors.calling.client import HttpClient
from connectors.calling.limiter import Limiter
from connectors.calling.steps import in_steps
from connectors.contract.capabilities import Capabilities
from connectors.contract.errors import Malformed, Missing, Unsupported
from connectors.contract.interface import Connector
from connectors.contract.records import Check, Draft, Known, Observed, Page, Recorded
from connectors.contract.runtime import Runtime
from connectors.contract.settings import parse_rate
from connectors.erp.entries import Entry
from connectors.erp.mapping import budget_of, by_ref, overlaid, rewritten
from connectors.erp.shown import Shown
from connectors.erp.target import Target
from connectors.tryton.actuals import Actuals
from connectors.tryton.declared import CAPABILITIES, TrytonSettings
from connectors.tryton.reading import Books
from connectors.tryton.records import Records
from connectors.tryton.rest import Rest
from connectors.tryton.rpc import JsonRpc
from connectors.tryton.session import HEADER, Session
from connectors.tryton.views import Views
from connectors.tryton.wire import ANALYTIC_LINES

_MADE_THERE = "budgets are made and removed in Tryton itself; only their amounts are written"


class Tryton(Connector):
    """One company's books in one Tryton."""

    Settings: ClassVar = TrytonSettings
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings: TrytonSettings

    def __init__(self, name: str, settings: TrytonSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._records = _opened(name, settings, runtime)
        self._books = Books(name, settings, self._records)
        self._actuals = Actuals(name, settings, self._records, self._books)
        self._views = Views(name, settings.sign)
        self._target = Target(CAPABILITIES.vendor, self._overlaid)

    def check(self) -> Check:
        """Log in, find the company and count its budgets: that proves address, credential and
        rights. Raises `Rejected` where no budget is there to keep actuals, though one is named."""
        company, count = self._books.count()
        kind = "analytic budgets" if self.settings.budgets == "analytic" else "account budgets"
        said = [f"{count or 'no'} {kind}, in {company.currency.code}"]
        if self.settings.actuals_budget is not None:
            said.append(f"{self._books.keeping()} of them keep what is spent")
        return Check(f"{company.rec_name}, database {self.settings.database}", said)

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """One page: what counts when is said by lines of many budgets of Tryton."""
        shown = self._shown(kind)
        yield Page(shown.items, shown.problems)

    def get(self, kind: Kind, id: str) -> Observed:
        """One object; raises `Missing`."""
        return self._shown(kind).only(id)

    def fit(
        self, model: Budget | Allocation, until: date | None = None
    ) -> tuple[Budget | Allocation, Sequence[Loss]]:
        """With what it does not speak of as it stands there; what no line of Tryton's can be told
        is blocked."""
        if isinstance(model, Allocation):
            return model, (self._target.blocked("amount", "allocations are only read"),)
        if reason := self._why_not_written():
            return model, (self._target.blocked("amount", reason),)
        return self._target.held(model)

    def objections(self, model: Budget | Allocation) -> Sequence[Loss]:
        """No budget is made in Tryton."""
        return (Loss("name", Effect.BLOCKED, f"tryton: {_MADE_THERE}"),)

    def create(self, draft: Draft, key: str) -> Observed:
        """Raises `Unsupported`."""
        raise Unsupported(f"{self.name}: {_MADE_THERE}")

    @in_steps()
    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """Write the lines whose amount differs, in one transaction, each only as it was listed.

        Raises `Stale` where one has another amount by now, `Rejected` where there is none.
        """
        model = self._written(draft.model, fields)
        lines = self._target.take_as_listed(self.name, id, self._read_again(id))
        before = self._budget(id, lines)
        amounts = self._rewritten(lines, model) if fields else {}
        if not amounts:
            return before
        stamps = {each.line: each.stamp for each in lines if each.stamp is not None}
        if amounts.keys() - stamps.keys():
            raise Malformed(f"{self.name}: the lines of {id} have no time stamp to lock them by")
        self._records.write(ANALYTIC_LINES.name, amounts, stamps)
        self._target.lines[id] = self._read_again(id)
        return self._budget(id, self._target.lines[id])

    def record_actuals(self, rows: Sequence[Spent], *, dry_run: bool = False) -> Sequence[Recorded]:
        """As amounts of the analytic budgets that `actuals_budget` names, in one transaction."""
        return self._actuals.record(rows, dry_run=dry_run)

    def close(self) -> None:
        """Log out and give back the connections."""
        self._records.close()

    # -- reading -----------------------------------------------------------------------------

    def _shown(self, kind: Kind) -> Shown:
        match self.settings.budgets, kind:
            case "analytic", Kind.BUDGET:
                return self._analytic()
            case "analytic", _:
                return self._named_after()
            case "documents", _:
                unit, found = self._books.by_account(self.settings.names)
                budgets, shares = self._views.documents(found, unit)
                return budgets if kind is Kind.BUDGET else shares
            case _, Kind.BUDGET:
                unit, found = self._books.by_account(self.settings.names)
                entries = [entry for each in found for entry in each.entries]
                unread = [line for each in found for line in each.unread]
                return self._views.accounts(entries, unread, unit)
        return Shown()

    def _analytic(self) -> Shown:
        read = self._books.analytic()
        shown = self._views.accounts(read.entries, read.unread, read.unit)
        self._target.listed(read.unit, by_ref(read.entries), shown.budgets())
        return shown

    def _named_after(self) -> Shown:
        if not self.settings.allocations:
            return Shown()
        if self._target.unit is None:
            self._analytic()
        unit, found = self._books.by_account(self.settings.allocations)
        return self._views.named_after(found, self._target.budgets, unit)

    # -- writing -----------------------------------------------------------------------------

    def _rewritten(self, lines: Sequence[Entry], model: Budget) -> Mapping[int, Decimal]:
        return rewritten(lines, model, self.settings.sign)

    def _overlaid(self, lines: Sequence[Entry], model: Budget) -> Budget:
        return overlaid(lines, model, self._rewritten(lines, model), self.settings.sign)

    def _why_not_written(self) -> str | None:
        if self.settings.budgets != "analytic":
            return 'only amounts of budgets = "analytic" are written'
        if self.settings.key is not None:
            return "amounts are written with login and password alone, as REST takes no lock"
        return None

    def _written(self, model: Budget | Allocation, fields: Collection[str]) -> Budget:
        """The budget, where it and the fields can be written."""
        budget = self._target.ensure_written(self.name, model, fields, _MADE_THERE)
        if reason := self._why_not_written():
            raise Unsupported(f"{self.name}: {reason}")
        return budget

    def _read_again(self, id: str) -> Sequence[Entry]:
        """The lines of that budget, and of no other where its account is known."""
        known = (each.whose.id for each in self._target.lines.get(id, ()))
        read = self._books.analytic({each for each in known if each is not None} or None)
        lines = by_ref(read.entries).get(id, ())
        if not lines:
            raise Missing(f"{self.name}: there is no budget {id!r}")
        self._target.unit = read.unit
        return lines

    def _budget(self, id: str, lines: Sequence[Entry]) -> Observed:
        budget = budget_of(lines, self._target.unit or "", self.settings.sign)
        if budget is None:
            raise Missing(f"{self.name}: {id} has no amount")
        return Observed(id=id, model=budget)


def _opened(name: str, settings: TrytonSettings, runtime: Runtime) -> Records:
    """The way to the records that the settings give a credential for."""
    limiter = Limiter(*parse_rate(settings.rate_limit), runtime)
    by_key = settings.key is not None

    def client(*, rate_limited: frozenset[int] = _BUSY, **more: Any) -> HttpClient:
        dialect = Dialect(
            message=_message,
            rate_limited=rate_limited,
            credential="key" if by_key else "login and password",
        )
        return HttpClient(
            name, settings.base_url, limiter=limiter, runtime=runtime, dialect=dialect, **more
        )

    if settings.key is not None:
        key = settings.key.get_secret_value()
        return Rest(settings.database, client(headers={HEADER: f"Bearer {key}"}))
    assert settings.login is not None
    assert settings.password is not None
    pair = settings.login, settings.password.get_secret_value()
    session = Session(name, settings.base_url, settings.database, pair, client)
    return JsonRpc(name, session, client, runtime)


_BUSY = frozenset({429, 503})
"""Too many calls; or, as another transaction had the record, this one was rolled back."""


def _message(body: Any) -> str | None:
    """{"status", "message", "description"} of REST; JSON-RPC's errors are pages of HTML."""
    if not isinstance(body, dict):
        return None
    said = [body.get(each) for each in ("message", "description")]
    return ": ".join(each for each in said if isinstance(each, str) and each)
