"""Forms: what a task asks a person, as it stands in the history, and whether an answer fits it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from orchestrator.names import UNMAPPED, TaskState
from orchestrator.nearest import did_you_mean


class Field(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to fill in. ``value`` is what counts where nobody says anything, absent where somebody has to;
    ``schema`` is the JSON Schema of what it takes.
    """

    value: Any = msgspec.UNSET
    description: str | None = None
    schema: dict[str, Any] = {}

    @property
    def is_needed(self) -> bool:
        return self.value is msgspec.UNSET


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may answer, or has."""

    id: str
    name: str


class Form(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question: one of ``options`` is to be chosen, or several where it is ``multiple``, and ``params`` filled in.

    ``defaults`` count when its time has run out; None where that is a failure. Only ``assigned_users`` may answer, if
    there are any.
    """

    subject: str
    options: tuple[str, ...]
    body: str | None = None
    defaults: tuple[str, ...] | None = None
    multiple: bool = False
    params: dict[str, Field] = {}
    assigned_users: tuple[Person, ...] = ()


class _Waiting(msgspec.Struct, frozen=True):
    """What of a deferral's trigger says that a person is waited for."""

    input: Form | None = None


_decoder = msgspec.json.Decoder(_Waiting)


def form_of(trigger: msgspec.Raw) -> Form | None:
    """The form in the trigger of an ActivityDeferred; None where something else is waited for."""
    try:
        return _decoder.decode(trigger).input
    except msgspec.ValidationError:
        return None


def waiting_for(trigger: msgspec.Raw) -> TaskState:
    """The state of an attempt that is deferred with that trigger."""
    return TaskState.DEFERRED if form_of(trigger) is None else TaskState.AWAITING_INPUT


def choices(form: Form) -> str:
    """What may be chosen, and filled in, in a few words."""
    joined = _listed(form.options) if form.multiple else " or ".join(form.options)
    fields = f"; to fill in: {_listed(form.params)}" if form.params else ""
    return f"{'any of ' if form.multiple else ''}{joined}{fields}"


def answer_command(form: Form, dag_id: str, task_id: str, run_id: str, map_index: int = UNMAPPED) -> str:
    """What to type to answer, with the first option as an example."""
    index = "" if map_index == UNMAPPED else f" --map-index {map_index}"
    needed = "".join(f" --set {name}=JSON" for name, field in form.params.items() if field.is_needed)
    option = form.options[0].replace("'", "'\\''")
    return f"orchestrator tasks answer {dag_id} {task_id} '{run_id}'{index} --choose '{option}'{needed}"


def misfit(form: Form, options: Sequence[str], given: Mapping[str, Any], by: str) -> str | None:
    """Why this is no answer to the form, in one sentence; None if it is. What schemas say is not looked at."""
    unknown = next((option for option in options if option not in form.options), None)
    if unknown is not None:
        return f"{unknown!r} is none of the options {_listed(form.options)}{did_you_mean(unknown, form.options)}"
    if not options:
        return f"no option is chosen; choose {'some' if form.multiple else 'one'} of {_listed(form.options)}"
    if len(options) > 1 and not form.multiple:
        return f"only one option may be chosen, and {_listed(options)} are {len(options)}"
    if len(set(options)) < len(options):
        return f"an option is chosen twice: {_listed(options)}"
    return _misfilled(form, given) or stranger(form, by)


def _misfilled(form: Form, given: Mapping[str, Any]) -> str | None:
    for name in given:
        if name not in form.params:
            there = f"; it has {_listed(form.params)}" if form.params else "; it has none"
            return f"the form has no field {name!r}{did_you_mean(name, form.params) or there}"
    missing = [name for name, field in form.params.items() if field.is_needed and name not in given]
    return f"the field {missing[0]!r} is missing, and it has no default" if missing else None


def stranger(form: Form, by: str) -> str | None:
    """Why ``by`` is nobody who may answer; None if they are."""
    if not form.assigned_users or any(
        {by, by.rpartition(":")[2]} & {person.id, person.name} for person in form.assigned_users
    ):
        return None
    asked = [person.name for person in form.assigned_users]
    return f"{by or 'somebody without a name'} may not answer; this is asked of {_listed(asked)}"


def _listed(names: Collection[str]) -> str:
    return ", ".join(names)
