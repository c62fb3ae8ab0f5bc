"""Asking a person at the terminal: a form, line by line."""

import json
from typing import Any

import click

from orchestrator.assembly.answering import check_field
from orchestrator.assembly.typed_json import raw, read_json
from orchestrator.cli.printable import one_line, printable
from orchestrator.cli.render.console import err
from orchestrator.core.forms import Field, Form
from orchestrator.core.requests import AnswerTask
from orchestrator.core.schemas import in_short
from orchestrator.exceptions import UsageError
from orchestrator.storage.views import AwaitingRow


def ask_form(form: Form) -> tuple[list[str], dict[str, Any]]:
    """What is chosen and filled in; each field is asked for again until it fits."""
    err().print(printable(form.subject), style="bold", markup=False)
    if form.body:
        err().print(printable(form.body), markup=False)
    for number, option in enumerate(form.options, 1):
        click.echo(f"  {number}  {one_line(option)}", err=True)
    chosen = _ask_options(form)
    return chosen, {name: _ask_field(name, field) for name, field in form.params.items()}


def answer_to(question: AwaitingRow, chosen: list[str], given: dict[str, Any], by: str) -> AnswerTask:
    """The request that answers a question."""
    return AnswerTask(
        dag_id=question.dag_id,
        run_id=question.run_id,
        by=by,
        task_id=question.task_id,
        map_index=question.map_index,
        options=tuple(chosen),
        params=raw(given),
        asked=question.seq,
    )


def _ask_options(form: Form) -> list[str]:
    if len(form.options) == 1:
        return list(form.options)
    numbers = {option: str(number) for number, option in enumerate(form.options, 1)}
    default = ",".join(numbers[option] for option in form.defaults or ()) or None
    what = "Choose, several with commas" if form.multiple else "Choose"

    def read(text: str) -> list[str]:
        return [_option(form, word.strip()) for word in (text.split(",") if form.multiple else [text])]

    found: list[str] = click.prompt(what, default=default, value_proc=read, err=True)
    return found


def _option(form: Form, word: str) -> str:
    if word in form.options:
        return word
    if word.isascii() and word.isdecimal() and 1 <= int(word) <= len(form.options):
        return form.options[int(word) - 1]
    raise click.BadParameter(f"{word!r} is none of them; give the number or the word")


def _ask_field(name: str, field: Field) -> Any:
    hint = " — ".join(part for part in (field.description or "", in_short(field.schema)) if part)
    what = one_line(f"{name} ({hint})" if hint else name)
    default = None if field.is_needed else _as_text(field.value)

    def read(text: str) -> Any:
        try:
            value = read_field(name, field, text)
            check_field(name, field, value)
        except UsageError as error:
            raise click.BadParameter(str(error)) from None
        return value

    return click.prompt(what, default=default, value_proc=read, err=True)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_field(name: str, field: Field | None, text: str) -> Any:
    """What was typed for a field, as JSON; a field that is text takes it as it stands, quotes or not."""
    if field is not None and field.schema.get("type") == "string" and not text.startswith('"'):
        return text
    try:
        return read_json(text, f"field {name!r}")
    except UsageError:
        if field is not None and not {"integer", "number", "boolean", "array", "object"} & _types(field):
            return text
        raise


def _types(field: Field) -> set[str]:
    types = field.schema.get("type", [])
    return {types} if isinstance(types, str) else set(types)
