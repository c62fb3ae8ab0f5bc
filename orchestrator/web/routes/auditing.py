"""Who did what with a DAG, and with a run."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from orchestrator.storage.audit_reads import AuditFilter
from orchestrator.web.page import Opened
from orchestrator.web.views.audit_table import audit_table
from orchestrator.web.views.dag_head import dag_head
from orchestrator.web.views.run_head import run_head

router = APIRouter(prefix="/dags/{dag_id}")

Before = Annotated[int | None, Query(ge=1, le=2**62)]


@router.get("/audit")
def of_dag(page: Opened, dag_id: str, before: Before = None) -> Response:
    head = dag_head(page.home, dag_id, "audit", page.now)
    return page.show("dag_audit.html", head=head, view=audit_table(page.home, AuditFilter(dag_id=dag_id), before))


@router.get("/runs/{run_id}/audit")
def of_run(page: Opened, dag_id: str, run_id: str, before: Before = None) -> Response:
    head = run_head(page.home, dag_id, run_id, "audit")
    which = AuditFilter(dag_id=dag_id, run_id=head.run.run_id)
    return page.show("run_audit.html", head=head, view=audit_table(page.home, which, before))
