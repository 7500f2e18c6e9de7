"""What cheap listings showed of budgets when both sides agreed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of versions."""
    op.create_table(
        "versions",
        sa.Column("sync", sa.Text, primary_key=True),
        sa.Column("target_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
    )
