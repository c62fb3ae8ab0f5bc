"""``orchestrator dag-processor``."""

import signal
import sys
import threading

import click

from orchestrator.assembly.dag_processor import run_dag_processor
from orchestrator.cli import edge
from orchestrator.cli.journal import notice, start_journal


@click.command("dag-processor")
@click.option("--while-stdin-is-open", is_flag=True, hidden=True, help="End when whoever started this is gone.")
def dag_processor(while_stdin_is_open: bool) -> None:
    """Run the process that reads the DAG files.

    \b
    Example:
      orchestrator dag-processor
    """
    config = edge.config()
    start_journal(config)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    if while_stdin_is_open:
        threading.Thread(target=_wait_for_end_of_stdin, args=[stop], daemon=True).start()
        run_dag_processor(config, stop)
    else:
        run_dag_processor(config, stop, on_ready=lambda: notice(f"reading DAG files in {config.core.dags_folder}"))


def _wait_for_end_of_stdin(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()
