"""What there is to say of a fact beside its time and its kind: parts of a line; and who told of it."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from orchestrator.core.callback_events import CallbackEnded, CallbackLost, CallbackScheduled
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivityRequested,
    ActivitySkipped,
    ActivityStarted,
    AnyEvent,
    ChildEnded,
    ChildStarted,
    RunBlocked,
    RunContinued,
    RunCreated,
    RunEnded,
    RunMoved,
    RunReset,
    SignalReceived,
    TimerCancelled,
    TimerFired,
    TimerSet,
    UpdateAnswered,
    UpdateReceived,
    ValueRecorded,
    VersionMarker,
)
from orchestrator.core.particulars import NULL, PayloadRef
from orchestrator.core.written import moment, written

_HAPPENED = (
    ActivityStarted,
    ActivityCompleted,
    ActivityFailed,
    ActivityLost,
    ActivityDeferred,
    CallbackLost,
    CallbackEnded,
)
HAPPENED = frozenset(kind.__name__ for kind in _HAPPENED)
"""The names of the kinds that workers tell of."""
_SAID = frozenset(
    {"task_id", "map_index", "count", "attempt", "timer_id", "name", "fingerprint", "input_digest", "digest", "heard"}
)
_NO_CONF = msgspec.Raw(b"{}")
_ID = 8  # of an update's 32 digits, enough to tell one from the other


def happened(event: AnyEvent) -> bool:
    """Whether a worker told of it; all else is the engine's decision or a person's."""
    return isinstance(event, _HAPPENED) or (isinstance(event, ActivitySkipped) and event.attempt > 0)


def clock(at: datetime) -> str:
    """The time of day, to the millisecond."""
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"


def subject(event: AnyEvent) -> str:
    """Whom it is about: a task with its index or range of indexes, a timer, a child, or what was said to the run."""
    match event:
        case TimerSet() | TimerFired() | TimerCancelled():
            return event.timer_id
        case ChildStarted() | ChildEnded():
            return event.child_id
        case SignalReceived() | UpdateReceived() | ValueRecorded() | VersionMarker():
            return event.name
        case UpdateAnswered():
            return event.update_id[:_ID]
        case _:
            return _task(event)


def _task(event: AnyEvent) -> str:
    task_id = getattr(event, "task_id", "")
    first, count = getattr(event, "map_index", -1), getattr(event, "count", 1)
    if first < 0:
        return str(task_id)
    return f"{task_id}[{first}]" if count == 1 else f"{task_id}[{first}…{first + count - 1}]"


def parts(event: AnyEvent, numbers: Mapping[int, int]) -> list[str]:
    """What else there is to say of it, in order; empty ones say nothing. ``numbers``: of versions, by version id."""
    number = getattr(event, "attempt", 0)
    attempt = f"try {number}" if number else ""
    match event:
        case ActivityRequested():
            return [_call(event.input, event.payload)]
        case ActivityCompleted():
            return [attempt, _result(event.result, event.payload)]
        case ActivityFailed():
            again = "" if event.retry_at is None else f"again at {clock(event.retry_at)}"
            return [attempt, again, f"{event.kind}: {event.failure.message}"]
        case ActivityLost():
            fate = "outcome unknown" if event.unknown else "costs no try" if event.free else ""
            return [attempt, event.reason, fate]
        case CallbackScheduled():
            return [event.kind, attempt if event.task_id else ""]
        case CallbackLost():
            return [event.kind, attempt if event.task_id else "", event.reason, "costs no try" if event.free else ""]
        case CallbackEnded():
            fault = "" if event.failure is None else f"failed: {event.failure.message}"
            return [event.kind, attempt if event.task_id else "", fault]
        case RunMoved():
            return [_version(event.version_id, numbers)]
        case _:
            return _of_run(event) or [attempt, *(f"{name} {written(value)}" for name, value in _own_fields(event))]


def _of_run(event: AnyEvent) -> list[str]:
    """Of a fact that is about the run, or about what a workflow's code asked for beside calls; else nothing."""
    match event:
        case RunCreated():
            conf = "" if event.conf == _NO_CONF else f"conf {written(event.conf)}"
            by = f"by {event.triggered_by}" if event.parent is None else ""
            return [event.run_id, conf, *_origin(event), by]
        case RunEnded():
            return [event.state, event.reason, _result(event.result, event.payload)]
        case RunBlocked():
            return [event.kind, event.message]
        case RunContinued():
            return [_call(event.input, event.payload)]
        case RunReset():
            return [f"to fact {event.seq}", _by(event.by), event.reason]
        case TimerSet():
            return [f"until {moment(event.fire_at)}"]
        case ChildStarted():
            return [f"run {event.run_id} of {event.dag_id}"]
        case ChildEnded():
            return [event.state, event.reason, _result(event.result, event.payload)]
        case SignalReceived():
            return ["" if event.payload == NULL else written(event.payload), _by(event.by)]
        case UpdateReceived():
            return [written(event.payload), _by(event.by), event.update_id[:_ID]]
        case UpdateAnswered():
            return [_result(event.result, None) if event.failure is None else f"refused: {event.failure.message}"]
        case ValueRecorded():
            return [_result(event.value, None)]
        case _:
            return []


def _origin(event: RunCreated) -> Iterator[str]:
    if event.parent is not None:
        yield f"child of {event.parent.dag_id} {event.parent.run_id}"
    if event.forked is not None:
        yield f"forked from {event.forked.dag_id} {event.forked.run_id} at fact {event.forked.seq}"
    if event.imported:
        yield "imported"


def _result(value: msgspec.Raw, payload: PayloadRef | None) -> str:
    if payload is not None:
        return f"→ {payload.size} bytes"
    return "" if value == NULL else f"→ {written(value)}"


def _call(data: msgspec.Raw, payload: PayloadRef | None) -> str:
    """What something is called with, as it is written in code."""
    if payload is not None:
        return f"({payload.size} bytes)"
    given = json.loads(bytes(data)) or {}
    positional = [_written(value) for value in given.get("args", ())]
    named = [f"{name}={_written(value)}" for name, value in given.get("kwargs", {}).items()]
    return f"({', '.join(positional + named)})"


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _version(version_id: int, numbers: Mapping[int, int]) -> str:
    number = numbers.get(version_id)
    return "to a version that is not recorded here" if number is None else f"to version {number}"


def _by(who: str) -> str:
    return f"by {who}" if who else ""


def _own_fields(event: AnyEvent) -> Iterator[tuple[str, Any]]:
    """The fields that are not their default, but for those that the line has said already."""
    for field in msgspec.structs.fields(type(event)):
        value = getattr(event, field.name)
        is_made = field.default is msgspec.NODEFAULT and field.default_factory is not msgspec.NODEFAULT
        if field.name not in _SAID and value != (field.default_factory() if is_made else field.default):
            yield field.name, value
