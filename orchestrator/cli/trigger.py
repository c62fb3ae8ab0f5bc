"""``orchestrator dags trigger``."""

import click

from orchestrator.assembly.home import Home
from orchestrator.assembly.triggering import trigger_run
from orchestrator.assembly.typed_json import read_object
from orchestrator.cli.dates import read_date
from orchestrator.cli.following import scheduler_is_there
from orchestrator.cli.options import dag_argument, who, with_home
from orchestrator.cli.output import Format, output_option, show_object
from orchestrator.cli.render.console import remark, say
from orchestrator.cli.watching import watch_to_the_end
from orchestrator.core.requests import TriggerRun
from orchestrator.names import RunState


@click.command("trigger")
@dag_argument
@click.option("-c", "--conf", default="{}", metavar="JSON", help="The run's input: a JSON object.")
@click.option("-r", "--run-id", help="The run's id; manual__ and the date by default.")
@click.option("-l", "--logical-date", metavar="DATE", help="The date that the run is for; now by default.")
@click.option("--note", help="A remark that is kept with the run.")
@click.option("--wait", is_flag=True, help="Show progress until the run ends; exit 0 only if it succeeds.")
@output_option
@with_home
def trigger(
    home: Home,
    dag_id: str,
    conf: str,
    run_id: str | None,
    logical_date: str | None,
    note: str | None,
    wait: bool,
    output: Format,
) -> None:
    """Start a run of a DAG.

    The run is recorded as queued at once, whether a scheduler runs or not; a paused DAG can be triggered too. With
    --wait the exit status is 1 also where the run is blocked, or waits for blocked runs below it alone: stderr says
    which.

    \b
    Example:
      orchestrator dags trigger order_1001 --conf '{"amount": 42}' --wait
    """
    given = read_object(conf, "--conf")
    date = read_date(logical_date, home.config) if logical_date else None
    request = trigger_run(home, dag_id, conf=given, run_id=run_id, logical_date=date, note=note, by=who())
    _remark_on_file(home, dag_id)
    if not scheduler_is_there(home):
        remark("No scheduler is running; the run starts when one does: orchestrator standalone")
    if wait:
        watch_to_the_end(home, home.reads.run(dag_id, request.run_id), output, if_blocked=False)
    elif output is Format.TABLE:
        say(f"Queued {request.run_id} of {dag_id}. Follow it with: orchestrator runs watch {dag_id}")
    else:
        show_object(_row(request), output)


def _row(request: TriggerRun) -> dict[str, object]:
    return {
        "dag_id": request.dag_id,
        "run_id": request.run_id,
        "state": RunState.QUEUED,
        "run_type": request.run_type,
        "logical_date": request.logical_date,
        "conf": request.conf,
        "note": request.note,
    }


def _remark_on_file(home: Home, dag_id: str) -> None:
    file = home.reads.dag(dag_id).header.file
    if any(error.file == file for error in home.reads.import_errors()):
        remark(f"{file} cannot be read as it is now; the run executes its last good version.")
