"""Which side a write of unknown outcome went to that waits for somebody to say how it ended."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column; of what waits by now the next run says it."""
    there = {each["name"] for each in sa.inspect(op.get_bind()).get_columns("waits")}
    if "side" not in there:
        column = sa.Column("side", sa.Text, nullable=False, server_default="target")
        op.add_column("waits", column)
