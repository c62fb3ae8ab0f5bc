"""``orchestrator dags delete``."""

import click

from orchestrator.assembly import upkeep
from orchestrator.cli import edge
from orchestrator.cli.options import confirm, dag_argument, yes_option
from orchestrator.cli.render.console import say


@click.command("delete")
@dag_argument
@yes_option
def delete(dag_id: str, yes: bool) -> None:
    """Delete a DAG whose file is gone, with all of its runs.

    \b
    Example:
      orchestrator dags delete old_report -y
    """
    confirm(f"Delete {dag_id!r} with all of its runs and their history?", yes=yes)
    count = upkeep.delete_dag(edge.config(), dag_id)
    say(f"Deleted {dag_id} and {count} of its runs.")
