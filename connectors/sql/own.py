"""Answers whose columns have our own names, read as a file with those columns is."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace

from canonical.kind import Kind
from canonical.problem import Problem
from connectors.contract.errors import Malformed, Missing
from connectors.contract.records import Observed
from connectors.rows.layout import ALLOCATIONS, BUDGETS
from connectors.rows.reading import Index, index_of, read_allocations, read_budgets
from connectors.sql.answers import Answer
from connectors.sql.tables import table_of


class Own:
    """The budgets and allocations of one snapshot."""

    def __init__(
        self, system: str, budgets: Answer, shares: Answer | None, currency: str | None
    ) -> None:
        """Raises `Unreadable` for columns that are not ours, or that are missing."""
        layout = BUDGETS
        if currency is None:
            layout = replace(layout, required=(*layout.required, "currency"))
        self._system, self._currency = system, currency
        self._budgets = table_of(budgets, layout)
        self._shares = None if shares is None else table_of(shares, ALLOCATIONS)
        self._signature = budgets.signature
        self._known: Index | None = None

    def counts(self) -> tuple[int, int]:
        """How many budgets there are, and how many rows of allocations."""
        shares = 0 if self._shares is None else sum(1 for _ in self._shares.rows())
        return len(self.index().units), shares

    def stream(self, kind: Kind, only: str | None = None) -> Iterator[Observed | Problem]:
        """Every object of that kind, or the one with id `only`, and every row that was refused."""
        index = self.index()
        if kind is Kind.BUDGET:
            yield from read_budgets(self._budgets, index, self._system, only)
            return
        if index.aside is None:
            deque(read_budgets(self._budgets, index, self._system), maxlen=0)
        if self._shares is not None:
            yield from read_allocations(self._shares, index, self._system, only)

    def get(self, kind: Kind, id: str) -> Observed:
        """The object; raises `Missing`, or `Malformed` where its rows cannot be read."""
        for each in self.stream(kind, id):
            if isinstance(each, Observed):
                return each
            raise Malformed(f"{each.where}: {each.message}")
        raise Missing(f"there is no {kind} {id!r} in {self._system}")

    def index(self) -> Index:
        """Who is among the budgets."""
        if self._known is None:
            self._known = index_of(self._budgets, self._signature, self._currency)
        return self._known

    def cells(self, kind: Kind) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Every row that says something, by its number from 1 on."""
        table = self._budgets if kind is Kind.BUDGET else self._shares
        for number, cells, _ in table.rows() if table is not None else ():
            assert isinstance(number, int)
            yield number, {"ref": "", "budget": "", **cells}
