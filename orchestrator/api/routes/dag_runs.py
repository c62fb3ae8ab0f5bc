"""``/dags/{dag_id}/dagRuns``: runs, starting them and ending them."""

import contextlib
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from orchestrator.api.asked import Asked
from orchestrator.api.etags import heed
from orchestrator.api.given import raw
from orchestrator.api.models.base import JsonObject
from orchestrator.api.models.runs import (
    ClearRunBody,
    DagRun,
    DagRunCollection,
    DagRunPatch,
    TriggerBody,
    run_of,
)
from orchestrator.api.models.tasks import TaskInstanceCollection
from orchestrator.api.paging import DagId, Paged, Pattern, RunId, one_or_all, spans_of
from orchestrator.api.routes.clearing import cleared
from orchestrator.assembly.clearing import clearing_of
from orchestrator.assembly.home import Home
from orchestrator.assembly.settling import settle
from orchestrator.assembly.triggering import trigger_run
from orchestrator.core.requests import CancelRun
from orchestrator.exceptions import ConflictError, NotFoundError
from orchestrator.names import RunState, RunType
from orchestrator.storage.list_reads import RunFilter
from orchestrator.storage.listing import Span
from orchestrator.storage.views import RunRow

router = APIRouter(tags=["DagRun"])

Spans = Annotated[
    dict[str, Span], Depends(spans_of("run_after", "logical_date", "start_date", "end_date", "queued_at", "duration"))
]
IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=200, description="Sent twice by one user, it makes one run.")
]


@router.get("/dags/{dag_id}/dagRuns")
def get_dag_runs(
    home: Asked,
    dag_id: DagId,
    paging: Paged,
    spans: Spans,
    state: Annotated[list[RunState] | None, Query(max_length=10)] = None,
    run_type: Annotated[list[RunType] | None, Query(max_length=10)] = None,
    dag_version: Annotated[list[Annotated[int, Query(ge=1, le=2**31 - 1)]] | None, Query(max_length=100)] = None,
    run_id_pattern: Pattern = None,
    dag_id_pattern: Pattern = None,
    triggering_user_name_pattern: Pattern = None,
) -> DagRunCollection:
    """Runs of a DAG, or of all with ``~``; newest first, unless ``order_by`` says otherwise."""
    which = RunFilter(
        states=tuple(state or ()),
        run_types=tuple(run_type or ()),
        versions=tuple(dag_version or ()),
        run_id_pattern=run_id_pattern,
        dag_id_pattern=dag_id_pattern,
        user_pattern=None if triggering_user_name_pattern is None else f"%:{triggering_user_name_pattern}",
        spans=spans,
    )
    one = one_or_all(dag_id)
    if one is not None:
        home.reads.dag(one)
    page = home.reads.list_runs(one, which, paging)
    confs = home.reads.confs([row.run_key for row in page.rows])
    rows = [run_of(row, _decoded(confs.get(row.run_key))) for row in page.rows]
    return DagRunCollection(dag_runs=rows, total_entries=page.total)


@router.get("/dags/{dag_id}/dagRuns/{dag_run_id}")
def get_dag_run(request: Request, response: Response, home: Asked, dag_id: DagId, dag_run_id: RunId) -> DagRun:
    """A run; one that no scheduler has taken up yet is queued."""
    row = home.reads.run(dag_id, dag_run_id)
    heed(request, response, row)
    return told(home, row)


@router.post("/dags/{dag_id}/dagRuns")
def trigger_dag_run(home: Asked, dag_id: DagId, body: TriggerBody, idempotency_key: IdempotencyKey = None) -> DagRun:
    """Start a run. With the header Idempotency-Key it is safe to ask again: the same key gives the same run."""
    key = None if idempotency_key is None else f"{home.who.name}:{idempotency_key}"
    known = None if key is None else home.reads.asked_with(key)
    if known is None:
        run = trigger_run(
            home,
            dag_id,
            conf=raw("conf", body.conf or {}),
            run_id=body.dag_run_id,
            logical_date=body.logical_date,
            note=body.note,
            client_key=key,
        )
        known = (key and home.reads.asked_with(key)) or (run.dag_id, run.run_id)
    if known[0] != dag_id:
        raise ConflictError(f"the key {idempotency_key!r} has started a run of another DAG; choose another key")
    return told(home, home.reads.run(*known))


@router.patch("/dags/{dag_id}/dagRuns/{dag_run_id}")
def patch_dag_run(home: Asked, dag_id: DagId, dag_run_id: RunId, body: DagRunPatch) -> DagRun:
    """Cancel a run (``failed``), or run all of it again (``queued``)."""
    row = home.reads.run(dag_id, dag_run_id)
    if body.state == "failed":
        settle(home, CancelRun(dag_id=dag_id, run_id=row.run_id))
    else:
        settle(home, clearing_of(home, row))
    return told(home, home.reads.run(dag_id, dag_run_id))


@router.post("/dags/{dag_id}/dagRuns/{dag_run_id}/clear")
def clear_dag_run(home: Asked, dag_id: DagId, dag_run_id: RunId, body: ClearRunBody) -> TaskInstanceCollection | DagRun:
    """Run all tasks of a run again, or those that failed; with ``dry_run`` only list them."""
    row = home.reads.run(dag_id, dag_run_id)
    request = clearing_of(home, row, only_failed=body.only_failed, same_version=not body.run_on_latest_version)
    if body.dry_run:
        return cleared(home, row, request)
    settle(home, request)
    return told(home, home.reads.run(dag_id, dag_run_id))


def told(home: Home, row: RunRow) -> DagRun:
    """A run with its conf."""
    conf: msgspec.Raw | None = None
    with contextlib.suppress(NotFoundError):
        conf = home.reads.conf(row)
    return run_of(row, _decoded(conf))


def _decoded(conf: msgspec.Raw | None) -> JsonObject | None:
    found: JsonObject | None = None if conf is None else msgspec.json.decode(conf)
    return found
