"""``orchestrator tasks xcom``."""

import json
from typing import Any

import click

from orchestrator.assembly.home import Home
from orchestrator.assembly.outputs import outputs_of, read_output
from orchestrator.assembly.rendered import RENDERED
from orchestrator.cli.lookup import find_activity, find_run
from orchestrator.cli.options import dag_argument, map_index_option, run_argument, task_argument, with_home
from orchestrator.cli.output import Format, output_option, show_rows
from orchestrator.core import values
from orchestrator.core.particulars import XCom


@click.command("xcom")
@dag_argument
@task_argument
@run_argument
@map_index_option
@output_option
@with_home
def xcom(home: Home, dag_id: str, task_id: str, run_id: str | None, map_index: int, output: Format) -> None:
    """List what a task left for others: what it pushed, by key, and its result.

    What JSON lacks is tagged, such as {"__type__": "date", "value": "2026-01-31"}.

    \b
    Example:
      orchestrator tasks xcom order_1001 charge_card
    """
    run = find_run(home, dag_id, run_id)
    found = outputs_of(home, find_activity(home, run, task_id, map_index))
    found.pop(RENDERED, None)
    shown = [{"key": key, "value": _value(home, run.run_key, one)} for key, one in sorted(found.items())]
    if output in (Format.TABLE, Format.PLAIN):
        shown = [row | {"value": json.dumps(row["value"], ensure_ascii=False)} for row in shown]
    show_rows(shown, output, ["key", "value"], empty=f"{task_id} has left nothing in {run.run_id}.")


def _value(home: Home, run_key: int, one: XCom) -> Any:
    return json.loads(values.readable(read_output(home, run_key, one)))
