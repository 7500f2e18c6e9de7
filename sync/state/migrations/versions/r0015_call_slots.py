"""Who holds how many slots of a credential's limit."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Make the table of slots."""
    op.create_table(
        "call_slots",
        sa.Column("credential", sa.Text, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
    )
