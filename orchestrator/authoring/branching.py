"""Branching: a task's result says which of the tasks after it go on."""

from collections.abc import Iterable
from typing import Any

from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.runtime import Context
from orchestrator.exceptions import UsageError
from orchestrator.nearest import did_you_mean


class Branching(BaseOperator):
    """The result is a task_id, a list of them, or None; the other tasks right after this one are skipped.

    The id of a group stands for the tasks that come first in it.
    One that also comes after a chosen task, however far, is not skipped: its trigger rule decides.
    """

    def skips(self, result: Any) -> tuple[str, ...]:
        """See Task; UsageError if ``result`` names a task that the DAG does not have."""
        followed = set(self._chosen(result))
        for task_id in tuple(followed):
            followed |= self.dag.get_task(task_id).get_flat_relative_ids()
        return tuple(sorted(self.downstream_task_ids - followed))

    def _chosen(self, result: Any) -> list[str]:
        several = isinstance(result, Iterable) and not isinstance(result, str | dict)
        chosen: list[str] = []
        for task_id in list(result) if several else [] if result is None else [result]:
            if not isinstance(task_id, str):
                raise UsageError(
                    f"branch {self.task_id!r} must return a task_id, a list of them or None, not {task_id!r}"
                )
            chosen += self._tasks_of(task_id)
        return chosen

    def _tasks_of(self, chosen: str) -> list[str]:
        group = self.dag.task_group_dict.get(chosen)
        if group is not None:
            return [task.task_id for task in group.roots]
        if not self.dag.has_task(chosen):
            raise UsageError(
                f"branch {self.task_id!r} chose {chosen!r}, which DAG {self.dag_id!r} does not have"
                f"{did_you_mean(chosen, [*self.dag.task_dict, *self.dag.task_group_dict])}"
            )
        return [chosen]


class BaseBranchOperator(Branching):
    """A branch whose choice is ``choose_branch(context)``; derive from it."""

    def choose_branch(self, context: Context) -> str | Iterable[str] | None:
        """The task_id to go on with, several, or None for none of them."""
        raise NotImplementedError(f"{type(self).__name__} has no choose_branch(self, context)")

    def execute(self, context: Context) -> Any:
        return self.choose_branch(context)
