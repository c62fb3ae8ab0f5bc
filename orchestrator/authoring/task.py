"""Task, TaskGraph and Linkable: the nodes of a DAG, and the edges that ``>>`` draws between them."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Self, TypeAlias, TypeVar

from orchestrator.authoring.defaults import Defaults
from orchestrator.authoring.identifiers import Numbering
from orchestrator.authoring.place import Place, author
from orchestrator.authoring.runtime import Context
from orchestrator.core.spec import GroupSpec, TaskSpec
from orchestrator.exceptions import DuplicateTaskError, NotFoundError
from orchestrator.names import TriggerRule
from orchestrator.nearest import did_you_mean

Links: TypeAlias = "Linkable | Iterable[Linkable]"
_Other = TypeVar("_Other", bound=Links)


class Linkable(ABC):
    """What ``>>`` can join: a task, or something that stands for tasks."""

    @property
    @abstractmethod
    def roots(self) -> "Sequence[Task]":
        """The tasks that come first in it."""

    @property
    @abstractmethod
    def leaves(self) -> "Sequence[Task]":
        """The tasks that come last in it."""

    def set_downstream(self, other: Links) -> None:
        """``other`` starts after this."""
        for after in linkables(other):
            after.follow(self)

    def set_upstream(self, other: Links) -> None:
        """``other`` comes before this."""
        for before in linkables(other):
            before.set_downstream(self)

    def follow(self, before: "Linkable", label: str = "") -> None:
        """Start after ``before``: each first task here after each last one there. ``label`` says what that means."""
        leaves, roots = before.leaves, self.roots
        for leaf in leaves:
            for root in roots:
                leaf.link(root, label)
        if isinstance(before, Group):
            before.joined(self, is_after=True)
        if isinstance(self, Group):
            self.joined(before, is_after=False)

    def __rshift__(self, other: _Other) -> _Other:
        self.set_downstream(other)
        return other

    def __lshift__(self, other: _Other) -> _Other:
        self.set_upstream(other)
        return other

    def __rrshift__(self, other: Links) -> Self:
        self.set_upstream(other)
        return self

    def __rlshift__(self, other: Links) -> Self:
        self.set_downstream(other)
        return self


def linkables(value: object) -> list[Linkable]:
    """One or several, as a list; DagError if one of them cannot be a dependency."""
    if isinstance(value, Iterable) and not isinstance(value, Linkable | str):
        return [_linkable(item) for item in value]
    return [_linkable(value)]


def _linkable(item: object) -> Linkable:
    if not isinstance(item, Linkable):
        raise author().refuse(f"{item!r} cannot be a dependency; join tasks, results of tasks, or lists of them")
    return item


class Task(Linkable):
    """A node of a DAG, as the graph, the compiler and the worker see it."""

    task_id: str
    place: Place
    graph: "TaskGraph | None" = None
    owner: str
    trigger_rule: TriggerRule
    multiple_outputs: bool | None = None
    do_xcom_push: bool = True
    render_template_as_native_obj: bool | None = None
    is_setup: bool = False
    is_teardown: bool = False
    on_failure_fail_dagrun: bool = False
    does_nothing: bool = False
    start_date: datetime | None = None
    end_date: datetime | None = None
    is_mapped: bool = False

    upstream_task_ids: set[str]
    downstream_task_ids: set[str]
    labels: Mapping[str, str] = MappingProxyType({})

    @property
    def mapped_groups(self) -> tuple[str, ...]:
        """The ids of the mapped groups around it, outermost first."""
        return ()

    @abstractmethod
    def input_ids(self) -> tuple[str, ...]:
        """The ids, sorted, of the tasks whose results this one takes."""

    @abstractmethod
    def spec(self, defaults: Defaults) -> TaskSpec:
        """The task as plain data, with its own ``priority_weight`` as ``weight``; DagError if a setting is wrong."""

    @abstractmethod
    def own_params(self) -> Mapping[str, Any]:
        """Params that this task adds to the DAG's."""

    def check_params(self, params: Mapping[str, Any]) -> None:
        """UsageError if ``params``, those of a run with its own, are not as it has declared them."""

    @abstractmethod
    def prepare(self, context: Context, results: Mapping[str, Any]) -> "Task":
        """A copy that is ready to run: references resolved and templates rendered.

        ``results`` holds the decoded result of each of ``input_ids()``. TemplateError names task, field and line.
        """

    def pre_execute(self, context: Context) -> None:
        """Called right before the body, as a part of the attempt."""

    def finish(self, context: Context, result: Any) -> None:
        """Called right after the body, as a part of the attempt; UsageError if ``result`` is not what was promised."""

    @abstractmethod
    def execute(self, context: Context) -> Any:
        """The body. What it returns is the task's result; a coroutine is for the caller to await."""

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on with ``next_method``, to which the body was deferred."""
        raise NotImplementedError(f"{type(self).__name__} is never deferred")

    def instance_name(self, context: Context) -> str | None:  # noqa: ARG002 - most tasks have no names for instances
        """What this instance of a mapped task is called, once its body has run; TemplateError if it cannot be said."""
        return None

    def on_kill(self) -> None:
        """End what the body has started outside of this process; called when the attempt is cut short."""

    def skips(self, result: Any) -> tuple[str, ...]:  # noqa: ARG002 - most tasks skip nothing whatever they return
        """The ids of the tasks that are skipped because the body returned ``result``."""
        return ()

    # ── its place in the graph ───────────────────────────────────────────────────────────────────────────

    @property
    def roots(self) -> "Sequence[Task]":
        return (self,)

    @property
    def leaves(self) -> "Sequence[Task]":
        return (self,)

    def link(self, after: "Task", label: str = "") -> None:
        """Draw the edge to ``after``; a task without a DAG joins the other's."""
        if self.graph is None or self.graph is not after.graph:
            self._share_graph(after)
        self.downstream_task_ids.add(after.task_id)
        after.upstream_task_ids.add(self.task_id)
        if label:
            after.labels = {**after.labels, self.task_id: label}

    def _share_graph(self, other: "Task") -> None:
        if self.graph is None:
            other.graph_or_refusal().add_task(self)
        elif other.graph is None:
            self.graph.add_task(other)
        else:
            raise author().refuse(
                f"task {self.task_id!r} of DAG {self.graph.dag_id!r} cannot be joined with task {other.task_id!r} "
                f"of DAG {other.graph.dag_id!r}; a dependency stays inside one DAG"
            )

    def graph_or_refusal(self) -> "TaskGraph":
        """The DAG that this task belongs to; DagError if there is none yet."""
        if self.graph is None:
            raise self.place.refuse(
                f"task {self.task_id!r} belongs to no DAG; make it inside `with DAG(…)` or give it dag="
            )
        return self.graph

    def get_direct_relatives(self, upstream: bool = False) -> "list[Task]":
        """The tasks right before or after this one, by task_id."""
        ids = self.upstream_task_ids if upstream else self.downstream_task_ids
        return [self.graph_or_refusal().get_task(name) for name in sorted(ids)]

    @property
    def upstream_list(self) -> "list[Task]":
        return self.get_direct_relatives(upstream=True)

    @property
    def downstream_list(self) -> "list[Task]":
        return self.get_direct_relatives(upstream=False)

    def get_flat_relative_ids(self, *, upstream: bool = False) -> set[str]:
        """The ids of all tasks before or after this one, however far."""
        # Walked here and not by networkx, which would cost each worker 24 MB for this one question.
        waiting: list[Task] = [self]
        found: set[str] = set()
        while waiting:
            for relative in waiting.pop().get_direct_relatives(upstream):
                if relative.task_id not in found:
                    found.add(relative.task_id)
                    waiting.append(relative)
        return found


class Group(Linkable):
    """Tasks under one id of their own, as the graph and the compiler see them. ``group_id`` is the full one."""

    group_id: str
    place: Place
    default_args: Mapping[str, Any]

    @abstractmethod
    def joined(self, other: Linkable, *, is_after: bool) -> None:
        """The group as a whole was joined with ``other``, which comes after it or before."""

    @abstractmethod
    def spec(self) -> GroupSpec:
        """The group as plain data."""


class TaskGraph:
    """The tasks of one DAG and its groups, by id; no two of either have the same."""

    def __init__(self, dag_id: str) -> None:
        self.dag_id = dag_id
        self.task_dict: dict[str, Task] = {}
        self.task_group_dict: dict[str, Group] = {}
        self.partials: list[Any] = []
        self._numbering = Numbering()
        self._group_numbering = Numbering()

    @property
    def tasks(self) -> list[Task]:
        """In the order in which they were made."""
        return list(self.task_dict.values())

    @property
    def task_ids(self) -> list[str]:
        return list(self.task_dict)

    @property
    def roots(self) -> list[Task]:
        """The tasks that wait for no other."""
        return [task for task in self.task_dict.values() if not task.upstream_task_ids]

    @property
    def leaves(self) -> list[Task]:
        """The tasks that no other waits for."""
        return [task for task in self.task_dict.values() if not task.downstream_task_ids]

    @property
    def teardowns(self) -> list[Task]:
        return [task for task in self.task_dict.values() if task.is_teardown]

    def has_task(self, task_id: str) -> bool:
        return task_id in self.task_dict

    def has_task_group(self, task_group_id: str) -> bool:
        return task_group_id in self.task_group_dict

    def set_dependency(self, upstream_task_id: str, downstream_task_id: str) -> None:
        """Let one task wait for another; NotFoundError names the nearest to one that is not there."""
        self.get_task(upstream_task_id).set_downstream(self.get_task(downstream_task_id))

    def get_task(self, task_id: str) -> Task:
        """The task of that id; NotFoundError names the nearest one."""
        found = self.task_dict.get(task_id)
        if found is None:
            raise NotFoundError(f"DAG {self.dag_id!r} has no task {task_id!r}{did_you_mean(task_id, self.task_dict)}")
        return found

    def add_task(self, task: Task) -> None:
        """Take the task in; DuplicateTaskError if its id is taken."""
        first: Task | Group | None = self.task_dict.get(task.task_id)
        if first is task:
            return
        first = first or self.task_group_dict.get(task.task_id)
        if first is not None:
            raise _duplicate(self.dag_id, first, "task", task.task_id, task.place)
        if task.graph is not None:
            raise task.place.refuse(f"task {task.task_id!r} belongs to DAG {task.graph.dag_id!r} already")
        task.graph = self
        self.task_dict[task.task_id] = task
        self._numbering.saw(task.task_id)

    def add_tasks(self, tasks: Iterable[Task]) -> None:
        """Take them all in."""
        for task in tasks:
            self.add_task(task)

    def add_group(self, group: Group) -> None:
        """Take the group in; DuplicateTaskError if its id is taken."""
        first = self.task_group_dict.get(group.group_id) or self.task_dict.get(group.group_id)
        if first is not None:
            raise _duplicate(self.dag_id, first, "group", group.group_id, group.place)
        self.task_group_dict[group.group_id] = group
        self._group_numbering.saw(group.group_id)

    def unused_id(self, task_id: str) -> str:
        """``task_id``, or ``task_id__1``, ``task_id__2`` … if it is taken."""
        return self._numbering.unused(task_id, self.task_dict)

    def unused_group_id(self, group_id: str) -> str:
        """The same for groups."""
        return self._group_numbering.unused(group_id, self.task_group_dict)


def _duplicate(dag_id: str, first: Task | Group, kind: str, name: str, place: Place) -> DuplicateTaskError:
    where = f"line {first.place.line}" if first.place.file == place.file else "{}:{}".format(*first.place)
    has = "group" if isinstance(first, Group) else "task"
    return DuplicateTaskError(
        f"DAG {dag_id!r} has a {has} {name!r} already, made at {where}; give one of them another {kind}_id",
        file=place.file,
        line=place.line,
    )
