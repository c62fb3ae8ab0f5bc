"""Answering: what a task asks a person, and whether what a person says is an answer."""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.assembly.home import Home
from orchestrator.authoring.fitting import misfit
from orchestrator.core import values
from orchestrator.core.events import ActivityResumed
from orchestrator.core.forms import Field, Form
from orchestrator.core.forms import misfit as misfit_of_form
from orchestrator.core.particulars import NULL
from orchestrator.core.reasons import named
from orchestrator.core.schemas import in_short
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.names import UNMAPPED, TaskState
from orchestrator.storage.views import ActivityRow, AwaitingRow, RunRow


def find_question(home: Home, run: RunRow, task_id: str, map_index: int = UNMAPPED) -> AwaitingRow:
    """What the task asks; of a mapped one without a map index, the one instance that asks something.

    ConflictError says why there is nothing to answer: who was first, or in what state the task is.
    """
    index = None if map_index == UNMAPPED else map_index
    found = home.reads.awaiting(run_key=run.run_key, task_id=task_id, map_index=index, limit=2) if run.run_key else []
    if not found:
        raise ConflictError(_nothing_to_answer(home, run, home.reads.activity(run, task_id, map_index)))
    if len(found) > 1:
        raise UsageError(f"several instances of {task_id!r} ask something; say which one with --map-index")
    if found[0].form is None:
        raise ConflictError(
            f"task {named(task_id, found[0].map_index)} of run {run.run_id!r} asks nothing: its outcome is unknown; "
            f"say what became of it with `orchestrator tasks resolve`"
        )
    return found[0]


def check_answer(form: Form, options: Sequence[str], given: Mapping[str, Any], by: str) -> None:
    """UsageError says in what the answer does not fit the form."""
    refusal = misfit_of_form(form, options, given, by)
    if refusal is not None:
        raise UsageError(refusal)
    for name, value in given.items():
        check_field(name, form.params[name], value)


def check_field(name: str, field: Field, value: Any) -> None:
    """UsageError unless ``value``, as JSON has it, is what the field's schema asks for."""
    wrong = misfit(field.schema, value)
    if wrong is not None:
        wanted = in_short(field.schema)
        raise UsageError(
            f"field {name!r} does not take this: {wrong.message}" + (f"; it takes {wanted}" * bool(wanted))
        )


def _nothing_to_answer(home: Home, run: RunRow, activity: ActivityRow) -> str:
    what = f"task {named(activity.task_id, activity.map_index)} of run {run.run_id!r}"
    if activity.state in (TaskState.FAILED, TaskState.NONE, TaskState.UP_FOR_RETRY):
        return f"{what} is {activity.state} and asks nobody anything"
    for fact in reversed(home.reads.facts_of(run.run_key, [ActivityResumed], until=run.last_seq)):
        event = fact.event
        assert isinstance(event, ActivityResumed)
        if (event.task_id, event.map_index, event.attempt) != (activity.task_id, activity.map_index, activity.attempt):
            continue
        said = None if event.payload == NULL else values.decode(event.payload)
        if not isinstance(said, dict) or "chosen_options" not in said:
            break
        who, chosen = said["responded_by_user"]["name"] or "somebody", ", ".join(said["chosen_options"])
        return f"{what} has its answer: {who} was first and said {chosen} at {fact.at:%Y-%m-%d %H:%M:%S %Z}"
    return f"{what} is {activity.state} and asks nobody anything"
