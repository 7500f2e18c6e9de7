"""The audit: rows that each hold the digest of the one before, from a first one on."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from sync.state.genesis import genesis

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table, and the row that the chain begins with.

    It names the state and counts what was there before, of which the audit tells nothing.
    """
    table = op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("sync", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("budget_ref", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    connection = op.get_bind()
    config = op.get_context().config
    now: datetime = config.attributes["now"] if config else datetime.now(UTC)
    connection.execute(sa.insert(table).values(**genesis(now, _before(connection))))


def _before(connection: sa.Connection) -> dict[str, int]:
    """The numbers of the last run and the last operation that there were."""
    number = sa.column("number", sa.Integer)
    return {
        name: connection.execute(
            sa.select(sa.func.max(number)).select_from(sa.table(name))
        ).scalar_one()
        or 0
        for name in ("runs", "operations")
    }
