"""The days of a DAG."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """How the runs of each day ended is counted in an index alone, which finds the run before another too."""
    op.drop_index("ix_runs_dag_id_logical_date", "runs")
    op.create_index("ix_runs_day", "runs", ["dag_id", "logical_date", "created_at", "state"])
