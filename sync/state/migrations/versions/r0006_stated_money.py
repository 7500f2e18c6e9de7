"""What the source stated of an object's money, where the target is told less of it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; what was agreed before knows no more than the target was told."""
    op.add_column("baselines", sa.Column("stated", sa.Text))
