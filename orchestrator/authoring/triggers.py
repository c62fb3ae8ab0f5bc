"""Triggers of time: the moments that a task can defer itself to."""

from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.exceptions import UsageError


class DateTimeTrigger:
    """Fires at ``moment``, which has a time zone; at once where that is past. The event is the moment.

    ``end_from_trigger``: the task succeeds then, and none of its methods is called.
    """

    def __init__(self, moment: Any, *, end_from_trigger: bool = False) -> None:
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise UsageError(f"the moment of a trigger must be a datetime with a time zone, not {moment!r}")
        self.moment: datetime = moment.astimezone(UTC)
        self.end_from_trigger = end_from_trigger

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.moment.isoformat()}>"


class TimeDeltaTrigger(DateTimeTrigger):
    """Fires ``delta`` after it was made."""

    def __init__(self, delta: timedelta, *, end_from_trigger: bool = False) -> None:
        super().__init__(datetime.now(UTC) + delta, end_from_trigger=end_from_trigger)
