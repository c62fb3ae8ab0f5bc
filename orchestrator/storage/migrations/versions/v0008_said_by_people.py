"""What people have answered."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_SAID = sa.text("action IN ('answer_task', 'resolve_task')")


def upgrade() -> None:
    """What people have said to tasks is listed without looking at all of the audit."""
    op.create_index("ix_audit_said", "audit", ["id"], sqlite_where=_SAID, postgresql_where=_SAID)
