"""Both sides of a sync, and the people between them: which side an operation wrote to, what the
source showed when both last agreed, what waits, what was decided, and what was approved."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add columns and tables: every operation until now wrote to the target, and nothing waits."""
    _add("operations", sa.Column("side", sa.Text, nullable=False, server_default="target"))
    _add("baselines", sa.Column("shown", sa.Text))
    op.create_table(
        "waits",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("sync", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("budget_ref", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("since", sa.String(32), nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("decided", sa.Integer),
        sa.Column("ended_at", sa.String(32)),
    )
    op.create_index("waits_open", "waits", ["sync", "ended_at"])
    op.create_table(
        "decisions",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("sync", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("budget_ref", sa.Text, nullable=False),
        sa.Column("field", sa.Text, nullable=False),
        sa.Column("take", sa.Text, nullable=False),
        sa.Column("said", sa.Text, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("ended_at", sa.String(32)),
    )
    op.create_index("decisions_open", "decisions", ["sync", "ended_at"])
    op.create_table(
        "approvals",
        sa.Column("plan_id", sa.Text, primary_key=True),
        sa.Column("sync", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("deeds", sa.String(64), nullable=False),
        sa.Column("plan", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("asked_at", sa.String(32), nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("until", sa.String(32), nullable=False),
        sa.Column("approved_at", sa.String(32)),
        sa.Column("approved_by", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("run_id", sa.Text),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("ended_as", sa.Text),
        sa.Column("ended_by", sa.Text),
    )
    op.create_index("approvals_open", "approvals", ["sync", "ended_at"])


def _add(table: str, column: sa.Column[str]) -> None:
    """Add the column; a state whose version was put back by hand has it already."""
    there = {each["name"] for each in sa.inspect(op.get_bind()).get_columns(table)}
    if column.name not in there:
        op.add_column(table, column)
