"""The pages of a run."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from orchestrator.assembly.clearing import clearing_of
from orchestrator.assembly.settling import settle
from orchestrator.core.requests import AnyRequest, CancelRun, PauseRun, ResumeRun
from orchestrator.core.rights import Right
from orchestrator.names import UNMAPPED
from orchestrator.storage.views import Verdict
from orchestrator.web.page import Opened, Page, done
from orchestrator.web.views.activity import activity_page
from orchestrator.web.views.run_head import run_head
from orchestrator.web.views.run_history import run_history
from orchestrator.web.views.run_tasks import run_tasks

router = APIRouter(prefix="/dags/{dag_id}/runs/{run_id}")

After = Annotated[int | None, Query(ge=0, le=2**62)]
MapIndex = Annotated[int, Query(ge=-1, le=2**31 - 1)]
Attempt = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
Start = Annotated[int | None, Query(ge=0, le=2**53)]
Seq = Annotated[int | None, Query(ge=1, le=2**62)]


@router.get("")
def show(page: Opened, dag_id: str, run_id: str) -> Response:
    head = run_head(page.home, dag_id, run_id, "")
    return page.show("run_tasks.html", head=head, view=run_tasks(page.home, head.run))


@router.get("/history")
def history(page: Opened, dag_id: str, run_id: str, after: After = None, at: Seq = None) -> Response:
    head = run_head(page.home, dag_id, run_id, "history")
    return page.show("run_history.html", head=head, view=run_history(page.home, head.run, after, at))


@router.get("/tasks/{task_id}")
def activity(
    page: Opened,
    dag_id: str,
    run_id: str,
    task_id: str,
    map_index: MapIndex = UNMAPPED,
    attempt: Attempt = None,
    start: Start = None,
) -> Response:
    head = run_head(page.home, dag_id, run_id, "")
    view = activity_page(page.home, head.run, task_id, map_index, attempt, start)
    return page.show("activity.html", head=head, view=view, may_edit=page.may(Right.EDIT, dag_id))


@router.post("/tasks/{task_id}/clear")
def clear(page: Opened, dag_id: str, run_id: str, task_id: str, map_index: MapIndex = UNMAPPED) -> Response:
    """It runs again by the version that the run has, and what comes after it."""
    run = page.home.reads.run(dag_id, run_id)
    place = (task_id, None if map_index == UNMAPPED else map_index)
    request = clearing_of(page.home, run, [place], downstream=True, same_version=True)
    return _ask(page, request, f"{task_id} runs again, and what comes after it.")


@router.post("/pause")
def pause(page: Opened, dag_id: str, run_id: str) -> Response:
    return _ask(page, PauseRun(dag_id=dag_id, run_id=run_id), "The run is paused: it starts nothing more.")


@router.post("/resume")
def resume(page: Opened, dag_id: str, run_id: str) -> Response:
    return _ask(page, ResumeRun(dag_id=dag_id, run_id=run_id), "The run goes on.")


@router.post("/cancel")
def cancel(page: Opened, dag_id: str, run_id: str) -> Response:
    return _ask(page, CancelRun(dag_id=dag_id, run_id=run_id), "The run is being cancelled.")


@router.post("/clear-failed")
def clear_failed(page: Opened, dag_id: str, run_id: str) -> Response:
    """What has failed, and what could not run because of it, runs again by the version that the run has."""
    run = page.home.reads.run(dag_id, run_id)
    request = clearing_of(page.home, run, only_failed=True, same_version=True)
    return _ask(page, request, "What had failed runs again.")


def _ask(page: Page, request: AnyRequest, message: str) -> Response:
    """404 where there is no such run, 409 with the reason where the scheduler refuses."""
    page.home.reads.run(request.dag_id, request.run_id)
    if settle(page.home, request) is Verdict.PENDING:
        return done("This is asked for; the scheduler will do it when it runs.")
    return done(message)
