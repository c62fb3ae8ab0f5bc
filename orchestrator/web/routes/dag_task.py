"""The page of a task of a DAG, over its runs."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from orchestrator.web.page import Opened
from orchestrator.web.views.dag_head import dag_head
from orchestrator.web.views.dag_task import STATES, dag_task

router = APIRouter()

Key = Annotated[int | None, Query(ge=1, le=2**63 - 1)]
State = Annotated[str, Query(max_length=50)]


@router.get("/dags/{dag_id}/tasks/{task_id}")
def show(page: Opened, dag_id: str, task_id: str, state: State = "", before: Key = None) -> Response:
    head = dag_head(page.home, dag_id, "task", page.now)
    view = dag_task(page.home, dag_id, task_id, state, before, page.now)
    return page.show("dag_task.html", head=head, view=view, states=STATES)
