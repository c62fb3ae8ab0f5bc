"""Waits for a while."""

from datetime import datetime, timedelta
from typing import Any

from orchestrator.authoring.checks import duration, instance
from orchestrator.authoring.deferrable import is_deferrable
from orchestrator.authoring.passing_time import utcnow
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.sensor import BaseSensorOperator
from orchestrator.authoring.triggers import DateTimeTrigger

__all__ = ["TimeDeltaSensor", "TimeDeltaSensorAsync", "WaitSensor"]


class TimeDeltaSensor(BaseSensorOperator):
    """Waits until ``delta`` after the end of the run's data interval, or after the run's start where it has none.

    ``deferrable``: by the engine's timer, and without a worker.
    """

    def __init__(
        self, *, delta: timedelta, deferrable: bool | None = None, end_from_trigger: bool = False, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.delta: timedelta = self._checked("delta", delta, instance(timedelta, "a timedelta"))
        self.deferrable = is_deferrable(deferrable)
        self.end_from_trigger = end_from_trigger

    def execute(self, context: Context) -> Any:
        if self.deferrable and self.poke(context):
            return True
        if self.deferrable:
            trigger = DateTimeTrigger(self._moment(context), end_from_trigger=self.end_from_trigger)
            self.defer(trigger=trigger, method_name="execute_complete", timeout=self.timeout)
        return super().execute(context)

    def execute_complete(self, context: Context, event: Any = None) -> None:
        """Nothing is left to do."""

    def poke(self, context: Context) -> bool:
        return utcnow() > self._moment(context)

    def _moment(self, context: Context) -> datetime:
        base: datetime = context.get("data_interval_end") or context["dag_run"].start_date
        return base + self.delta


class TimeDeltaSensorAsync(TimeDeltaSensor):
    """A TimeDeltaSensor that is deferrable."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(deferrable=True, **settings)


class WaitSensor(BaseSensorOperator):
    """Waits for ``time_to_wait``, a timedelta or minutes, from its own start on.

    ``deferrable``: by the engine's timer, and without a worker. What a dead worker has waited for counts.
    """

    def __init__(self, *, time_to_wait: timedelta | int, deferrable: bool | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        given = timedelta(minutes=time_to_wait) if isinstance(time_to_wait, int) else time_to_wait
        self.time_to_wait: timedelta = self._checked("time_to_wait", given, duration(zero=True))
        self.deferrable = is_deferrable(deferrable)

    def execute(self, context: Context) -> Any:
        end = self._moment(context)
        if self.deferrable:
            self.defer(trigger=DateTimeTrigger(end, end_from_trigger=True), method_name="execute_complete")
        if not self.reschedule:
            self.poke_interval = max((end - utcnow()).total_seconds(), 0.0)  # once, and no longer than need be
        return super().execute(context)

    def poke(self, context: Context) -> bool:
        return utcnow() >= self._moment(context)

    def _moment(self, context: Context) -> datetime:
        instance = context["ti"]
        if instance.began_at is None:
            instance.began_at = utcnow()
        began_at: datetime = instance.began_at
        return began_at + self.time_to_wait
