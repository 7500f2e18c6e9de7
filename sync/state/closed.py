"""Closed: waits, decisions and approvals that are over, and go once they are old.

The audit has had a row for each decision and for each step of an approval. Of waits and decisions
the last row stays, so that no number comes twice.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, delete, func, select
from sqlalchemy.engine import Connection

from sync.state.store import approvals, decisions, waits

TABLES: Final = {"waits": waits, "decisions": decisions, "approvals": approvals}


def count_closed(connection: Connection, before: datetime) -> dict[str, int]:
    """How many of each were over before that moment, and would go."""
    return {
        name: connection.execute(
            select(func.count()).select_from(table).where(_over(table, before))
        ).scalar_one()
        for name, table in TABLES.items()
    }


def forget_closed(connection: Connection, before: datetime) -> dict[str, int]:
    """Let them go, within the caller's transaction; how many of each went."""
    return {
        name: connection.execute(delete(table).where(_over(table, before))).rowcount
        for name, table in TABLES.items()
    }


def _over(table: Table, before: datetime) -> ColumnElement[bool]:
    """A plan that was rejected stays so for as long as it could have been approved."""
    ended: ColumnElement[Any] = table.c.ended_at < before
    if table is approvals:
        return ended & (table.c.until < before)
    again = table.alias()
    return ended & (table.c.number < select(func.max(again.c.number)).scalar_subquery())
