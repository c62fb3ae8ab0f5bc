"""The hot state of a run's activities: Activity, and Node, which is a task with all of its activities."""

from collections.abc import Iterator
from datetime import datetime

from orchestrator.core.extents import Extents
from orchestrator.core.spec import TaskSpec
from orchestrator.names import UNMAPPED, TaskState


class Activity:
    """One task at one map_index. ``attempt`` rises for ever; ``failures`` and ``losses`` count since the last clear.

    ``scheduled_seq`` and ``result_seq`` are the places in the history of its last ActivityScheduled and of the
    event that carries its result (0: none); ``requested_seq`` that of its ActivityRequested, if a workflow asked for
    it. Attempts up to ``outdated`` belong to an earlier generation. ``length`` is how many items its result has,
    ``lengths`` how many the parts of it that others are mapped over, and ``gave`` whether it is more than None.

    A try lasts until it fails: ``began_at`` is when it began for the first time, ``pokes`` how often it was put off,
    ``deferred_seq`` and ``resumed_seq`` the places of its last ActivityDeferred to a trigger and of what came of that.
    """

    __slots__ = (
        "attempt",
        "began_at",
        "deferred_seq",
        "ended_at",
        "failures",
        "gave",
        "generation",
        "length",
        "lengths",
        "losses",
        "outdated",
        "pokes",
        "requested_seq",
        "result_seq",
        "resumed_seq",
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
        self.deferred_seq = 0
        self.resumed_seq = 0
        self.pokes = 0
        self.length: int | None = None
        self.lengths: dict[str, int] | None = None
        self.gave = False
        self.scheduled_at: datetime | None = None
        self.began_at: datetime | None = None
        self.started_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.retry_at: datetime | None = None
        self.worker = ""

    @property
    def is_asking(self) -> bool:
        """Whether it waits for a person to answer a form."""
        return self.state is TaskState.AWAITING_INPUT and self.deferred_seq > self.resumed_seq

    @property
    def is_unknown(self) -> bool:
        """Whether it waits for a person to say what became of it."""
        return self.state is TaskState.AWAITING_INPUT and not self.is_asking

    @property
    def is_put_off(self) -> bool:
        """Whether it has given its worker up, and goes on as the same attempt once something has come."""
        return self.state is TaskState.DEFERRED or self.is_asking

    def end_try(self) -> None:
        """What comes next begins from the beginning."""
        self.began_at = None
        self.pokes = self.deferred_seq = self.resumed_seq = 0

    def waits(self, attempt: int) -> bool:
        """Whether that attempt is deferred, and what ends its wait comes from elsewhere than a worker."""
        return self.attempt == attempt and self.state is TaskState.DEFERRED


def is_timed(activity: Activity) -> bool:
    """Whether it is deferred until a moment, its ``retry_at``; or asks a person until then."""
    return activity.is_put_off and activity.retry_at is not None


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

    def __add__(self, other: "Upstreams") -> "Upstreams":
        both = Upstreams()
        for name in self.__slots__:
            setattr(both, name, getattr(self, name) + getattr(other, name))
        return both

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


class Instances:
    """The instances of the mapped groups that a task shares with its upstreams, of which each is judged by itself.

    ``depth`` is how many groups those are at most. ``upstreams`` counts those of one instance at a depth, by (depth,
    number), made when it is first asked for. ``stirred`` are those to be judged, ``let_go`` those that the rule has let
    go.
    """

    __slots__ = ("depth", "extents", "let_go", "stirred", "upstreams")

    def __init__(self, extents: Extents, depth: int) -> None:
        self.extents = extents
        self.depth = depth
        self.upstreams: dict[tuple[int, int], Upstreams] = {}
        self.stirred: set[int] = set()
        self.let_go: set[int] = set()

    def of(self, map_index: int) -> int:
        """The instance that an activity belongs to."""
        return self.extents.outer(map_index, self.depth)

    def inside(self, instance: int) -> range:
        """The activities of an instance, by map index."""
        return self.extents.inside(instance, self.depth)

    def around(self, instance: int) -> Iterator[tuple[int, int]]:
        """The instance and those that it lies in, as (depth, number), outermost first."""
        for depth in range(1, self.depth + 1):
            yield depth, self.extents.outer(instance, depth, self.depth)

    def stir(self, depth: int, number: int) -> range:
        """Have those judged that lie in one instance at a depth (0: all)."""
        found = self.extents.inside(number, depth, self.depth)
        self.stirred.update(found)
        return found

    def take_stirred(self) -> list[int]:
        """Those to be judged, in order; each is named once."""
        stirred = sorted(self.stirred)
        self.stirred.clear()
        return stirred


class Node:
    """A task in a run. ``size`` is how many activities it stands for: 1 until a mapped task is expanded.

    ``released``: its trigger rule has let it go since it was last none. ``bad`` counts its own activities that are
    failed or upstream_failed, ``done`` those that are finished. ``skipped_by`` are the branches that chose another way,
    ``skipped_in`` those that did so in one instance of a mapped group, by (depth, number).

    ``instances`` are there where they are judged one by one: inside of a mapped group, once it is expanded. ``beyond``
    are activities that an earlier expansion had and this one has not. ``measured_at`` is the seq of the expansion,
    ``result_seq`` of the last result. ``names`` are what bodies called their instances, by map index.
    """

    __slots__ = (
        "bad",
        "beyond",
        "done",
        "extents",
        "instances",
        "many",
        "measured_at",
        "names",
        "one",
        "released",
        "result_seq",
        "shape",
        "size",
        "skipped_by",
        "skipped_in",
        "task",
        "upstreams",
    )

    def __init__(self, task: TaskSpec, upstreams: Upstreams) -> None:
        self.task = task
        self.upstreams = upstreams
        self.one = Activity()
        self.many: dict[int, Activity] | None = None
        self.beyond: dict[int, Activity] | None = None
        self.shape: tuple[int, ...] | None = None
        self.extents: Extents | None = None
        self.instances: Instances | None = None
        self.size = 1
        self.released = False
        self.bad = 0
        self.done = 0
        self.measured_at = 0
        self.result_seq = 0
        self.names: dict[int, str] | None = None
        self.skipped_by: set[str] | None = None
        self.skipped_in: dict[tuple[int, int], set[str]] | None = None

    @property
    def is_mapped(self) -> bool:
        return self.task.is_mapped

    @property
    def is_expanded(self) -> bool:
        """Whether it stands for activities with map indexes now."""
        return self.shape is not None and self.size > 0

    def is_like(self, other: "Node") -> bool:
        """Whether map indexes mean the same in both."""
        return self.is_mapped == other.is_mapped and self.task.depth == other.task.depth

    @property
    def is_over(self) -> bool:
        """Whether all of its activities are finished."""
        return self.done >= self.size > 0 or (self.size == 0 and self.done > 0)

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

    def name_instance(self, map_index: int, name: str | None) -> None:
        """Remember what a body called its instance, if it gave it a name."""
        if name is not None:
            self.names = self.names or {}
            self.names[map_index] = name

    def called(self, map_index: int) -> str | None:
        """The name of an instance, if it has one."""
        return self.names.get(map_index) if self.names else None

    def indexes(self) -> range:
        """The map indexes that this task has now: -1 alone until it is expanded."""
        return range(self.size) if self.is_expanded else range(UNMAPPED, 0)

    def is_released(self, map_index: int) -> bool:
        """Whether its rule has let that activity go."""
        if self.instances is None:
            return self.released
        return self.instances.of(map_index) in self.instances.let_go

    def stir_all(self) -> None:
        """Have all of its instances judged anew."""
        if self.instances is not None:
            self.instances.stir(0, 0)

    def untouched(self, among: range | None = None) -> list[range]:
        """The map indexes whose activities are none, in stretches that had the same number of attempts."""
        if not self.is_expanded:
            return [range(UNMAPPED, 0)] if self.one.state is TaskState.NONE else []
        places = range(self.size) if among is None else among
        if not self.many:
            return [places]
        stretches: list[range] = []
        attempt = 0
        for map_index in places:
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
