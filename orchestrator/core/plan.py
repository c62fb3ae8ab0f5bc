"""Plan: a DagSpec laid out for a run to walk; one is shared by all runs of a version."""

from collections.abc import Mapping

from orchestrator.core.setups import far_setups
from orchestrator.core.spec import DagSpec, TaskSpec


class Plan:
    """Tasks by id, their direct successors, the leaves that decide how a run ends, and whose results are taken.

    ``setups`` are those that decide on a task from afar, ``served`` the tasks that a setup decides on so.
    """

    __slots__ = ("downstream", "fingerprint", "leaves", "served", "setups", "spec", "taken", "tasks", "version_id")

    def __init__(self, spec: DagSpec, version_id: int = 0, fingerprint: str = "") -> None:
        self.spec = spec
        self.version_id = version_id
        self.fingerprint = fingerprint
        self.tasks: dict[str, TaskSpec] = {task.task_id: task for task in spec.tasks}
        self.downstream: dict[str, tuple[str, ...]] = _successors(spec)
        self.setups = far_setups(spec)
        self.served = _turned_round(self.setups)
        self.taken = frozenset(name for task in spec.tasks for name in task.inputs)
        self.leaves: tuple[str, ...] = tuple(t.task_id for t in spec.tasks if self._is_leaf(t))

    def behind(self, task_id: str) -> set[str]:
        """All tasks that wait for this one, directly or not. Walked here: a scheduler has no room for networkx."""
        found: set[str] = set()
        waiting = [task_id]
        while waiting:
            after = [name for name in self.downstream[waiting.pop()] if name not in found]
            found.update(after)
            waiting += after
        return found

    def _is_leaf(self, task: TaskSpec) -> bool:
        """Airflow's effective leaf: a teardown counts only where it may fail the run."""
        if not _counts(task):
            return False
        return not any(_counts(self.tasks[name]) for name in self.downstream[task.task_id])


def _counts(task: TaskSpec) -> bool:
    return not task.is_teardown or task.on_failure_fail_dagrun


def _turned_round(found: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
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
