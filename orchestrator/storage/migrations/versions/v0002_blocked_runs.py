"""Why a workflow's run is blocked."""

from alembic import op
from sqlalchemy import Column, Text

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Runs of workflows say what kind of trouble their code is in."""
    op.add_column("runs", Column("blocked", Text()))
