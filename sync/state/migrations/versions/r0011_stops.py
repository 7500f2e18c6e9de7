"""Which syncs are paused."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the table; no sync is paused."""
    op.create_table(
        "stops",
        sa.Column("sync", sa.Text, primary_key=True),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("because", sa.Text),
    )
