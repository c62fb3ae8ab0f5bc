"""Putting off: what a body says that gives its worker up for a while, and how it goes on."""

from datetime import datetime, timedelta
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import replace

from orchestrator.authoring.dates import plain_utc
from orchestrator.authoring.masking import masked
from orchestrator.authoring.moments import moment
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.task import Task
from orchestrator.authoring.trigger import BaseTrigger
from orchestrator.authoring.triggers import DateTimeTrigger, TimeDeltaTrigger
from orchestrator.core import values
from orchestrator.core.forms import Form, form_of
from orchestrator.core.orders import Deferred, Order, Resume
from orchestrator.core.particulars import NULL
from orchestrator.core.waits import Came
from orchestrator.exceptions import (
    AirflowRescheduleException,
    TaskAwaitingInput,
    TaskDeferralError,
    TaskDeferralTimeout,
    TaskDeferred,
    UsageError,
)
from orchestrator.worker.triggers.classes import is_local, trigger_class

PutOff: TypeAlias = AirflowRescheduleException | TaskDeferred | TaskAwaitingInput

_OF_TIME = (DateTimeTrigger, TimeDeltaTrigger)
_FALLBACK = "Fallback to defaults"
_LARGEST_FORM = 64 * 1024


def put_off(order: Order, why: PutOff, now: datetime) -> Deferred:
    """The report; UsageError where what it waits for is no moment, no trigger and no person."""
    if isinstance(why, TaskAwaitingInput):
        return _asking(order, why, now)
    if isinstance(why, AirflowRescheduleException):
        return Deferred(key=order.key, at=now, until=_aware(order, why.reschedule_date))
    if type(why.trigger) in _OF_TIME:  # a class that is derived from one may wait for more than that
        return _deferred_to_time(order, why, why.trigger, now)
    if not isinstance(why.trigger, BaseTrigger):
        raise UsageError(
            f"task {order.key.task_id!r} defers itself to {why.trigger!r}; give it a trigger: an object of a class "
            f"that is derived from orchestrator.triggers.base.BaseTrigger"
        )
    return _deferred_to_trigger(order, why, why.trigger, now)


def _deferred_to_time(order: Order, why: TaskDeferred, trigger: DateTimeTrigger, now: datetime) -> Deferred:
    until, timed_out = trigger.moment, False
    limit = _limit(why, now)
    if limit is not None:
        until, timed_out = min(until, limit), limit < until
    waits = {
        "at": until.isoformat(),
        "method": None if trigger.end_from_trigger else why.method_name,
        "kwargs": why.kwargs,
        "timed_out": timed_out,
    }
    return Deferred(key=order.key, at=now, trigger=_encoded(order, waits), until=until)


def _deferred_to_trigger(order: Order, why: TaskDeferred, trigger: BaseTrigger, now: datetime) -> Deferred:
    classpath, kwargs = _serialized(order, trigger)
    trigger_class(classpath)
    named = {"classpath": classpath, "kwargs": kwargs, "local": is_local(classpath, order.code)}
    waits = {
        "trigger": named,
        "method": why.method_name,
        "kwargs": why.kwargs,
        "deferred_at": now.isoformat(),  # tells it from the same trigger, waited for again
    }
    return Deferred(key=order.key, at=now, trigger=_encoded(order, waits), until=_limit(why, now))


def _serialized(order: Order, trigger: BaseTrigger) -> tuple[str, dict[str, Any]]:
    match trigger.serialize():
        case (str() as classpath, dict() as kwargs) if all(isinstance(name, str) for name in kwargs):
            return classpath, kwargs
        case other:
            raise UsageError(
                f"task {order.key.task_id!r} defers itself to a {type(trigger).__name__}, whose serialize() must "
                f"return (classpath, keyword arguments), not {other!r}"
            )


def _limit(why: TaskDeferred, now: datetime) -> datetime | None:
    if why.timeout is None:
        return None
    return now + (why.timeout if isinstance(why.timeout, timedelta) else timedelta(seconds=why.timeout))


def _encoded(order: Order, waits: dict[str, Any]) -> msgspec.Raw:
    return msgspec.Raw(values.encode(waits, f"what task {order.key.task_id!r} goes on with"))


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
    if "trigger" in waited:
        return _resumed_by_trigger(task, waited, resume.event, context)
    at = moment(datetime.fromisoformat(waited["at"]))
    if waited["timed_out"]:
        return _failed(task, TaskDeferralTimeout(f"nothing came until {at}"), context)
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


def _resumed_by_trigger(task: Task, waited: dict[str, Any], event: msgspec.Raw, context: Context) -> Any:
    if event == NULL:
        message = f"the trigger {waited['trigger']['classpath']} had no event before its timeout"
        return _failed(task, TaskDeferralTimeout(message), context)
    came = msgspec.json.decode(event, type=Came)
    if came.failure is not None:
        return _failed(task, TaskDeferralError(came.failure.message), context)
    return task.resume_execution(waited["method"], {**waited["kwargs"], "event": values.decode(came.event)}, context)


def _failed(task: Task, error: TaskDeferralError, context: Context) -> Any:
    return task.resume_execution("__fail__", {"error": error}, context)


def _aware(order: Order, value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise UsageError(f"task {order.key.task_id!r}: a reschedule_date must be a datetime, not {value!r}")
    return plain_utc(value)
