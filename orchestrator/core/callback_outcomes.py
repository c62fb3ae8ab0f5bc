"""What an executor's report on callbacks means: the facts that it becomes. Pure policy."""

from typing import assert_never

from orchestrator.core.callback_events import CallbackEnded, CallbackLost
from orchestrator.core.orders import Completed, Deferred, Failed, Lost, Report, Skipped, Started, TakenBack
from orchestrator.core.particulars import Failure
from orchestrator.core.run import Run
from orchestrator.names import AttemptKey


def facts_of(run: Run, report: Report, *, max_lost: int) -> list[CallbackEnded | CallbackLost]:
    """The facts to record; none where nobody waits for those callbacks any more."""
    called = run.callbacks.get(report.key)
    if called is None or not called.scheduled_seq:
        return []
    match report:
        case Started():
            return []
        case Completed() | Skipped() | Deferred():
            return [_ended(report.key)]
        case Failed():
            return [_ended(report.key, report.failure)]
        case TakenBack():
            return [_lost(report.key, "they were taken back before they began", free=True)]
        case Lost():
            if not report.started or report.free or called.losses + 1 < max_lost:
                return [_lost(report.key, report.reason, free=report.free or not report.started)]
            said = f"lost {max_lost} times, the last time because {report.reason}; they are not called again"
            return [_ended(report.key, Failure(message=said))]
        case _:
            assert_never(report)


def _ended(key: AttemptKey, failure: Failure | None = None) -> CallbackEnded:
    assert key.callback is not None
    return CallbackEnded(
        kind=key.callback, task_id=key.task_id, map_index=key.map_index, attempt=key.attempt, failure=failure
    )


def _lost(key: AttemptKey, reason: str, *, free: bool) -> CallbackLost:
    assert key.callback is not None
    return CallbackLost(
        kind=key.callback,
        task_id=key.task_id,
        map_index=key.map_index,
        attempt=key.attempt,
        reason=reason,
        free=free,
    )
