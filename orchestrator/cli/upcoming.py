"""``orchestrator dags next-execution``."""

from datetime import UTC, datetime

import click

from orchestrator.assembly.home import Home
from orchestrator.cli.options import dag_argument, with_home
from orchestrator.cli.output import Format, output_option, show_rows
from orchestrator.cli.render.console import remark
from orchestrator.core import timetables
from orchestrator.storage.views import DagRow

_COLUMNS = ("run_after", "logical_date", "data_interval_start", "data_interval_end")


@click.command("next-execution")
@dag_argument
@click.option("-n", "--num-executions", type=click.IntRange(min=1), default=1, show_default=True, help="How many.")
@output_option
@with_home
def next_execution(home: Home, dag_id: str, num_executions: int, output: Format) -> None:
    """Show when a DAG is due next.

    \b
    Example:
      orchestrator dags next-execution weather_report -n 3
    """
    dag = home.reads.dag(dag_id)
    slots = timetables.upcoming(
        dag.header, after=datetime.now(UTC), count=num_executions, last=_last_slot(home, dag_id)
    )
    due = [
        {
            "run_after": slot.fire_at,
            "logical_date": slot.logical_date,
            "data_interval_start": slot.data_interval_start,
            "data_interval_end": slot.data_interval_end,
        }
        for slot in slots
    ]
    show_rows(due, output, _COLUMNS, empty=_never(dag))
    if due and dag.is_paused:
        remark(f"{dag_id} is paused: none of these will run until `orchestrator dags unpause {dag_id}`")


def _last_slot(home: Home, dag_id: str) -> datetime | None:
    return next((run.slot for run in home.reads.runs(dag_id) if run.slot is not None), None)


def _never(dag: DagRow) -> str:
    if dag.header.schedule is None:
        return f"{dag.dag_id} has no schedule; it runs when it is triggered."
    return f"The schedule {dag.header.schedule_text!r} of {dag.dag_id} has no date left."
