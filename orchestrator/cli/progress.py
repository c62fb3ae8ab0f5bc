"""How a run stands: its activities summed up by task, and what changed between two looks."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby

import msgspec

from orchestrator.assembly.heartbeats import Beats
from orchestrator.assembly.offspring import Child
from orchestrator.names import FINISHED, TaskState
from orchestrator.storage.views import ActivityRow, RunRow

QUIET = frozenset({TaskState.NONE, TaskState.SCHEDULED, TaskState.QUEUED})
_NO_BEATS: Beats = {}
_BAD = frozenset({TaskState.FAILED, TaskState.UPSTREAM_FAILED})


class TaskLine(msgspec.Struct, frozen=True, kw_only=True):
    """One task of a run with all of its activities. ``counts`` says how many are in each state.

    ``said`` is the progress of the one that runs, in short; empty where none has given any, or several run. ``asks``:
    one of them asks a person something.
    """

    task_id: str
    is_mapped: bool
    counts: Mapping[TaskState, int]
    attempt: int
    started_at: datetime | None
    ended_at: datetime | None
    retry_at: datetime | None
    said: str = ""
    asks: bool = False

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        return sum(count for state, count in self.counts.items() if state in FINISHED)

    @property
    def state(self) -> TaskState:
        """The one state of its activities, or the one that tells most of several."""
        return min(self.counts, key=_TELLING.__getitem__)

    def elapsed(self, now: datetime) -> float | None:
        """Seconds since its first activity started, up to the end of its last."""
        if self.started_at is None:
            return None
        return ((self.ended_at or now) - self.started_at).total_seconds()


# What stands for a mapped task whose activities differ: what needs attention first, then what goes on.
_TELLING = {
    state: place
    for place, state in enumerate(
        [
            TaskState.AWAITING_INPUT,
            TaskState.FAILED,
            TaskState.RUNNING,
            TaskState.RESTARTING,
            TaskState.UP_FOR_RETRY,
            TaskState.UP_FOR_RESCHEDULE,
            TaskState.DEFERRED,
            TaskState.QUEUED,
            TaskState.SCHEDULED,
            TaskState.NONE,
            TaskState.UPSTREAM_FAILED,
            TaskState.SUCCESS,
            TaskState.SKIPPED,
            TaskState.REMOVED,
        ]
    )
}


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A run at one moment."""

    run: RunRow
    lines: Sequence[TaskLine]
    children: Sequence[Child] = ()

    @property
    def done(self) -> int:
        return sum(line.done for line in self.lines)

    @property
    def total(self) -> int:
        return sum(line.total for line in self.lines)


def progress(
    run: RunRow, activities: Iterable[ActivityRow], children: Sequence[Child] = (), beats: Beats = _NO_BEATS
) -> Progress:
    """Sum up the activities, which stand together by task, with what those that run said last."""
    lines = [_line(name, list(group), beats) for name, group in groupby(activities, lambda a: a.task_id)]
    return Progress(run=run, lines=lines, children=children)


def _line(task_id: str, activities: list[ActivityRow], beats: Beats) -> TaskLine:
    over = all(activity.state in FINISHED for activity in activities)
    return TaskLine(
        task_id=task_id,
        is_mapped=activities[0].map_index >= 0,
        counts=Counter(activity.state for activity in activities),
        attempt=max(activity.attempt for activity in activities),
        started_at=min((a.started_at for a in activities if a.started_at is not None), default=None),
        ended_at=max((a.ended_at for a in activities if a.ended_at is not None), default=None) if over else None,
        retry_at=min((a.retry_at for a in activities if a.retry_at is not None), default=None),
        said=_said(activities, beats) if beats else "",
        asks=any(activity.asked_seq is not None for activity in activities),
    )


def _said(activities: Iterable[ActivityRow], beats: Beats) -> str:
    match [activity for activity in activities if activity.state is TaskState.RUNNING]:
        case [one] if (beat := beats.get((one.task_id, one.map_index))) is not None:
            return beat.in_short
        case _:
            return ""


def changed(before: Progress | None, after: Progress) -> Iterator[TaskLine]:
    """The tasks that are worth a line since the look before: a state that says something, a tenth of a mapped task.

    Of one that becomes more as it goes on it is the first nine that are done, then each ten, each hundred and so on.
    """
    known = {line.task_id: line for line in before.lines} if before else {}
    for line in after.lines:
        old = known.get(line.task_id)
        if line.state not in QUIET and (_mark(line) != _mark(old) or _has_grown(old, line)):
            yield line


def changed_children(before: Progress | None, after: Progress) -> Iterator[Child]:
    """The children that are new, or stand otherwise than at the look before."""
    known = set(before.children) if before else set()
    return (child for child in after.children if child not in known)


def _has_grown(before: TaskLine | None, line: TaskLine) -> bool:
    """Whether a task whose activities become more, as a workflow calls it, has come a good part further by number."""
    return before is not None and before.total != line.total and _round(before.done) != _round(line.done)


def _round(number: int) -> str:
    """Its first digit, and how many more there are."""
    return f"{number}"[0] + "0" * (len(f"{number}") - 1)


def _mark(line: TaskLine | None) -> tuple[TaskState, int, int] | None:
    """What has to differ for a line to be worth telling."""
    if line is None:
        return None
    bad = sum(line.counts.get(state, 0) for state in _BAD)
    return line.state, bad if line.is_mapped else line.attempt, 10 * line.done // line.total
