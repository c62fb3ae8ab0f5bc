"""``orchestrator dags trigger``."""

import re
import uuid
from datetime import UTC, datetime

import click
import msgspec

from orchestrator.assembly.home import Home
from orchestrator.authoring.conf import check_conf
from orchestrator.cli.conf import read_object
from orchestrator.cli.dates import read_date
from orchestrator.cli.following import scheduler_is_there
from orchestrator.cli.options import dag_argument, who, with_home
from orchestrator.cli.output import Format, output_option, show_object
from orchestrator.cli.render.console import remark, say
from orchestrator.cli.watching import watch_to_the_end
from orchestrator.core import run_types
from orchestrator.core.requests import TriggerRun
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.names import RunState, RunType
from orchestrator.storage.views import DagRow

_RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]{1,250}")  # Airflow's allowed_run_id_pattern


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
    dag = home.reads.dag(dag_id)
    _check_file(home, dag)
    if (refusal := run_types.refusal(dag.header, RunType.MANUAL)) is not None:
        raise ConflictError(refusal)
    given = read_object(conf, "--conf")
    check_conf(dag.header, msgspec.json.decode(given))
    date = read_date(logical_date, home.config) if logical_date else datetime.now(UTC)
    request = TriggerRun(
        dag_id=dag_id,
        run_id=checked_run_id(run_id) if run_id is not None else f"{RunType.MANUAL}__{date.isoformat()}",
        run_uid=uuid.uuid4().hex,
        run_type=RunType.MANUAL,
        logical_date=date,
        conf=given,
        note=note,
        by=who(),
    )
    home.requests.submit(request, request.run_uid)
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


def _check_file(home: Home, dag: DagRow) -> None:
    """ConflictError if the DAG's file is gone; a remark if it cannot be read just now."""
    if dag.is_stale:
        raise ConflictError(
            f"DAG {dag.dag_id!r} cannot be run: its file {dag.header.file} is gone; put the file back to run it"
        )
    if any(error.file == dag.header.file for error in home.reads.import_errors()):
        remark(f"{dag.header.file} cannot be read as it is now; the run executes its last good version.")


def checked_run_id(run_id: str) -> str:
    """The run id, if it may be one; UsageError if not."""
    if not _RUN_ID.fullmatch(run_id):
        raise UsageError(f"--run-id {run_id!r} may hold letters, digits and _.~:+- only, 250 characters at most")
    return run_id
