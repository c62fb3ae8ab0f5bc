"""State words in the groups that Airflow gives them. Each equals the word that this program uses for the same state."""

from enum import StrEnum

from orchestrator.names import TaskState


class TerminalTIState(StrEnum):
    """What a task instance ends in."""

    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    UPSTREAM_FAILED = "upstream_failed"
    REMOVED = "removed"


class IntermediateTIState(StrEnum):
    """What a task instance is in before it ends, and while it does not run."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RESTARTING = "restarting"
    UP_FOR_RETRY = "up_for_retry"
    UP_FOR_RESCHEDULE = "up_for_reschedule"
    DEFERRED = "deferred"
    AWAITING_INPUT = "awaiting_input"


class State:
    """All state words under one name."""

    NONE = None
    SUCCESS = TaskState.SUCCESS
    RUNNING = TaskState.RUNNING
    FAILED = TaskState.FAILED
    REMOVED = TaskState.REMOVED
    SCHEDULED = TaskState.SCHEDULED
    QUEUED = TaskState.QUEUED
    RESTARTING = TaskState.RESTARTING
    UP_FOR_RETRY = TaskState.UP_FOR_RETRY
    UP_FOR_RESCHEDULE = TaskState.UP_FOR_RESCHEDULE
    UPSTREAM_FAILED = TaskState.UPSTREAM_FAILED
    SKIPPED = TaskState.SKIPPED
    DEFERRED = TaskState.DEFERRED
    AWAITING_INPUT = TaskState.AWAITING_INPUT


class DagRunType(StrEnum):
    """Why a run exists."""

    BACKFILL_JOB = "backfill"
    SCHEDULED = "scheduled"
    MANUAL = "manual"
    OPERATOR_TRIGGERED = "operator_triggered"
    ASSET_TRIGGERED = "asset_triggered"
    ASSET_MATERIALIZATION = "asset_materialization"
