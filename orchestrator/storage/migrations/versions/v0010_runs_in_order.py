"""Runs of all DAGs in the order of their moments."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """A page of the newest runs is read where they are, without sorting all."""
    op.create_index("ix_runs_started_at", "runs", ["started_at"])
    op.create_index("ix_runs_logical_date", "runs", ["logical_date"])
