"""Which slots of schedules were run."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make the table; every schedule begins anew."""
    op.create_table(
        "slots",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("sync", sa.Text, nullable=False),
        sa.Column("schedule", sa.Text, nullable=False),
        sa.Column("slot", sa.Text, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("after", sa.Integer, nullable=False),
        sa.Column("fired_at", sa.String(32), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.UniqueConstraint("sync", "slot", name="slots_slot"),
        sa.UniqueConstraint("sync", "after", name="slots_after"),
    )
