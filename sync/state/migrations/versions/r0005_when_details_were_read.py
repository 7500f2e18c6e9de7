"""When the details were read that a version stands for; of older versions nobody knows."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the moment to the table of versions."""
    op.add_column("versions", sa.Column("read_at", sa.String(32)))
