"""The Odoo connector: what a company's budgets plan, and the amounts that can be changed there."""

from collections import defaultdict
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
from connectors.contract.errors import Unsupported
from connectors.contract.interface import Connector
from connectors.contract.records import Check, Draft, Known, Observed, Page, Recorded
from connectors.contract.runtime import Runtime
from connectors.contract.settings import parse_rate
from connectors.erp.entries import Entry
from connectors.erp.mapping import by_ref, turned
from connectors.erp.shown import Shown
from connectors.erp.target import Target
from connectors.odoo.actuals import Actuals
from connectors.odoo.company import Books
from connectors.odoo.declared import CAPABILITIES, OdooSettings
from connectors.odoo.entries import Planned
from connectors.odoo.json2 import DATABASE, Json2
from connectors.odoo.reading import Read, Reader
from connectors.odoo.records import Records
from connectors.odoo.rounding import rounded
from connectors.odoo.rpc import JsonRpc
from connectors.odoo.views import Views, changes, stated_then

_MADE_THERE = "budgets are made and removed in Odoo itself; only their amounts are written"


class Odoo(Connector):
    """One company's budgets in one Odoo."""

    Settings: ClassVar = OdooSettings
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings: OdooSettings

    def __init__(self, name: str, settings: OdooSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._records = _opened(name, settings, runtime)
        self._reader = Reader(name, settings, self._records)
        self._actuals = Actuals(self._records, self._reader)
        self._views = Views(name, sums=settings.sum_documents)
        self._target = Target(CAPABILITIES.vendor, stated_then)
        self._books: Books | None = None
        self._unshared: Read | None = None  # what was read for budgets, and not yet for shares

    def check(self) -> Check:
        """Log in, find the company and read its budgets: that proves address, credential and
        rights. Raises `Rejected` where no budget is there to keep actuals, though one is named."""
        read = self._reader.read()
        budgets = self._views.budgets(read).budgets()
        notes = [f"{len(budgets) or 'no'} budgets, in {read.books.unit}"]
        if read.without:
            notes.append(f"{read.without} lines name no analytic account and are not read")
        if self.settings.actuals_budget is not None:
            kept = {each.whose.ref for each in self._reader.kept().entries}
            notes.append(f"what is spent is kept for {len(kept) or 'none'} of them")
        return Check(f"{read.books.name}, database {self.settings.database}", notes)

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """One page: what counts when is said by lines of many budgets of Odoo."""
        shown = self._shown(kind)
        yield Page(shown.items, shown.problems)

    def get(self, kind: Kind, id: str) -> Observed:
        """One object; raises `Missing`."""
        self._unshared = None
        return self._shown(kind).only(id)

    def fit(
        self, model: Budget | Allocation, until: date | None = None
    ) -> tuple[Budget | Allocation, Sequence[Loss]]:
        """Its amounts in the rounding of the company's currency, and what it does not speak of as
        it stands there; what no line of Odoo's can be told is blocked."""
        if isinstance(model, Allocation):
            return model, (self._target.blocked("amount", "allocations are only read"),)
        if self._books is None:
            return model, ()
        held, losses = rounded(model, self._books, CAPABILITIES.vendor)
        whole, blocked = self._target.held(held)
        return whole, (*losses, *blocked)

    def objections(self, model: Budget | Allocation) -> Sequence[Loss]:
        """No budget is made in Odoo."""
        return (Loss("name", Effect.BLOCKED, f"odoo: {_MADE_THERE}"),)

    def create(self, draft: Draft, key: str) -> Observed:
        """Raises `Unsupported`."""
        raise Unsupported(f"{self.name}: {_MADE_THERE}")

    @in_steps()
    def update(self, id: str, draft: Draft, fields: Collection[str], key: str) -> Observed:
        """Write the lines whose amount differs, those of one amount in one transaction, where all
        of them are as they were listed.

        Raises `Stale` where one has another amount by now, `Rejected` where there is none.
        """
        model = self._target.ensure_written(self.name, draft.model, fields, _MADE_THERE)
        lines = self._target.take_as_listed(self.name, id, self._read_again(id))
        amounts = changes(lines, model) if fields else {}
        for amount, ids in _by_amount(lines, amounts).items():
            values = {self._reader.family.amount: amount}
            self._records.write(self._reader.family.lines, ids, values)
        if amounts:
            lines = self._target.lines[id] = self._read_again(id)
        budget = self._views.budget(lines, self._target.unit or "")
        assert budget is not None
        return Observed(id=id, model=budget)

    def record_actuals(self, rows: Sequence[Spent], *, dry_run: bool = False) -> Sequence[Recorded]:
        """As amounts of the budgets of Odoo that `actuals_budget` names."""
        return self._actuals.record(rows, dry_run=dry_run)

    def close(self) -> None:
        """Give back the connections."""
        self._records.close()

    # -- reading -----------------------------------------------------------------------------

    def _shown(self, kind: Kind) -> Shown:
        if kind is Kind.BUDGET:
            return self._budgets()
        if not self.settings.allocations:
            return Shown()
        if self._unshared is None:
            self._budgets()
        read, self._unshared = self._unshared, None
        assert read is not None
        return self._views.shares(read, self._target.budgets)

    def _budgets(self) -> Shown:
        read = self._unshared = self._reader.read()
        self._books = read.books
        shown = self._views.budgets(read)
        self._target.listed(read.books.unit, by_ref(read.entries), shown.budgets())
        return shown

    # -- writing -----------------------------------------------------------------------------

    def _read_again(self, id: str) -> Sequence[Entry]:
        """The lines of that budget, and of no other where its account is known."""
        known = (each.whose.id for each in self._target.lines.get(id, ()))
        read = self._reader.read({each for each in known if each is not None} or None)
        self._views.budgets(read).only(id)  # raises where it is not there, or not whole
        self._target.unit = read.books.unit
        return by_ref(read.entries)[id]


def _by_amount(lines: Sequence[Entry], amounts: Mapping[int, Decimal]) -> dict[Decimal, list[int]]:
    """The lines by what Odoo is to hold in them."""
    factors = {each.line: each.factor for each in lines if isinstance(each, Planned)}
    found: dict[Decimal, list[int]] = defaultdict(list)
    for line, amount in amounts.items():
        found[turned(amount, factors[line])].append(line)
    return found


def _opened(name: str, settings: OdooSettings, runtime: Runtime) -> Records:
    """The way to the records that the settings give a credential for."""
    limiter = Limiter(*parse_rate(settings.rate_limit), runtime)
    by_key = settings.key is not None
    dialect = Dialect(message=_message, credential="key" if by_key else "login and password")

    def client(**more: Any) -> HttpClient:
        return HttpClient(
            name, settings.base_url, limiter=limiter, runtime=runtime, dialect=dialect, **more
        )

    if settings.key is not None:
        bearer = f"bearer {settings.key.get_secret_value()}"
        headers = {"Authorization": bearer, DATABASE: settings.database}
        return Json2(name, client(headers=headers))
    assert settings.login is not None
    assert settings.password is not None
    pair = settings.login, settings.password.get_secret_value()
    return JsonRpc(name, settings.database, pair, client)


def _message(body: Any) -> str | None:
    """{"name", "message", "arguments", "context", "debug"} of JSON-2; others are pages of HTML."""
    said = body.get("message") if isinstance(body, dict) else None
    return said if isinstance(said, str) else None
