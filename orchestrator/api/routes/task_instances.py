"""``…/taskInstances``: the activities of a run, or of all with ``~``."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from msgspec.structs import replace

from orchestrator.api.asked import Asked
from orchestrator.api.cutting import Keys, cut
from orchestrator.api.etags import heed
from orchestrator.api.models.tasks import TaskInstance, TaskInstanceCollection, TaskPatch, task_instance_of
from orchestrator.api.paging import DagId, MapIndex, Paged, Pattern, RunId, TaskId, WhichMapIndex, one_or_all, spans_of
from orchestrator.assembly.home import Home
from orchestrator.assembly.run_spec import require_task, spec_version
from orchestrator.assembly.settling import settle
from orchestrator.core.requests import MarkTask
from orchestrator.names import UNMAPPED, TaskState
from orchestrator.storage.list_reads import RunFilter, TaskFilter
from orchestrator.storage.listing import Page, Span
from orchestrator.storage.views import ActivityRow, RunRow

router = APIRouter(tags=["Task Instance"])

PATH = "/dags/{dag_id}/dagRuns/{dag_run_id}/taskInstances"
Spans = Annotated[
    dict[str, Span], Depends(spans_of("run_after", "logical_date", "start_date", "end_date", "queued_when", "duration"))
]
Words = Annotated[list[str] | None, Query(max_length=100)]
Numbers = Annotated[list[Annotated[int, Query(ge=-1, le=2**31 - 1)]] | None, Query(max_length=100)]
_KEYS: Keys[ActivityRow] = {
    "task_id": lambda row: row.task_id,
    "map_index": lambda row: row.map_index,
    "state": lambda row: row.state,
    "start_date": lambda row: row.started_at,
    "end_date": lambda row: row.ended_at,
    "queued_when": lambda row: row.scheduled_at,
    "duration": lambda row: row.duration,
    "try_number": lambda row: row.attempt,
    "pool": lambda row: row.pool,
    "operator": lambda row: row.operator,
}


def _filter(
    spans: Spans,
    of_task: Annotated[str | None, Query(alias="task_id", max_length=250)] = None,
    task_display_name_pattern: Pattern = None,
    state: Annotated[list[TaskState] | None, Query(max_length=20)] = None,
    pool: Words = None,
    operator: Words = None,
    try_number: Numbers = None,
    map_index: Numbers = None,
) -> TaskFilter:
    return TaskFilter(
        task_id=of_task,
        task_id_pattern=task_display_name_pattern,
        states=tuple(state or ()),
        pools=tuple(pool or ()),
        operators=tuple(operator or ()),
        try_numbers=tuple(try_number or ()),
        map_indexes=tuple(map_index or ()),
        spans=spans,
    )


Wanted = Annotated[TaskFilter, Depends(_filter)]


@router.get(PATH)
def get_task_instances(
    home: Asked, dag_id: DagId, dag_run_id: RunId, paging: Paged, wanted: Wanted
) -> TaskInstanceCollection:
    """The task instances of a run, in the order of its DAG; with ``~`` for the run, or for both, those of all that
    something is recorded of."""
    dag, run_id = one_or_all(dag_id), one_or_all(dag_run_id)
    if dag is not None:
        home.reads.dag(dag)
    if dag is not None and run_id is not None and not wanted.spans:
        return _of_run(home, home.reads.run(dag, run_id), paging, wanted)
    found = home.reads.list_activities(dag, replace(wanted, runs=RunFilter(run_id=run_id)), paging)
    rows = [task_instance_of(one.run, one.activity) for one in found.rows]
    return TaskInstanceCollection(task_instances=rows, total_entries=found.total)


def _of_run(home: Home, run: RunRow, paging: Paged, wanted: TaskFilter) -> TaskInstanceCollection:
    """Also those that nothing is recorded of yet."""
    if paging.order_by:
        found = [row for row in home.reads.tasks(run) if wanted.takes(row)]
        page = Page(cut(found, paging, _KEYS), len(found))
    else:
        page = home.reads.list_tasks(run, wanted, paging)
    return TaskInstanceCollection(
        task_instances=[task_instance_of(run, row) for row in page.rows], total_entries=page.total
    )


@router.get(PATH + "/{task_id}")
def get_task_instance(
    request: Request, response: Response, home: Asked, dag_id: DagId, dag_run_id: RunId, task_id: TaskId
) -> TaskInstance:
    """A task instance that is not mapped."""
    return _one(request, response, home, home.reads.run(dag_id, dag_run_id), task_id, UNMAPPED)


@router.get(PATH + "/{task_id}/listMapped")
def get_mapped_task_instances(
    home: Asked, dag_id: DagId, dag_run_id: RunId, task_id: TaskId, paging: Paged, wanted: Wanted
) -> TaskInstanceCollection:
    """The instances of a mapped task."""
    run = home.reads.run(dag_id, dag_run_id)
    require_task(home.reads.spec(spec_version(home, run)), task_id)
    which = replace(wanted, runs=RunFilter(run_id=run.run_id), task_id=task_id)
    found = home.reads.list_activities(dag_id, which, paging)
    rows = [task_instance_of(run, one.activity) for one in found.rows if one.activity.map_index != UNMAPPED]
    return TaskInstanceCollection(task_instances=rows, total_entries=found.total)


@router.get(PATH + "/{task_id}/{map_index}")
def get_mapped_task_instance(
    request: Request,
    response: Response,
    home: Asked,
    dag_id: DagId,
    dag_run_id: RunId,
    task_id: TaskId,
    map_index: MapIndex,
) -> TaskInstance:
    """One instance of a mapped task."""
    return _one(request, response, home, home.reads.run(dag_id, dag_run_id), task_id, map_index)


@router.patch(PATH + "/{task_id}")
def patch_task_instance(
    home: Asked, dag_id: DagId, dag_run_id: RunId, task_id: TaskId, body: TaskPatch, map_index: WhichMapIndex = UNMAPPED
) -> TaskInstanceCollection:
    """Have a task count as if it had ended so."""
    run = home.reads.run(dag_id, dag_run_id)
    _mark(home, run, task_id, map_index, body)
    return _marked(home, run, task_id, map_index)


@router.patch(PATH + "/{task_id}/dry_run")
def patch_task_instance_dry_run(
    home: Asked,
    dag_id: DagId,
    dag_run_id: RunId,
    task_id: TaskId,
    body: TaskPatch,  # noqa: ARG001 - it is the same request
    map_index: WhichMapIndex = UNMAPPED,
) -> TaskInstanceCollection:
    """What the same request without dry_run would be about."""
    return _marked(home, home.reads.run(dag_id, dag_run_id), task_id, map_index)


def _one(request: Request, response: Response, home: Home, run: RunRow, task_id: str, map_index: int) -> TaskInstance:
    row = home.reads.activity(run, task_id, map_index)
    heed(request, response, row)
    return task_instance_of(run, row)


def _mark(home: Home, run: RunRow, task_id: str, map_index: int, body: TaskPatch) -> None:
    row = home.reads.activity(run, task_id, map_index)
    settle(
        home,
        MarkTask(
            dag_id=run.dag_id,
            run_id=run.run_id,
            task_id=task_id,
            map_index=row.map_index,
            state=TaskState(body.new_state),
        ),
    )


def _marked(home: Home, run: RunRow, task_id: str, map_index: int) -> TaskInstanceCollection:
    row = home.reads.activity(run, task_id, map_index)
    return TaskInstanceCollection(task_instances=[task_instance_of(run, row)], total_entries=1)
