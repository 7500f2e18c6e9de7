"""Tables of budgets and allocations in our own columns, of which rows are written.

A column that is not ours is neither read nor written. An operation is one transaction: the rows are
read in it, only the cells that change are written, where the row still is what was read, and what
stands there then is read again before anything counts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import inspect
from sqlalchemy.engine import Connection
from sqlalchemy.sql import quoted_name

from canonical.kind import Kind
from connectors.contract.capabilities import Capabilities, Hold, Removal
from connectors.contract.errors import Unreadable
from connectors.rows.layout import ALLOCATIONS, BUDGETS, DIMENSION, LIMITS
from connectors.sql.declared import CAPABILITIES, CLEARED

_LAYOUTS: Final = {Kind.BUDGET: BUDGETS, Kind.ALLOCATION: ALLOCATIONS}
_BY_COLUMN: Final = (
    "name", "description", "amount", "cadence", "start", "end", "status", "parent", "owners",
    "enforcement", "carry_over",
)  # fmt: skip
"""Fields of a budget that are columns of the same name."""
_FOLLOWED: Final = ("currency", "cadence", "start", "end", "enforcement", "carry_over")


@dataclass(frozen=True, slots=True)
class KeptTable:
    """A table: its name as SQL writes it, and of each column of ours its own name and type."""

    said: str
    kind: Kind
    sql: str
    names: Mapping[str, str]
    types: Mapping[str, Any]

    def query(self) -> str:
        """All its rows, of each the columns that are ours."""
        return f"SELECT {', '.join(self.names.values())} FROM {self.sql}"  # noqa: S608 -- names are quoted


def kept_table(connection: Connection, said: str, kind: Kind) -> KeptTable:
    """The table that the settings name; raises `Unreadable` where it is not there, or not ours."""
    schema, _, name = said.rpartition(".")
    inspector = inspect(connection)
    own = quoted_name(name, quote=True)
    within = quoted_name(schema, quote=True) if schema else None
    if not inspector.has_table(own, schema=within):
        raise Unreadable(
            f"there is no table {said}, or this user may not see it",
            hint="Correct its name in the settings file",
        )
    quote = connection.dialect.identifier_preparer.quote_identifier
    names: dict[str, str] = {}
    types: dict[str, Any] = {}
    for each in inspector.get_columns(own, within):
        column = _LAYOUTS[kind].spelling(each["name"])
        if column is None:
            continue
        if column in names:
            raise Unreadable(f"table {said}: column {column} stands there twice")
        names[column], types[column] = quote(each["name"]), each["type"]
    if lacking := [each for each in _LAYOUTS[kind].required if each not in names]:
        raise Unreadable(
            f"table {said} lacks {', '.join(lacking)}",
            hint=f"A table of {_LAYOUTS[kind].noun} has our own columns: say others by a query",
        )
    sql = f"{quote(schema)}.{quote(name)}" if schema else quote(name)
    return KeptTable(said, kind, sql, names, types)


def able(tables: Mapping[Kind, KeptTable], *, actuals: bool) -> Capabilities:
    """What such tables hold: what has no column is dropped."""
    budgets, shares = tables[Kind.BUDGET].names, tables.get(Kind.ALLOCATION)
    return replace(
        CAPABILITIES,
        budget=_budget(budgets),
        allocation={} if shares is None else _allocation(shares.names),
        removal=_removal(tables.values()),
        revives=frozenset(k for k, each in tables.items() if "status" in each.names),
        clearable=CLEARED,
        takes_actuals=frozenset(Kind) if actuals else frozenset(),
        unit_of_writing="one object, in one transaction",
    )


def _budget(names: Collection[str]) -> Mapping[str, Hold]:
    held = {each for each in _BY_COLUMN if each in names} | {"currency"}
    held |= {"phases"} if {"start", "end"} <= {*names} else set()
    held |= {"limits"} if {*LIMITS} <= {*names} else set()
    held |= {"dimensions"} if any(each.startswith(DIMENSION) for each in names) else set()
    return dict.fromkeys(sorted(held), Hold.EXACT)


def _allocation(names: Collection[str]) -> Mapping[str, Hold]:
    held = {"budget": Hold.READ_ONLY, "entity": Hold.EXACT, "amount": Hold.EXACT}
    held |= dict.fromkeys(_FOLLOWED, Hold.FOLLOWS)
    held |= {"status": Hold.EXACT} if "status" in names else {}
    return held | ({"phases": Hold.EXACT} if {"start", "end"} <= {*names} else {})


def _removal(tables: Collection[KeptTable]) -> Removal:
    return Removal.RETIRE if all("status" in each.names for each in tables) else Removal.NONE


def exact(capabilities: Capabilities, kind: Kind) -> Sequence[str]:
    """The fields of `kind` that are given back as they were written."""
    held = capabilities.budget if kind is Kind.BUDGET else capabilities.allocation
    return [name for name, hold in held.items() if hold is Hold.EXACT]
