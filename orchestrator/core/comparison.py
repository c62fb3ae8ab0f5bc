"""Comparison: two runs side by side, activity by activity."""

from array import array
from collections.abc import Iterable, Iterator
from datetime import timedelta
from operator import itemgetter
from typing import TypeAlias

import msgspec

from orchestrator.core.activity import Activity, Node
from orchestrator.core.run import Run
from orchestrator.core.traces import Trace
from orchestrator.names import TaskState


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One run's half of a pair. ``result`` and ``input`` are the seqs of the facts that hold them, 0 for none."""

    state: TaskState
    attempts: int
    duration: timedelta | None
    result: int
    input: int


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """The same activity in two runs; None where a run has nothing of it. ``differs`` names the fields that do.

    How long it took is never the same, and no difference.
    """

    task_id: str
    map_index: int
    one: Side | None
    other: Side | None
    differs: tuple[str, ...]


class Outline:
    """What a run came to, activity by activity, in a small part of the memory that the run itself takes."""

    def __init__(self, run: Run, trace: Trace) -> None:
        self._columns = {task.task_id: _Column(run.nodes[task.task_id], trace) for task in run.plan.spec.tasks}

    @property
    def tasks(self) -> Iterable[str]:
        """The task ids, in their order."""
        return self._columns

    def rows(self, task_id: str) -> Iterator["_Row"]:
        """What the task's activities came to, in order of map index."""
        column = self._columns.get(task_id)
        return iter(()) if column is None else zip(*column.fields, strict=True)


class _Column:
    """The activities of a task: a list of numbers for each field of _Row."""

    def __init__(self, node: Node, trace: Trace) -> None:
        self.fields = tuple(array("q") for _ in range(_FIELDS))
        for map_index, activity in sorted(node.activities(), key=itemgetter(0)):
            for field, number in zip(self.fields, _row(map_index, activity, trace), strict=True):
                field.append(number)


# map index, state, attempts, microseconds or -1, seqs of result and input, digests of both
_Row: TypeAlias = tuple[int, int, int, int, int, int, int, int]
_FIELDS = 8
_STATES = tuple(TaskState)
_NUMBERS = {state: number for number, state in enumerate(_STATES)}
_UNTOUCHED = (_NUMBERS[TaskState.NONE], 0)
_MICROSECOND = timedelta(microseconds=1)


def _row(map_index: int, activity: Activity, trace: Trace) -> _Row:
    start, end = activity.started_at or activity.scheduled_at, activity.ended_at
    took = -1 if start is None or end is None else (end - start) // _MICROSECOND
    result, given = activity.result_seq, activity.requested_seq
    number = _NUMBERS[activity.state]
    return map_index, number, activity.attempt, took, result, given, trace.value(result), trace.value(given)


def pairs(one: Outline, other: Outline) -> Iterator[Pair]:
    """Every activity that one of the two has, by map index, task by task in the order of the first one's, then the
    tasks that only the other has."""
    for task_id in dict.fromkeys((*one.tasks, *other.tasks)):
        yield from _of_task(task_id, one.rows(task_id), other.rows(task_id))


def _of_task(task_id: str, one: Iterator[_Row], other: Iterator[_Row]) -> Iterator[Pair]:
    mine, theirs = next(one, None), next(other, None)
    while mine is not None or theirs is not None:
        at = min(row[0] for row in (mine, theirs) if row is not None)
        a = mine if mine is not None and mine[0] == at else None
        b = theirs if theirs is not None and theirs[0] == at else None
        if a is None or b is None or not a[1:3] == b[1:3] == _UNTOUCHED:
            yield _pair(task_id, at, a, b)
        mine = next(one, None) if a is not None else mine
        theirs = next(other, None) if b is not None else theirs


def _pair(task_id: str, map_index: int, a: _Row | None, b: _Row | None) -> Pair:
    differs = tuple(_differences(a, b)) if a is not None and b is not None else ("presence",)
    return Pair(task_id=task_id, map_index=map_index, one=_side(a), other=_side(b), differs=differs)


def _differences(a: _Row, b: _Row) -> Iterator[str]:
    if a[1] != b[1]:
        yield "state"
    if a[2] != b[2]:
        yield "attempts"
    if a[7] != b[7]:
        yield "input"
    if a[6] != b[6]:
        yield "result"


def _side(row: _Row | None) -> Side | None:
    if row is None:
        return None
    _, state, attempts, took, result, given, _, _ = row
    duration = None if took < 0 else took * _MICROSECOND
    return Side(state=_STATES[state], attempts=attempts, duration=duration, result=result, input=given)
