"""Renaming: all that the state remembers of an object goes on under another ref.

The link, what both sides agreed, what names it as the one above, and the journal, by which a run
is undone, follow. The audit keeps what it was told.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, update
from sqlalchemy.engine import Connection

from canonical.kind import Kind
from sync.match import Key
from sync.state.ledger import Ledger
from sync.state.places import ABOVE
from sync.state.store import baselines, decisions, links, operations, waits

_KEPT = ("desired", "shown")
"""Facts in the owner's terms; those of the target name what is above by its own id."""


class Rename(NamedTuple):
    """One object that is to be known by the key `new`, and was by `old`: (budget_ref, ref)."""

    kind: Kind
    old: Key
    new: Key


def rename(
    connection: Connection, ledger: Ledger, sync: str, renames: Iterable[Rename], below: list[int]
) -> None:
    """Let each be known by its new key, within the caller's transaction.

    `below` are the ids of the links whose facts may name a renamed budget. What is renamed is read
    and compared anew by the next plan.
    """
    renames = list(renames)
    budgets: dict[str, str | None] = {
        each.old[1]: each.new[1] for each in renames if each.kind is Kind.BUDGET
    }
    ledger.outdate_versions(connection, {each.old[0] or each.old[1] for each in renames})
    for each in renames:
        for table in (links, operations, waits, decisions):
            _move(connection, table, sync, each)
    name_above(connection, below, budgets)


def _move(connection: Connection, table: Table, sync: str, each: Rename) -> None:
    at = table.c
    this = (at.sync == sync) & (at.kind == each.kind.value)
    this &= (at.budget_ref == each.old[0]) & (at.ref == each.old[1])
    values: dict[str, Any] = {"budget_ref": each.new[0], "ref": each.new[1]}
    if table is links:
        values |= {"desired": b"", "echo": b""}
    connection.execute(update(table).where(this).values(values))
    if each.kind is Kind.BUDGET and table is not links:  # of shares that are linked no more, too
        within = (at.sync == sync) & (at.budget_ref == each.old[1])
        connection.execute(update(table).where(within).values(budget_ref=each.new[1]))


def name_above(
    connection: Connection, below: Sequence[int], budgets: Mapping[str, str | None]
) -> None:
    """Let the agreed facts of those links name the budget above by its new ref, or none where that
    is None; the next plan compares them anew. Within the caller's transaction."""
    for start in range(0, len(below), 500):
        _name_above(connection, below[start : start + 500], budgets)


def _name_above(
    connection: Connection, ids: Sequence[int], budgets: Mapping[str, str | None]
) -> None:
    columns = (links.c.id, links.c.kind, *(baselines.c[name] for name in _KEPT))
    both = links.join(baselines, baselines.c.link_id == links.c.id)
    query = both.select().with_only_columns(*columns).where(links.c.id.in_(ids))
    moved = []
    for row in connection.execute(query).mappings():
        told = {name: _told(row[name], ABOVE[Kind(row["kind"])], budgets) for name in _KEPT}
        if any(told[name] != row[name] for name in _KEPT):
            moved.append(told | {"at": row["id"]})
    if moved:
        these = update(baselines).where(baselines.c.link_id == bindparam("at"))
        connection.execute(these, moved)
        again = update(links).where(links.c.id.in_([each["at"] for each in moved]))
        connection.execute(again.values(desired=b""))


def _told(text: str | None, at: int, budgets: Mapping[str, str | None]) -> str | None:
    if text is None:
        return None
    facts = json.loads(text)
    if not isinstance(facts, list) or len(facts) <= at or facts[at] not in budgets:
        return text
    facts[at] = budgets[facts[at]]
    return json.dumps(facts, ensure_ascii=False)
