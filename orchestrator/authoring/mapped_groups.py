"""Mapped groups: what the function under ``@task_group`` is given for the parameters that are mapped."""

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.authoring.given import Given
from orchestrator.authoring.groups import TaskGroup
from orchestrator.authoring.mapped_inputs import Expansion
from orchestrator.authoring.references import Reference
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.task import Task
from orchestrator.exceptions import UsageError


class GroupItem(Reference):
    """The argument ``name`` of the instance of a mapped group that a task runs in; ``path`` leads on to a part."""

    def __init__(self, group: TaskGroup, expansion: Expansion, name: str, path: tuple[str | int, ...] = ()) -> None:
        self.group = group
        self.expansion = expansion
        self.name = name
        self.path = path

    def __getitem__(self, step: str | int) -> "GroupItem":
        return GroupItem(self.group, self.expansion, self.name, (*self.path, step))

    def __iter__(self) -> Iterator[Any]:
        raise self.group.place.refuse(f"{self!r} is not there while the DAG file is parsed; loop over it inside a task")

    def __repr__(self) -> str:
        return f"the mapped argument {self.name!r} of {self.group!r}"

    def tasks(self) -> Iterator[Task]:
        return self.expansion.tasks()

    def taken_by(self, task: Task) -> Iterator[Task]:
        self._level(task)
        return self.expansion.taken_by(task, self.group.outer_scopes)

    def resolve(self, context: Context, results: Mapping[str, Any]) -> Any:
        task, given = context["task"], Given.of(results)
        positions = given.positions(self._level(task), task.task_id)
        item = self.expansion.item(positions, given, self.group.outer_scopes).arguments
        if self.name not in item:
            raise UsageError(f"{self!r} is missing: the item has {', '.join(map(repr, item)) or 'nothing'}")
        value = item[self.name]
        for step in self.path:
            value = value[step]
        return value

    def _level(self, task: Task) -> int:
        """Which of the mapped groups around the task its group is; DagError if it is none of them."""
        if self.group.group_id not in task.mapped_groups:
            raise task.place.refuse(f"task {task.task_id!r} uses {self!r}, and stands outside of that group")
        return task.mapped_groups.index(self.group.group_id)
