"""Waits until a moment."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pendulum

from orchestrator.authoring.passing_time import utcnow
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.sensor import BaseSensorOperator
from orchestrator.authoring.triggers import DateTimeTrigger
from orchestrator.exceptions import UsageError

__all__ = ["DateTimeSensor", "DateTimeSensorAsync"]


class DateTimeSensor(BaseSensorOperator):
    """Waits until ``target_time``, a datetime or a text in ISO form (a template); without a time zone it is in UTC."""

    template_fields: Sequence[str] = ("target_time",)

    def __init__(self, *, target_time: str | datetime, **settings: Any) -> None:
        super().__init__(**settings)
        self.target_time = target_time

    def poke(self, context: Context) -> bool:  # noqa: ARG002 - it is in its field
        return utcnow() > self._moment()

    def _moment(self) -> datetime:
        target: Any = self.target_time
        try:
            found = pendulum.parse(target, strict=False) if isinstance(target, str) else target
        except ValueError:
            found = None
        if not isinstance(found, datetime):
            raise UsageError(f"sensor {self.task_id!r}: target_time must be a datetime or its text, not {target!r}")
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found


class DateTimeSensorAsync(DateTimeSensor):
    """The same, deferred to the engine's timer: it holds no worker while it waits."""

    def __init__(self, *, end_from_trigger: bool = False, **settings: Any) -> None:
        super().__init__(**settings)
        self.end_from_trigger = end_from_trigger

    def execute(self, context: Context) -> None:  # noqa: ARG002 - it is in its field
        trigger = DateTimeTrigger(self._moment(), end_from_trigger=self.end_from_trigger)
        self.defer(trigger=trigger, method_name="execute_complete")

    def execute_complete(self, context: Context, event: Any = None) -> None:
        """Nothing is left to do."""
