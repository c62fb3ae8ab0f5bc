"""The graphs of a DAG and of its runs."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from orchestrator.web.page import Opened
from orchestrator.web.views.dag_head import dag_head
from orchestrator.web.views.graph import dag_graph_page, graph, newest_states, run_graph_page, run_states
from orchestrator.web.views.run_head import run_head

router = APIRouter(prefix="/dags/{dag_id}")

Number = Annotated[int, Query(ge=1, le=2**31)]
Groups = Annotated[list[Annotated[str, Query(max_length=250)]], Query(max_length=5_000)]


@router.get("/graph")
def of_dag(page: Opened, dag_id: str, version: Annotated[int | None, Query(ge=1, le=2**31)] = None) -> Response:
    head = dag_head(page.home, dag_id, "graph", page.now)
    return page.show("dag_graph.html", head=head, view=dag_graph_page(page.home, dag_id, head.path, version))


@router.get("/graph.json")
def drawing(page: Opened, dag_id: str, version: Number, fold: Groups = [], unfold: Groups = []) -> Response:  # noqa: B006
    return page.json(graph(page.home, dag_id, version, fold, unfold))


@router.get("/graph/states.json")
def newest(page: Opened, dag_id: str) -> Response:
    return page.json(msgspec.json.encode(newest_states(page.home, dag_id)))


@router.get("/runs/{run_id}/graph")
def of_run(page: Opened, dag_id: str, run_id: str) -> Response:
    head = run_head(page.home, dag_id, run_id, "graph")
    return page.show("run_graph.html", head=head, view=run_graph_page(page.home, head.run, head.dag_path, head.path))


@router.get("/runs/{run_id}/graph/states.json")
def states(page: Opened, dag_id: str, run_id: str) -> Response:
    return page.json(msgspec.json.encode(run_states(page.home, page.home.reads.run(dag_id, run_id))))
