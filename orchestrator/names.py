"""Ids and status words, in the field's own terms (docs/reference/glossary.md)."""

from enum import StrEnum
from typing import NamedTuple

UNMAPPED = -1


class TaskState(StrEnum):
    """What one activity run is in; the words are Airflow's."""

    NONE = "none"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    UP_FOR_RETRY = "up_for_retry"
    UP_FOR_RESCHEDULE = "up_for_reschedule"
    UPSTREAM_FAILED = "upstream_failed"
    SKIPPED = "skipped"
    RESTARTING = "restarting"
    REMOVED = "removed"
    DEFERRED = "deferred"
    AWAITING_INPUT = "awaiting_input"


FINISHED = frozenset(
    {
        TaskState.SUCCESS,
        TaskState.FAILED,
        TaskState.UPSTREAM_FAILED,
        TaskState.SKIPPED,
        TaskState.REMOVED,
    }
)


class RunState(StrEnum):
    """What one run of a DAG is in."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class RunType(StrEnum):
    """Why a run exists; the first part of its run id."""

    SCHEDULED = "scheduled"
    MANUAL = "manual"
    BACKFILL = "backfill"
    ASSET_TRIGGERED = "asset_triggered"
    OPERATOR_TRIGGERED = "operator_triggered"


class DagKind(StrEnum):
    """Whether blue code is a static graph or an imperative workflow."""

    DAG = "dag"
    WORKFLOW = "workflow"


class BlockKind(StrEnum):
    """Why a workflow's code cannot go on; each is mended by its author, or by trying again."""

    NON_DETERMINISM = "non_determinism"  # the code asks for something else than what is recorded
    STUCK = "stuck"  # the code ran for too long without waiting for anything
    FOREIGN = "foreign"  # the code awaits what this program cannot replay
    ENCODING = "encoding"  # an argument or a result is not a value that can be recorded
    QUARANTINE = "quarantine"  # the code causes a side effect outside of an activity
    LOADING = "loading"  # the recorded code could not be loaded
    PAYLOAD = "payload"  # a large value that the history refers to is gone, or damaged


class QuarantineMode(StrEnum):
    """What becomes of a side effect of blue code."""

    AUTO = "auto"  # error in files that import orchestrator, warn in files that import airflow
    ERROR = "error"  # it is refused
    WARN = "warn"  # it happens, and is shown
    OFF = "off"  # nobody looks


class NewVersion(StrEnum):
    """What a new version of a DAG means to its open runs."""

    PIN = "pin"  # they end on the version that they have
    MOVE = "move"  # they go over to it, where what is recorded fits it


class ParentClose(StrEnum):
    """What the end of a parent means to a child that is still open."""

    CANCEL = "cancel"
    ABANDON = "abandon"


class TriggerRule(StrEnum):
    """When a task may start, given the states of its direct upstreams; Airflow's thirteen."""

    ALL_SUCCESS = "all_success"
    ALL_FAILED = "all_failed"
    ALL_DONE = "all_done"
    ALL_DONE_MIN_ONE_SUCCESS = "all_done_min_one_success"
    ALL_DONE_SETUP_SUCCESS = "all_done_setup_success"
    ONE_SUCCESS = "one_success"
    ONE_FAILED = "one_failed"
    ONE_DONE = "one_done"
    NONE_FAILED = "none_failed"
    NONE_FAILED_MIN_ONE_SUCCESS = "none_failed_min_one_success"
    NONE_SKIPPED = "none_skipped"
    ALL_SKIPPED = "all_skipped"
    ALWAYS = "always"


class WeightRule(StrEnum):
    """How a task's effective priority is summed from priority_weight."""

    DOWNSTREAM = "downstream"
    UPSTREAM = "upstream"
    ABSOLUTE = "absolute"


class Delivery(StrEnum):
    """What happens when the engine dies between an effect and its record."""

    AT_LEAST_ONCE = "at_least_once"
    AT_MOST_ONCE = "at_most_once"
    TRANSACTIONAL = "transactional"


class Isolation(StrEnum):
    """Whether an attempt shares a warm worker process or is given one of its own."""

    WARM = "warm"
    FORK = "fork"


class FailureKind(StrEnum):
    """Why an attempt failed."""

    ERROR = "error"  # the body raised
    NON_RETRYABLE = "non_retryable"  # the body raised AirflowFailException or a rule said so
    TIMEOUT = "timeout"  # execution_timeout passed
    QUEUED_TIMEOUT = "queued_timeout"  # no worker started it in time
    ENCODING = "encoding"  # the result is not a value that can be recorded
    LOADING = "loading"  # the recorded code could not be loaded in the worker
    CANCELLED = "cancelled"  # a person or the run's time-out ended it
    LOST = "lost"  # its worker died too often


class CallbackKind(StrEnum):
    """What calls for a callback: how an attempt ended, or, of the first two, a run."""

    SUCCESS = "on_success"
    FAILURE = "on_failure"
    RETRY = "on_retry"
    SKIPPED = "on_skipped"


class AttemptKey(NamedTuple):
    """One try of one activity: the unit that an executor is given and reports on.

    With ``callback``, the callbacks of that kind that its outcome calls for; where ``task_id`` is empty, those of the
    run, whose ends ``attempt`` counts.
    """

    run_key: int
    task_id: str
    map_index: int
    attempt: int
    callback: CallbackKind | None = None
