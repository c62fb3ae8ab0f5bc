"""Waits for a time of the day."""

import datetime as dt
from typing import Any

from orchestrator.authoring.checks import instance
from orchestrator.authoring.dag import own_zone
from orchestrator.authoring.deferrable import is_deferrable
from orchestrator.authoring.passing_time import utcnow
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.sensor import BaseSensorOperator
from orchestrator.authoring.triggers import DateTimeTrigger

__all__ = ["TimeSensor", "TimeSensorAsync"]


class TimeSensor(BaseSensorOperator):
    """Waits until ``target_time``, in the DAG's time zone, of the day on which it begins to wait.

    ``deferrable``: by the engine's timer, and without a worker.
    """

    def __init__(
        self, *, target_time: dt.time, deferrable: bool | None = None, end_from_trigger: bool = False, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.target_time = self._checked("target_time", target_time, instance(dt.time, "a time such as time(6, 30)"))
        self.deferrable = is_deferrable(deferrable)
        self.end_from_trigger = end_from_trigger

    def execute(self, context: Context) -> Any:
        if self.deferrable:
            trigger = DateTimeTrigger(self._moment(context), end_from_trigger=self.end_from_trigger)
            self.defer(trigger=trigger, method_name="execute_complete")
        return super().execute(context)

    def execute_complete(self, context: Context, event: Any = None) -> None:
        """Nothing is left to do."""

    def poke(self, context: Context) -> bool:
        return utcnow() > self._moment(context)

    def _moment(self, context: Context) -> dt.datetime:
        zone = own_zone(self.dag)
        began_at = context["ti"].began_at or utcnow()
        return dt.datetime.combine(began_at.astimezone(zone).date(), self.target_time, self.target_time.tzinfo or zone)


class TimeSensorAsync(TimeSensor):
    """A TimeSensor that is deferrable."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(deferrable=True, **settings)
