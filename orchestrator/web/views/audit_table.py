"""Lines of the audit: who did what, and what came of it."""

from datetime import datetime

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.storage.audit_reads import AuditFilter
from orchestrator.storage.views import AuditRow
from orchestrator.web.wording import segment

PER_PAGE = 100
_LONGEST = 2_000  # characters of what was asked for; the API has all of them


class AuditLine(msgspec.Struct, frozen=True, kw_only=True):
    """``details`` is what was asked for, as JSON; ``path`` that of the run or DAG that it is about, where there is one;
    ``refusal`` says why it was not done.
    """

    id: int
    at: datetime
    who: str
    via: str
    action: str
    dag_id: str
    run_id: str
    path: str
    details: str
    refusal: str


class AuditTable(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first; ``older`` is the ``before`` of the next page, None where there is none."""

    lines: list[AuditLine]
    before: int | None
    older: int | None


def audit_table(home: Home, which: AuditFilter, before: int | None = None) -> AuditTable:
    """What the visitor may see of it."""
    found = home.reads.audit(which, before_id=before, limit=PER_PAGE + 1)
    lines = found[:PER_PAGE]
    return AuditTable(
        lines=[audit_line(row) for row in lines],
        before=before,
        older=lines[-1].id if len(found) > PER_PAGE else None,
    )


def audit_line(row: AuditRow) -> AuditLine:
    """A line as it is shown."""
    details = bytes(row.body).decode("utf-8", "replace")
    return AuditLine(
        id=row.id,
        at=row.at,
        who=row.who or "the program",
        via=row.via,
        action=row.action,
        dag_id=row.dag_id or "",
        run_id=row.run_id or "",
        path=_path(row),
        details="" if details == "{}" else details if len(details) <= _LONGEST else f"{details[:_LONGEST]}…",
        refusal=row.refusal or "",
    )


def _path(row: AuditRow) -> str:
    if not row.dag_id:
        return ""
    path = f"/dags/{segment(row.dag_id)}"
    return f"{path}/runs/{segment(row.run_id)}" if row.run_id else path
