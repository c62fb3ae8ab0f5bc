"""TaskGroup: tasks of a DAG under a name of their own."""

from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, TypedDict, Unpack

from orchestrator.authoring.checks import Check, anything, check_all, flag, instance, mapping, optional, refuse_unknown
from orchestrator.authoring.dag import current_dag
from orchestrator.authoring.enclosing import Enclosing
from orchestrator.authoring.identifiers import checked_group_id, checked_id
from orchestrator.authoring.mapped_inputs import Expansion
from orchestrator.authoring.place import Place, author
from orchestrator.authoring.task import Group, Linkable, Task, TaskGraph
from orchestrator.core.spec import GroupSpec
from orchestrator.exceptions import NotFoundError
from orchestrator.nearest import did_you_mean

_current: ContextVar["TaskGroup | None"] = ContextVar("orchestrator_group", default=None)


class GroupSettings(TypedDict, total=False):
    """What ``TaskGroup`` and ``@task_group`` take besides the group_id; nothing shows the colours."""

    prefix_group_id: bool
    parent_group: "TaskGroup | None"
    dag: TaskGraph | None
    default_args: Mapping[str, Any] | None
    tooltip: str
    ui_color: str
    ui_fgcolor: str
    add_suffix_on_collision: bool
    group_display_name: str


_any_text = instance(str, "a text")
GROUP_CHECKS: dict[str, Check] = {
    "prefix_group_id": flag,
    "parent_group": anything,
    "dag": anything,
    "default_args": optional(mapping),
    "tooltip": _any_text,
    "ui_color": _any_text,
    "ui_fgcolor": _any_text,
    "add_suffix_on_collision": flag,
    "group_display_name": _any_text,
}


class TaskGroup(Enclosing, Group):
    """Tasks, and groups of them, that belong together; those made in its ``with`` block.

    Their ids begin with the group's, unless ``prefix_group_id=False``. An edge to the group leads to the tasks that
    come first in it, one from it begins at those that come last; teardowns are not waited for. ``default_args`` go
    before the DAG's. DagError, with the author's file and line, if a setting is unknown or impossible.
    """

    innermost = _current
    prefix_group_id: bool = True
    tooltip: str = ""
    ui_color: str = "CornflowerBlue"
    ui_fgcolor: str = "#000"
    add_suffix_on_collision: bool = False
    group_display_name: str = ""
    expansion: Expansion | None = None

    def __init__(self, group_id: str, **settings: Unpack[GroupSettings]) -> None:
        self.place = author()
        what = f"TaskGroup {group_id!r}"
        refuse_unknown(self.place, what, settings, GROUP_CHECKS)
        self.__dict__.update(check_all(self.place, what, settings, GROUP_CHECKS))
        graph, self.parent_group = home_of(self.place, settings.get("dag"), settings.get("parent_group"))
        if not isinstance(graph, TaskGraph):
            raise self.place.refuse(f"{what} belongs to no DAG; make it inside `with DAG(…)` or give it dag=")
        self.graph = self.dag = graph
        self.group_id, self._label = self._ids(group_id)
        self.children: dict[str, Task | TaskGroup] = {}
        outer = {} if self.parent_group is None else self.parent_group.default_args
        self.default_args = {**outer, **(settings.get("default_args") or {})}
        self.upstream_group_ids, self.downstream_group_ids = set[str](), set[str]()
        self.upstream_task_ids, self.downstream_task_ids = set[str](), set[str]()
        graph.add_group(self)
        if self.parent_group is not None:
            self.parent_group.children[self.group_id] = self

    def _ids(self, group_id: str) -> tuple[str, str]:
        """The full id and the part of it that is its own, numbered if it is taken and may be numbered."""
        label = checked_group_id(group_id, self.place)
        full = label if self.parent_group is None else self.parent_group.child_id(label)
        if self.add_suffix_on_collision:
            prefix, full = len(full) - len(label), self.graph.unused_group_id(full)
            label = full[prefix:]
        return checked_id("group_id", full, self.place), label

    def __repr__(self) -> str:
        return f"TaskGroup {self.group_id!r}"

    # ── what is in it ────────────────────────────────────────────────────────────────────────────────────

    @property
    def label(self) -> str:
        """What people are shown: its display name, else its id without those of the groups around it."""
        return self.group_display_name or self._label

    @property
    def node_id(self) -> str:
        return self.group_id

    @property
    def scopes(self) -> tuple[str, ...]:
        """The ids of the mapped groups around what is in it, outermost first."""
        return self.outer_scopes if self.expansion is None else (*self.outer_scopes, self.group_id)

    @property
    def outer_scopes(self) -> tuple[str, ...]:
        """Those around the group itself."""
        return () if self.parent_group is None else self.parent_group.scopes

    def child_id(self, label: str) -> str:
        """The full id of what is called ``label`` in here."""
        return f"{self.group_id}.{label}" if self.prefix_group_id else label

    def __iter__(self) -> Iterator[Task]:
        """Its tasks and those of the groups in it, in the order in which they were made."""
        for child in self.children.values():
            if isinstance(child, TaskGroup):
                yield from child
            else:
                yield child

    def has_task(self, task: Task) -> bool:
        return any(own is task for own in self)

    def get_child_by_label(self, label: str) -> "Task | TaskGroup":
        """The task or group in here by its id without the prefix; NotFoundError names the nearest one."""
        found = self.children.get(self.child_id(label))
        if found is None:
            near = did_you_mean(self.child_id(label), self.children)
            raise NotFoundError(f"group {self.group_id!r} has no task or group {label!r}{near}")
        return found

    __getitem__ = get_child_by_label

    # ── its edges ────────────────────────────────────────────────────────────────────────────────────────

    def get_roots(self) -> list[Task]:
        """The tasks in it that wait for no other in it."""
        inside = {task.task_id for task in self}
        return [task for task in self if task.upstream_task_ids.isdisjoint(inside)]

    def get_leaves(self) -> list[Task]:
        """The tasks in it that no other in it waits for; in place of a teardown, what it comes after."""
        inside = {task.task_id: task for task in self}
        found: dict[str, Task] = {}
        for task in self:
            if task.downstream_task_ids.isdisjoint(inside):
                found.update((leaf.task_id, leaf) for leaf in _before_teardowns(task, inside))
        return list(found.values())

    @property
    def roots(self) -> Sequence[Task]:
        """What an edge to the group leads to; an empty group passes it on to what was joined after it."""
        return self.get_roots() or self._beyond(self.downstream_task_ids, self.downstream_group_ids, "roots")

    @property
    def leaves(self) -> Sequence[Task]:
        """What an edge from the group begins at; of an empty group, what it was joined after."""
        return self.get_leaves() or self._beyond(self.upstream_task_ids, self.upstream_group_ids, "leaves")

    def _beyond(self, task_ids: set[str], group_ids: set[str], side: str) -> Sequence[Task]:
        tasks = [self.graph.get_task(name) for name in sorted(task_ids)]
        groups = [self.graph.task_group_dict[name] for name in sorted(group_ids)]
        return [*tasks, *(task for group in groups for task in getattr(group, side))]

    def joined(self, other: Linkable, *, is_after: bool) -> None:
        groups = self.downstream_group_ids if is_after else self.upstream_group_ids
        tasks = self.downstream_task_ids if is_after else self.upstream_task_ids
        if isinstance(other, TaskGroup):
            groups.add(other.group_id)
        else:
            tasks.update(task.task_id for task in other.roots)

    def spec(self) -> GroupSpec:
        self.__dict__.update(check_all(self.place, repr(self), {"tooltip": self.tooltip}, GROUP_CHECKS))
        return GroupSpec(
            group_id=self.group_id,
            parent="" if self.parent_group is None else self.parent_group.group_id,
            display_name=self.group_display_name or None,
            tooltip=self.tooltip or None,
            mapping=None if self.expansion is None else self.expansion.mapping(self.outer_scopes),
            upstream=tuple(sorted(self.upstream_group_ids | self.upstream_task_ids)),
            downstream=tuple(sorted(self.downstream_group_ids | self.downstream_task_ids)),
        )


def _before_teardowns(task: Task, inside: Mapping[str, Task]) -> Iterator[Task]:
    """``task`` itself; in place of a teardown, those right before it in the group that only teardowns wait for."""
    if not task.is_teardown:
        yield task
        return
    for name in sorted(task.upstream_task_ids & inside.keys()):
        before = inside[name]
        if before.is_teardown:
            yield from _before_teardowns(before, inside)
        elif not before.is_setup and not _is_awaited(before, inside):
            yield before


def _is_awaited(task: Task, inside: Mapping[str, Task]) -> bool:
    return any(not inside[name].is_teardown for name in task.downstream_task_ids & inside.keys())


def home_of(place: Place, dag: Any, group: Any) -> tuple[Any, TaskGroup | None]:
    """The DAG and the group of what is made here: those given, else those whose ``with`` blocks run."""
    if group is not None and not isinstance(group, TaskGroup):
        raise place.refuse(f"a task_group must be a TaskGroup, not {group!r}")
    around = group or _current.get()
    if dag is None:
        dag = group.graph if group is not None else current_dag() or (around and around.graph)
    if group is not None and group.graph is not dag:
        raise place.refuse(f"{group!r} belongs to {group.graph!r} and takes nothing of {dag!r}")
    return dag, around if around is not None and around.graph is dag else None


def unused_task_id(place: Place, settings: Mapping[str, Any]) -> Any:
    """The ``task_id`` of ``settings``, numbered if the DAG that it is for has it already."""
    task_id = settings["task_id"]
    graph, group = home_of(place, settings.get("dag"), settings.get("task_group"))
    if not isinstance(graph, TaskGraph) or not isinstance(task_id, str):
        return task_id
    full = task_id if group is None else group.child_id(task_id)
    return graph.unused_id(full)[len(full) - len(task_id) :]
