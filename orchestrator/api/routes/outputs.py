"""What task instances give: logs, XComs, and why they do not run."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query

from orchestrator.api.asked import Asked
from orchestrator.api.models.tasks import (
    Dependency,
    DependencyCollection,
    LogPiece,
    TaskInstance,
    TaskInstanceCollection,
    XComCollection,
    XComEntry,
    XComValue,
    task_instance_of,
)
from orchestrator.api.paging import DagId, RunId, TaskId, WhichMapIndex
from orchestrator.api.routes.task_instances import PATH
from orchestrator.assembly.attempt_logs import logs_of_try
from orchestrator.assembly.because import reasons
from orchestrator.assembly.home import Home
from orchestrator.assembly.run_logs import MOST_AT_ONCE, RunLogs
from orchestrator.assembly.run_payloads import RunPayloads
from orchestrator.core import values
from orchestrator.core.particulars import XCom
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.names import FINISHED, UNMAPPED
from orchestrator.nearest import did_you_mean
from orchestrator.storage.views import ActivityRow, RunRow

router = APIRouter(tags=["Task Instance"])

TryNumber = Annotated[int, Path(ge=0, le=2**31 - 1)]
Token = Annotated[str | None, Query(max_length=60, pattern=r"^\d{1,9}-\d{1,18}$")]
_RESULT = "return_value"


@router.get(PATH + "/{task_id}/logs/{try_number}")
def get_log(
    home: Asked,
    dag_id: DagId,
    dag_run_id: RunId,
    task_id: TaskId,
    try_number: TryNumber,
    map_index: WhichMapIndex = UNMAPPED,
    token: Token = None,
    limit: Annotated[int, Query(ge=1, le=MOST_AT_ONCE, description="How many bytes at most.")] = 256 * 1024,
) -> LogPiece:
    """A piece of what a try wrote, from the beginning or from where ``token`` says; a piece that is empty says that
    nothing more is written as yet. Try 0 is the last."""
    run = home.reads.run(dag_id, dag_run_id)
    row = home.reads.activity(run, task_id, map_index)
    places = logs_of_try(home, run, row, try_number or None)
    number, offset = (int(part) for part in (token or "0-0").split("-"))
    if number >= len(places):
        raise UsageError("token: this log has no such piece; ask for it from the beginning")
    piece = home.part(RunLogs).piece(*places[number], offset=offset, limit=limit)
    end = offset + len(piece.data)
    if end < piece.size or not (number + 1 < len(places) or _is_over(row, try_number)):
        following: str | None = f"{number}-{end}"
    else:
        following = f"{number + 1}-0" if number + 1 < len(places) else None
    return LogPiece(content=piece.data.decode("utf-8", "replace"), continuation_token=following, size=piece.size)


@router.get(PATH + "/{task_id}/tries")
def get_tries(
    home: Asked, dag_id: DagId, dag_run_id: RunId, task_id: TaskId, map_index: WhichMapIndex = UNMAPPED
) -> TaskInstanceCollection:
    """The last try of a task instance; earlier ones are facts of the history."""
    run = home.reads.run(dag_id, dag_run_id)
    row = home.reads.activity(run, task_id, map_index)
    found: list[TaskInstance] = [task_instance_of(run, row)] if row.attempt else []
    return TaskInstanceCollection(task_instances=found, total_entries=len(found))


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
    found = [XComEntry(**_of(run, row), key=key) for key in sorted(_xcoms(home, row))]
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
    found = _xcoms(home, row)
    if xcom_key not in found:
        raise NotFoundError(f"task {task_id!r} has left nothing under {xcom_key!r}{did_you_mean(xcom_key, found)}")
    return XComValue(**_of(run, row), key=xcom_key, value=_value(home, run.run_key, found[xcom_key]))


def _xcoms(home: Home, row: ActivityRow) -> dict[str, XCom]:
    if not row.run_key:
        return {}
    found = home.xcoms.pushed_by(row.run_key, row.task_id, row.map_index)
    for _, one in home.xcoms.returned(row.run_key, row.task_id, row.map_index):
        found[_RESULT] = one
    return found


def _value(home: Home, run_key: int, one: XCom) -> Any:
    data = bytes(one.value) if one.payload is None else home.part(RunPayloads).get(run_key, one.payload)
    return msgspec.json.decode(values.readable(data))


def _of(run: RunRow, row: ActivityRow) -> dict[str, Any]:
    return {"dag_id": run.dag_id, "run_id": run.run_id, "task_id": row.task_id, "map_index": row.map_index}


def _is_over(row: ActivityRow, try_number: int) -> bool:
    return row.state in FINISHED or try_number not in (0, row.attempt)
