"""``orchestrator runs result``."""

import click

from orchestrator.assembly.background import background, result_of
from orchestrator.assembly.home import Home
from orchestrator.cli.background import returned
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import dag_argument, run_argument, with_home
from orchestrator.cli.output import json_option, show_json
from orchestrator.core import values
from orchestrator.exceptions import ConflictError, NotFoundError, UsageError
from orchestrator.names import DagKind, RunState
from orchestrator.storage.views import RunRow


@click.command("result")
@dag_argument
@run_argument
@json_option
@with_home
def result(home: Home, dag_id: str, run_id: str | None, output: str) -> None:
    """Print what a workflow returned, as JSON.

    What JSON lacks is tagged, such as {"__type__": "date", "value": "2026-01-31"}. That of an activity or a task is
    printed by `tasks result`.

    \b
    Example:
      orchestrator runs result order_workflow 1001
    """
    run = find_run(home, dag_id, run_id)
    found = background(home, run, None)
    ending = returned(found)
    if ending is None:
        raise _nothing(run, found.kind)
    show_json(values.readable(result_of(home, run.run_key, ending)), output)


def _nothing(run: RunRow, kind: DagKind) -> Exception:
    """Why there is no result."""
    name = f"run {run.run_id!r} of {run.dag_id!r}"
    if kind is DagKind.DAG and not run.is_pending:
        return UsageError(
            f"{name} is one of a static DAG, whose results are those of its tasks: orchestrator tasks result "
            f"{run.dag_id} TASK '{run.run_id}'"
        )
    if run.state is RunState.FAILED:
        return NotFoundError(f"{name} has no result, it failed: {run.reason}")
    how = f"is blocked ({run.blocked}): {run.reason}" if run.blocked else f"is {run.state}"
    wait = f"`orchestrator runs watch {run.dag_id} '{run.run_id}'` follows it"
    return ConflictError(f"{name} has no result yet, it {how}; {wait}")
