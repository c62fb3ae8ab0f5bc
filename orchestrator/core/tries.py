"""Tries: what the history of a run tells of the attempts of one activity, one after the other. Pure."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivityMarked,
    ActivityResumed,
    ActivityScheduled,
    ActivitySkipped,
    ActivityStarted,
    AnyEvent,
    OutcomeResolved,
    Recorded,
)
from orchestrator.core.particulars import Failure
from orchestrator.names import TaskState


class Try(msgspec.Struct, kw_only=True):
    """One attempt. ``notes`` are what happened to it in between, and what people did, each with its moment."""

    number: int
    state: TaskState = TaskState.QUEUED
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    worker: str = ""
    failure: Failure | None = None
    reason: str = ""
    retry_at: datetime | None = None
    notes: list[tuple[datetime, str]] = []

    @property
    def duration(self) -> float | None:
        """In seconds; None until it has ended."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0.0, (self.ended_at - self.started_at).total_seconds())


def tries_of(facts: Iterable[Recorded], task_id: str, map_index: int) -> list[Try]:
    """The attempts of that activity that the facts tell of, in order of their beginning."""
    found: dict[int, Try] = {}
    for fact in facts:
        if _is_about(fact.event, task_id, map_index):
            _take(found, fact.event, fact.at)
    return list(found.values())


def _is_about(event: AnyEvent, task_id: str, map_index: int) -> bool:
    if getattr(event, "task_id", None) != task_id:
        return False
    first = getattr(event, "map_index", None)
    return first is not None and first <= map_index < first + getattr(event, "count", 1)


def _take(found: dict[int, Try], event: AnyEvent, at: datetime) -> None:
    match event:
        case ActivityCleared() | ActivityMarked():
            _by_people(found, event, at)
            return
        case ActivitySkipped(attempt=0):
            return
        case ActivityScheduled() | ActivityStarted() | ActivityResumed() | ActivityDeferred():
            _go_on(_of(found, event.attempt), event, at)
        case ActivityCompleted() | ActivityFailed() | ActivityLost() | ActivitySkipped() | OutcomeResolved():
            _end(_of(found, event.attempt), event, at)
        case _:
            pass


def _of(found: dict[int, Try], number: int) -> Try:
    return found.setdefault(number, Try(number=number, notes=[]))


def _go_on(one: Try, event: AnyEvent, at: datetime) -> None:
    match event:
        case ActivityScheduled():
            one.state, one.scheduled_at = TaskState.QUEUED, one.scheduled_at or at
        case ActivityStarted():
            one.state, one.started_at, one.worker = TaskState.RUNNING, one.started_at or at, event.worker
        case ActivityDeferred(until=until):
            one.state = TaskState.DEFERRED
            one.notes.append((at, "put off" if until is None else f"put off until {until:%Y-%m-%d %H:%M:%S} UTC"))
        case ActivityResumed():
            one.notes.append((at, "goes on"))
        case _:
            pass


def _end(one: Try, event: AnyEvent, at: datetime) -> None:
    one.ended_at = at
    match event:
        case ActivityCompleted():
            one.state = TaskState.SUCCESS
        case ActivityFailed(failure=failure, retry_at=retry_at):
            one.state, one.failure, one.retry_at = TaskState.FAILED, failure, retry_at
        case ActivityLost(reason=reason, unknown=unknown, free=free):
            one.state = TaskState.AWAITING_INPUT if unknown else TaskState.FAILED
            one.reason = f"lost: {reason}" + ("; it cost no try" if free else "")
        case ActivitySkipped(reason=reason):
            one.state, one.reason = TaskState.SKIPPED, reason
        case OutcomeResolved(state=state, by=by):
            one.state = TaskState.UP_FOR_RETRY if state is TaskState.NONE else state
            one.notes.append((at, f"its outcome was said by {_who(by)}"))
        case _:
            pass


def _by_people(found: dict[int, Try], event: ActivityCleared | ActivityMarked, at: datetime) -> None:
    """They are told with the try before them."""
    if not found:
        return
    last = list(found.values())[-1]
    if isinstance(event, ActivityMarked):
        last.notes.append((at, f"marked as {event.state} by {_who(event.by)}"))
    else:
        last.notes.append((at, f"cleared by {_who(event.by)}"))


def _who(by: str) -> str:
    return by.rpartition(":")[2] or "somebody"
