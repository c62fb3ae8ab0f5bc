"""What an executor's report means: the facts that it becomes. Pure policy."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import assert_never

from orchestrator.core.activity import Activity
from orchestrator.core.calling import LATE_REPORT
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivityResumed,
    ActivitySkipped,
    ActivityStarted,
    AnyEvent,
    OutcomeResolved,
)
from orchestrator.core.orders import Completed, Deferred, Failed, Fired, Lost, News, Skipped, Started, TakenBack
from orchestrator.core.particulars import Failure
from orchestrator.core.retry import retry_at
from orchestrator.core.run import Run
from orchestrator.names import AttemptKey, Delivery, FailureKind, TaskState

DEFAULT_MAX_LOST_ATTEMPTS = 3

_PUT_OFF = (TaskState.DEFERRED, TaskState.AWAITING_INPUT, TaskState.UP_FOR_RESCHEDULE)
_LEFT_BY: Mapping[type[News], Sequence[TaskState]] = {
    Completed: (TaskState.SUCCESS,),
    Failed: (TaskState.FAILED, TaskState.UP_FOR_RETRY),
    Skipped: (TaskState.SKIPPED,),
    Deferred: _PUT_OFF,
    Lost: (TaskState.SCHEDULED,),
    TakenBack: (TaskState.SCHEDULED,),
}


def facts_of(run: Run, report: News, *, now: datetime, max_lost: int = DEFAULT_MAX_LOST_ATTEMPTS) -> list[AnyEvent]:
    """The facts to record for a report, in order.

    A report on an attempt that is no longer open is kept as evidence; the fold applies it only where its delivery
    promises so: a committed transaction, or an answer to an unknown outcome. One on what the run does not have is none,
    and neither is one that the history has already, as when nobody heard that its commit had succeeded.
    """
    node = run.nodes.get(report.key.task_id)
    if node is None or report.key.map_index not in node.indexes():
        return []
    activity = node.activity(report.key.map_index)
    if _is_echo(run, report, activity):
        return []
    match report:
        case Started():
            return [_started(report)] if _is_next(activity, report.key) else []
        case Completed():
            return [_completed(report, activity)]
        case Failed():
            return [_failed(run, report, activity, now)]
        case Skipped():
            return [_skipped(report)]
        case Deferred():
            return [_deferred(run, report)]
        case Lost():
            return _lost(run, report, activity, max_lost)
        case Fired():
            return _fired(run, report, activity, now)
        case TakenBack():
            return [_gone(report.key, "it was taken back before it began", free=True)]
        case _:
            assert_never(report)


def _is_echo(run: Run, report: News, activity: Activity) -> bool:
    """Whether the attempt was closed by just such a report."""
    task_id, map_index, attempt = _where(report.key)
    is_closed = activity.attempt == attempt and (task_id, map_index) not in run.open
    return is_closed and not activity.is_unknown and activity.state in _LEFT_BY.get(type(report), ())


def _where(key: AttemptKey) -> tuple[str, int, int]:
    return key.task_id, key.map_index, key.attempt


def _is_next(activity: Activity, key: AttemptKey) -> bool:
    return activity.attempt == key.attempt and activity.state is TaskState.QUEUED


def _started(report: Started) -> AnyEvent:
    key = report.key
    return ActivityStarted(task_id=key.task_id, map_index=key.map_index, attempt=key.attempt, worker=report.worker)


def _completed(report: Completed, activity: Activity) -> AnyEvent:
    key = report.key
    if activity.is_unknown and activity.attempt == key.attempt:
        return OutcomeResolved(
            task_id=key.task_id,
            map_index=key.map_index,
            attempt=key.attempt,
            state=TaskState.SUCCESS,
            result=report.result,
            payload=report.payload,
            length=report.length,
            by=LATE_REPORT,
            xcoms=report.xcoms,
        )
    return ActivityCompleted(
        task_id=key.task_id,
        map_index=key.map_index,
        attempt=key.attempt,
        result=report.result,
        payload=report.payload,
        length=report.length,
        lengths=report.lengths,
        skip=report.skip,
        xcoms=report.xcoms,
        rendered_map_index=report.rendered_map_index,
    )


def _skipped(report: Skipped) -> AnyEvent:
    key = report.key
    return ActivitySkipped(
        task_id=key.task_id,
        map_index=key.map_index,
        attempt=key.attempt,
        reason=report.reason,
        xcoms=report.xcoms,
        rendered_map_index=report.rendered_map_index,
    )


def _failed(run: Run, report: Failed, activity: Activity, now: datetime) -> AnyEvent:
    key = report.key
    again = None
    if run.tries_again((key.task_id, key.map_index)):
        again = retry_at(
            run_uid=run.created.run_uid,
            task=run.nodes[key.task_id].task,
            map_index=key.map_index,
            attempt=key.attempt,
            failures=activity.failures + 1,
            kind=report.kind,
            types=report.failure.types,
            now=now,
        )
    return ActivityFailed(
        task_id=key.task_id,
        map_index=key.map_index,
        attempt=key.attempt,
        kind=report.kind,
        failure=report.failure,
        retry_at=again,
        xcoms=report.xcoms,
        rendered_map_index=report.rendered_map_index,
    )


def _deferred(run: Run, report: Deferred) -> AnyEvent:
    """Where no other attempt is wanted, as in a run that is being cancelled, there is nothing to wait for any more."""
    task_id, map_index, attempt = _where(report.key)
    if run.tries_again((task_id, map_index)):
        return ActivityDeferred(
            task_id=task_id,
            map_index=map_index,
            attempt=attempt,
            trigger=report.trigger,
            until=report.until,
            xcoms=report.xcoms,
            rendered_map_index=report.rendered_map_index,
        )
    return ActivityFailed(
        task_id=task_id,
        map_index=map_index,
        attempt=attempt,
        kind=FailureKind.CANCELLED,
        failure=Failure(message=f"the run was cancelled: {run.cancelling}" if run.cancelling else "it was given up"),
    )


def _fired(run: Run, report: Fired, activity: Activity, now: datetime) -> list[AnyEvent]:
    """Once: a second event of the same deferral, and one of a deferral that is over, are none."""
    key = report.key
    if not activity.waits(key.attempt) or activity.deferred_seq != report.seq:
        return []
    if report.end is not None:
        return facts_of(run, report.end, now=now)
    task_id, map_index, attempt = _where(key)
    return [ActivityResumed(task_id=task_id, map_index=map_index, attempt=attempt, payload=report.payload)]


def _lost(run: Run, report: Lost, activity: Activity, max_lost: int) -> list[AnyEvent]:
    key = report.key
    task = run.nodes[key.task_id].task
    if not report.started:
        return [_gone(key, report.reason, free=True)]
    if task.delivery is Delivery.AT_MOST_ONCE:
        return [_gone(key, report.reason, free=report.free, unknown=True)]
    if report.free or activity.losses + 1 < max_lost:
        return [_gone(key, report.reason, free=report.free)]
    message = f"lost {max_lost} times, the last time because {report.reason}; it is not tried again"
    return [
        ActivityFailed(
            task_id=key.task_id,
            map_index=key.map_index,
            attempt=key.attempt,
            kind=FailureKind.LOST,
            failure=Failure(message=message),
        )
    ]


def _gone(key: AttemptKey, reason: str, *, free: bool, unknown: bool = False) -> AnyEvent:
    return ActivityLost(
        task_id=key.task_id,
        map_index=key.map_index,
        attempt=key.attempt,
        reason=reason,
        free=free,
        unknown=unknown,
    )
