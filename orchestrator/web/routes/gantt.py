"""The Gantt chart of a run, and of the newest of a DAG."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from orchestrator.web.page import Opened
from orchestrator.web.views.dag_head import dag_head
from orchestrator.web.views.gantt import dag_gantt_page, gantt, instances
from orchestrator.web.views.run_head import run_head

router = APIRouter(prefix="/dags/{dag_id}")

_OF_RUN = "/runs/{run_id}/gantt"

Text = Annotated[str, Query(max_length=250)]
Place = Annotated[int, Query(ge=0, le=2**31)]
Origin = Annotated[float, Query(ge=0, le=2**47)]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@router.get("/gantt")
def of_dag(page: Opened, dag_id: str, run: Text = "") -> Response:
    head = dag_head(page.home, dag_id, "gantt", page.now)
    return page.show("dag_gantt.html", head=head, view=dag_gantt_page(page.home, dag_id, head.path, run))


@router.get(_OF_RUN)
def show(page: Opened, dag_id: str, run_id: str) -> Response:
    return page.show("run_gantt.html", head=run_head(page.home, dag_id, run_id, "gantt"))


@router.get(_OF_RUN + "/bars.json")
def bars(page: Opened, dag_id: str, run_id: str) -> Response:
    """What the chart draws; the same again is not sent again."""
    return page.json(msgspec.json.encode(gantt(page.home, page.home.reads.run(dag_id, run_id))))


@router.get(_OF_RUN + "/instances.json")
def of_task(page: Opened, dag_id: str, run_id: str, task: Text, origin: Origin, first: Place = 0) -> Response:
    """Some instances of a mapped task, in seconds after ``origin``, which is in milliseconds since 1970."""
    run = page.home.reads.run(dag_id, run_id)
    since = _EPOCH + timedelta(milliseconds=origin)
    return page.json(msgspec.json.encode(instances(page.home, run, task, first, since)))
