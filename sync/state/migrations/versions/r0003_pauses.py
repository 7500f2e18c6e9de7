"""Until when systems want no call."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of pauses."""
    op.create_table(
        "pauses",
        sa.Column("system", sa.Text, primary_key=True),
        sa.Column("until", sa.String(32), nullable=False),
    )
