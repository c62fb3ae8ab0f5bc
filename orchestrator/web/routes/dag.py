"""The pages of a DAG."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from orchestrator.web.page import Opened
from orchestrator.web.views.dag_code import dag_code
from orchestrator.web.views.dag_details import dag_details
from orchestrator.web.views.dag_head import dag_head
from orchestrator.web.views.dag_runs import RunsWanted, dag_runs
from orchestrator.web.views.grid import RUNS, grid

router = APIRouter(prefix="/dags/{dag_id}")

Count = Annotated[int, Query(ge=1, le=RUNS[-1])]
Key = Annotated[int | None, Query(ge=1, le=2**63 - 1)]
Text = Annotated[str, Query(max_length=250)]
Number = Annotated[int | None, Query(ge=1, le=2**31)]


@router.get("")
def show(page: Opened, dag_id: str, count: Count = RUNS[0], before: Key = None) -> Response:
    head = dag_head(page.home, dag_id, "", page.now)
    return page.show("dag_grid.html", head=head, count=count, before=before, counts=RUNS)


@router.get("/grid.json")
def cells(page: Opened, dag_id: str, count: Count = RUNS[0], before: Key = None) -> Response:
    """What the grid draws; the same again is not sent again."""
    found = grid(page.home, dag_id, page.now, count=count, before=before)
    return page.json(msgspec.json.encode(found))


@router.get("/runs")
def runs(
    page: Opened,
    dag_id: str,
    state: Text = "",
    kind: Annotated[str, Query(alias="type", max_length=50)] = "",
    since: Text = "",
    until: Text = "",
    before: Key = None,
) -> Response:
    wanted = RunsWanted(state=state, type=kind, since=since, until=until, before=before)
    head = dag_head(page.home, dag_id, "runs", page.now)
    return page.show("dag_runs.html", head=head, view=dag_runs(page.home, dag_id, wanted))


@router.get("/code")
def code(page: Opened, dag_id: str, version: Number = None, against: Number = None, file: Text = "") -> Response:
    head = dag_head(page.home, dag_id, "code", page.now)
    return page.show("dag_code.html", head=head, view=dag_code(page.home, dag_id, version, against, file))


@router.get("/details")
def details(page: Opened, dag_id: str) -> Response:
    head = dag_head(page.home, dag_id, "details", page.now)
    return page.show("dag_details.html", head=head, view=dag_details(page.home, head.dag, page.now))
