"""Task instances: the activities of a run."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from orchestrator.api.models.base import Id, Sent, Told
from orchestrator.names import TaskState
from orchestrator.storage.views import ActivityRow, RunRow


class TaskInstance(Told):
    """A task at one map_index in one run; ``state`` is null as long as it has none. ``duration`` is in seconds."""

    id: str
    task_id: str
    task_display_name: str
    dag_id: str
    dag_display_name: str
    dag_run_id: str
    map_index: int
    rendered_map_index: str | None
    logical_date: datetime | None
    run_after: datetime
    scheduled_when: datetime | None
    queued_when: datetime | None
    start_date: datetime | None
    end_date: datetime | None
    duration: float | None
    state: TaskState | None
    try_number: int
    failures: int
    next_try: datetime | None
    hostname: str
    pool: str
    pool_slots: int
    operator: str
    operator_name: str
    version_number: int | None


class TaskInstanceCollection(Told):
    """A page of task instances."""

    task_instances: list[TaskInstance]
    total_entries: int


class ClearBody(Sent):
    """Which tasks of a run are to run again: all, unless ``task_ids`` names some, each of which may be a pair of its
    id and a map index. With ``dry_run`` nothing is done, and they are only listed."""

    dag_run_id: Id
    dry_run: bool = True
    task_ids: list[Id | tuple[Id, Annotated[int, Field(ge=-1, le=2**31 - 1)]]] | None = Field(
        default=None, max_length=10_000
    )
    only_failed: bool = True
    include_upstream: bool = False
    include_downstream: bool = False
    run_on_latest_version: bool = True
    same_key: bool = False


class TaskPatch(Sent):
    """The state that a task is to count as."""

    new_state: Literal["success", "failed", "skipped"]


class Dependency(Told):
    """Why a task does not run, or why it ended so."""

    name: str
    reason: str


class DependencyCollection(Told):
    """What a task waits for."""

    dependencies: list[Dependency]
    total_entries: int


class LogPiece(Told):
    """A piece of a log. ``continuation_token`` asks for what follows; null at the end of a try that is over."""

    content: str
    continuation_token: str | None
    size: int


class XComEntry(Told):
    """What a task left for others."""

    key: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int


class XComValue(XComEntry):
    """The same with its value; what JSON lacks is tagged, such as {"__type__": "date", "value": "2026-01-31"}."""

    value: object


class XComCollection(Told):
    """What a task left for others."""

    xcom_entries: list[XComEntry]
    total_entries: int


class LinkCollection(Told):
    """Where else to look, by name."""

    extra_links: dict[str, str]
    total_entries: int


class RenderedFields(Told):
    """Template fields as text, by name."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    rendered_fields: dict[str, str]


def task_instance_of(run: RunRow, row: ActivityRow) -> TaskInstance:
    return TaskInstance(
        id=f"{run.run_uid}/{row.task_id}/{row.map_index}",
        task_id=row.task_id,
        task_display_name=row.task_id,
        dag_id=run.dag_id,
        dag_display_name=run.dag_id,
        dag_run_id=run.run_id,
        map_index=row.map_index,
        rendered_map_index=row.rendered_map_index,
        logical_date=run.logical_date,
        run_after=run.data_interval_end or run.logical_date or run.created_at,
        scheduled_when=row.scheduled_at,
        queued_when=row.scheduled_at,
        start_date=row.started_at,
        end_date=row.ended_at,
        duration=row.duration,
        state=None if row.state is TaskState.NONE else row.state,
        try_number=row.attempt,
        failures=row.failures,
        next_try=row.retry_at,
        hostname=row.worker,
        pool=row.pool,
        pool_slots=row.pool_slots,
        operator=row.operator,
        operator_name=row.operator,
        version_number=run.version_number or None,
    )
