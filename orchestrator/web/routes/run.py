"""The pages of a run."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from orchestrator.core.requests import CancelRun, PauseRun, ResumeRun
from orchestrator.web.page import Opened
from orchestrator.web.routes.asking import ask
from orchestrator.web.views.run_head import run_head
from orchestrator.web.views.run_history import history_strip, run_history
from orchestrator.web.views.run_params import run_params
from orchestrator.web.views.run_tasks import run_tasks

router = APIRouter(prefix="/dags/{dag_id}/runs/{run_id}")

After = Annotated[int | None, Query(ge=0, le=2**62)]
Seq = Annotated[int | None, Query(ge=1, le=2**62)]


@router.get("")
def show(page: Opened, dag_id: str, run_id: str) -> Response:
    head = run_head(page.home, dag_id, run_id, "")
    return page.show("run_tasks.html", head=head, view=run_tasks(page.home, head.run))


@router.get("/history")
def history(page: Opened, dag_id: str, run_id: str, after: After = None, at: Seq = None) -> Response:
    head = run_head(page.home, dag_id, run_id, "history")
    view = run_history(page.home, head.run, after, at, is_late=head.is_long and not page.is_fragment)
    return page.show("run_history.html", head=head, view=view)


@router.get("/history/strip.json")
def strip(page: Opened, dag_id: str, run_id: str) -> Response:
    """What the strip above the history is drawn from."""
    return page.json(msgspec.json.encode(history_strip(page.home, page.home.reads.run(dag_id, run_id))))


@router.get("/params")
def params(page: Opened, dag_id: str, run_id: str) -> Response:
    head = run_head(page.home, dag_id, run_id, "params")
    return page.show("run_params.html", head=head, view=run_params(page.home, head.run))


@router.post("/pause")
def pause(page: Opened, dag_id: str, run_id: str) -> Response:
    return ask(page, PauseRun(dag_id=dag_id, run_id=run_id), "The run is paused: it starts nothing more.")


@router.post("/resume")
def resume(page: Opened, dag_id: str, run_id: str) -> Response:
    return ask(page, ResumeRun(dag_id=dag_id, run_id=run_id), "The run goes on.")


@router.post("/cancel")
def cancel(page: Opened, dag_id: str, run_id: str) -> Response:
    return ask(page, CancelRun(dag_id=dag_id, run_id=run_id), "The run is being cancelled.")
