"""Setups: whose start they decide, near and far, and what is cleared together with them and their teardowns."""

from collections.abc import Iterable, Mapping

from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.names import TriggerRule


class Neighbours:
    """The tasks of a DAG by id, and who comes after each."""

    def __init__(self, spec: DagSpec) -> None:
        self.tasks = {task.task_id: task for task in spec.tasks}
        self.after: dict[str, list[str]] = {name: [] for name in self.tasks}
        for task in spec.tasks:
            for name in task.upstream:
                self.after[name].append(task.task_id)

    def behind(self, names: Iterable[str]) -> set[str]:
        """All tasks that wait for one of these, directly or not."""
        return _reach(names, self.after)

    def before(self, names: Iterable[str]) -> set[str]:
        """All tasks that one of these waits for, directly or not."""
        return _reach(names, {name: task.upstream for name, task in self.tasks.items()})

    def teardowns_of(self, setup: str) -> list[str]:
        return [name for name in self.after[setup] if self.tasks[name].is_teardown]

    def served_by(self, setup: str) -> set[str]:
        """The tasks that need ``setup``: all behind it that one of its teardowns, if it has any, waits for."""
        teardowns, behind = self.teardowns_of(setup), self.behind([setup])
        return behind & self.before(teardowns) if teardowns else behind


def _reach(names: Iterable[str], steps: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        near = [name for name in steps[waiting.pop()] if name not in found]
        found.update(near)
        waiting += near
    return found


def far_setups(spec: DagSpec) -> dict[str, tuple[str, ...]]:
    """For each task, the setups that decide on its start though it does not come right after them.

    With all_success a setup that does not succeed stops the task by what stands between them; under every other rule
    the setup itself is looked at, as in Airflow.
    """
    setups = [task.task_id for task in spec.tasks if task.is_setup]
    if not setups:
        return {}
    near, found = Neighbours(spec), dict[str, list[str]]()
    for setup in setups:
        for name in sorted(near.served_by(setup)):
            if _looks_far(near.tasks[name]) and setup not in near.tasks[name].upstream:
                found.setdefault(name, []).append(setup)
    return {name: tuple(above) for name, above in found.items()}


def _looks_far(task: TaskSpec) -> bool:
    return not task.is_teardown and task.trigger_rule is not TriggerRule.ALL_SUCCESS


def cleared_with(spec: DagSpec, names: Iterable[str]) -> set[str]:
    """What is cleared besides ``names``: the setups that each needs, and the teardowns of those and of named setups."""
    named, near, found = set(names), Neighbours(spec), set[str]()
    for setup in (task.task_id for task in spec.tasks if task.is_setup):
        if setup in named or near.served_by(setup) & named:
            found |= {setup, *near.teardowns_of(setup)}
    return found - named
