"""Runs of DAGs."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from orchestrator.api.models.base import Id, JsonObject, Moment, Note, Sent, Told
from orchestrator.names import BlockKind, RunState, RunType
from orchestrator.storage.views import RunRow


class DagRun(Told):
    """A run. ``duration`` is in seconds; ``reason`` says why it is as it is, ``last_seq`` how long its history
    is; ``conf`` is null where its history is cleaned away."""

    dag_run_id: str
    dag_id: str
    dag_display_name: str
    logical_date: datetime | None
    queued_at: datetime
    start_date: datetime | None
    end_date: datetime | None
    duration: float | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    run_after: datetime
    run_type: RunType
    state: RunState
    triggered_by: str
    triggering_user_name: str | None
    conf: JsonObject | None
    note: str | None
    version_number: int | None
    is_paused: bool
    is_cancelling: bool
    blocked: BlockKind | None
    reason: str
    run_key: int | None
    last_seq: int


class DagRunCollection(Told):
    """A page of runs."""

    dag_runs: list[DagRun]
    total_entries: int


class TriggerBody(Sent):
    """What a run is started with. Without them, its id and its date are made from the moment."""

    dag_run_id: Id | None = None
    logical_date: Moment | None = None
    conf: JsonObject | None = None
    note: Note | None = None


class DagRunPatch(Sent):
    """``failed`` cancels the run, ``queued`` runs all of it again."""

    state: Literal["queued", "failed"]


class ClearRunBody(Sent):
    """Run all tasks of a run again, or those that failed."""

    dry_run: bool = True
    only_failed: bool = False
    run_on_latest_version: bool = True


class Asked(Told):
    """What became of a request to the scheduler: ``carried_out``, or ``pending`` where none runs just now."""

    dag_id: str
    dag_run_id: str
    request: str
    verdict: str


class Progress(Told):
    """A line of ``/wait``; ``results`` are of the last, by the task_ids that were asked for."""

    state: RunState
    results: JsonObject | None = Field(default=None)


def run_of(row: RunRow, conf: JsonObject | None) -> DagRun:
    via, _, name = row.triggered_by.rpartition(":")
    return DagRun(
        dag_run_id=row.run_id,
        dag_id=row.dag_id,
        dag_display_name=row.dag_id,
        logical_date=row.logical_date,
        queued_at=row.created_at,
        start_date=row.started_at,
        end_date=row.ended_at,
        duration=row.duration,
        data_interval_start=row.data_interval_start,
        data_interval_end=row.data_interval_end,
        run_after=row.data_interval_end or row.logical_date or row.created_at,
        run_type=row.run_type,
        state=row.state,
        triggered_by=via or row.triggered_by,
        triggering_user_name=name if via else None,
        conf=conf,
        note=row.note,
        version_number=row.version_number or None,
        is_paused=row.is_paused,
        is_cancelling=row.is_cancelling,
        blocked=row.blocked,
        reason=row.reason,
        run_key=row.run_key or None,
        last_seq=row.last_seq,
    )
