"""``orchestrator tasks answer`` and ``awaiting``: what tasks ask people, and the answers."""

import sys
import time
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from orchestrator.assembly.answering import check_answer, find_question
from orchestrator.assembly.home import Home
from orchestrator.cli.asking import answer_to, ask_form, read_field
from orchestrator.cli.following import show_verdict, submit
from orchestrator.cli.lookup import find_run, require_task, spec_version
from orchestrator.cli.options import dag_argument, map_index_option, run_argument, task_argument, who, with_home
from orchestrator.cli.output import Format, output_option, show_rows
from orchestrator.cli.render.console import remark
from orchestrator.core.forms import Form, answer_command, choices
from orchestrator.core.reasons import named
from orchestrator.exceptions import UsageError
from orchestrator.names import FINISHED, UNMAPPED, TaskState
from orchestrator.storage.views import ActivityRow, AwaitingRow

AWAITING_COLUMNS = ("dag_id", "run_id", "task_id", "map_index", "subject", "choices", "since", "until")
_LOOK_SECONDS = 0.05
_MOST = 1000
_COMES_TO_REST = (*FINISHED, TaskState.UP_FOR_RETRY)


@click.command("answer")
@dag_argument
@task_argument
@run_argument
@map_index_option
@click.option("--choose", "options", metavar="OPTION", multiple=True, help="The option; again for another.")
@click.option("--set", "fields", metavar="FIELD=JSON", multiple=True, help="Fill in a field of the form.")
@click.option("--by", "by", metavar="NAME", help="Who answers; you by default.")
@click.option("--wait", is_flag=True, help="Wait until the task has gone on and ended; exits 0 only if it succeeds.")
@output_option
@with_home
def answer(
    home: Home,
    dag_id: str,
    task_id: str,
    run_id: str | None,
    map_index: int,
    options: tuple[str, ...],
    fields: tuple[str, ...],
    by: str | None,
    wait: bool,
    output: Format,
) -> None:
    """Answer what a task asks.

    Without --choose and --set the form is shown, and asked for line by line at the terminal. The first answer counts;
    a field that is text needs no quotes. The DAG's tasks and its runs are told apart, so RUN may also come before TASK.

    \b
    Example:
      orchestrator tasks answer order_1001 approve --choose Approve
      orchestrator tasks answer order_1001 refund --choose OK --set amount=12.5 --by ada --wait
    """
    run_id, task_id = _in_order(home, dag_id, task_id, run_id)
    run = find_run(home, dag_id, run_id)
    require_task(home.reads.spec(spec_version(home, run)), task_id)
    question = find_question(home, run, task_id, map_index)
    form, name = _form(question), by or who()
    chosen, given = _said(form, options, fields)
    check_answer(form, chosen, given, name)
    request = answer_to(question, chosen, given, name)
    verdict = submit(home, request)
    what = named(task_id, question.map_index)
    show_verdict(request, verdict, f"Answered {what} of {run.run_id}: {', '.join(chosen)}.", output)
    if wait:
        ended = _wait(home, question)
        remark(f"Task {what} is {ended.state}.")
        click.get_current_context().exit(0 if ended.state is TaskState.SUCCESS else 1)


def _in_order(home: Home, dag_id: str, task_id: str, run_id: str | None) -> tuple[str | None, str]:
    """RUN and TASK, whichever was written first."""
    tasks = {task.task_id for task in home.reads.spec(home.reads.dag(dag_id).version_id).tasks}
    is_swapped = run_id in tasks and task_id not in tasks
    return (task_id, str(run_id)) if is_swapped else (run_id, task_id)


def _form(question: AwaitingRow) -> Form:
    assert question.form is not None
    return question.form


def _said(form: Form, options: Sequence[str], fields: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """What was chosen and filled in, by options of the command or at the terminal."""
    if not options and not fields:
        if not sys.stdin.isatty():
            raise UsageError(f"say what to answer to {form.subject!r} with --choose and --set: {choices(form)}")
        return ask_form(form)
    given: dict[str, Any] = {}
    for text in fields:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"--set takes FIELD=JSON, not {text!r}")
        given[name] = read_field(name, form.params.get(name), value)
    only = list(form.options) if len(form.options) == 1 else []
    return list(options) or only, given


def _wait(home: Home, question: AwaitingRow) -> ActivityRow:
    """The activity once it has gone on from that question and come to rest."""
    run = home.reads.run_by_key(question.run_key)
    while True:
        now = home.reads.activity(run, question.task_id, question.map_index)
        asks_again = now.state is TaskState.AWAITING_INPUT and now.asked_seq != question.seq
        if asks_again or now.state in _COMES_TO_REST:
            return now
        time.sleep(_LOOK_SECONDS)


@click.command("awaiting")
@click.argument("dag_id", metavar="[DAG]", required=False)
@output_option
@with_home
def awaiting(home: Home, dag_id: str | None, output: Format) -> None:
    """List the tasks that wait for a person.

    These are the ones that ask something, and those whose outcome is unknown.

    \b
    Example:
      orchestrator tasks awaiting
      orchestrator tasks awaiting order_1001 -o json
    """
    if dag_id is not None:
        home.reads.dag(dag_id)
    found = home.reads.awaiting(dag_id, limit=_MOST)
    show_rows([awaiting_row(row) for row in found], output, AWAITING_COLUMNS, empty="Nothing waits for a person.")
    if len(found) == _MOST:
        remark(f"These are the first {_MOST}.")
    if len(found) == 1 and output is Format.TABLE:
        remark(command_of(found[0]))


def awaiting_row(row: AwaitingRow) -> dict[str, Any]:
    """The published shape."""
    form = row.form
    return {
        "dag_id": row.dag_id,
        "run_id": row.run_id,
        "task_id": row.task_id,
        "map_index": row.map_index,
        "try_number": row.attempt,
        "subject": "its outcome is unknown" if form is None else form.subject,
        "choices": "success, retry or fail" if form is None else choices(form),
        "since": row.since,
        "until": row.until,
        "kind": "outcome" if form is None else "question",
        "form": None if form is None else msgspec.to_builtins(form),
        "command": command_of(row),
    }


def command_of(row: AwaitingRow) -> str:
    """What to type."""
    if row.form is not None:
        return answer_command(row.form, row.dag_id, row.task_id, row.run_id, row.map_index)
    index = "" if row.map_index == UNMAPPED else f" --map-index {row.map_index}"
    return f"orchestrator tasks resolve {row.dag_id} {row.task_id} '{row.run_id}'{index} --success JSON"
