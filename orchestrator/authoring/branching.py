"""Branching: a task's result says which of the tasks after it go on."""

from collections.abc import Iterable
from typing import Any

from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.skipping import BranchMixIn, not_chosen


class Branching(BaseOperator, BranchMixIn):
    """The result is a task_id, a list of them, or None; the other tasks right after this one are skipped.

    The id of a group stands for the tasks that come first in it.
    One that also comes after a chosen task, however far, is not skipped: its trigger rule decides.
    """

    def skips(self, result: Any) -> tuple[str, ...]:
        """See Task; UsageError if ``result`` names a task that the DAG does not have."""
        return tuple(sorted({*super().skips(result), *not_chosen(self, result)}))


class BaseBranchOperator(Branching):
    """A branch whose choice is ``choose_branch(context)``; derive from it."""

    def choose_branch(self, context: Context) -> str | Iterable[str] | None:
        """The task_id to go on with, several, or None for none of them."""
        raise NotImplementedError(f"{type(self).__name__} has no choose_branch(self, context)")

    def execute(self, context: Context) -> Any:
        return self.choose_branch(context)
