"""``orchestrator dags test``."""

import contextlib
import sys
import uuid
from datetime import UTC, datetime

import click
import msgspec
from msgspec.structs import replace

from orchestrator.assembly.background import background
from orchestrator.assembly.home import Home
from orchestrator.assembly.rehearsal import Rehearsal, rehearse
from orchestrator.assembly.typed_json import read_object
from orchestrator.authoring.conf import check_conf
from orchestrator.cli import edge, rows
from orchestrator.cli.asking import answer_to, ask_form
from orchestrator.cli.background import background_row
from orchestrator.cli.dates import read_date
from orchestrator.cli.following import follow
from orchestrator.cli.journal import notice, show_task_logs
from orchestrator.cli.options import dag_argument, who
from orchestrator.cli.output import Format, output_option, show_object
from orchestrator.cli.render.console import cell, err, out, remark, say
from orchestrator.cli.render.run_view import LineView
from orchestrator.cli.why import sentence_of, tell
from orchestrator.core import run_types
from orchestrator.core.reasons import named
from orchestrator.core.requests import TriggerRun
from orchestrator.exceptions import ConflictError, DagError, NotFoundError
from orchestrator.names import RunState, RunType
from orchestrator.storage.views import RunRow


@click.command("test")
@dag_argument
@click.argument("logical_date", metavar="[DATE]", required=False)
@click.option("-c", "--conf", default="{}", metavar="JSON", help="The run's input: a JSON object.")
@output_option
def test(dag_id: str, logical_date: str | None, conf: str, output: Format) -> None:
    """Run a DAG once in this process, without a scheduler.

    The DAG file is read as it is now, and its tasks run one after another in this process, so that a debugger can
    stop in them. The run is kept nowhere; what its tasks do is real. What a task asks a person is asked here.
    Exits 0 only if the run succeeds.

    \b
    Example:
      orchestrator dags test order_1001 --conf '{"amount": 42}'
    """
    config = edge.config()
    date = read_date(logical_date, config) if logical_date else datetime.now(UTC)
    request = manual_run(dag_id, date, read_object(conf, "--conf"))
    with rehearse(config, notice=notice) as rehearsal:
        home = rehearsal.home
        require_dag(home, dag_id)
        header = home.reads.dag(dag_id).header
        check_conf(header, msgspec.json.decode(request.conf))
        request = replace(request, run_type=run_types.on_trial(header.allowed_run_types))
        show_task_logs()
        home.requests.submit(request, request.run_uid)
        run = home.reads.run(dag_id, request.run_id)
        with prints_beside(output):
            ended = watched(rehearsal, run, output)
        report(home, ended, output)
    click.get_current_context().exit(0 if ended.state is RunState.SUCCESS else 1)


def manual_run(dag_id: str, date: datetime, conf: msgspec.Raw) -> TriggerRun:
    """A run by hand, for that date."""
    run_id = f"{RunType.MANUAL}__{date.isoformat()}"
    return TriggerRun(dag_id=dag_id, run_id=run_id, run_uid=uuid.uuid4().hex, logical_date=date, conf=conf, by=who())


def require_dag(home: Home, dag_id: str) -> None:
    """NotFoundError, or, where a file that may make it could not be read, the reason for that."""
    try:
        home.reads.dag(dag_id)
    except NotFoundError as error:
        broken = home.reads.import_errors()
        for found in sorted(broken, key=lambda one: not _names(home, one.file, dag_id))[:1]:
            more = f"; {len(broken) - 1} more of the DAG files cannot be read" if broken[1:] else ""
            failure = found.failure
            raise DagError(f"{failure.message} ({error}{more})", file=failure.file, line=failure.line) from None
        raise


def _names(home: Home, file: str, dag_id: str) -> bool:
    """Whether the source of that DAG file has the name of the DAG in it."""
    try:
        return dag_id in (home.config.core.dags_folder / file).read_text(errors="replace")
    except OSError:
        return False


def prints_beside(output: Format) -> contextlib.AbstractContextManager[object]:
    """What tasks print must not come between the result's lines."""
    return contextlib.nullcontext() if output is Format.TABLE else contextlib.redirect_stdout(sys.stderr)


def watched(rehearsal: Rehearsal, run: RunRow, output: Format) -> RunRow:
    """The run at its end, once its callbacks have been called too. What bodies print stands between its lines."""
    view = LineView(out() if output is Format.TABLE else err())
    ended = follow(rehearsal.home, run, view, lambda _seconds: _turn(rehearsal))
    while ended.open_callbacks:
        rehearsal.turn()
        ended = rehearsal.home.reads.run_by_key(ended.run_key)
    return ended


def _turn(rehearsal: Rehearsal) -> None:
    """A turn, and an answer where a task asks for one: whoever tries the DAG is the only one there to give it."""
    rehearsal.turn()
    for question in rehearsal.home.reads.awaiting(limit=1):
        if question.form is None or (question.until is not None and not sys.stdin.isatty()):
            return
        if not sys.stdin.isatty():
            raise ConflictError(
                f"task {named(question.task_id, question.map_index)} asks {question.form.subject!r}, and nobody is at "
                f"the terminal to answer; give it a response_timeout, or try the DAG at a terminal"
            )
        chosen, given = ask_form(question.form)
        rehearsal.home.requests.submit(answer_to(question, chosen, given, who()), uuid.uuid4().hex)


def report(home: Home, ended: RunRow, output: Format) -> None:
    """What came of the run: its result, or why it did not succeed."""
    result = background_row(home, background(home, ended, None))["result"]
    if output is not Format.TABLE:
        tasks = [rows.task_row(task) for task in home.reads.tasks(ended)]
        show_object(rows.run_row(ended) | {"result": result, "tasks": tasks}, output)
    elif ended.state is RunState.SUCCESS:
        if result is not None:
            say(f"→ {cell(msgspec.Raw(msgspec.json.encode(result)))}")
    else:
        for reason in tell(home, ended):
            remark(sentence_of(reason))
