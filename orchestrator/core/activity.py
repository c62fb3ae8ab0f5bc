"""The hot state of a run's activities: Activity, and Node, which is a task with all of its activities."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.core.spec import TaskSpec
from orchestrator.names import UNMAPPED, TaskState


class Activity:
    """One task at one map_index. ``attempt`` rises for ever; ``failures`` and ``losses`` count since the last clear.

    ``scheduled_seq`` and ``result_seq`` are the places in the history of its last ActivityScheduled and of the
    event that carries its result (0: none); ``requested_seq`` that of its ActivityRequested, if a workflow asked for
    it. Attempts up to ``outdated`` belong to an earlier generation.
    """

    __slots__ = (
        "attempt",
        "ended_at",
        "failures",
        "generation",
        "length",
        "losses",
        "outdated",
        "requested_seq",
        "result_seq",
        "retry_at",
        "scheduled_at",
        "scheduled_seq",
        "started_at",
        "state",
        "worker",
    )

    def __init__(self) -> None:
        self.state = TaskState.NONE
        self.attempt = 0
        self.generation = 1
        self.failures = 0
        self.losses = 0
        self.outdated = 0
        self.requested_seq = 0
        self.scheduled_seq = 0
        self.result_seq = 0
        self.length: int | None = None
        self.scheduled_at: datetime | None = None
        self.started_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.retry_at: datetime | None = None
        self.worker = ""


class Upstreams:
    """How many direct upstream activities of a node there are, and in which finished states."""

    __slots__ = (
        "failed",
        "removed",
        "setups",
        "skipped",
        "skipped_setups",
        "success",
        "success_setups",
        "total",
        "upstream_failed",
    )

    def __init__(self, total: int = 0, setups: int = 0) -> None:
        self.total = total
        self.setups = setups
        self.success = 0
        self.skipped = 0
        self.failed = 0
        self.upstream_failed = 0
        self.removed = 0
        self.success_setups = 0
        self.skipped_setups = 0

    @property
    def done(self) -> int:
        return self.success + self.skipped + self.failed + self.upstream_failed + self.removed

    def count(self, state: TaskState, by: int, *, setup: bool) -> None:
        """One more (``by`` 1) or one less (-1) upstream in the finished ``state``."""
        if state is TaskState.SUCCESS:
            self.success += by
            self.success_setups += by if setup else 0
        elif state is TaskState.SKIPPED:
            self.skipped += by
            self.skipped_setups += by if setup else 0
        elif state is TaskState.FAILED:
            self.failed += by
        elif state is TaskState.UPSTREAM_FAILED:
            self.upstream_failed += by
        elif state is TaskState.REMOVED:
            self.removed += by


class Node:
    """A task in a run. ``size`` is how many activities it stands for: 1 until a mapped task is expanded.

    ``released``: its trigger rule has let it go since it was last none. ``bad`` counts its own activities that are
    failed or upstream_failed. ``skipped_by`` are the branches that chose another way.
    """

    __slots__ = ("bad", "many", "one", "released", "shape", "size", "skipped_by", "task", "upstreams")

    def __init__(self, task: TaskSpec, upstreams: Upstreams) -> None:
        self.task = task
        self.upstreams = upstreams
        self.one = Activity()
        self.many: dict[int, Activity] | None = None
        self.shape: tuple[int, ...] | None = None
        self.size = 1
        self.released = False
        self.bad = 0
        self.skipped_by: set[str] | None = None

    @property
    def is_mapped(self) -> bool:
        return self.task.is_mapped

    @property
    def is_expanded(self) -> bool:
        """Whether it stands for activities with map indexes now."""
        return self.shape is not None and self.size > 0

    def activity(self, map_index: int) -> Activity:
        """The activity at that index; a mapped one is made when it is first spoken of."""
        if map_index == UNMAPPED:
            return self.one
        if self.many is None:
            self.many = {}
        found = self.many.get(map_index)
        if found is None:
            found = self.many[map_index] = Activity()
        return found

    def peek(self, map_index: int) -> Activity | None:
        """The activity at that index, if it was ever spoken of."""
        if map_index == UNMAPPED:
            return self.one
        return self.many.get(map_index) if self.many else None

    def indexes(self) -> range:
        """The map indexes that this task has now: -1 alone until it is expanded."""
        return range(self.size) if self.is_expanded else range(UNMAPPED, 0)

    def untouched(self) -> list[range]:
        """The map indexes whose activities are none, in stretches that had the same number of attempts."""
        if not self.is_expanded:
            return [range(UNMAPPED, 0)] if self.one.state is TaskState.NONE else []
        if not self.many:
            return [range(self.size)]
        stretches: list[range] = []
        attempt = 0
        for map_index in range(self.size):
            activity = self.many.get(map_index)
            if activity is not None and activity.state is not TaskState.NONE:
                continue
            had = 0 if activity is None else activity.attempt
            if stretches and stretches[-1].stop == map_index and had == attempt:
                stretches[-1] = range(stretches[-1].start, map_index + 1)
            else:
                stretches.append(range(map_index, map_index + 1))
            attempt = had
        return stretches

    def activities(self) -> Iterator[tuple[int, Activity]]:
        """All that were spoken of, with their map index; of a workflow's activity, its calls."""
        if not self.is_expanded and not self.task.is_activity:
            yield UNMAPPED, self.one
        elif self.many:
            yield from self.many.items()
