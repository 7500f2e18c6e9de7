"""How each sync stood when that was last told, and the messages that are still to be sent."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Make both tables: nothing was told until now."""
    op.create_table(
        "tellings",
        sa.Column("sync", sa.Text, primary_key=True),
        sa.Column("standing", sa.Text, nullable=False),
        sa.Column("overdue", sa.Integer, nullable=False),
    )
    op.create_table(
        "messages",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("notifier", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
        sa.Column("again_at", sa.String(32), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
    )
