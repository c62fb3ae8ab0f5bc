"""Traces: what a history says that another of the same run would say too, whatever the day and the worker.

Left out are moments, workers, and when what was handed out: facts that differ between two runs that did the same.
"""

from array import array
from bisect import bisect_left
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
from orchestrator.core.particulars import PayloadRef

Subject: TypeAlias = tuple[str, str | int]
Mark: TypeAlias = tuple[Subject, Hashable]

_RUN: Subject = ("run", "")
_SEQ_BITS = 40  # a mark is one number, what was said above the seq of the fact: a pair would take three times the room
_SEQ = (1 << _SEQ_BITS) - 1
_encoder = msgspec.json.Encoder(order="sorted")


def canonical(value: msgspec.Raw) -> bytes:
    """JSON that is the same for the same value: the keys of objects in order, and no blanks."""
    return _encoder.encode(msgspec.json.decode(value))


def value_of(result: msgspec.Raw, payload: PayloadRef | None) -> bytes:
    """What stands for a result, large or not."""
    return canonical(result) if payload is None else payload.sha256.encode()


class Trace:
    """Hears a history fact by fact. ``marks`` says by (subject, how many-th about it) what was said, and in which fact.

    What is said in the same way ``beside`` it, in a trace that has heard its whole history, is marked in neither.
    """

    def __init__(self, beside: "Trace | None" = None) -> None:
        self.marks: dict[int, int] = {}
        self._beside: dict[int, int] = {} if beside is None else beside.marks
        self._told: dict[int, int] = {}
        self._seqs, self._digests = array("q"), array("q")

    def value(self, seq: int) -> int:
        """A digest of the result or the call's input that the fact holds; 0 where there is none."""
        place = bisect_left(self._seqs, seq)
        return self._digests[place] if place < len(self._seqs) and self._seqs[place] == seq else 0

    def hear(self, fact: Recorded) -> None:
        event = fact.event
        if isinstance(event, ActivityStarted | ActivityScheduled):
            return
        if isinstance(event, ActivityCompleted | OutcomeResolved):
            self._keep(fact.seq, value_of(event.result, event.payload))
        elif isinstance(event, ActivityRequested):
            self._keep(fact.seq, event.digest.encode())
        for subject, content in _marks(event):
            about = hash(subject)
            number = self._told[about] = self._told.get(about, 0) + 1
            self._mark(hash((about, number)), hash(content), fact.seq)

    def _keep(self, seq: int, value: bytes) -> None:
        self._seqs.append(seq)
        self._digests.append(hash(value))

    def _mark(self, key: int, content: int, seq: int) -> None:
        theirs = self._beside.get(key)
        if theirs is not None and theirs >> _SEQ_BITS == content:
            del self._beside[key]
        else:
            self.marks[key] = content << _SEQ_BITS | seq


def divergence(one: Trace, other: Trace) -> tuple[int | None, int | None] | None:
    """The facts at which two histories first say something else about one subject, by their seqs; None where one of
    them has no such fact. None alone: they say the same.
    """
    found: list[tuple[int | None, int | None]] = []
    for key, mine in one.marks.items():
        theirs = other.marks.get(key)
        if theirs is None or theirs >> _SEQ_BITS != mine >> _SEQ_BITS:
            found.append((mine & _SEQ, None if theirs is None else theirs & _SEQ))
            break  # the marks stand in order of seq, so this is the first of this side's
    for key, theirs in other.marks.items():
        mine_ = one.marks.get(key)
        if mine_ is None or mine_ >> _SEQ_BITS != theirs >> _SEQ_BITS:
            found.append((None if mine_ is None else mine_ & _SEQ, theirs & _SEQ))
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
