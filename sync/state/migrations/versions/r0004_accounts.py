"""Which account each sync writes into, so that two syncs into one know of each other."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table of accounts."""
    op.create_table(
        "accounts",
        sa.Column("sync", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
    )
