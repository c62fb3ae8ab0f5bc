"""``orchestrator tasks render``."""

from datetime import UTC, datetime
from typing import Any

import click

from orchestrator.assembly.home import Home
from orchestrator.assembly.orders import order_of_new_run, order_of_run
from orchestrator.assembly.rendering import render as render_order
from orchestrator.assembly.typed_json import raw
from orchestrator.cli.lookup import find_activity, find_run, require_task, spec_version
from orchestrator.cli.options import dag_argument, map_index_option, run_argument, task_argument, with_home
from orchestrator.cli.output import Format, output_option, show_object
from orchestrator.cli.rehearsal import manual_run
from orchestrator.cli.render.console import remark
from orchestrator.core.orders import Order
from orchestrator.exceptions import BodyError, ConflictError, NotFoundError
from orchestrator.names import FINISHED
from orchestrator.storage.views import RunRow


@click.command("render")
@dag_argument
@task_argument
@run_argument
@map_index_option
@output_option
@with_home
def render(home: Home, dag_id: str, task_id: str, run_id: str | None, map_index: int, output: Format) -> None:
    """Show a task's template fields as a run fills them.

    Without a RUN the latest run is meant; where a DAG has none yet, one that would start now. The task does not run.

    \b
    Example:
      orchestrator tasks render weather_report publish
    """
    run = _run(home, dag_id, run_id)
    order = _order_now(home, dag_id, task_id, map_index) if run is None else _order(home, run, task_id, map_index)
    rendered = render_order(home.config, order)
    if rendered.failure is not None:
        raise BodyError(rendered.failure.message)
    if output in (Format.TABLE, Format.PLAIN) and not rendered.fields:
        remark(f"{task_id} has no template fields.")
    else:
        show_object(_readable(rendered.fields) if output is Format.TABLE else rendered.fields, output)


def _run(home: Home, dag_id: str, run_id: str | None) -> RunRow | None:
    """The run that is meant; None where the DAG has none, or only one that no scheduler has taken up."""
    try:
        run = find_run(home, dag_id, run_id)
    except NotFoundError:
        home.reads.dag(dag_id)
        if run_id is not None:
            raise
        return None
    return None if run.is_pending else run


def _order(home: Home, run: RunRow, task_id: str, map_index: int) -> Order:
    find_activity(home, run, task_id, map_index)
    spec = home.reads.spec(spec_version(home, run))
    for upstream in spec.task(task_id).inputs:
        if spec.task(upstream).is_mapped:
            continue
        state = home.reads.activity(run, upstream).state
        if state not in FINISHED:
            raise ConflictError(
                f"task {task_id!r} takes the result of {upstream!r}, which is {state} in {run.run_id}; "
                f"wait until that has ended, or name another RUN"
            )
    return order_of_run(home, run, task_id, map_index)


def _order_now(home: Home, dag_id: str, task_id: str, map_index: int) -> Order:
    spec = home.reads.spec(home.reads.dag(dag_id).version_id)
    require_task(spec, task_id)
    if inputs := spec.task(task_id).inputs:
        raise ConflictError(
            f"task {task_id!r} takes the result of {inputs[0]!r}, and no run of DAG {dag_id!r} has recorded one; "
            f"start a run with `orchestrator dags trigger {dag_id}`"
        )
    return order_of_new_run(home, manual_run(dag_id, datetime.now(UTC), raw({})), task_id, map_index)


def _readable(fields: dict[str, Any]) -> dict[str, Any]:
    """What a table shows: also that a field is there and has nothing in it."""
    return {name: "none" if value is None else value for name, value in fields.items()}
