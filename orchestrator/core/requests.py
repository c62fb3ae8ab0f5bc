"""Requests: what everyone but the scheduler may ask for; the scheduler turns each into events.

A request names its run by (dag_id, run_id); ``by`` is who asked. The tag is the wire name.
"""

from datetime import datetime
from typing import TypeAlias

import msgspec

from orchestrator.core.particulars import NULL
from orchestrator.names import UNMAPPED, RunType, TaskState


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An intention of a person or a program."""

    dag_id: str
    run_id: str
    by: str = ""


class TriggerRun(Request, frozen=True, kw_only=True, tag="trigger_run"):
    """Create a run; (dag_id, run_id) is reserved by the request itself. ``conf`` is a JSON object."""

    run_uid: str
    run_type: RunType = RunType.MANUAL
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    conf: msgspec.Raw = msgspec.Raw(b"{}")
    note: str | None = None


class CancelRun(Request, frozen=True, kw_only=True, tag="cancel_run"):
    reason: str = "cancelled"


class PauseRun(Request, frozen=True, kw_only=True, tag="pause_run"):
    pass


class ResumeRun(Request, frozen=True, kw_only=True, tag="resume_run"):
    pass


class ClearTasks(Request, frozen=True, kw_only=True, tag="clear_tasks"):
    """Set tasks back to none; ``tasks`` are (task_id, map_index or None for all). Moves to ``version_id`` if given."""

    tasks: tuple[tuple[str, int | None], ...]
    same_key: bool = False
    version_id: int | None = None


class MarkTask(Request, frozen=True, kw_only=True, tag="mark_task"):
    task_id: str
    map_index: int | None = None
    state: TaskState


class ResolveTask(Request, frozen=True, kw_only=True, tag="resolve_task"):
    """Say what became of an outcome that is unknown: success with ``result``, failed, or none (try again)."""

    task_id: str
    map_index: int = -1
    state: TaskState
    result: msgspec.Raw = NULL


class AnswerTask(Request, frozen=True, kw_only=True, tag="answer_task"):
    """Answer what a task asks a person: the chosen ``options``, and a JSON object of what is filled in.

    ``asked``: the seq of the fact that asks, so that no other question of the task takes this answer; 0 for any.
    """

    task_id: str
    map_index: int = UNMAPPED
    options: tuple[str, ...]
    params: msgspec.Raw = msgspec.Raw(b"{}")
    asked: int = 0


class SendSignal(Request, frozen=True, kw_only=True, tag="send_signal"):
    name: str
    payload: msgspec.Raw = NULL


class SendUpdate(Request, frozen=True, kw_only=True, tag="send_update"):
    """Ask a workflow for something that it answers; ``update_id`` is made by who asks, and said twice counts once."""

    update_id: str
    name: str
    payload: msgspec.Raw = NULL


class MoveRun(Request, frozen=True, kw_only=True, tag="move_run"):
    """Go on with another version of the DAG."""

    version_id: int


class ResetRun(Request, frozen=True, kw_only=True, tag="reset_run"):
    """Go back to the state after ``seq``; what was recorded later counts no more. Moves to ``version_id`` if given."""

    seq: int
    reason: str = ""
    version_id: int | None = None


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """Another result for an activity that a fork takes over."""

    task_id: str
    map_index: int = UNMAPPED
    result: msgspec.Raw


class ForkRun(Request, frozen=True, kw_only=True, tag="fork_run"):
    """Create the run ``run_id``, which begins with what ``source`` had recorded up to ``seq``.

    ``run_uid`` is that of the new run; with ``same_key`` it takes over its source's, and with it the idempotency keys.
    It executes ``version_id``, or what its source had at ``seq``.
    """

    source: str
    run_uid: str
    seq: int
    edits: tuple[Edit, ...] = ()
    same_key: bool = False
    version_id: int | None = None
    note: str | None = None


AnyRequest: TypeAlias = (
    TriggerRun
    | CancelRun
    | PauseRun
    | ResumeRun
    | ClearTasks
    | MarkTask
    | ResolveTask
    | AnswerTask
    | SendSignal
    | SendUpdate
    | MoveRun
    | ResetRun
    | ForkRun
)
