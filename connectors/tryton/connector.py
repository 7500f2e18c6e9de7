"""The Tryton connector: what its books state, and the amounts that can be changed in them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.identity import natural_key
from canonical.kind import Kind
from canonical.loss import Effect, Loss
from canonical.spent import Spent
from connectors.calling.answers import Dialect
from connectors.calling.client import HttpClient
from connectors.calling.limiter import Limiter
from connectors.calling.steps import in_steps
from connectors.contract.capabilities import Capabilities
from connectors.contract.errors import Malformed, Missing, Rejected, Stale, Unsupported
from connectors.contract.interface import Connector
from connectors.contract.records import Check, Draft, Known, Observed, Page, Recorded
from connectors.contract.runtime import Runtime
from connectors.contract.settings import parse_rate
from connectors.tryton.actuals import Actuals
from connectors.tryton.declared import CAPABILITIES, TrytonSettings
from connectors.tryton.entries import Entry
from connectors.tryton.mapping import budget_of, by_ref, rewritten
from connectors.tryton.reading import Books
from connectors.tryton.records import Records
from connectors.tryton.rest import Rest
from connectors.tryton.rpc import JsonRpc
from connectors.tryton.session import HEADER, Session
from connectors.tryton.views import Shown, Views
from connectors.tryton.wire import ANALYTIC_LINES

_AMOUNTS = frozenset({"amount", "phases"})
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
        self._unit: str | None = None
        self._lines: dict[str, Sequence[Entry]] = {}
        self._listed: Mapping[str, Budget] = {}
        self._named: dict[str, list[Budget]] = {}

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
        return _only(self._shown(kind), id)

    def fit(
        self, model: Budget | Allocation, until: date | None = None
    ) -> tuple[Budget | Allocation, Sequence[Loss]]:
        """As it is; what no line of Tryton's can be told is blocked."""
        return model, tuple(self._unheld(model))

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
        lines = self._as_listed(id)
        before = self._budget(id, lines)
        amounts = rewritten(lines, model, self.settings.sign) if fields else {}
        if not amounts:
            return before
        stamps = {each.line: each.stamp for each in lines if each.stamp is not None}
        if amounts.keys() - stamps.keys():
            raise Malformed(f"{self.name}: the lines of {id} have no time stamp to lock them by")
        self._records.write(ANALYTIC_LINES.name, amounts, stamps)
        self._lines[id] = self._read_again(id)
        return self._budget(id, self._lines[id])

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
        self._unit, self._lines = read.unit, dict(by_ref(read.entries))
        shown = self._views.accounts(read.entries, read.unread, read.unit)
        self._listed, self._named = shown.budgets(), defaultdict(list)
        for budget in self._listed.values():
            self._named[natural_key(budget)].append(budget)
        return shown

    def _named_after(self) -> Shown:
        if not self.settings.allocations:
            return Shown()
        if self._unit is None:
            self._analytic()
        unit, found = self._books.by_account(self.settings.allocations)
        return self._views.named_after(found, self._listed, unit)

    # -- writing -----------------------------------------------------------------------------

    def _unheld(self, model: Budget | Allocation) -> Iterator[Loss]:
        if isinstance(model, Allocation):
            yield _blocked("amount", "allocations are only read")
        elif reason := self._why_not_written():
            yield _blocked("amount", reason)
        elif self._unit and model.amount and model.amount.unit != self._unit:
            yield _blocked("currency", f"the company keeps its books in {self._unit}")
        elif there := self._counterpart(model):
            yield from self._unwritten(model, there)

    def _unwritten(self, model: Budget, there: Budget) -> Iterator[Loss]:
        """What of the amounts, and of when they count, no line of `there` can be told."""
        if model.cadence is not there.cadence:
            yield _blocked("cadence", f"the lines of {there.ref} count {there.cadence}")
            return
        try:
            rewritten(self._lines[there.ref], model, self.settings.sign)
        except Rejected as error:
            yield _blocked("phases", f"{error}")

    def _counterpart(self, model: Budget) -> Budget | None:
        """The budget as it was listed: of that ref, or else the only one of that name."""
        if model.ref in self._listed:
            return self._listed[model.ref]
        named = self._named.get(natural_key(model), ())
        return named[0] if len(named) == 1 else None

    def _why_not_written(self) -> str | None:
        if self.settings.budgets != "analytic":
            return 'only amounts of budgets = "analytic" are written'
        if self.settings.key is not None:
            return "amounts are written with login and password alone, as REST takes no lock"
        return None

    def _written(self, model: Budget | Allocation, fields: Collection[str]) -> Budget:
        """The budget, where it and the fields can be written."""
        if isinstance(model, Allocation) or set(fields) - _AMOUNTS:
            what = ", ".join(sorted(set(fields) - _AMOUNTS)) or "allocations"
            raise Unsupported(f"{self.name}: {_MADE_THERE}, and no {what}")
        if reason := self._why_not_written():
            raise Unsupported(f"{self.name}: {reason}")
        return model

    def _as_listed(self, id: str) -> Sequence[Entry]:
        """The lines of that budget as they are now, which is as they were listed."""
        lines = self._read_again(id)
        now = {each.line: each.amount for each in lines}
        if any(now.get(each.line) != each.amount for each in self._lines.get(id, ())):
            raise Stale(f"{self.name}: the amounts of {id} are others by now")
        self._lines[id] = lines
        return lines

    def _read_again(self, id: str) -> Sequence[Entry]:
        """The lines of that budget, and of no other where its account is known."""
        known = (each.whose.id for each in self._lines.get(id, ()))
        read = self._books.analytic({each for each in known if each is not None} or None)
        lines = by_ref(read.entries).get(id, ())
        if not lines:
            raise Missing(f"{self.name}: there is no budget {id!r}")
        self._unit = read.unit
        return lines

    def _budget(self, id: str, lines: Sequence[Entry]) -> Observed:
        budget = budget_of(lines, self._unit or "", self.settings.sign)
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


def _blocked(field: str, reason: str) -> Loss:
    return Loss(field, Effect.BLOCKED, f"tryton: {reason}")


def _only(shown: Shown, id: str) -> Observed:
    for item in shown.items:
        if item.id == id:
            return item
    for problem in shown.problems:
        if problem.ref == id:
            raise Malformed(f"{problem.where}: {problem.message}")
    raise Missing(f"there is no {id!r}")
