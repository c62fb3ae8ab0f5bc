"""``orchestrator scheduler``."""

import click

from orchestrator.assembly.scheduler import run_scheduler
from orchestrator.cli import edge
from orchestrator.cli.journal import notice, start_journal


@click.command("scheduler")
def scheduler() -> None:
    """Run the scheduler and its workers.

    It ends on SIGTERM or Ctrl-C when what runs has ended, and at once when asked again. DAG files are read by
    `orchestrator dag-processor`.

    \b
    Example:
      orchestrator scheduler
    """
    config = edge.config()
    start_journal(config)
    run_scheduler(config, notice=notice, on_ready=lambda: notice("the scheduler is ready"))
