"""A DAG as a tree on the terminal."""

from operator import itemgetter

from rich.markup import escape
from rich.tree import Tree

from orchestrator.cli.printable import one_line
from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.names import DagKind, TriggerRule


def tree(spec: DagSpec) -> Tree:
    """Each task once, below the deepest of its upstreams; where it has several, they are named beside it."""
    hint = "  [dim]workflow: its code calls these, in whatever order[/]" if spec.kind is DagKind.WORKFLOW else ""
    root = Tree(f"[bold]{escape(spec.dag_id)}[/]{hint}")
    branches: dict[str, tuple[int, Tree]] = {}
    for task in spec.tasks:  # in topological order: upstreams are there already
        depth, parent = max((branches[name] for name in task.upstream), key=itemgetter(0), default=(0, root))
        branches[task.task_id] = (depth + 1, parent.add(_label(task)))
    return root


def _label(task: TaskSpec) -> str:
    parts = [escape(task.task_id), f"[dim]{escape(one_line(task.operator))}[/]"]
    if task.depth:
        parts.append("[cyan]mapped[/]")
    if task.trigger_rule is not TriggerRule.ALL_SUCCESS:
        parts.append(f"[magenta]{task.trigger_rule}[/]")
    if len(task.upstream) > 1:
        parts.append(f"[dim]waits for {escape(', '.join(task.upstream))}[/]")
    return "  ".join(parts)
