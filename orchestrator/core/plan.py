"""Plan: a DagSpec laid out for a run to walk; one is shared by all runs of a version."""

from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from itertools import takewhile

from orchestrator.core.setups import far_setups
from orchestrator.core.spec import DagSpec, LengthOf, Mapping, TaskSpec, leaves, producers


class Plan:
    """Tasks by id, their direct successors, the leaves that decide how a run ends, and whose results are taken.

    ``levels`` are the mappings of the groups around a task, outermost first, and its own; tasks without any are left
    out. ``shared`` says of an edge how many mapped groups both its tasks stand in, where there is one; ``measured``
    are the tasks whose number of instances depends on a task. ``setups`` are those that decide on a task from afar,
    ``served`` the tasks that a setup decides on so.
    """

    __slots__ = (
        "depths",
        "downstream",
        "fingerprint",
        "leaves",
        "levels",
        "measured",
        "served",
        "setups",
        "shared",
        "spec",
        "taken",
        "tasks",
        "version_id",
    )

    def __init__(self, spec: DagSpec, version_id: int = 0, fingerprint: str = "") -> None:
        self.spec = spec
        self.version_id = version_id
        self.fingerprint = fingerprint
        self.tasks: dict[str, TaskSpec] = {task.task_id: task for task in spec.tasks}
        self.downstream: dict[str, tuple[str, ...]] = _successors(spec)
        self.setups = far_setups(spec)
        self.served = _turned_round(self.setups)
        self.leaves: tuple[str, ...] = tuple(t.task_id for t in spec.tasks if self._is_leaf(t))
        self.levels = _levels(spec)
        self.shared = {
            (up, task.task_id): depth
            for task in spec.tasks
            if task.scopes
            for up in task.upstream
            if (depth := self.shared_depth(up, task.task_id))
        }
        self.depths: dict[str, int] = {}
        pairs = (*self.shared, *((name, task_id) for task_id, names in self.setups.items() for name in names))
        for up, task_id in pairs:
            if (depth := self.shared_depth(up, task_id)) > self.depths.get(task_id, 0):
                self.depths[task_id] = depth
        self.measured = self._measured()
        self.taken = frozenset((*self.measured, *(name for task in spec.tasks for name in task.inputs)))

    def behind(self, task_id: str) -> set[str]:
        """All tasks that wait for this one, directly or not. Walked here: a scheduler has no room for networkx."""
        found: set[str] = set()
        waiting = [task_id]
        while waiting:
            after = [name for name in self.downstream[waiting.pop()] if name not in found]
            found.update(after)
            waiting += after
        return found

    def shared_depth(self, one: str, other: str, depth: int | None = None) -> int:
        """How many mapped groups both tasks stand in; of the other, only the outermost ``depth`` count."""
        pairs = zip(self.tasks[one].scopes, self.tasks[other].scopes[:depth], strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    def producers(self, task_id: str) -> Iterator[str]:
        """The tasks that its number of instances depends on."""
        for mapping in self.levels.get(task_id, ()):
            yield from producers(mapping)

    def _measured(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}
        for task_id in self.levels:
            for name in self.producers(task_id):
                found.setdefault(name, {})[task_id] = None
        return {name: tuple(task_ids) for name, task_ids in found.items()}

    def parts_measured(self, task_id: str) -> tuple[str, ...]:
        """Over the items of which parts of a task's result others are mapped, "" for the whole of it."""
        return tuple(sorted({part.key or "" for part in self._measures(task_id) if part.task_id == task_id}))

    def _measures(self, task_id: str) -> Iterator[LengthOf]:
        """What counts the items of one result of the task, and not the results of several activities."""
        own = self.tasks[task_id].depth
        for name in self.measured.get(task_id, ()):
            for depth, mapping in enumerate(self.levels[name]):
                if self.shared_depth(task_id, name, depth) == own:
                    yield from leaves(mapping)

    def _is_leaf(self, task: TaskSpec) -> bool:
        """Airflow's effective leaf: a teardown counts only where it may fail the run."""
        if not _counts(task):
            return False
        return not any(_counts(self.tasks[name]) for name in self.downstream[task.task_id])


def _counts(task: TaskSpec) -> bool:
    return not task.is_teardown or task.on_failure_fail_dagrun


def _turned_round(found: MappingOf[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    turned: dict[str, list[str]] = {}
    for name, others in found.items():
        for other in others:
            turned.setdefault(other, []).append(name)
    return {name: tuple(others) for name, others in turned.items()}


def _successors(spec: DagSpec) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {task.task_id: [] for task in spec.tasks}
    for task in spec.tasks:
        for name in task.upstream:
            found[name].append(task.task_id)
    return {name: tuple(after) for name, after in found.items()}


def _levels(spec: DagSpec) -> dict[str, tuple[Mapping, ...]]:
    of_group = {group.group_id: group.mapping for group in spec.groups if group.mapping is not None}
    found = {}
    for task in spec.tasks:
        own = () if task.own_mapping is None else (task.own_mapping,)
        levels = (*(of_group[name] for name in task.scopes), *own)
        if levels:
            found[task.task_id] = levels
    return found
