"""Which run of a DAG was before another."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """The last run before a logical date is found without looking at all runs of its DAG."""
    op.create_index("ix_runs_dag_id_logical_date", "runs", ["dag_id", "logical_date"])
