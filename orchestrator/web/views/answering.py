"""Answering: what an activity asks a person, and what becomes of what they say."""

from collections.abc import Mapping, Sequence

import msgspec

from orchestrator.assembly.answering import check_answer, find_question
from orchestrator.assembly.home import Home
from orchestrator.assembly.typed_json import raw, read_json
from orchestrator.core.forms import Form
from orchestrator.core.requests import AnswerTask, ResolveTask
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.names import TaskState
from orchestrator.storage.views import AwaitingRow
from orchestrator.web.views.activity_head import ActivityHead
from orchestrator.web.views.form_fields import Field, fields_of_form, filled_in_form, filled_with
from orchestrator.web.views.required import Asked, asked

OPTIONS = "_options"
"""Under which a link says what is chosen already."""
Sent = Mapping[str, Sequence[str]]
_STATES = {"success": TaskState.SUCCESS, "failed": TaskState.FAILED, "retry": TaskState.NONE}


class Answering(msgspec.Struct, frozen=True, kw_only=True):
    """``asked`` is None where nothing waits for an answer, and ``settled`` says why. ``form`` is None where it is an
    outcome that is unknown. ``errors`` are by the name of a field; under "" those of the whole.
    """

    asked: Asked | None
    form: Form | None = None
    fields: list[Field] = []
    chosen: tuple[str, ...] = ()
    result: str = ""
    errors: dict[str, str] = {}
    settled: str = ""


class Refused(Exception):  # noqa: N818 - what is shown again is no error of the program
    """The answer does not do as it was sent; it says where."""

    def __init__(self, view: Answering) -> None:
        super().__init__()
        self.view = view


def answering(home: Home, head: ActivityHead, given: Sent) -> Answering:
    """The form as it is opened, with what a link has chosen and filled in already."""
    row = _awaiting(home, head)
    if row is None:
        return Answering(asked=None, settled=_settled(home, head))
    form = row.form
    return Answering(
        asked=asked(home.who, row),
        form=form,
        fields=filled_with(fields_of_form(form.params), given) if form else [],
        chosen=tuple(given.get(OPTIONS, ())),
    )


def answer_of(home: Home, head: ActivityHead, sent: Sent) -> AnswerTask:
    """The request that answers as it was sent. Refused with the form where something has to be mended; ConflictError
    where somebody else was first.
    """
    row = find_question(home, head.run, head.row.task_id, head.row.map_index)
    form = row.form
    assert form is not None
    if _first(sent, "asked") != str(row.seq):
        raise ConflictError(f"task {head.name!r} asks something else by now; look at it again")
    fields, given = filled_in_form(form.params, sent)
    chosen = tuple(form.options[int(at)] for at in sent.get("option", ()) if at.isdecimal() and int(at) < _count(form))
    view = Answering(asked=asked(home.who, row), form=form, fields=fields, chosen=chosen)
    if any(field.error for field in fields):
        raise Refused(view)
    try:
        check_answer(form, chosen, given, home.who.name)
    except UsageError as error:
        raise Refused(msgspec.structs.replace(view, errors={"": str(error)})) from None
    return AnswerTask(
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_index=row.map_index,
        options=chosen,
        params=raw(given),
        asked=row.seq,
    )


def resolution_of(home: Home, head: ActivityHead, sent: Sent) -> ResolveTask:
    """The request that says what became of an outcome that is unknown; Refused where its result is no JSON."""
    row = _awaiting(home, head)
    if row is None or row.form is not None:
        raise ConflictError(_settled(home, head) if row is None else f"task {head.name!r} asks a question; answer that")
    state = _STATES.get(_first(sent, "outcome"))
    text = _first(sent, "result").strip()
    view = Answering(asked=asked(home.who, row), result=text)
    if state is None:
        raise Refused(msgspec.structs.replace(view, errors={"": "say what became of it"}))
    try:
        result = raw(read_json(text or "null", "this")) if state is TaskState.SUCCESS else msgspec.Raw(b"null")
    except UsageError as error:
        raise Refused(msgspec.structs.replace(view, errors={"result": str(error)})) from None
    return ResolveTask(
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_index=row.map_index,
        state=state,
        result=result,
    )


def _awaiting(home: Home, head: ActivityHead) -> AwaitingRow | None:
    row = head.row
    if not row.run_key:
        return None
    found = home.reads.awaiting(run_key=row.run_key, task_id=row.task_id, map_index=row.map_index, limit=1)
    return found[0] if found else None


def _settled(home: Home, head: ActivityHead) -> str:
    """Who has answered; or that nothing is asked."""
    try:
        find_question(home, head.run, head.row.task_id, head.row.map_index)
    except (ConflictError, UsageError) as error:
        return str(error)
    return "it asks nothing just now"


def _first(sent: Sent, name: str) -> str:
    texts = sent.get(name, ())
    return texts[-1] if texts else ""


def _count(form: Form) -> int:
    return len(form.options)
