"""Goes one way or another by the day of the week."""

from collections.abc import Iterable
from typing import Any

from orchestrator.authoring.branching import BaseBranchOperator
from orchestrator.authoring.checks import checked
from orchestrator.authoring.dag import own_zone
from orchestrator.authoring.passing_time import utcnow
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.weekdays import WeekDay, weekdays

__all__ = ["BranchDayOfWeekOperator", "WeekDay"]


class BranchDayOfWeekOperator(BaseBranchOperator):
    """Goes on with the first tasks where it is one of ``week_day`` in the DAG's time zone, else with the second.

    With ``use_task_logical_date`` it is the day of the run's logical date. What to follow is a task_id or the id of a
    group, or several.
    """

    def __init__(
        self,
        *,
        follow_task_ids_if_true: str | Iterable[str],
        follow_task_ids_if_false: str | Iterable[str],
        week_day: str | WeekDay | Iterable[str] | Iterable[WeekDay],
        use_task_logical_date: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.follow_task_ids_if_true = follow_task_ids_if_true
        self.follow_task_ids_if_false = follow_task_ids_if_false
        self.week_day = week_day
        self.use_task_logical_date = use_task_logical_date
        self._days = checked(self.place, f"task {self.task_id!r}", "week_day", week_day, weekdays)

    def choose_branch(self, context: Context) -> str | Iterable[str]:
        moment = context["logical_date"] if self.use_task_logical_date else utcnow().astimezone(own_zone(self.dag))
        is_one = moment.isoweekday() in self._days
        return self.follow_task_ids_if_true if is_one else self.follow_task_ids_if_false
