"""One operation on the tables: read in its transaction, written, and read again."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from msgspec.structs import replace
from sqlalchemy.engine import Connection

from canonical.allocation import Allocation, Status
from canonical.budget import Budget
from canonical.kind import Kind
from canonical.text import joined
from connectors.contract.capabilities import Capabilities
from connectors.contract.departure import leaving
from connectors.contract.errors import Malformed, Missing, Rejected, Unsupported
from connectors.contract.records import Observed
from connectors.rows.layout import Cells
from connectors.rows.reading import Index, allocation_id, ref_of
from connectors.rows.written import (
    Model,
    as_wanted,
    checked_allocation,
    checked_budget,
    merged,
    unlike,
)
from connectors.sql.answers import Answer
from connectors.sql.kept import KeptTable, exact
from connectors.sql.own import Own
from connectors.sql.writing import Held, write

Asked: TypeAlias = Callable[[Connection], tuple[Own, Mapping[Kind, list[tuple[object, ...]]]]]


class Writer:
    """One transaction's view of the tables."""

    def __init__(
        self,
        system: str,
        connection: Connection,
        tables: Mapping[Kind, KeptTable],
        capabilities: Capabilities,
        currency: str | None,
    ) -> None:
        self._system, self._connection, self._tables = system, connection, tables
        self._capabilities, self._currency = capabilities, currency
        self._rows: dict[Kind, list[tuple[object, ...]]] = {}
        self._read = self._reread()

    def create(self, kind: Kind, model: Model, id: str) -> Observed:
        """The object; what is there with equal facts stays."""
        if kind not in self._tables:
            raise Rejected(f"{self._system} has no table of {kind}s", hint="Set allocations_table")
        if isinstance(model, Allocation) and "ref" not in self._tables[kind].names:
            model = replace(model, ref=f"{model.entity.type}:{model.entity.id}")
            id = joined(model.budget, model.ref)
        try:
            seen = self._read.get(kind, id)
        except Missing:
            return self._put(kind, model, id, None)
        except Malformed as error:
            raise Rejected(f"{id} is there already and cannot be read: {error}") from None
        return as_wanted(id, model, seen, exact(self._capabilities, kind))

    def update(self, kind: Kind, wanted: Model, id: str, fields: Collection[str]) -> Observed:
        """The object with `fields` as `wanted` has them; raises `Missing`."""
        current = self._read.get(kind, id).model
        return self._put(kind, merged(current, wanted, fields), id, current)

    def retire(self, kind: Kind, id: str) -> None:
        """Sets the status to retired; raises `Missing`."""
        if "status" not in self._tables[kind].names:
            raise Unsupported(f"table {self._tables[kind].said} has no column status")
        current = self._read.get(kind, id).model
        if current.status is not Status.RETIRED:
            self._put(kind, replace(current, status=Status.RETIRED), id, current)

    def _put(self, kind: Kind, model: Model, id: str, current: Model | None) -> Observed:
        held, index = exact(self._capabilities, kind), self._read.index()
        after = _said(model, index, held)
        before = [] if current is None else _said(current, index, ())
        rows = [] if current is None else self._held(kind, id)
        leaving()
        write(self._connection, self._tables[kind], rows, before, after)
        self._read = self._reread()
        try:
            stored = self._read.get(kind, id)
        except (Missing, Malformed) as error:
            raise Rejected(f"{id} is not kept as it is written: {error}") from None
        if lost := unlike(model, stored.model, held):
            raise Rejected(f"{id}: the table does not keep its {', '.join(lost)} as written")
        return stored

    def _held(self, kind: Kind, id: str) -> list[Held]:
        names = list(self._tables[kind].names)
        found: list[Held] = []
        for number, cells in self._read.cells(kind):
            own = ref_of(cells["ref"]) if kind is Kind.BUDGET else allocation_id(cells)[1]
            if own == id:
                values = dict(zip(names, self._rows[kind][number - 1], strict=True))
                found.append(Held(values, cells.get("start", "").strip()[:10]))
        return found

    def _reread(self) -> Own:
        answers: dict[Kind, Answer] = {}
        for kind, table in self._tables.items():
            options = {"no_parameters": True}
            result = self._connection.exec_driver_sql(table.query(), execution_options=options)
            self._rows[kind] = [tuple(row) for row in result]
            answers[kind] = Answer(table.said, list(table.names), self._rows[kind])
        shares = answers.get(Kind.ALLOCATION)
        return Own(self._system, answers[Kind.BUDGET], shares, self._currency)


def _said(model: Model, index: Index, held: Collection[str]) -> list[Cells]:
    """The rows that state the object; raises `Rejected` for what no row would give back."""
    if isinstance(model, Budget):
        return [*checked_budget(model, index, held)[0]]
    return [*checked_allocation(model, index, held)[0]]
