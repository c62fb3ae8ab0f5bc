"""Comparison: two runs side by side, activity by activity."""

from collections.abc import Iterator
from datetime import timedelta

import msgspec

from orchestrator.core.activity import Activity
from orchestrator.core.board import Place
from orchestrator.core.run import Run
from orchestrator.core.traces import Trace
from orchestrator.names import TaskState


class Read(msgspec.Struct, frozen=True):
    """A run that was read from its history, with what that says."""

    run: Run
    trace: Trace


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


def pairs(one: Read, other: Read) -> Iterator[Pair]:
    """Every activity that one of the two has, in the order of the first one's tasks, then what only the other has."""
    seen: set[Place] = set()
    for place, activity in _activities(one.run):
        seen.add(place)
        theirs = _activity(other.run, place)
        if theirs is not None and _is_untouched(activity) and _is_untouched(theirs):
            continue
        yield _pair(place, one, other, activity, theirs)
    for place, activity in _activities(other.run):
        if place not in seen:
            yield _pair(place, one, other, None, activity)


def _pair(place: Place, one: Read, other: Read, mine: Activity | None, theirs: Activity | None) -> Pair:
    a, b = _side(mine), _side(theirs)
    differs = tuple(_differences(a, b, one.trace, other.trace)) if a and b else ("presence",)
    return Pair(task_id=place[0], map_index=place[1], one=a, other=b, differs=differs)


def _differences(a: Side, b: Side, one: Trace, other: Trace) -> Iterator[str]:
    if a.state is not b.state:
        yield "state"
    if a.attempts != b.attempts:
        yield "attempts"
    if one.values.get(a.input) != other.values.get(b.input):
        yield "input"
    if one.values.get(a.result) != other.values.get(b.result):
        yield "result"


def _activities(run: Run) -> Iterator[tuple[Place, Activity]]:
    for task in run.plan.spec.tasks:
        for map_index, activity in sorted(run.nodes[task.task_id].activities()):
            yield (task.task_id, map_index), activity


def _activity(run: Run, place: Place) -> Activity | None:
    node = run.nodes.get(place[0])
    return None if node is None else node.peek(place[1])


def _side(activity: Activity | None) -> Side | None:
    if activity is None:
        return None
    start, end = activity.started_at or activity.scheduled_at, activity.ended_at
    return Side(
        state=activity.state,
        attempts=activity.attempt,
        duration=None if start is None or end is None else end - start,
        result=activity.result_seq,
        input=activity.requested_seq,
    )


def _is_untouched(activity: Activity) -> bool:
    return activity.state is TaskState.NONE and activity.attempt == 0
