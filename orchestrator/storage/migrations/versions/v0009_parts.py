"""Signs of life of the parts of a home."""

from alembic import op
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Which parts work is known from what they say themselves."""
    op.create_table(
        "parts",
        *(Column(name, Text(), nullable=False) for name in ("role", "host")),
        *(Column(name, BigInteger(), nullable=False) for name in ("pid", "started_at", "seen_at")),
        Column("facts", Text(), nullable=False),
        PrimaryKeyConstraint("role", "host", "pid", name="pk_parts"),
    )
