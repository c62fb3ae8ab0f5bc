"""``orchestrator listener``."""

import signal
import sys
import threading

import click

from orchestrator.assembly.listening import run_listener
from orchestrator.cli import edge
from orchestrator.cli.journal import start_journal


@click.command("listener")
@click.argument("plugin")
@click.option("--while-stdin-is-open", is_flag=True, hidden=True, help="End when whoever started this is gone.")
def listener(plugin: str, while_stdin_is_open: bool) -> None:
    """Run the process in which a plugin hears of what happens.

    `orchestrator standalone` runs one for each plugin that listens. It begins with what happens from its first start
    on, and after that goes on where it was.

    \b
    Example:
      orchestrator listener audit_trail
    """
    config = edge.config()
    start_journal(config)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    if while_stdin_is_open:
        threading.Thread(target=_wait_for_end_of_stdin, args=[stop], daemon=True).start()
    run_listener(config, plugin, stop)


def _wait_for_end_of_stdin(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()
