"""At which rates what is agreed was converted, where it was."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column; nothing that was agreed before was converted.

    A state whose version was put back by hand has it already.
    """
    there = {each["name"] for each in sa.inspect(op.get_bind()).get_columns("baselines")}
    if "rates" not in there:
        op.add_column("baselines", sa.Column("rates", sa.Text))
