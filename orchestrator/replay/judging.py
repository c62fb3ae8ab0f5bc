"""Judging: what stands in a history against what the code asks for, in words for its author."""

import bisect
from typing import Any

import msgspec

from orchestrator.core.activations import (
    Activation,
    AnswerUpdate,
    Call,
    CancelCall,
    CancelTimer,
    Continue,
    MarkVersion,
    Raise,
    RecordValue,
    Return,
    SetTimer,
    SignalRun,
    StartChild,
    WorkflowCommand,
)
from orchestrator.core.events import (
    ActivityCancelRequested,
    ActivityRequested,
    AnyEvent,
    ChildStarted,
    Recorded,
    RunEnded,
    TimerCancelled,
    TimerSet,
    UpdateAnswered,
    ValueRecorded,
    VersionMarker,
)
from orchestrator.core.particulars import PayloadRef
from orchestrator.names import RunState
from orchestrator.replay.course import Course
from orchestrator.replay.episode import Episode
from orchestrator.replay.ledger import Slot

_SHORT = 120


class Versions:
    """Which version of the DAG recorded which facts, by their numbers; ``now`` is that of the code, 0 for none."""

    def __init__(self, activation: Activation) -> None:
        self.now = activation.number
        self._since = activation.versions

    def at(self, seq: int) -> int:
        """The version that recorded the fact at ``seq``; 0 where it is not known."""
        index = bisect.bisect_right(self._since, seq, key=lambda begun: begun[0])
        return self._since[index - 1][1] if index else 0


def misfit(episode: Episode, versions: Versions) -> tuple[str, str | None] | None:
    """What does not fit, and the author's line; None where the code and all that it has been told fit each other."""
    first = episode.ledger.first_unclaimed()
    if first is not None and first.fact is not None:
        fact = first.fact
        instead, where = _instead(episode.course, first)
        return _sentence(fact, in_short(fact.event), instead, where, versions), where
    ended = episode.ended
    if ended is None or (instead_of_end := _other_end(episode.course, ended.event)) is None:
        return None
    where = _resting_place(episode.course)
    return _sentence(ended, in_short(ended.event), instead_of_end, where, versions), where


def not_continued(episode: Episode, fact: Recorded, versions: Versions) -> tuple[str, str | None]:
    """The history says that the code began anew, and it did not want to."""
    instead, where = _instead(episode.course, None)
    return _sentence(fact, "the workflow began anew", instead, where, versions), where


def _sentence(fact: Recorded, recorded_: str, instead: str, where: str | None, versions: Versions) -> str:
    place = f" ({where})" if where else ""
    number = versions.at(fact.seq)
    by = f", recorded by version {number}" if number else ""
    code = f"the code of version {versions.now}" if versions.now else "this code"  # a file has no version yet
    return (
        f"the history has {recorded_}, at seq {fact.seq}{by}; {code} {instead}{place}; let the code ask for what is "
        f"recorded, or guard what is new with workflow.patched()"
    )


def in_short(thing: AnyEvent | WorkflowCommand | None) -> str:
    """What the code asks for, or has asked for as a fact says; the two are worded alike."""
    match thing:
        case ActivityRequested(task_id=task_id, map_index=map_index, input=given, payload=payload):
            return f"activity {task_id} #{map_index} with {_short(given, payload)}"
        case Call(task_id=task_id, input=given, payload=payload):
            return f"activity {task_id} with {_short(given, payload)}"
        case (
            ActivityCancelRequested(task_id=task_id, map_index=map_index)
            | CancelCall(task_id=task_id, map_index=map_index)
        ):
            return f"the cancellation of activity {task_id} #{map_index}"
        case TimerSet(timer_id=timer_id, fire_at=fire_at) | SetTimer(timer_id=timer_id, fire_at=fire_at):
            return f"{timer_id} until {fire_at.isoformat()}"
        case TimerCancelled(timer_id=timer_id) | CancelTimer(timer_id=timer_id):
            return f"the cancellation of {timer_id}"
        case ChildStarted(child_id=child_id, dag_id=dag_id) | StartChild(child_id=child_id, dag_id=dag_id):
            return f"child {child_id} of DAG {dag_id}"
        case SignalRun(signal=signal, dag_id=dag_id, run_id=run_id):
            return f"signal {signal!r} to {dag_id} {run_id}"
        case ValueRecorded(name=name) | RecordValue(name=name):
            return f"the value {name}"
        case VersionMarker(name=name) | MarkVersion(name=name):
            return f"the marker {name!r} of patched()"
        case UpdateAnswered(update_id=update_id) | AnswerUpdate(update_id=update_id):
            return f"the answer to update {update_id}"
        case RunEnded(state=state):
            return "the end of the run, which was successful" if state is RunState.SUCCESS else "the failure of the run"
        case _:
            return "nothing" if thing is None else type(thing).__name__


def _short(given: msgspec.Raw, payload: PayloadRef | None) -> str:
    """The input of a call as it would be written."""
    if payload is not None:
        return f"an input of {payload.size} bytes"
    try:
        said: Any = msgspec.json.decode(given)
        parts = [_json(value) for value in said["args"]]
        parts += [f"{name}={_json(value)}" for name, value in said["kwargs"].items()]
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError):
        return "an input that cannot be read"
    text = ", ".join(parts)
    return f"({text if len(text) <= _SHORT else text[:_SHORT] + '…'})"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _instead(course: Course, record: Slot | None) -> tuple[str, str | None]:
    """What the code did in place of what is recorded: most likely what it asks for of the same kind."""
    waiting = [slot for slot in course.ledger.pending() if slot.command is not None]
    if record is not None and waiting:
        alike = [slot for slot in waiting if slot.key[:2] == record.key[:2]]
        alike += [slot for slot in waiting if slot.key[0] == record.key[0]]
        slot = (alike or waiting)[0]
        where = course.places.spelt(slot.place) or _resting_place(course)
        return f"asks for {in_short(slot.command)} instead", where
    return _at_rest(course), _resting_place(course)


def _at_rest(course: Course) -> str:
    match course.ending:
        case Return():
            return "has returned without asking for it"
        case Raise(failure=failure):
            return f"has raised {failure.message} without asking for it"
        case Continue():
            return "has begun anew without asking for it"
        case _:
            return "waits for something else"


def _resting_place(course: Course) -> str | None:
    if isinstance(course.ending, Raise):
        return course.ending.failure.where
    for strand in course.hub.strands:
        found = course.places.innermost(strand.frame)
        if found is not None:
            return course.places.spelt(found)
    return course.own_place()


def _other_end(course: Course, event: AnyEvent) -> str | None:
    """How the code ends otherwise than is recorded; a run may also be ended from outside, as failed."""
    assert isinstance(event, RunEnded)
    if event.state is RunState.SUCCESS:
        return None if isinstance(course.ending, Return) else _at_rest(course).replace(" without asking for it", "")
    return "has returned" if isinstance(course.ending, Return) and event.failure is not None else None
