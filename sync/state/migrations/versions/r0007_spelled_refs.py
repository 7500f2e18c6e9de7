"""Refs in the spelling in which they are read now: composed, with plain blanks."""

import sqlalchemy as sa
from alembic import op

from canonical.text import Unkept, ref

revision = "0007"
down_revision = "0006"

_links = sa.table("links", *map(sa.column, ("id", "sync", "kind", "budget_ref", "ref")))
_operations = sa.table("operations", *map(sa.column, ("number", "budget_ref", "ref")))


def upgrade() -> None:
    """Spell the refs anew, so that what was linked under another spelling stays linked.

    A link whose new spelling another one has already keeps its own: which of the two objects is
    meant is for a person to say.
    """
    connection = op.get_bind()
    rows = connection.execute(sa.select(_links)).all()
    taken = {tuple(row[1:]) for row in rows}
    for id, sync, kind, above, own in rows:
        spelled = _spelled(above), _spelled(own)
        if spelled == (above, own) or (sync, kind, *spelled) in taken:
            continue
        taken.add((sync, kind, *spelled))
        _respell(connection, _links, _links.c.id == id, spelled)
    for number, above, own in connection.execute(sa.select(_operations)).all():
        spelled = _spelled(above), _spelled(own)
        if spelled != (above, own):
            _respell(connection, _operations, _operations.c.number == number, spelled)


def _respell(
    connection: sa.Connection,
    table: sa.TableClause,
    this: sa.ColumnElement[bool],
    spelled: tuple[str, str],
) -> None:
    above, own = spelled
    connection.execute(sa.update(table).where(this).values(budget_ref=above, ref=own))


def _spelled(text: str) -> str:
    try:
        return ref(text)
    except Unkept:
        return text
