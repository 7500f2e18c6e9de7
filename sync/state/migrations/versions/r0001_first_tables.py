"""Links with their baselines, the journal of operations, runs, and leases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    _ledger()
    _journal()
    op.create_table(
        "runs",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False, unique=True),
        sa.Column("sync", sa.Text, nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("token", sa.Integer),
        sa.Column("started_at", sa.String(32), nullable=False),
        sa.Column("ended_at", sa.String(32)),
        sa.Column("outcome", sa.Text),
        sa.Column("report", sa.Text),
    )
    op.create_index("runs_sync", "runs", ["sync", "number"])
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("host", sa.Text),
        sa.Column("machine", sa.Text),
        sa.Column("pid", sa.Integer),
        sa.Column("process", sa.Text),
        sa.Column("since", sa.String(32)),
        sa.Column("until", sa.String(32)),
    )


def _ledger() -> None:
    op.create_table(
        "links",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("sync", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("budget_ref", sa.Text, nullable=False),
        sa.Column("target_id", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("desired", sa.LargeBinary, nullable=False),
        sa.Column("echo", sa.LargeBinary, nullable=False),
        sa.Column("source", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("sync", "kind", "budget_ref", "ref", name="links_ref"),
        sa.UniqueConstraint("sync", "kind", "target_id", name="links_target"),
    )
    op.create_table(
        "baselines",
        sa.Column(
            "link_id",
            sa.Integer,
            sa.ForeignKey("links.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("desired", sa.Text, nullable=False),
        sa.Column("echo", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
    )


def _journal() -> None:
    op.create_table(
        "operations",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("sync", sa.Text, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("op", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("budget_ref", sa.Text, nullable=False),
        sa.Column("target_id", sa.Text),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("fields", sa.Text, nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("draft", sa.Text),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("sent_at", sa.String(32)),
        sa.Column("ended_at", sa.String(32)),
    )
    op.create_index("operations_run", "operations", ["run_id", "seq"])
    op.create_index("operations_state", "operations", ["sync", "state"])
    op.create_index("operations_ref", "operations", ["sync", "kind", "budget_ref", "ref", "op"])
