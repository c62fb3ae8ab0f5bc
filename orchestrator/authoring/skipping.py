"""Mix-ins for operators that skip tasks after them, by hand or as a branch does."""

from collections.abc import Iterable
from typing import Any

from orchestrator.authoring.runtime import Context
from orchestrator.authoring.task import Task
from orchestrator.exceptions import UsageError
from orchestrator.nearest import did_you_mean


class SkipMixin:
    """Tasks after this one that it names are skipped once its body has ended well."""

    def skip(self, ti: Any, tasks: Iterable[Any]) -> None:
        """Skip ``tasks``; groups among them are passed over. UsageError for one that does not come after this one."""
        ti.task.skip_besides(one.task_id for one in tasks if isinstance(one, Task))

    def skip_all_except(self, ti: Any, branch_task_ids: str | Iterable[str] | None) -> None:
        """Skip what comes right after this one and was not chosen."""
        ti.task.skip_besides(not_chosen(ti.task, branch_task_ids))


class BranchMixIn(SkipMixin):
    """A branch in one line: ``return self.do_branch(context, "task_id")``."""

    def do_branch(self, context: Context, branches_to_execute: Any) -> Any:
        """Go on with these only; it returns them."""
        chosen = branches_to_execute
        several = chosen is not None and not isinstance(chosen, str) and isinstance(chosen, Iterable)
        chosen = list(chosen) if several else chosen
        self.skip_all_except(context["ti"], chosen)
        return chosen


def not_chosen(task: Any, choice: Any) -> tuple[str, ...]:
    """The tasks right after ``task`` that are skipped because its ``choice`` is a task_id, a list of them, or None.

    The id of a group stands for the tasks that come first in it.
    One that also comes after a chosen task, however far, is not skipped: its trigger rule decides.
    UsageError if the choice is a task that the DAG does not have.
    """
    followed = set(_chosen(task, choice))
    for task_id in tuple(followed):
        followed |= task.dag.get_task(task_id).get_flat_relative_ids()
    return tuple(sorted(task.downstream_task_ids - followed))


def _chosen(task: Any, choice: Any) -> list[str]:
    several = isinstance(choice, Iterable) and not isinstance(choice, str | dict)
    chosen: list[str] = []
    for task_id in list(choice) if several else [] if choice is None else [choice]:
        if not isinstance(task_id, str):
            raise UsageError(f"branch {task.task_id!r} must return a task_id, a list of them or None, not {task_id!r}")
        chosen += _tasks_of(task, task_id)
    return chosen


def _tasks_of(task: Any, chosen: str) -> list[str]:
    group = task.dag.task_group_dict.get(chosen)
    if group is not None:
        return [root.task_id for root in group.roots]
    if not task.dag.has_task(chosen):
        raise UsageError(
            f"branch {task.task_id!r} chose {chosen!r}, which DAG {task.dag_id!r} does not have"
            f"{did_you_mean(chosen, [*task.dag.task_dict, *task.dag.task_group_dict])}"
        )
    return [chosen]
