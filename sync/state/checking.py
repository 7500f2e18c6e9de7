"""Checking the audit: that no row was changed, left out, put elsewhere or cut off.

The chain shows what was done to its middle. That its end is missing shows in a digest of the head
that was kept elsewhere, or in a run that ended and of which no row tells.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from sync.state.audit import Audit, Event, Row
from sync.state.chain import NOTHING, digest_of
from sync.state.store import Store, runs

_COLUMNS: Final = ("number", "at", "kind", "sync", "run_id", "budget_ref", "ref")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a look at the whole chain found: the rows that are there, from `first` on, and the head.

    `fault` says what is wrong, and `number` with which row first; None where all is as it was
    written. `forgotten` counts the rows that a `forget` row stands for.
    """

    rows: int
    head: str
    forgotten: int = 0
    number: int | None = None
    fault: str | None = None


@dataclass(slots=True)
class _Chain:
    """How far the chain was followed, and what its rows say of it."""

    kept: str | None
    """The digest that one of the rows must have."""
    rows: int = 0
    number: int = 0
    head: str = NOTHING
    begins_after: tuple[int, str] = (0, NOTHING)
    """The number and the digest of the row before the first that is there."""
    sealed: tuple[int, str] = (0, NOTHING)
    """The same, as the last `forget` row says it."""
    since: str = ""
    """When the first row was written that is there."""

    def fault_of(self, row: Row) -> str | None:
        """What is wrong with a row that follows; None where nothing is."""
        if self.rows == 0:
            self.begins_after = row.number - 1, row.previous
            self.number, self.head = self.begins_after
            self.since = row.at
        if row.number != self.number + 1:
            return "the row before it is missing"
        if digest_of(row.previous, row.entry) != row.digest:
            return "it was changed: its digest is not that of what it says"
        if row.number == 1 and row.kind != Event.GENESIS:
            return "the first row of a state tells of its making: somebody emptied the table"
        if row.previous != self.head:
            return "it does not follow the row before it, which was changed or exchanged"
        return _fault_of_columns(row)

    def follow(self, row: Row) -> None:
        """Go on behind a row that is as it was written."""
        self.rows, self.number, self.head = self.rows + 1, row.number, row.digest
        if row.digest == self.kept:
            self.kept = None
        if row.kind == Event.FORGET and "through" in (said := row.data["said"]):
            self.sealed = said["through"], said["digest"]
            if said["digest"] == self.kept:
                self.kept = None


def check(store: Store, kept: str | None = None) -> Finding:
    """Follow the chain from its first row to its last; the first fault ends it.

    `kept` is the digest of a head that was noted earlier: a row must have it.
    """
    chain = _Chain(kept.lower() if kept else None)
    for row in Audit(store).rows():
        if fault := _guarded(chain, row):
            return _finding(chain, row.number, fault)
        chain.follow(row)
    return _finding(chain, *_end(store, chain))


def _guarded(chain: _Chain, row: Row) -> str | None:
    try:
        return chain.fault_of(row)
    except (ValueError, LookupError, TypeError, AttributeError):
        return "it cannot be read"


def _fault_of_columns(row: Row) -> str | None:
    """Whether what is looked for, the columns, is what the entry says."""
    said: dict[str, Any] = row.data
    for name in _COLUMNS:
        if said[name] != getattr(row, name):
            return f"its column {name} was changed: it is not what the entry says"
    return None


def _end(store: Store, chain: _Chain) -> tuple[int | None, str | None]:
    """What only the whole shows: a beginning or an end that is missing."""
    if chain.rows == 0:
        return 1, "there is no row at all; the first one is written when the state is made"
    if chain.begins_after != chain.sealed:
        return chain.begins_after[0] + 1, "rows before it are missing, and no row tells why"
    if chain.kept is not None:
        gone = f", unless it is of one of the {chain.sealed[0]} rows that were forgotten"
        said = (
            "no row has the digest that was given: rows at the end are missing, or were rewritten"
        )
        return chain.number, said + (gone if chain.sealed[0] else "")
    if (lost := _untold(store, chain.since)) is not None:
        said = f"run {lost} ended after it, and no row tells of that: rows at the end are missing"
        return chain.number, said
    return None, None


def _untold(store: Store, since: str) -> str | None:
    """The last run, where it ended after that moment and no row tells of its end."""
    ended = select(runs.c.run_id).where(runs.c.ended_at > datetime.fromisoformat(since))
    with store.read() as connection:
        last = connection.execute(ended.order_by(runs.c.number.desc()).limit(1)).scalar()
    return last if last is not None and not Audit(store).tells_end_of(last) else None


def _finding(chain: _Chain, number: int | None, fault: str | None) -> Finding:
    return Finding(
        rows=chain.rows,
        head=chain.head,
        forgotten=chain.begins_after[0],
        number=number,
        fault=fault,
    )
