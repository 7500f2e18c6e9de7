"""Money that moves in VTEX: what may fund an order, what was booked, and what is only reserved.

Only read, and only where somebody asks: no run does.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from canonical.allocation import Entity
from canonical.amount import Amount
from canonical.kind import Kind
from connectors.calling.client import HttpClient, Safety
from connectors.calling.parsing import known, parsed
from connectors.vtex.mapping import Terms, actual_of, amount_of
from connectors.vtex.reading import Reader
from connectors.vtex.wire import IS_DEBIT, SPELT, VtexHit, VtexHits, VtexMovement, moment


@dataclass(frozen=True, slots=True)
class Funding:
    """An allocation that may fund an order, with what is left of it and of its budget."""

    allocation: str
    entity: Entity
    left: Amount | None
    left_of_budget: Amount | None


@dataclass(frozen=True, slots=True)
class Movement:
    """Money taken from an allocation or given back to it (negative), booked or only reserved.

    `spent` has no sign where VTEX does not say which of the two it is. `status` is a reservation's.
    """

    id: str
    allocation: str
    spent: Amount
    at: datetime | None
    reference: str | None
    status: str | None


class Movements:
    """Reads them in the `terms` of the day."""

    def __init__(self, http: HttpClient, reader: Reader, terms: Callable[[], Terms]) -> None:
        self._http, self._reader, self._terms = http, reader, terms

    def funding(self, entities: Sequence[Entity]) -> Sequence[Funding]:
        """The allocations, of all units, that may fund an order of these entities."""
        terms, found = self._terms(), []
        body = {"items": [terms.entities.theirs(entity).model_dump() for entity in entities]}
        for unit in self._reader.all_units():
            path = f"{self._reader.unit_path(unit)}/allocations/query"
            answer = self._http.call("POST", path, json=body, safety=Safety.SAFE)
            found += [funding_of(hit, unit, terms) for hit in parsed(VtexHits, answer).items]
        return found

    def statements(self, id: str) -> Iterator[Movement]:
        """What was booked on a budget, or on one allocation, in the order that VTEX has."""
        kind = Kind.BUDGET if id.count("/") == 1 else Kind.ALLOCATION
        return self._listed(f"{self._reader.path(kind, id)}/statements", id, "transactions")

    def reservations(self, allocation: str, status: str | None = None) -> Iterator[Movement]:
        """What is set aside on an allocation for orders that are not booked yet.

        `status` is RESERVED, CONFIRMED or CANCELED; None for all.
        """
        path = f"{self._reader.path(Kind.ALLOCATION, allocation)}/reservations"
        return self._listed(path, allocation, "items", status)

    def transaction(self, allocation: str, id: str) -> Movement:
        """One booking on an allocation, with its reference; raises `Missing`."""
        path = f"{self._reader.path(Kind.ALLOCATION, allocation)}/transactions/{quote(id, safe='')}"
        found = self._http.call("GET", path, safety=Safety.SAFE)
        return movement_of(parsed(VtexMovement, found), _budget_of(allocation), self._terms())

    def _listed(
        self, path: str, id: str, items: str, status: str | None = None
    ) -> Iterator[Movement]:
        terms = self._terms()
        for page in self._reader.pages(path, items, below=True, status=status):
            for record in page.items:
                yield movement_of(parsed(VtexMovement, record), _budget_of(id), terms)


def funding_of(wire: VtexHit, unit: str, terms: Terms) -> Funding:
    """An allocation that their query found."""
    ref = f"{unit}/{wire.budget_id}/{wire.allocation_id}"
    balances = (wire.allocation_balance, wire.budget_balance)
    left, above = (
        actual.remaining if (actual := actual_of(ref, each, terms)) else None for each in balances
    )
    return Funding(ref, terms.entities.ours(wire.linked_entity), left, above)


def movement_of(wire: VtexMovement, budget: str, terms: Terms) -> Movement:
    """A transaction, a reservation or a line of a statement.

    VTEX's samples write a DEBIT with either sign: its type says which way the money went.
    """
    spent = amount_of(wire.amount, terms)
    if wire.type is not None:
        debit = known(IS_DEBIT, wire.type.upper(), "type")
        spent = abs(spent) if debit else -abs(spent)
    at = moment(wire.date) if wire.date else None
    allocation = f"{budget}/{wire.allocation_id}"
    status = SPELT.get(wire.status, wire.status) if wire.status else None
    return Movement(wire.id, allocation, spent, at, wire.reference, status)


def _budget_of(id: str) -> str:
    return "/".join(id.split("/")[:2])
