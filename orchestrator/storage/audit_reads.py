"""Questions about who did what."""

from collections.abc import Iterator
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, or_, select

from orchestrator.core.rights import Right
from orchestrator.storage.database import AnyRow, reading
from orchestrator.storage.guard import Guarded, visible
from orchestrator.storage.tables import audit
from orchestrator.storage.views import AuditRow


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines are asked for. ``who`` is a user's name, however they came; ``since`` is included, ``until`` not."""

    who: str | None = None
    action: str | None = None
    dag_id: str | None = None
    run_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditReads(Guarded):
    """What somebody did, or was refused; what is about no DAG is told to administrators."""

    @visible
    def audit(
        self, which: AuditFilter | None = None, *, before_id: int | None = None, limit: int = 100
    ) -> list[AuditRow]:
        """Newest first, below ``before_id``."""
        query = select(audit).where(*conditions(which or AuditFilter())).order_by(audit.c.id.desc()).limit(limit)
        if not self._who.may(Right.ADMIN):
            query = query.where(audit.c.dag_id.is_not(None), self._visible(audit.c.dag_id))
        if before_id is not None:
            query = query.where(audit.c.id < before_id)
        with reading(self._engine) as connection:
            return [audit_row(row) for row in connection.execute(query)]


def conditions(which: AuditFilter) -> Iterator[ColumnElement[bool]]:
    """What a line that is asked for fulfils."""
    equal = {audit.c.action: which.action, audit.c.dag_id: which.dag_id, audit.c.run_id: which.run_id}
    yield from (column == value for column, value in equal.items() if value is not None)
    if which.who is not None:
        yield or_(audit.c.by == which.who, audit.c.by.endswith(f":{which.who}", autoescape=True))
    if which.since is not None:
        yield audit.c.at >= which.since
    if which.until is not None:
        yield audit.c.at < which.until


def audit_row(row: AnyRow) -> AuditRow:
    """The line of a row of the table."""
    return AuditRow(
        id=row.id,
        at=row.at,
        by=row.by,
        action=row.action,
        dag_id=row.dag_id,
        run_id=row.run_id,
        body=msgspec.Raw(row.body.encode()),
        request_id=row.request_id,
        refusal=row.refusal,
    )
