"""How many callbacks of a run are open, and how many have failed."""

from alembic import op
from sqlalchemy import Column, Integer, text

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """A run that has ended is taken up again while its callbacks are open."""
    for name in ("open_callbacks", "failed_callbacks"):
        op.add_column("runs", Column(name, Integer(), nullable=False, server_default=text("0")))
    calls = text("open_callbacks > 0")
    op.create_index("ix_runs_open_callbacks", "runs", ["run_key"], sqlite_where=calls, postgresql_where=calls)
