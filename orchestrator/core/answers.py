"""Answers: what a person's answer to a task means: the fact that it becomes, or why it is refused. Pure policy."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias

import msgspec

from orchestrator.core import values
from orchestrator.core.activity import Activity
from orchestrator.core.asks import unknown_index, unknown_task
from orchestrator.core.events import ActivityResumed, AnyEvent
from orchestrator.core.forms import Form, form_of, misfit
from orchestrator.core.particulars import NULL
from orchestrator.core.reasons import named
from orchestrator.core.requests import AnswerTask
from orchestrator.core.run import Run

Refusal: TypeAlias = str
Read: TypeAlias = Callable[[int], msgspec.Raw]


def facts_of(run: Run, ask: AnswerTask, read: Read, now: datetime) -> list[AnyEvent] | Refusal:
    """The facts to record. ``read`` gives the JSON of the deferral, or of the resumption, at a seq of this run."""
    if run.created.imported:
        return f"run {run.run_id!r} was imported and stays as it is; fork it to go on from what it has recorded"
    node = run.nodes.get(ask.task_id)
    if node is None:
        return unknown_task(run, ask.task_id)
    activity = node.peek(ask.map_index) if ask.map_index in node.indexes() else None
    if activity is None:
        return unknown_index(ask.task_id, ask.map_index)
    if not activity.is_asking:
        return _too_late(ask, activity, read)
    if ask.asked not in (0, activity.deferred_seq):
        return f"{_task(ask)} asks something else by now; look at it again with `orchestrator tasks awaiting`"
    form = form_of(read(activity.deferred_seq))
    return _answered(ask, activity, form, now) if form is not None else f"{_task(ask)} asks nothing"


def _answered(ask: AnswerTask, activity: Activity, form: Form, now: datetime) -> list[AnyEvent] | Refusal:
    given = values.decode(ask.params)
    refusal = misfit(form, ask.options, given, ask.by)
    if refusal is not None:
        return f"{_task(ask)}: {refusal}"
    payload = event_of(ask.options, given, ask.by, now)
    return [
        ActivityResumed(
            task_id=ask.task_id,
            map_index=ask.map_index,
            attempt=activity.attempt,
            payload=msgspec.Raw(values.encode(payload, "the answer")),
        )
    ]


def event_of(options: tuple[str, ...], given: dict[str, Any], by: str, at: datetime) -> dict[str, Any]:
    """An answer as the body is given it, with the keys that Airflow has."""
    return {
        "chosen_options": list(options),
        "params_input": given,
        "responded_at": at,
        "responded_by_user": {"id": by, "name": by},
    }


def _too_late(ask: AnswerTask, activity: Activity, read: Read) -> Refusal:
    if not activity.resumed_seq or not activity.deferred_seq or form_of(read(activity.deferred_seq)) is None:
        return f"{_task(ask)} is {activity.state} and asks nobody anything"
    first = read(activity.resumed_seq)
    if first == NULL:
        return f"{_task(ask)} waits for an answer no more: its time had run out before this one came"
    said = values.decode(first)
    chosen, who = ", ".join(said["chosen_options"]), said["responded_by_user"]["name"] or "somebody"
    at = f"{said['responded_at']:%Y-%m-%d %H:%M:%S %Z}"
    return f"{_task(ask)} has its answer: {who} was first and said {chosen} at {at}"


def _task(ask: AnswerTask) -> str:
    return f"task {named(ask.task_id, ask.map_index)} of run {ask.run_id!r}"
