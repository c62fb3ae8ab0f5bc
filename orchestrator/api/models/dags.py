"""DAGs, their versions, tasks and files."""

from datetime import datetime

from orchestrator.api.models.base import JsonObject, Sent, Told
from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.names import RunType
from orchestrator.storage.views import DagRow, VersionRow


class Tag(Told):
    """A tag of a DAG."""

    name: str
    dag_id: str


class Dag(Told):
    """A DAG as it stands now. ``kind`` is dag or workflow."""

    dag_id: str
    dag_display_name: str
    kind: str
    is_paused: bool
    is_stale: bool
    description: str | None
    fileloc: str
    relative_fileloc: str
    timetable_summary: str | None
    timetable_description: str | None
    tags: list[Tag]
    owners: list[str]
    max_active_tasks: int
    max_active_runs: int
    has_import_errors: bool
    allowed_run_types: list[RunType] | None
    latest_version_number: int
    task_count: int
    first_seen: datetime


class DagDetails(Dag):
    """A DAG, and all that its file says of it besides its tasks."""

    doc_md: str | None
    start_date: datetime | None
    end_date: datetime | None
    catchup: bool
    dag_run_timeout: float | None
    fail_fast: bool
    params: JsonObject
    param_schemas: JsonObject
    signals: list[str]
    queries: list[str]
    updates: list[str]


class DagCollection(Told):
    """A page of DAGs."""

    dags: list[Dag]
    total_entries: int


class DagPatch(Sent):
    """What may be changed of a DAG."""

    is_paused: bool


class Task(Told):
    """A task as its DAG's version has it. Durations are in seconds."""

    task_id: str
    task_display_name: str
    operator_name: str
    owner: str
    is_mapped: bool
    trigger_rule: str
    retries: int
    retry_delay: float
    retry_exponential_backoff: bool
    execution_timeout: float | None
    delivery: str
    pool: str
    pool_slots: int
    priority_weight: int
    upstream_task_ids: list[str]
    downstream_task_ids: list[str]
    task_group_id: str | None
    queue: str
    is_setup: bool
    is_teardown: bool
    doc_md: str | None
    line: int | None


class TaskCollection(Told):
    """The tasks of a DAG, in topological order."""

    tasks: list[Task]
    total_entries: int


class DagVersion(Told):
    """A version of a DAG; ``id`` counts over all DAGs, ``version_number`` within its own."""

    id: int
    version_number: int
    dag_id: str
    dag_display_name: str
    bundle_name: str
    bundle_version: str
    fingerprint: str
    file: str
    task_count: int
    created_at: datetime


class DagVersionCollection(Told):
    """The versions of a DAG, newest first."""

    dag_versions: list[DagVersion]
    total_entries: int


class DagSource(Told):
    """The code of a version: that of its file, and of the local files that it needs."""

    dag_id: str
    version_number: int
    file: str
    content: str
    files: dict[str, str]


class TagCollection(Told):
    """Tags, each once."""

    tags: list[str]
    total_entries: int


class StateCount(Told):
    """How many runs are in a state."""

    state: str
    count: int


class DagStats(Told):
    """The runs of a DAG, counted."""

    dag_id: str
    dag_display_name: str
    stats: list[StateCount]


class DagStatsCollection(Told):
    """The runs of several DAGs, counted."""

    dags: list[DagStats]
    total_entries: int


def dag_of(row: DagRow, *, has_import_errors: bool = False) -> Dag:
    return Dag(**_fields(row, has_import_errors=has_import_errors))


def details_of(row: DagRow, *, has_import_errors: bool = False) -> DagDetails:
    header = row.header
    return DagDetails(
        **_fields(row, has_import_errors=has_import_errors),
        doc_md=header.doc_md,
        start_date=header.start_date,
        end_date=header.end_date,
        catchup=header.catchup,
        dag_run_timeout=None if header.dagrun_timeout is None else header.dagrun_timeout.total_seconds(),
        fail_fast=header.fail_fast,
        params=dict(header.params),
        param_schemas=dict(header.param_schemas),
        signals=[one.name for one in header.signals],
        queries=[one.name for one in header.queries],
        updates=[one.name for one in header.updates],
    )


def task_of(spec: DagSpec, task: TaskSpec) -> Task:
    timeout = task.execution_timeout
    return Task(
        task_id=task.task_id,
        task_display_name=task.display_name or task.task_id,
        operator_name=task.operator,
        owner=spec.owner,
        is_mapped=task.depth > 0,
        trigger_rule=task.trigger_rule,
        retries=task.retry.retries,
        retry_delay=task.retry.delay.total_seconds(),
        retry_exponential_backoff=task.retry.exponential > 1,
        execution_timeout=None if timeout is None else timeout.total_seconds(),
        delivery=task.delivery,
        pool=task.pool,
        pool_slots=task.pool_slots,
        priority_weight=task.weight,
        upstream_task_ids=list(task.upstream),
        downstream_task_ids=[one.task_id for one in spec.tasks if task.task_id in one.upstream],
        task_group_id=task.group or None,
        queue=task.queue,
        is_setup=task.is_setup,
        is_teardown=task.is_teardown,
        doc_md=task.doc,
        line=task.line,
    )


def version_of(row: VersionRow) -> DagVersion:
    return DagVersion(
        id=row.version_id,
        version_number=row.number,
        dag_id=row.dag_id,
        dag_display_name=row.dag_id,
        bundle_name="dags-folder",
        bundle_version=row.code_fingerprint,
        fingerprint=row.fingerprint,
        file=row.file,
        task_count=row.task_count,
        created_at=row.created_at,
    )


def _fields(row: DagRow, *, has_import_errors: bool) -> JsonObject:
    header = row.header
    return {
        "dag_id": row.dag_id,
        "dag_display_name": header.display_name or row.dag_id,
        "kind": row.kind,
        "is_paused": row.is_paused,
        "is_stale": row.is_stale,
        "description": header.description,
        "fileloc": header.file,
        "relative_fileloc": header.file,
        "timetable_summary": header.schedule_text,
        "timetable_description": header.schedule_text,
        "tags": [Tag(name=name, dag_id=row.dag_id) for name in header.tags],
        "owners": [header.owner] if header.owner else [],
        "max_active_tasks": header.max_active_tasks,
        "max_active_runs": header.max_active_runs,
        "has_import_errors": has_import_errors,
        "allowed_run_types": list(header.allowed_run_types) if header.allowed_run_types else None,
        "latest_version_number": row.version_number,
        "task_count": row.task_count,
        "first_seen": row.created_at,
    }
