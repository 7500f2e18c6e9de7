"""The ERPNext connector: what its submitted budgets state."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from canonical.allocation import Allocation
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.loss import Effect, Loss
from connectors.contract.capabilities import Capabilities
from connectors.contract.interface import Connector
from connectors.contract.records import Check, Known, Observed, Page
from connectors.contract.runtime import Runtime
from connectors.erp.shown import Shown
from connectors.erpnext.declared import CAPABILITIES, ErpnextSettings
from connectors.erpnext.reading import Books
from connectors.erpnext.site import Site
from connectors.erpnext.views import Views

_ONLY_READ: Final = "budgets are made, submitted and amended in ERPNext itself; it is only read"


class Erpnext(Connector):
    """One company's budgets in one ERPNext."""

    Settings: ClassVar = ErpnextSettings
    capabilities: ClassVar[Capabilities] = CAPABILITIES
    settings: ErpnextSettings

    def __init__(self, name: str, settings: ErpnextSettings, runtime: Runtime) -> None:
        super().__init__(name, settings, runtime)
        self._site = Site(name, settings, runtime)
        self._books = Books(name, settings, self._site)
        self._views = Views(name, settings)
        self._shares: Shown | None = None  # as read with the budgets that were listed last

    def check(self) -> Check:
        """Find the company and count its budgets: that proves address, credential and rights."""
        company, count, whole = self._books.count()
        notes = [f"{count or 'no'} budgets, in {company.default_currency}"]
        if not whole:
            notes.append("whether the user is shown all of them, ERPNext does not tell him")
        return Check(company.name, notes)

    def list(
        self, kind: Kind, cursor: str | None = None, known: Known | None = None
    ) -> Iterator[Page]:
        """One page: what a cost centre has is said by many documents.

        Allocations come without a call, once, when they are asked for after the budgets: both are
        then of one reading.
        """
        shown, self._shares = self._shares if kind is Kind.ALLOCATION else None, None
        if shown is None:
            budgets, shares = self._views.both(self._books.read())
            shown = budgets if kind is Kind.BUDGET else shares
            self._shares = shares if kind is Kind.BUDGET else None
        yield Page(shown.items, shown.problems)

    def get(self, kind: Kind, id: str) -> Observed:
        """One object, looked for among all; raises `Missing`."""
        budgets, shares = self._views.both(self._books.read())
        return (budgets if kind is Kind.BUDGET else shares).only(id)

    def objections(self, model: Budget | Allocation) -> Sequence[Loss]:
        """Nothing is made in ERPNext."""
        return (Loss("name", Effect.BLOCKED, f"erpnext: {_ONLY_READ}"),)

    def close(self) -> None:
        """Give back the connections."""
        self._site.close()
