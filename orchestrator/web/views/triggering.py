"""Triggering: the form that starts a run, and what becomes of it when it is sent."""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.assembly.triggering import require_runnable, trigger_run
from orchestrator.assembly.typed_json import read_json
from orchestrator.core.requests import TriggerRun
from orchestrator.core.rights import Right
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.storage.views import DagRow
from orchestrator.web.views.form_fields import Field, fields_of, filled_in

Sent = Mapping[str, Sequence[str]]
_RECORDED_NOTE = 1000


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """``errors`` are by the name of a field; under "" those of the whole. ``key`` makes of one form one run, however
    often it is sent. ``refusal`` says why there can be none.
    """

    dag: DagRow
    fields: list[Field]
    key: str
    conf: str = ""
    run_id: str = ""
    logical_date: str = ""
    note: str = ""
    errors: dict[str, str] = {}
    refusal: str = ""
    may: bool = True

    @property
    def sections(self) -> list[tuple[str, list[Field]]]:
        """The fields by section, those without one first."""
        names = dict.fromkeys(["", *(field.section for field in self.fields)])
        found = [(name, [field for field in self.fields if field.section == name]) for name in names]
        return [(name, fields) for name, fields in found if fields]


class Refused(Exception):  # noqa: N818 - what is shown again is no error of the program
    """The form does not do as it was sent; it says where."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form


def empty_form(home: Home, dag_id: str, like: str = "") -> Form:
    """The form as it is opened; filled in with what a run was given that is to be had once more."""
    dag = home.reads.dag(dag_id)
    if not like:
        return _form(home, dag, fields_of(dag.header))
    given: dict[str, Any] = msgspec.json.decode(home.reads.conf(home.reads.run(dag_id, like)))
    fields = fields_of(msgspec.structs.replace(dag.header, params={**dag.header.params, **given}))
    known = {field.name for field in fields_of(dag.header)}
    others = {name: value for name, value in given.items() if name not in known}
    form = _form(home, dag, [field for field in fields if field.name in known])
    return msgspec.structs.replace(form, conf=json.dumps(others, indent=2, ensure_ascii=False) if others else "")


def trigger(home: Home, dag_id: str, sent: Sent) -> TriggerRun:
    """Start the run that was asked for; Refused with the form where something has to be mended."""
    dag = home.reads.dag(dag_id)
    fields, values = filled_in(dag.header, sent)
    form = msgspec.structs.replace(
        _form(home, dag, fields),
        key=_text(sent, "key") or secrets.token_urlsafe(16),
        conf=_text(sent, "conf"),
        run_id=_text(sent, "run_id"),
        logical_date=_text(sent, "logical_date"),
        note=_text(sent, "note"),
    )
    errors: dict[str, str] = {}
    typed = _checked(errors, "conf", _conf, form.conf)
    date = _checked(errors, "logical_date", _date, form.logical_date) or None
    if len(form.note) > _RECORDED_NOTE:
        errors["note"] = f"this is longer than the {_RECORDED_NOTE} characters that a note may have"
    if errors or any(field.error and field.name not in typed for field in fields):
        raise Refused(msgspec.structs.replace(form, errors=errors))
    try:
        return trigger_run(
            home,
            dag_id,
            conf=msgspec.Raw(msgspec.json.encode(values | typed)),
            run_id=form.run_id or None,
            logical_date=date,
            note=form.note or None,
            client_key=f"{home.who.name}:{form.key}",
        )
    except (UsageError, ConflictError) as error:
        place = "run_id" if "run id" in str(error) or "--run-id" in str(error) else ""
        said = str(error).replace("--run-id", "run id")
        raise Refused(msgspec.structs.replace(form, errors={place: said})) from None


def _form(home: Home, dag: DagRow, fields: list[Field]) -> Form:
    refusal = ""
    try:
        require_runnable(dag)
    except ConflictError as error:
        refusal = str(error)
    may = home.who.may(Right.TRIGGER, dag.dag_id)
    return Form(dag=dag, fields=fields, key=secrets.token_urlsafe(16), refusal=refusal, may=may)


def _text(sent: Sent, name: str) -> str:
    texts = sent.get(name, ())
    return texts[-1].strip() if texts else ""


def _checked(errors: dict[str, str], name: str, read: Any, text: str) -> Any:
    """What ``read`` makes of the text; {} and an error where it is wrong."""
    try:
        return read(text)
    except UsageError as error:
        errors[name] = str(error)
        return {}


def _conf(text: str) -> dict[str, Any]:
    if not text:
        return {}
    value = read_json(text, "this")
    if not isinstance(value, dict):
        raise UsageError('write a JSON object, such as {"key": "value"}')
    return value


def _date(text: str) -> datetime | None:
    """What a browser sends of a date and time, which this form means in UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError("this is no date; write it like 2026-01-31T06:00") from None
