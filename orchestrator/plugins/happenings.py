"""What a listener is told of: a run, and an attempt of a task in it."""

from datetime import datetime

import msgspec

from orchestrator.names import RunState, RunType, TaskState


class HeardRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run as that fact left it; the names are those of Airflow's DagRun."""

    run_key: int
    dag_id: str
    run_id: str
    run_type: RunType
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    state: RunState = RunState.RUNNING


class HeardTask(msgspec.Struct, frozen=True, kw_only=True):
    """An activity of a run at that fact; the names are those of Airflow's TaskInstance."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    state: TaskState
    dag_run: HeardRun
