"""Outcomes: what came of a call or a child run, as the code gets to hear it: a value or an error."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import msgspec

from orchestrator.core import values
from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityFailed,
    ActivityLost,
    ActivityMarked,
    ActivityScheduled,
    ActivitySkipped,
    AnyEvent,
    ChildEnded,
    ChildStarted,
    OutcomeResolved,
)
from orchestrator.core.particulars import PayloadRef
from orchestrator.exceptions import ActivityError, ChildError, ValueDecodingError
from orchestrator.names import FailureKind, RunState, TaskState
from orchestrator.replay.ledger import Slot

Load: TypeAlias = Callable[[PayloadRef], bytes]
ActivityEvent: TypeAlias = (
    ActivityCleared
    | ActivityCompleted
    | ActivityFailed
    | ActivityLost
    | ActivityMarked
    | ActivityScheduled
    | ActivitySkipped
    | OutcomeResolved
)

_FINAL = frozenset({FailureKind.NON_RETRYABLE, FailureKind.CANCELLED, FailureKind.LOST})


class Came(NamedTuple):
    """What came: ``error``, or else ``value``."""

    value: Any = None
    error: BaseException | None = None


def read(raw: msgspec.Raw, payload: PayloadRef | None, load: Load) -> Came:
    """A recorded result."""
    try:
        return Came(values.decode(raw if payload is None else load(payload)))
    except ValueDecodingError as error:
        return Came(error=error)


def counts(event: ActivityEvent, slot: Slot, *, is_transactional: bool) -> bool:
    """Whether a fact about the call is its outcome; the others are kept in mind: evidence does not count later.

    Facts about attempts may be left out of what is told, as long as all outcomes that do not count are too.
    """
    match event:
        case ActivityScheduled(attempt=attempt):
            slot.scheduled = max(slot.scheduled, attempt)
        case ActivityLost(attempt=attempt):
            slot.over = max(slot.over, attempt)
        case ActivityCleared():
            slot.over = slot.outdated = slot.scheduled
        case ActivityFailed(attempt=attempt, retry_at=again) if again is not None:
            slot.over = max(slot.over, attempt)
        case ActivityCompleted(attempt=attempt) if is_transactional:
            return attempt > slot.outdated
        case ActivityCompleted(attempt=attempt) | ActivityFailed(attempt=attempt):
            return attempt > slot.over and attempt >= slot.scheduled
        case ActivitySkipped(attempt=attempt):
            return attempt == 0 or (attempt > slot.over and attempt >= slot.scheduled)
        case OutcomeResolved(state=state):
            return state is not TaskState.NONE
        case ActivityMarked():
            return True
    return False


def of_call(event: AnyEvent, activity_id: str, load: Load) -> Came:
    """What came of a call, of a fact that counts."""
    match event:
        case ActivityCompleted(result=result, payload=payload):
            return read(result, payload, load)
        case OutcomeResolved(state=TaskState.SUCCESS, result=result, payload=payload):
            return read(result, payload, load)
        case ActivityFailed(attempt=attempt):
            return Came(error=_failed(event, activity_id))
        case OutcomeResolved(attempt=attempt, by=by):
            return Came(error=_said(activity_id, attempt, f"was resolved as failed{_by(by)}"))
        case ActivityMarked(state=TaskState.FAILED, by=by):
            return Came(error=_said(activity_id, 0, f"was marked as failed{_by(by)}"))
        case _:  # skipped, or marked as a success: there is no result
            return Came()


def cancelled(activity_id: str, attempt: int = 0) -> ActivityError:
    """The outcome of a call that the code gave up, or that the cancellation of its run ended."""
    message = f"activity {activity_id} was cancelled"
    return ActivityError(
        message, activity_id=activity_id, attempt=attempt, retryable=False, kind=FailureKind.CANCELLED, cause=message
    )


def of_child(ended: ChildEnded, started: ChildStarted, load: Load) -> Came:
    """What came of a child run."""
    if ended.state is RunState.SUCCESS:
        return read(ended.result, ended.payload, load)
    name = f"{started.dag_id} {started.run_id}".strip()
    what = "could not be started" if started.child_run_key == 0 else "has failed"
    message = f"child run {name} {what}: {ended.reason or 'no reason is recorded'}"
    return Came(error=ChildError(message, dag_id=started.dag_id, run_id=started.run_id, reason=ended.reason))


def _failed(event: ActivityFailed, activity_id: str) -> ActivityError:
    failure = event.failure
    return ActivityError(
        f"activity {activity_id} failed at attempt {event.attempt}: {failure.message}",
        activity_id=activity_id,
        attempt=event.attempt,
        retryable=event.kind not in _FINAL,
        kind=event.kind,
        cause=failure.message,
        types=failure.types,
        where=failure.where,
    )


def _said(activity_id: str, attempt: int, what: str) -> ActivityError:
    message = f"activity {activity_id} {what}"
    return ActivityError(message, activity_id=activity_id, attempt=attempt, retryable=False, cause=message)


def _by(by: str) -> str:
    return f" by {by}" if by else ""
