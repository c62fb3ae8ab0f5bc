"""Triggers of time: the moments that a task can defer itself to."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.authoring.dates import plain_utc
from orchestrator.authoring.passing_time import utcnow
from orchestrator.authoring.trigger import BaseTrigger, TaskSuccessEvent, TriggerEvent
from orchestrator.exceptions import UsageError

_LONGEST_SLEEP = 3600.0  # seconds; the clock may be set meanwhile


class DateTimeTrigger(BaseTrigger):
    """Fires at ``moment``, which has a time zone; at once where that is past. The event is the moment.

    ``end_from_trigger``: the task succeeds then, and none of its methods is called.
    """

    def __init__(self, moment: Any, *, end_from_trigger: bool = False) -> None:
        super().__init__()
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise UsageError(f"the moment of a trigger must be a datetime with a time zone, not {moment!r}")
        self.moment = plain_utc(moment)
        self.end_from_trigger = end_from_trigger

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.moment.isoformat()}>"

    def serialize(self) -> tuple[str, dict[str, Any]]:
        kwargs = {"moment": self.moment, "end_from_trigger": self.end_from_trigger}
        return "orchestrator.triggers.temporal.DateTimeTrigger", kwargs

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """For triggers that are made of this one; a task that is deferred to it waits for the engine's own timer."""
        while (left := (self.moment - datetime.now(UTC)).total_seconds()) > 0:  # noqa: ASYNC110 - it is time that is waited for
            await asyncio.sleep(min(left, _LONGEST_SLEEP))
        yield TaskSuccessEvent() if self.end_from_trigger else TriggerEvent(self.moment)


class TimeDeltaTrigger(DateTimeTrigger):
    """Fires ``delta`` after it was made."""

    def __init__(self, delta: timedelta, *, end_from_trigger: bool = False) -> None:
        super().__init__(utcnow() + delta, end_from_trigger=end_from_trigger)
