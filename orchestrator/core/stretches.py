"""Stretches: the time that activities spent queued, running and waiting, try by try, told from their facts. Pure."""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

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
from orchestrator.core.forms import waiting_for
from orchestrator.core.particulars import NULL
from orchestrator.names import TaskState

KINDS: tuple[type[AnyEvent], ...] = (
    ActivityScheduled,
    ActivityStarted,
    ActivityDeferred,
    ActivityResumed,
    ActivityCompleted,
    ActivityFailed,
    ActivityLost,
    ActivitySkipped,
    ActivityMarked,
    ActivityCleared,
    OutcomeResolved,
)
"""The facts that they are told from."""


class Doing(StrEnum):
    """What a try did with its time: waited for a worker, had one, or waited without one."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"


class Stretch(msgspec.Struct, kw_only=True):
    """Some time of a try. ``state`` is what became of the try by its end, or what it waited as; ``ended_at`` None
    where it has not ended.
    """

    attempt: int
    doing: Doing
    state: TaskState
    began_at: datetime
    ended_at: datetime | None = None
    worker: str = ""


Spot: TypeAlias = tuple[str, int]
Stretches: TypeAlias = dict[Spot, list[Stretch]]


def stretches_of(facts: Iterable[Recorded], wanted: Callable[[Spot], bool]) -> Stretches:
    """By activity, in order; of ``facts`` that begin in the middle, what they tell."""
    found: Stretches = {}
    for fact in facts:
        for spot in _spots(fact.event):
            if wanted(spot):
                _tell(found.setdefault(spot, []), fact.event, fact.at)
    return found


def _spots(event: AnyEvent) -> Iterable[Spot]:
    match event:
        case ActivityScheduled() | ActivitySkipped() | ActivityMarked() | ActivityCleared():
            return ((event.task_id, event.map_index + number) for number in range(event.count))
        case (
            ActivityStarted()
            | ActivityDeferred()
            | ActivityResumed()
            | ActivityCompleted()
            | ActivityFailed()
            | ActivityLost()
            | OutcomeResolved()
        ):
            return ((event.task_id, event.map_index),)
        case _:
            return ()


def _tell(told: list[Stretch], event: AnyEvent, at: datetime) -> None:
    match event:
        case ActivityScheduled(attempt=attempt):
            _end(told, at)
            _begin(told, attempt, Doing.QUEUED, TaskState.QUEUED, at)
        case ActivityStarted(attempt=attempt):
            if _is_open(told, attempt):
                _end(told, at)
            _begin(told, attempt, Doing.RUNNING, TaskState.RUNNING, at, event.worker)
        case ActivityDeferred(attempt=attempt):
            _close(told, attempt, waits_as(event), at)
            _begin(told, attempt, Doing.WAITING, waits_as(event), at)
        case ActivityResumed():
            _end(told, at)
        case ActivityFailed(attempt=attempt, retry_at=retry_at):
            _close(told, attempt, TaskState.FAILED, at)
            if retry_at is not None:
                _begin(told, attempt, Doing.WAITING, TaskState.UP_FOR_RETRY, at)
        case ActivityLost(attempt=attempt, unknown=unknown):
            _close(told, attempt, TaskState.AWAITING_INPUT if unknown else TaskState.FAILED, at)
        case _:
            _tell_end(told, event, at)


def _tell_end(told: list[Stretch], event: AnyEvent, at: datetime) -> None:
    match event:
        case ActivityCompleted(attempt=attempt):
            _close(told, attempt, TaskState.SUCCESS, at)
        case ActivitySkipped(attempt=attempt):
            _close(told, attempt, TaskState.SKIPPED, at)
        case OutcomeResolved(attempt=attempt, state=state):
            _close(told, attempt, state, at)
        case ActivityMarked(state=state):
            if told:
                _close(told, told[-1].attempt, state, at)
        case ActivityCleared():
            if told and told[-1].doing is Doing.WAITING:
                _end(told, at)
        case _:
            pass


def waits_as(event: ActivityDeferred) -> TaskState:
    """The state of an activity that waits after this."""
    is_put_off = event.trigger == NULL and event.until is not None
    return TaskState.UP_FOR_RESCHEDULE if is_put_off else waiting_for(event.trigger)


def _is_open(told: list[Stretch], attempt: int) -> bool:
    return bool(told) and told[-1].ended_at is None and told[-1].attempt == attempt


def _begin(told: list[Stretch], attempt: int, doing: Doing, state: TaskState, at: datetime, worker: str = "") -> None:
    told.append(Stretch(attempt=attempt, doing=doing, state=state, began_at=at, worker=worker))


def _end(told: list[Stretch], at: datetime) -> None:
    if told and told[-1].ended_at is None:
        told[-1].ended_at = at


def _close(told: list[Stretch], attempt: int, state: TaskState, at: datetime) -> None:
    """The try has come to something: so it is shown wherever it had a worker. Reports that come too late count not."""
    if not _is_open(told, attempt):
        return
    told[-1].ended_at = at
    if told[-1].doing is not Doing.WAITING:
        told[-1].state = state
