"""``orchestrator runs query`` and ``logs``: what a workflow's own code has to say, without the scheduler."""

import click

from orchestrator.assembly.attempt_logs import LogPlace, log_of_callback
from orchestrator.assembly.home import Home
from orchestrator.assembly.replaying import Query
from orchestrator.assembly.run_code import RunCode
from orchestrator.assembly.typed_json import read_object
from orchestrator.cli.logs import callback_option, follow_log, print_log
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import dag_argument, queries, run_argument, with_home
from orchestrator.cli.output import json_option, show_json
from orchestrator.cli.render.bar import progress_bar
from orchestrator.cli.render.console import remark
from orchestrator.cli.talking import named_run_argument
from orchestrator.exceptions import ConflictError, UsageError


@click.command("query")
@dag_argument
@named_run_argument
@click.argument("name", shell_complete=queries)
@click.argument("arguments", metavar="[JSON]", default="{}")
@click.option("--at", type=click.IntRange(min=1), metavar="SEQ", help="As it was after this fact of its history.")
@json_option
@with_home
def query(home: Home, dag_id: str, run_id: str, name: str, arguments: str, at: int | None, output: str) -> None:
    """Ask a workflow something, without the scheduler.

    Asking changes nothing; the answer is printed as JSON. The recorded history is replayed for it, with the code of
    the run's version: no scheduler is needed, and none is held up. A run that has ended can be asked as well.

    \b
    Example:
      orchestrator runs query order_workflow 1001 status
      orchestrator runs query order_workflow 1001 status --at 12
    """
    run = find_run(home, dag_id, run_id)
    if run.is_pending:
        raise ConflictError(f"run {run.run_id!r} cannot be asked yet: {run.reason}")
    asked = Query(name=name, arguments=read_object(arguments, "the query's JSON"))
    with progress_bar("Replaying the code") as tell:
        code = home.part(RunCode)
        code.tell = tell
        found = code.query(run, asked, at)
    for notice in found.notices:
        remark(notice)
    if found.block is not None:
        said = _placed(found.block.where, found.block.message)
        raise ConflictError(f"run {run.run_id!r} cannot be replayed ({found.block.kind}): {said}")
    if found.refusal is not None:
        raise UsageError(f"query {name!r} has no answer: {_placed(found.refusal.where, found.refusal.message)}")
    assert found.answer is not None
    show_json(bytes(found.answer), output)


def _placed(where: str | None, message: str) -> str:
    """The message behind its place, unless it says that itself."""
    return message if where is None or where in message else f"{where}: {message}"


@click.command("logs")
@dag_argument
@run_argument
@callback_option
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@with_home
def logs(home: Home, dag_id: str, run_id: str | None, callback: str | None, follow: bool) -> None:
    """Print what a workflow's code, or a DAG's callbacks, wrote.

    What its activities wrote is shown by `tasks logs`.

    \b
    Example:
      orchestrator runs logs order_workflow --follow
      orchestrator runs logs order_1001 --callback on_failure
    """
    run = find_run(home, dag_id, run_id)
    if callback is not None:
        if not print_log(home, log_of_callback(home, run, callback)):
            remark(f"The {callback}_callback of {dag_id} wrote nothing.")
        return
    place = LogPlace(run.run_key)
    if follow:
        follow_log(home, place, lambda: home.reads.run(dag_id, run.run_id).is_ended)
    elif not print_log(home, place):
        remark(f"The code of run {run.run_id} wrote nothing; what its activities wrote is shown by: tasks logs")
