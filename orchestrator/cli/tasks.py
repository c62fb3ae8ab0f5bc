"""``orchestrator tasks``: what is known of tasks."""

import click

from orchestrator.assembly.heartbeats import last_beats
from orchestrator.assembly.home import Home
from orchestrator.assembly.run_payloads import RunPayloads
from orchestrator.cli import rows
from orchestrator.cli.alive import last_said
from orchestrator.cli.lookup import find_activity, find_run
from orchestrator.cli.options import dag_argument, map_index_option, run_argument, task_argument, with_home
from orchestrator.cli.output import Format, json_option, output_option, show_json, show_object, show_rows
from orchestrator.cli.render.console import out, remark, say
from orchestrator.cli.render.graph import tree
from orchestrator.core import values
from orchestrator.names import DagKind


@click.command("list")
@dag_argument
@click.option("--tree", "as_tree", is_flag=True, help="Show what waits for what.")
@output_option
@with_home
def list_tasks(home: Home, dag_id: str, as_tree: bool, output: Format) -> None:
    """List the tasks of a DAG.

    Of a workflow these are the activities that it can call.

    \b
    Example:
      orchestrator tasks list order_1001
    """
    spec = home.reads.spec(home.reads.dag(dag_id).version_id)
    if as_tree:
        out().print(tree(spec))
        return
    is_workflow = spec.kind is DagKind.WORKFLOW
    columns = rows.ACTIVITY_COLUMNS if is_workflow else rows.SPEC_COLUMNS
    empty = "The workflow can call no activity." if is_workflow else "The DAG has no tasks."
    show_rows([rows.spec_row(task) for task in spec.tasks], output, columns, empty=empty)


@click.command("state")
@dag_argument
@task_argument
@run_argument
@map_index_option
@output_option
@with_home
def state(home: Home, dag_id: str, task_id: str, run_id: str | None, map_index: int, output: Format) -> None:
    """Show the state of a task in a run.

    \b
    Example:
      orchestrator tasks state order_1001 charge_card
    """
    run = find_run(home, dag_id, run_id)
    activity = find_activity(home, run, task_id, map_index)
    beat = last_beats(home, run.run_key, [activity]).get((task_id, activity.map_index))
    if output is not Format.TABLE:
        show_object({"dag_id": dag_id, "run_id": run.run_id} | rows.task_row(activity, beat), output)
        return
    say(activity.state)
    if beat is not None:
        remark(f"Its {last_said(beat)}.")


@click.command("states-for-dag-run")
@dag_argument
@run_argument
@output_option
@with_home
def states_for_dag_run(home: Home, dag_id: str, run_id: str | None, output: Format) -> None:
    """Show the states of all tasks of a run.

    \b
    Example:
      orchestrator tasks states-for-dag-run order_1001
    """
    run = find_run(home, dag_id, run_id)
    found = home.reads.tasks(run)
    shown = rows.task_rows(found, last_beats(home, run.run_key, found))
    tasks = [{"dag_id": dag_id, "run_id": run.run_id} | row for row in shown]
    show_rows(tasks, output, rows.TASK_COLUMNS, empty="The run has no tasks.")


@click.command("result")
@dag_argument
@task_argument
@run_argument
@map_index_option
@json_option
@with_home
def result(home: Home, dag_id: str, task_id: str, run_id: str | None, map_index: int, output: str) -> None:
    """Print the recorded result of a task, as JSON.

    What JSON lacks is tagged, such as {"__type__": "date", "value": "2026-01-31"}.

    \b
    Example:
      orchestrator tasks result order_1001 charge_card
    """
    run = find_run(home, dag_id, run_id)
    activity = find_activity(home, run, task_id, map_index)
    found = home.reads.result(run.run_key, task_id, activity.map_index)
    data = bytes(found.value) if found.payload is None else home.part(RunPayloads).get(run.run_key, found.payload)
    show_json(values.readable(data), output)
