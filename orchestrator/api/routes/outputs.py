"""What task instances give: XComs, their tries, and why they do not run."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path

from orchestrator.api.asked import Asked
from orchestrator.api.models.tasks import (
    Dependency,
    DependencyCollection,
    LinkCollection,
    RenderedFields,
    TaskInstance,
    TaskInstanceCollection,
    XComCollection,
    XComEntry,
    XComValue,
    task_instance_of,
)
from orchestrator.api.paging import DagId, RunId, TaskId, WhichMapIndex
from orchestrator.api.routes.task_instances import PATH
from orchestrator.assembly.attempts import tries
from orchestrator.assembly.because import reasons
from orchestrator.assembly.home import Home
from orchestrator.assembly.outputs import links_of, outputs_of, read_output
from orchestrator.assembly.rendered import RENDERED, rendered_fields
from orchestrator.core import values
from orchestrator.core.particulars import XCom
from orchestrator.core.tries import Try
from orchestrator.exceptions import NotFoundError
from orchestrator.names import UNMAPPED
from orchestrator.nearest import did_you_mean
from orchestrator.storage.views import ActivityRow, RunRow

router = APIRouter(tags=["Task Instance"])


@router.get(PATH + "/{task_id}/tries")
def get_tries(
    home: Asked, dag_id: DagId, dag_run_id: RunId, task_id: TaskId, map_index: WhichMapIndex = UNMAPPED
) -> TaskInstanceCollection:
    """The tries of a task instance, the oldest first."""
    run = home.reads.run(dag_id, dag_run_id)
    row = home.reads.activity(run, task_id, map_index)
    found = [task_instance_of(run, _at_try(row, one)) for one in tries(home, row)]
    return TaskInstanceCollection(task_instances=found, total_entries=len(found))


@router.get(PATH + "/{task_id}/tries/{try_number}")
def get_try(
    home: Asked,
    dag_id: DagId,
    dag_run_id: RunId,
    task_id: TaskId,
    try_number: Annotated[int, Path(ge=1, le=2**31 - 1)],
    map_index: WhichMapIndex = UNMAPPED,
) -> TaskInstance:
    """One try of a task instance."""
    for one in get_tries(home, dag_id, dag_run_id, task_id, map_index).task_instances:
        if one.try_number == try_number:
            return one
    raise NotFoundError(f"the task {task_id!r} of run {dag_run_id!r} has had no try {try_number}")


@router.get(PATH + "/{task_id}/links")
def get_links(
    home: Asked, dag_id: DagId, dag_run_id: RunId, task_id: TaskId, map_index: WhichMapIndex = UNMAPPED
) -> LinkCollection:
    """The links of the task's operator, as its last try has made them, by the name of their class."""
    run = home.reads.run(dag_id, dag_run_id)
    found = links_of(home, home.reads.activity(run, task_id, map_index))
    return LinkCollection(extra_links=found, total_entries=len(found))


@router.get(PATH + "/{task_id}/renderedFields")
def get_rendered_fields(
    home: Asked, dag_id: DagId, dag_run_id: RunId, task_id: TaskId, map_index: WhichMapIndex = UNMAPPED
) -> RenderedFields:
    """The template fields of a task instance as its last try had them, without secrets."""
    run = home.reads.run(dag_id, dag_run_id)
    row = home.reads.activity(run, task_id, map_index)
    return RenderedFields(**_of(run, row), rendered_fields=rendered_fields(home, row))


@router.get(PATH + "/{task_id}/dependencies")
def get_dependencies(home: Asked, dag_id: DagId, dag_run_id: RunId, task_id: TaskId) -> DependencyCollection:
    """Why a task does not run, or why it ended so."""
    run = home.reads.run(dag_id, dag_run_id)
    home.reads.activity(run, task_id)
    found = [Dependency(name=reason.cause, reason=reason.sentence) for reason in reasons(home, run, task_id)]
    return DependencyCollection(dependencies=found, total_entries=len(found))


@router.get(PATH + "/{task_id}/xcomEntries")
def get_xcom_entries(
    home: Asked, dag_id: DagId, dag_run_id: RunId, task_id: TaskId, map_index: WhichMapIndex = UNMAPPED
) -> XComCollection:
    """What the last try of a task left for others, by key."""
    run = home.reads.run(dag_id, dag_run_id)
    row = home.reads.activity(run, task_id, map_index)
    found = [XComEntry(**_of(run, row), key=key) for key in sorted(_left(home, row))]
    return XComCollection(xcom_entries=found, total_entries=len(found))


@router.get(PATH + "/{task_id}/xcomEntries/{xcom_key}")
def get_xcom_entry(
    home: Asked,
    dag_id: DagId,
    dag_run_id: RunId,
    task_id: TaskId,
    xcom_key: Annotated[str, Path(max_length=512)],
    map_index: WhichMapIndex = UNMAPPED,
) -> XComValue:
    """One of them, with its value."""
    run = home.reads.run(dag_id, dag_run_id)
    row = home.reads.activity(run, task_id, map_index)
    found = _left(home, row)
    if xcom_key not in found:
        raise NotFoundError(f"task {task_id!r} has left nothing under {xcom_key!r}{did_you_mean(xcom_key, found)}")
    return XComValue(**_of(run, row), key=xcom_key, value=_value(home, run.run_key, found[xcom_key]))


def _left(home: Home, row: ActivityRow) -> dict[str, XCom]:
    found = outputs_of(home, row)
    found.pop(RENDERED, None)
    return found


def _value(home: Home, run_key: int, one: XCom) -> Any:
    return msgspec.json.decode(values.readable(read_output(home, run_key, one)))


def _of(run: RunRow, row: ActivityRow) -> dict[str, Any]:
    return {"dag_id": run.dag_id, "run_id": run.run_id, "task_id": row.task_id, "map_index": row.map_index}


def _at_try(row: ActivityRow, one: Try) -> ActivityRow:
    return msgspec.structs.replace(
        row,
        state=row.state if one.number == row.attempt else one.state,
        attempt=one.number,
        scheduled_at=one.scheduled_at,
        started_at=one.started_at,
        ended_at=one.ended_at,
        retry_at=one.retry_at,
        worker=one.worker,
    )
