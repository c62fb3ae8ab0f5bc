"""``orchestrator dags test``."""

import click

from orchestrator.cli.options import dag_argument


@click.command("test")
@dag_argument
@click.option("-c", "--conf", default="{}", metavar="JSON", help="The run's input: a JSON object.")
def test(dag_id: str, conf: str) -> None:
    """Run a DAG once in this process, without a scheduler.

    \b
    Example:
      orchestrator dags test order_1001 --conf '{"amount": 42}'
    """
