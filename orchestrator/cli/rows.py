"""The published shapes: what a DAG, a run, a task, a pool and an event are in JSON, and thereby in tables.

Field names are Airflow's where it has the field; they are a promise to scripts.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from orchestrator.assembly.heartbeats import Beats
from orchestrator.core.events import Recorded
from orchestrator.core.requests import AnyRequest
from orchestrator.core.spec import DagSpec, Entrance, TaskSpec
from orchestrator.storage.views import ActivityRow, DagRow, FileRow, ImportErrorRow, PoolRow, RunRow, Verdict
from orchestrator.worker.heartbeats import LastBeat

Row = dict[str, Any]

DAG_COLUMNS = ("dag_id", "file", "schedule", "owner", "is_paused", "kind")
RUN_COLUMNS = ("dag_id", "run_id", "state", "logical_date", "start_date", "end_date", "duration", "blocked")
TASK_COLUMNS = (
    "task_id",
    "map_index",
    "rendered_map_index",
    "state",
    "try_number",
    "start_date",
    "end_date",
    "duration",
)
SPEC_COLUMNS = ("task_id", "operator", "trigger_rule", "upstream")
ACTIVITY_COLUMNS = ("task_id", "delivery", "retries", "execution_timeout", "pool", "doc")
POOL_COLUMNS = ("pool", "slots", "running", "queued", "open", "description")
FILE_COLUMNS = ("file", "duration", "dag_num", "task_num", "dags")
ERROR_COLUMNS = ("file", "line", "error")


def dag_row(dag: DagRow) -> Row:
    """A DAG in a list."""
    return {
        "dag_id": dag.dag_id,
        "kind": dag.kind,
        "file": dag.header.file,
        "schedule": dag.header.schedule_text,
        "owner": dag.header.owner,
        "tags": dag.header.tags,
        "description": dag.header.description,
        "is_paused": dag.is_paused,
        "is_stale": dag.is_stale,
        "version": dag.version_number,
        "task_count": dag.task_count,
    }


def dag_details(dag: DagRow) -> Row:
    """Everything about a DAG but its tasks."""
    header = dag.header
    return dag_row(dag) | {
        "line": header.line,
        "doc_md": header.doc_md,
        "start_date": header.start_date,
        "end_date": header.end_date,
        "catchup": header.catchup,
        "max_active_runs": header.max_active_runs,
        "max_active_tasks": header.max_active_tasks,
        "dagrun_timeout": None if header.dagrun_timeout is None else header.dagrun_timeout.total_seconds(),
        "fail_fast": header.fail_fast,
        "params": header.params,
        "on_new_version": header.on_new_version,
        **ways_in(header),
        "first_seen": dag.created_at,
    }


def ways_in(spec: DagSpec) -> Row:
    """What a workflow is called with and may be told and asked, each with its JSON Schema; of a DAG, nothing."""
    called = spec.entrance
    return {
        "called_with": None if called is None else called.schema,
        "signals": [_entrance(one) for one in spec.signals],
        "queries": [_entrance(one) for one in spec.queries],
        "updates": [_entrance(one) for one in spec.updates],
    }


def _entrance(one: Entrance) -> Row:
    return {"name": one.name, "schema": one.schema, "doc": one.doc}


def run_row(run: RunRow) -> Row:
    """A run. ``duration`` in seconds."""
    return {
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "state": run.state,
        "run_type": run.run_type,
        "logical_date": run.logical_date,
        "data_interval_start": run.data_interval_start,
        "data_interval_end": run.data_interval_end,
        "queued_at": run.created_at,
        "start_date": run.started_at,
        "end_date": run.ended_at,
        "duration": run.duration,
        "version": run.version_number or None,
        "triggered_by": run.triggered_by,
        "is_paused": run.is_paused,
        "blocked": run.blocked,
        "reason": run.reason,
        "note": run.note,
    }


def task_row(task: ActivityRow, beat: LastBeat | None = None) -> Row:
    """A task in a run. ``map_index`` is -1 where the task is not mapped, ``rendered_map_index`` what its instance is
    called; ``duration`` in seconds; ``progress`` as the body gave it at its ``last_heartbeat``.
    """
    return {
        "task_id": task.task_id,
        "map_index": task.map_index,
        "rendered_map_index": task.rendered_map_index,
        "state": task.state,
        "try_number": task.attempt,
        "start_date": task.started_at,
        "end_date": task.ended_at,
        "duration": task.duration,
        "next_try": task.retry_at,
        "operator": task.operator,
        "pool": task.pool,
        "worker": task.worker,
        "progress": None if beat is None else msgspec.json.decode(beat.progress),
        "last_heartbeat": None if beat is None else beat.at,
    }


def task_rows(tasks: Iterable[ActivityRow], beats: Beats) -> list[Row]:
    """The tasks of a run, with what they said last."""
    return [task_row(task, beats.get((task.task_id, task.map_index))) for task in tasks]


def spec_row(task: TaskSpec) -> Row:
    """A task of a DAG. Durations in seconds."""
    timeout = task.execution_timeout
    return {
        "task_id": task.task_id,
        "operator": task.operator,
        "upstream": task.upstream,
        "trigger_rule": task.trigger_rule,
        "retries": task.retry.retries,
        "retry_delay": task.retry.delay.total_seconds(),
        "execution_timeout": None if timeout is None else timeout.total_seconds(),
        "delivery": task.delivery,
        "pool": task.pool,
        "priority_weight": task.weight,
        "is_mapped": task.depth > 0,
        "line": task.line,
        "doc": task.doc,
    }


def pool_row(pool: PoolRow) -> Row:
    """A pool. ``slots`` -1 means no limit; ``open`` is then null."""
    return {
        "pool": pool.name,
        "slots": pool.slots,
        "running": pool.running,
        "queued": pool.queued,
        "open": pool.open,
        "description": pool.description,
    }


def file_row(file: FileRow) -> Row:
    """The last parse of a DAG file. ``duration`` in seconds."""
    return {
        "file": file.file,
        "duration": file.duration,
        "dag_num": len(file.dag_ids),
        "task_num": file.task_count,
        "dags": file.dag_ids,
        "has_failed": file.has_failed,
        "parsed_at": file.parsed_at,
    }


def error_row(error: ImportErrorRow) -> Row:
    """Why a DAG file cannot be read. ``traceback`` are the author's own lines."""
    return {
        "file": error.file,
        "line": error.failure.line,
        "error": error.failure.message,
        "traceback": error.failure.frames,
        "at": error.at,
    }


def event_row(fact: Recorded, numbers: Mapping[int, int]) -> Row:
    """A recorded fact: its place, its type, whom it is about (null for the run itself), and its own fields.

    ``numbers``: of the DAG's versions, by version id; a fact that names a version has its number as ``version``.
    """
    about: Row = {"task_id": None, "map_index": None, "attempt": None}
    fields = msgspec.structs.asdict(fact.event)
    if "version_id" in fields:
        about["version"] = numbers.get(fields["version_id"])
    return {"seq": fact.seq, "type": type(fact.event).__name__, "at": fact.at} | about | fields


def request_row(request: AnyRequest, verdict: Verdict) -> Row:
    """What was asked for, and whether the scheduler has done it (``carried_out``) or not come to it (``pending``)."""
    return {
        "dag_id": request.dag_id,
        "run_id": request.run_id,
        "request": request.__struct_config__.tag,
        "verdict": verdict,
    }
