"""Putting off: what a body says that gives its worker up until a moment or an answer, and how it goes on."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from orchestrator.authoring.masking import masked
from orchestrator.authoring.moments import moment
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.task import Task
from orchestrator.authoring.triggers import DateTimeTrigger
from orchestrator.core import values
from orchestrator.core.forms import Form, form_of
from orchestrator.core.orders import Deferred, Order, Resume
from orchestrator.core.particulars import NULL
from orchestrator.exceptions import (
    AirflowRescheduleException,
    TaskAwaitingInput,
    TaskDeferralTimeout,
    TaskDeferred,
    UsageError,
)

PutOff: TypeAlias = AirflowRescheduleException | TaskDeferred | TaskAwaitingInput

_FALLBACK = "Fallback to defaults"
_LARGEST_FORM = 64 * 1024


def put_off(order: Order, why: PutOff, now: datetime) -> Deferred:
    """The report; UsageError where what it waits for is no moment, and no person."""
    if isinstance(why, TaskAwaitingInput):
        return _asking(order, why, now)
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


def _asking(order: Order, why: TaskAwaitingInput, now: datetime) -> Deferred:
    what = f"task {order.key.task_id!r}"
    if order.call != NULL or order.call_payload is not None:
        raise UsageError(f"{what} asks a person, and is called by a workflow; let its code wait for a signal instead")
    until = None if why.timeout is None else now + why.timeout
    form = replace(why.form, subject=masked(why.form.subject), body=why.form.body and masked(why.form.body))
    waits = {
        "input": msgspec.json.decode(msgspec.json.encode(form)),
        "method": why.method_name,
        "kwargs": why.kwargs,
        "until": until and until.isoformat(),
        "asked_at": now.isoformat(),  # tells it from the same question, asked again
    }
    trigger = values.encode(waits, f"what {what} asks")
    if len(trigger) > _LARGEST_FORM:
        raise UsageError(
            f"{what} asks with a form of {len(trigger):,} bytes, and {_LARGEST_FORM:,} is the most; "
            f"say in it where the rest is to be found"
        )
    return Deferred(key=order.key, at=now, trigger=msgspec.Raw(trigger), until=until)


def resumed(task: Task, resume: Resume, context: Context) -> Any:
    """Go on where the body was deferred; what that returns is the result of the task."""
    waited = values.decode(resume.trigger)
    if (form := form_of(resume.trigger)) is not None:
        event = values.decode(resume.event) or _unanswered(form, waited["until"])
        return task.resume_execution(waited["method"], {**waited["kwargs"], "event": event}, context)
    at = moment(datetime.fromisoformat(waited["at"]))
    if waited["timed_out"]:
        return task.resume_execution("__fail__", {"error": TaskDeferralTimeout(f"nothing came until {at}")}, context)
    if waited["method"] is None:
        return None
    return task.resume_execution(waited["method"], {**waited["kwargs"], "event": at}, context)


def _unanswered(form: Form, until: str) -> dict[str, Any]:
    """The event of a question whose time has run out."""
    if form.defaults is None:
        return {"error": f"nobody answered {form.subject!r} until {until}", "error_type": "timeout"}
    nobody = {"id": _FALLBACK, "name": _FALLBACK}
    chosen = list(form.defaults)
    at = datetime.fromisoformat(until)
    return {"chosen_options": chosen, "params_input": {}, "responded_at": at, "responded_by_user": nobody}


def _aware(order: Order, value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise UsageError(f"task {order.key.task_id!r}: a reschedule_date must be a datetime, not {value!r}")
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
