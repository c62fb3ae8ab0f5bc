"""What waits for people, and the names of mapped instances."""

from alembic import op
from sqlalchemy import BigInteger, Column, Text, text

revision = "0004"
down_revision = "0003"

AWAITS = text("state = 'awaiting_input'")


def upgrade() -> None:
    """``asked_seq`` is the place of the fact by which an activity asks; the index finds all that wait."""
    op.add_column("activities", Column("asked_seq", BigInteger()))
    op.add_column("activities", Column("rendered_map_index", Text()))
    op.create_index("ix_activities_awaiting", "activities", ["run_key"], sqlite_where=AWAITS, postgresql_where=AWAITS)
