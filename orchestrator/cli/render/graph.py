"""A DAG as a tree on the terminal."""

from collections.abc import Iterator
from operator import itemgetter

from rich.markup import escape
from rich.panel import Panel
from rich.tree import Tree

from orchestrator.cli.printable import one_line
from orchestrator.core.spec import DagSpec, GroupSpec, TaskSpec
from orchestrator.names import DagKind, TriggerRule


def tree(spec: DagSpec, *, folded: bool = False) -> Tree:
    """Each task once, below the deepest of its upstreams; those that this does not show are named beside it.

    A group is a box around the tree of what is in it, or one line where groups are ``folded``. What comes after
    something in a group stands below the group.
    """
    hint = "  [dim]workflow: its code calls these, in whatever order[/]" if spec.kind is DagKind.WORKFLOW else ""
    root = Tree(f"[bold]{escape(spec.dag_id)}[/]{hint}")
    _Grove(spec, folded=folded).fill(root, "")
    return root


class _Grove:
    """Fills a tree for the DAG, and one for each group in it."""

    def __init__(self, spec: DagSpec, *, folded: bool) -> None:
        self._folded = folded
        self._groups = {group.group_id: group for group in spec.groups}
        self._tasks = {task.task_id: task for task in spec.tasks}
        self._ways = {task.task_id: ("", *self._around(task), task.task_id) for task in spec.tasks}

    def _around(self, task: TaskSpec) -> tuple[str, ...]:
        """The groups that it stands in, the outermost first."""
        found, name = list[str](), task.group
        while name:
            found.append(name)
            name = self._groups[name].parent
        return tuple(found[::-1])

    def fill(self, root: Tree, level: str) -> None:
        """Put what stands on ``level``, a group or the DAG itself, into the tree."""
        branches: dict[str, tuple[int, Tree]] = {}
        for task in self._inside(level):  # in topological order: upstreams are there already
            item = self._on(level, task.task_id)
            if item is None or item in branches:
                continue
            above = [branches[name] for name in self._before(level, item) if name in branches]
            depth, parent = max(above, key=itemgetter(0), default=(0, root))
            shown = next((name for name, branch in branches.items() if branch[1] is parent), None)
            branches[item] = (depth + 1, self._add(parent, item, shown))

    def _inside(self, level: str) -> Iterator[TaskSpec]:
        return (task for name, task in self._tasks.items() if level in self._ways[name][:-1])

    def _on(self, level: str, task_id: str) -> str | None:
        """The task or group on that level that the task is, or is in."""
        way = self._ways[task_id]
        return way[way.index(level) + 1] if level in way[:-1] else None

    def _before(self, level: str, item: str) -> list[str]:
        """What comes before ``item`` on its level."""
        tasks = self._inside(item) if item in self._groups else iter((self._tasks[item],))
        found = (self._on(level, name) for task in tasks for name in task.upstream)
        return [name for name in dict.fromkeys(found) if name is not None and name != item]

    def _add(self, parent: Tree, item: str, shown: str | None) -> Tree:
        if item not in self._groups:
            return parent.add(_label(self._tasks[item], shown))
        group = self._groups[item]
        if self._folded:
            return parent.add(f"{_title(group)}  [dim]group of {len(list(self._inside(item)))} tasks[/]")
        inner = Tree(f"[dim]{escape(one_line(group.tooltip or 'group'))}[/]")
        self.fill(inner, item)
        return parent.add(Panel(inner, title=_title(group), title_align="left", expand=False, border_style="dim"))


def _title(group: GroupSpec) -> str:
    name = f"[bold]{escape(one_line(group.group_id))}[/]"
    name += "" if group.display_name is None else f" {escape(one_line(group.display_name))}"
    return name if group.mapping is None else f"{name} [cyan]mapped[/]"


def _label(task: TaskSpec, shown: str | None) -> str:
    """``shown``: the task or group that it stands below."""
    parts = [escape(task.task_id), f"[dim]{escape(one_line(task.operator))}[/]"]
    if task.display_name is not None:
        parts.insert(1, escape(one_line(task.display_name)))
    if task.depth:
        parts.append("[cyan]mapped[/]")
    if task.is_setup or task.is_teardown:
        parts.append(f"[blue]{'setup' if task.is_setup else 'teardown'}[/]")
    elif task.trigger_rule is not TriggerRule.ALL_SUCCESS:
        parts.append(f"[magenta]{task.trigger_rule}[/]")
    if task.upstream not in ((), (shown,)):
        parts.append(f"[dim]waits for {', '.join(_upstream(task, name) for name in task.upstream)}[/]")
    elif shown in task.labels:
        parts.insert(0, f"[italic]{escape(one_line(task.labels[shown]))}:[/]")
    return "  ".join(parts)


def _upstream(task: TaskSpec, name: str) -> str:
    label = f" ({one_line(task.labels[name])})" if name in task.labels else ""
    return escape(f"{name}{label}")
