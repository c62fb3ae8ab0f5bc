"""Waits for a day of the week."""

from collections.abc import Iterable
from typing import Any

from orchestrator.authoring.dag import own_zone
from orchestrator.authoring.passing_time import utcnow
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.sensor import BaseSensorOperator
from orchestrator.authoring.weekdays import WeekDay, weekdays

__all__ = ["DayOfWeekSensor", "WeekDay"]


class DayOfWeekSensor(BaseSensorOperator):
    """Waits until it is one of ``week_day`` in the DAG's time zone.

    With ``use_task_logical_date`` it is the run's logical date that has to be.
    """

    def __init__(
        self,
        *,
        week_day: str | WeekDay | Iterable[str] | Iterable[WeekDay],
        use_task_logical_date: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.week_day = week_day
        self.use_task_logical_date = use_task_logical_date
        self._days = self._checked("week_day", week_day, weekdays)

    def poke(self, context: Context) -> bool:
        moment = context["logical_date"] if self.use_task_logical_date else utcnow().astimezone(own_zone(self.dag))
        return moment.isoweekday() in self._days
