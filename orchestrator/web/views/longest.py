"""What made a run as long as it was: the chain of tasks, each of which waited for the one before."""

from bisect import bisect_right
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from orchestrator.core.spec import DagSpec

K = TypeVar("K", bound=Hashable)
_NEVER = datetime.min.replace(tzinfo=UTC)
_NOT_YET = datetime.max.replace(tzinfo=UTC)


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """From when a task was handed out to when it ended; ``is_open`` while it has not."""

    began_at: datetime | None
    ended_at: datetime | None
    is_open: bool = False

    @property
    def end(self) -> datetime:
        """What goes on ends after everything else; what was never handed out did so before."""
        return _NOT_YET if self.is_open else self.ended_at or _NEVER


def longest(spec: DagSpec, reaches: Mapping[str, Reach]) -> frozenset[str]:
    """From the task that ended last, back over the one that it waited for the longest, and so on."""
    ran, last = _ran(reaches)
    tasks = {task.task_id: task for task in spec.tasks}
    way: set[str] = set()
    while last is not None and last in tasks:
        way.add(last)
        before = [name for name in tasks[last].upstream if name in ran and name not in way]
        last = max(before, key=lambda name: ran[name].end, default=None)
    return frozenset(way)


def longest_of_calls(reaches: Mapping[K, Reach]) -> frozenset[K]:
    """A workflow has no graph: a call may have waited for the last one that ended before it was handed out."""
    ran, last = _ran(reaches)
    ended = sorted(((reach.end, name) for name, reach in ran.items() if not reach.is_open), key=lambda one: one[0])
    ends = [end for end, _ in ended]
    way: set[K] = set()
    while last is not None and last not in way:
        way.add(last)
        place = bisect_right(ends, ran[last].began_at or _NEVER) - 1
        last = ended[place][1] if place >= 0 else None
    return frozenset(way)


def _ran(reaches: Mapping[K, Reach]) -> tuple[dict[K, Reach], K | None]:
    """Those that were handed out, and the one that ended last."""
    ran = {name: reach for name, reach in reaches.items() if reach.began_at is not None}
    return ran, max(ran, key=lambda name: ran[name].end, default=None)
