"""Traces: what a history says that another of the same run would say too, whatever the day and the worker.

Left out are moments, workers, and when what was handed out: facts that differ between two runs that did the same.
"""

from collections.abc import Hashable, Iterator
from typing import TypeAlias

import msgspec

from orchestrator.core.events import (
    ActivityCancelRequested,
    ActivityCleared,
    ActivityCompleted,
    ActivityFailed,
    ActivityLost,
    ActivityMarked,
    ActivityRequested,
    ActivityScheduled,
    ActivitySkipped,
    ActivityStarted,
    ActivityUpstreamFailed,
    AnyEvent,
    ChildEnded,
    ChildStarted,
    OutcomeResolved,
    PayloadRef,
    Recorded,
    RunBlocked,
    RunCancelRequested,
    RunContinued,
    RunCreated,
    RunEnded,
    SignalReceived,
    TaskExpanded,
    TimerCancelled,
    TimerFired,
    TimerSet,
    UpdateAnswered,
    UpdateReceived,
    ValueRecorded,
)

Subject: TypeAlias = tuple[str, str | int]
Mark: TypeAlias = tuple[Subject, Hashable]

_RUN: Subject = ("run", "")
_encoder = msgspec.json.Encoder(order="sorted")


def canonical(value: msgspec.Raw) -> bytes:
    """JSON that is the same for the same value: the keys of objects in order, and no blanks."""
    return _encoder.encode(msgspec.json.decode(value))


def value_of(result: msgspec.Raw, payload: PayloadRef | None) -> bytes:
    """What stands for a result, large or not."""
    return canonical(result) if payload is None else payload.sha256.encode()


class Trace:
    """Hears a history fact by fact. ``marks`` says by (subject, how many-th about it) what was said, and in which fact.

    ``values`` has a digest of each result and each call's input, by the seq of its fact.
    """

    def __init__(self) -> None:
        self.marks: dict[int, tuple[int, int]] = {}
        self.values: dict[int, int] = {}
        self._told: dict[Subject, int] = {}

    def hear(self, fact: Recorded) -> None:
        event = fact.event
        if isinstance(event, ActivityStarted | ActivityScheduled):
            return
        if isinstance(event, ActivityCompleted | OutcomeResolved):
            self.values[fact.seq] = hash(value_of(event.result, event.payload))
        elif isinstance(event, ActivityRequested):
            self.values[fact.seq] = hash(event.digest)
        for subject, content in _marks(event):
            number = self._told[subject] = self._told.get(subject, 0) + 1
            self.marks[hash((subject, number))] = (hash(content), fact.seq)


def divergence(one: Trace, other: Trace) -> tuple[int | None, int | None] | None:
    """The facts at which two histories first say something else about one subject, by their seqs; None where one of
    them has no such fact. None alone: they say the same.
    """
    found: list[tuple[int | None, int | None]] = []
    for key, (content, seq) in one.marks.items():
        theirs = other.marks.get(key)
        if theirs is None:
            found.append((seq, None))
        elif theirs[0] != content:
            found.append((seq, theirs[1]))
        else:
            continue
        break  # the marks stand in order of seq, so this is the first of this side's
    for key, (content, seq) in other.marks.items():
        mine = one.marks.get(key)
        if mine is None or mine[0] != content:
            found.append((None if mine is None else mine[1], seq))
            break
    return min(found, key=lambda seqs: min(seq for seq in seqs if seq is not None), default=None)


def _marks(event: AnyEvent) -> Iterator[Mark]:
    match event:
        case ActivityCompleted() | OutcomeResolved():
            state = getattr(event, "state", "success")
            yield (event.task_id, event.map_index), (state, event.attempt, value_of(event.result, event.payload))
        case ActivityRequested():
            yield (event.task_id, event.map_index), ("requested", event.digest)
        case ActivityFailed():
            again = event.retry_at is not None
            yield (event.task_id, event.map_index), (event.kind, event.attempt, event.failure.message, again)
        case ActivityLost() | ActivityCancelRequested():
            yield (event.task_id, event.map_index), type(event)
        case ActivitySkipped() | ActivityUpstreamFailed() | ActivityCleared() | ActivityMarked():
            for map_index in range(event.map_index, event.map_index + event.count):
                yield (event.task_id, map_index), (type(event), getattr(event, "state", ""))
        case TaskExpanded():
            yield (event.task_id, "shape"), event.shape
        case _:
            yield from _marks_of_run(event)


def _marks_of_run(event: AnyEvent) -> Iterator[Mark]:
    match event:
        case RunCreated():
            yield _RUN, canonical(event.conf)
        case RunEnded():
            raised = None if event.failure is None else event.failure.message
            yield _RUN, (event.state, value_of(event.result, event.payload), raised)
        case RunContinued():
            yield _RUN, ("continued", value_of(event.input, event.payload))
        case RunCancelRequested() | RunBlocked():
            yield _RUN, type(event)
        case TimerSet() | TimerCancelled() | TimerFired():
            yield ("timer", event.timer_id), type(event)
        case SignalReceived() | UpdateReceived():
            yield (type(event).__name__, ""), (event.name, canonical(event.payload))
        case UpdateAnswered():
            yield ("answer", ""), (canonical(event.result), event.failure is None)
        case ValueRecorded():
            yield ("value", event.name), canonical(event.value)
        case ChildStarted():
            yield ("child", event.child_id), event.dag_id
        case ChildEnded():
            yield ("child", event.child_id), (event.state, value_of(event.result, event.payload))
        case _:
            return
