"""``orchestrator dags``: what is known of DAGs, and switching them on and off."""

import click

from orchestrator.assembly.home import Home
from orchestrator.cli import rows
from orchestrator.cli.dates import read_date
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import (
    dag_argument,
    dag_ids,
    dags_argument,
    run_argument,
    who,
    with_home,
)
from orchestrator.cli.output import Format, output_option, show_object, show_rows
from orchestrator.cli.render.console import remark, say
from orchestrator.core.schemas import in_short
from orchestrator.core.spec import DagSpec, Entrance
from orchestrator.names import RunState


@click.command("list")
@click.option("--all", "everything", is_flag=True, help="Also those whose file is gone.")
@click.option("--tag", "tags", multiple=True, help="Only DAGs with this tag; may be given several times.")
@output_option
@with_home
def list_dags(home: Home, everything: bool, tags: tuple[str, ...], output: Format) -> None:
    """List the DAGs.

    \b
    Example:
      orchestrator dags list -o json
    """
    dags = [dag for dag in home.reads.dags() if (everything or not dag.is_stale) and set(tags) <= set(dag.header.tags)]
    columns = rows.DAG_COLUMNS + (("is_stale",) if everything else ())
    show_rows([rows.dag_row(dag) for dag in dags], output, columns, empty=_no_dags(home))
    if output is Format.TABLE and (broken := len(home.reads.import_errors())):
        files = "1 DAG file" if broken == 1 else f"{broken} DAG files"
        remark(f"{files} cannot be read; see: orchestrator dags list-import-errors")


def _no_dags(home: Home) -> str:
    return f"There are no DAGs. Files in {home.config.core.dags_folder} are read while `orchestrator standalone` runs."


@click.command("details")
@dag_argument
@output_option
@with_home
def details(home: Home, dag_id: str, output: Format) -> None:
    """Show everything about a DAG.

    \b
    Example:
      orchestrator dags details order_1001
    """
    dag = home.reads.dag(dag_id)
    counts = home.reads.run_counts(dag_id).get(dag_id, {})
    warnings = [found.failure.message for found in home.reads.import_warnings() if found.file == dag.header.file]
    row = rows.dag_details(dag) | {
        "warning": warnings[0] if warnings else None,
        "runs": {state.value: counts.get(state, 0) for state in RunState},
    }
    if output in (Format.JSON, Format.YAML):
        show_object(row, output)
    else:
        show_object(row | _in_words(dag.header), output)


def _in_words(spec: DagSpec) -> dict[str, str | None]:
    """What a workflow is called with and may be told and asked, as it is written in code."""
    called = spec.entrance
    return {
        "called_with": None if called is None else f"{called.name}({in_short(called.schema)})",
        "signals": ", ".join(_call(one) for one in spec.signals) or None,
        "queries": ", ".join(_call(one) for one in spec.queries) or None,
        "updates": ", ".join(_call(one) for one in spec.updates) or None,
    }


def _call(one: Entrance) -> str:
    return f"{one.name}({in_short(one.schema) if one.schema else ''})"


@click.command("state")
@dag_argument
@run_argument
@output_option
@with_home
def state(home: Home, dag_id: str, run_id: str | None, output: Format) -> None:
    """Show the state of a run, the latest by default.

    \b
    Example:
      orchestrator dags state order_1001
    """
    run = find_run(home, dag_id, run_id)
    if output is Format.TABLE:
        say(run.state)
    else:
        show_object({"dag_id": run.dag_id, "run_id": run.run_id, "state": run.state}, output)


@click.command("list-runs")
@click.argument("dag", metavar="[DAG]", required=False, shell_complete=dag_ids)
@click.option("-d", "--dag-id", shell_complete=dag_ids, help="The same as the argument DAG.")
@click.option("--state", type=click.Choice([state.value for state in RunState]), help="Only runs in this state.")
@click.option("--start-date", help="Only runs whose logical date is not before this.")
@click.option("--end-date", help="Only runs whose logical date is not after this.")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="How many, the newest first.")
@output_option
@with_home
def list_runs(
    home: Home,
    dag: str | None,
    dag_id: str | None,
    state: str | None,
    start_date: str | None,
    end_date: str | None,
    limit: int,
    output: Format,
) -> None:
    """List the runs of a DAG, or of all.

    \b
    Example:
      orchestrator dags list-runs order_1001 --state failed
    """
    name = dag or dag_id
    if name is not None:
        home.reads.dag(name)
    found = home.reads.runs(
        name,
        states=[RunState(state)] if state else (),
        since=read_date(start_date, home.config) if start_date else None,
        until=read_date(end_date, home.config) if end_date else None,
        limit=limit,
    )
    show_rows([rows.run_row(run) for run in found], output, rows.RUN_COLUMNS, empty="There are no such runs.")


@click.command("pause")
@dags_argument
@output_option
@with_home
def pause(home: Home, dag_ids: tuple[str, ...], output: Format) -> None:
    """Stop new scheduled runs of a DAG.

    Open runs go on, and so do runs that are triggered by hand.

    \b
    Example:
      orchestrator dags pause weather_report
    """
    _set_paused(home, dag_ids, output, paused=True)


@click.command("unpause")
@dags_argument
@output_option
@with_home
def unpause(home: Home, dag_ids: tuple[str, ...], output: Format) -> None:
    """Let a DAG's schedule make runs again.

    Without catchup the first run is that of the next date; nothing is started for the past.

    \b
    Example:
      orchestrator dags unpause weather_report
    """
    _set_paused(home, dag_ids, output, paused=False)


def _set_paused(home: Home, dag_ids: tuple[str, ...], output: Format, *, paused: bool) -> None:
    for dag_id in dag_ids:
        home.reads.dag(dag_id)
    for dag_id in dag_ids:
        home.records.set_paused(dag_id, paused, by=who())
    home.ring()
    changed = [{"dag_id": dag_id, "is_paused": paused} for dag_id in dag_ids]
    show_rows(changed, output, ["dag_id", "is_paused"], empty="")
