"""Commands: what ``decide`` wants done next, in the imperative; and the facts that each becomes."""

from typing import TypeAlias, assert_never

import msgspec

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityResumed,
    ActivityScheduled,
    ActivitySkipped,
    ActivityUpstreamFailed,
    AnyEvent,
    RunEnded,
    RunStarted,
    TaskExpanded,
    TimerFired,
)
from orchestrator.core.particulars import Failure
from orchestrator.names import AttemptKey, FailureKind, RunState


class ScheduleActivity(msgspec.Struct, frozen=True, kw_only=True):
    """These ``count`` activities may start, once there is room for them."""

    task_id: str
    map_index: int
    count: int


class PassActivity(msgspec.Struct, frozen=True, kw_only=True):
    """This one has nothing to do and succeeds without a worker."""

    task_id: str
    map_index: int
    count: int
    attempt: int


class SkipActivity(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str
    map_index: int
    count: int
    reason: str


class FailUpstream(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str
    map_index: int
    count: int


class ResumeActivity(msgspec.Struct, frozen=True, kw_only=True):
    """The moment until which this attempt was deferred has come."""

    task_id: str
    map_index: int
    attempt: int


class GiveUp(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody will say what became of this attempt any more: it fails."""

    task_id: str
    map_index: int
    attempt: int
    reason: str


class ExpandTask(msgspec.Struct, frozen=True, kw_only=True):
    task_id: str
    shape: tuple[int, ...]
    extents: tuple[tuple[int, ...], ...] = ()


class CancelAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """Ask the executor to end it; its report is the fact."""

    key: AttemptKey


class CancelRun(msgspec.Struct, frozen=True, kw_only=True):
    """Have it wound up; where its code is blocked, that is its end."""

    by: str
    reason: str


class StartRun(msgspec.Struct, frozen=True, kw_only=True):
    """A workflow has had its turn and begins."""


class FireTimer(msgspec.Struct, frozen=True, kw_only=True):
    timer_id: str


class Activate(msgspec.Struct, frozen=True, kw_only=True):
    """Tell the code of the workflow what is new, once it is committed."""


class CancelChild(msgspec.Struct, frozen=True, kw_only=True):
    """Have a child run cancelled, unless it is being cancelled or has ended."""

    child_id: str
    child_run_key: int
    reason: str


class EndRun(msgspec.Struct, frozen=True, kw_only=True):
    state: RunState
    reason: str


Recordable: TypeAlias = (
    PassActivity | SkipActivity | FailUpstream | ResumeActivity | GiveUp | ExpandTask | StartRun | FireTimer | EndRun
)
Command: TypeAlias = ScheduleActivity | CancelAttempt | CancelChild | CancelRun | Activate | Recordable


def facts_of(command: Recordable) -> tuple[AnyEvent, ...]:
    """The events by which a command is carried out; the others are carried out elsewhere."""
    match command:
        case SkipActivity():
            return (
                ActivitySkipped(
                    task_id=command.task_id,
                    map_index=command.map_index,
                    count=command.count,
                    reason=command.reason,
                ),
            )
        case FailUpstream():
            return (ActivityUpstreamFailed(task_id=command.task_id, map_index=command.map_index, count=command.count),)
        case PassActivity():
            return _passed(command)
        case GiveUp():
            return (
                ActivityFailed(
                    task_id=command.task_id,
                    map_index=command.map_index,
                    attempt=command.attempt,
                    kind=FailureKind.CANCELLED,
                    failure=Failure(message=command.reason),
                ),
            )
        case ResumeActivity():
            return (ActivityResumed(task_id=command.task_id, map_index=command.map_index, attempt=command.attempt),)
        case ExpandTask():
            return (TaskExpanded(task_id=command.task_id, shape=command.shape, extents=command.extents),)
        case StartRun():
            return (RunStarted(),)
        case FireTimer():
            return (TimerFired(timer_id=command.timer_id),)
        case EndRun():
            return (RunEnded(state=command.state, reason=command.reason),)
        case _:
            assert_never(command)


def _passed(command: PassActivity) -> tuple[AnyEvent, ...]:
    scheduled = ActivityScheduled(
        task_id=command.task_id, map_index=command.map_index, count=command.count, attempt=command.attempt
    )
    indexes = range(command.map_index, command.map_index + command.count)
    return (
        scheduled,
        *(ActivityCompleted(task_id=command.task_id, map_index=i, attempt=command.attempt) for i in indexes),
    )
