"""Putting off: what a body says that gives its worker up until a moment, and how it goes on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from orchestrator.authoring.moments import moment
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.task import Task
from orchestrator.authoring.triggers import DateTimeTrigger
from orchestrator.core import values
from orchestrator.core.orders import Deferred, Order, Resume
from orchestrator.exceptions import AirflowRescheduleException, TaskDeferralTimeout, TaskDeferred, UsageError


def put_off(order: Order, why: AirflowRescheduleException | TaskDeferred, now: datetime) -> Deferred:
    """The report; UsageError where what it waits for is no moment."""
    if isinstance(why, AirflowRescheduleException):
        return Deferred(key=order.key, at=now, until=_aware(order, why.reschedule_date))
    if not isinstance(why.trigger, DateTimeTrigger):
        raise UsageError(
            f"task {order.key.task_id!r} defers itself to {why.trigger!r}; only DateTimeTrigger and TimeDeltaTrigger "
            f"can be waited for so far: wait for anything else with a sensor in mode='reschedule'"
        )
    return _deferred(order, why, why.trigger, now)


def _deferred(order: Order, why: TaskDeferred, trigger: DateTimeTrigger, now: datetime) -> Deferred:
    until, timed_out = trigger.moment, False
    if why.timeout is not None:
        limit = why.timeout if isinstance(why.timeout, timedelta) else timedelta(seconds=why.timeout)
        until, timed_out = min(until, now + limit), now + limit < until
    waits = {
        "at": until.isoformat(),
        "method": None if trigger.end_from_trigger else why.method_name,
        "kwargs": why.kwargs,
        "timed_out": timed_out,
    }
    what = f"what task {order.key.task_id!r} goes on with"
    return Deferred(key=order.key, at=now, trigger=msgspec.Raw(values.encode(waits, what)), until=until)


def resumed(task: Task, resume: Resume, context: Context) -> Any:
    """Go on where the body was deferred; what that returns is the result of the task."""
    waited = values.decode(resume.trigger)
    at = moment(datetime.fromisoformat(waited["at"]))
    if waited["timed_out"]:
        return task.resume_execution("__fail__", {"error": TaskDeferralTimeout(f"nothing came until {at}")}, context)
    if waited["method"] is None:
        return None
    return task.resume_execution(waited["method"], {**waited["kwargs"], "event": at}, context)


def _aware(order: Order, value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise UsageError(f"task {order.key.task_id!r}: a reschedule_date must be a datetime, not {value!r}")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
