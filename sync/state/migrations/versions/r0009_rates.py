"""At which rates what is agreed was converted, where it was."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; nothing that was agreed before was converted."""
    op.add_column("baselines", sa.Column("rates", sa.Text))
