"""Phases of allocations among what was agreed: none of them had any, so all say one amount."""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from canonical.facts import Facts, fingerprint

revision = "0008"
down_revision = "0007"

_AT = 7
_BEFORE = 11
"""How many facts an allocation had; the phases come after the first seven."""
_BATCH = 1000

_links = sa.table("links", *map(sa.column, ("id", "kind", "desired", "echo", "source")))
_baselines = sa.table("baselines", *map(sa.column, ("link_id", "desired", "echo", "stated")))


def upgrade() -> None:
    """Put them among the agreed facts, and make the fingerprints of these anew.

    What the source said is known only where it is what was wanted: elsewhere its fingerprint stays,
    and is made anew when something of the allocation changes.
    """
    connection = op.get_bind()
    for rows in _batches(connection):
        facts, prints = zip(*map(_renewed, rows), strict=True)
        at = _baselines.c.link_id == sa.bindparam("at")
        connection.execute(sa.update(_baselines).where(at), facts)
        connection.execute(sa.update(_links).where(_links.c.id == sa.bindparam("at")), prints)


def _batches(connection: sa.Connection) -> Iterator[list[Any]]:
    query = (
        sa.select(
            _links.c.id,
            _links.c.desired.label("desired"),
            _links.c.echo.label("echo"),
            _links.c.source,
            _baselines.c.desired.label("wanted"),
            _baselines.c.echo.label("answered"),
            _baselines.c.stated,
        )
        .join_from(_links, _baselines, _baselines.c.link_id == _links.c.id)
        .where(_links.c.kind == "allocation")
        .order_by(_links.c.id)
        .limit(_BATCH)
    )
    last = 0
    while rows := list(connection.execute(query.where(_links.c.id > last)).all()):
        yield rows
        last = rows[-1].id


def _renewed(row: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The agreed facts of one allocation as text, and their fingerprints."""
    before, wanted, answered = _facts(row.wanted), _phased(row.wanted), _phased(row.answered)
    said = () if row.stated is None else (_facts(row.stated),)
    facts = {"at": row.id, "desired": _text(wanted), "echo": _text(answered)}
    desired = fingerprint((*wanted, *said)) if row.desired else row.desired
    source = fingerprint(wanted) if row.source == fingerprint(before) else row.source
    prints = {"desired": desired, "echo": fingerprint(answered), "source": source}
    return facts, {"at": row.id, **prints}


def _phased(text: str) -> Facts:
    facts = _facts(text)
    return (*facts[:_AT], None, *facts[_AT:]) if len(facts) == _BEFORE else facts


def _facts(text: str) -> Facts:
    return _tuples(json.loads(text))  # type: ignore[no-any-return]


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _text(facts: Facts) -> str:
    return json.dumps(facts, ensure_ascii=False)
