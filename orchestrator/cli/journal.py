"""What a service says while it runs: one line at a time, with the moment, on stderr."""

import logging
import sys
from datetime import datetime

import click

from orchestrator.authoring.masking import masked
from orchestrator.cli.printable import one_line, printable
from orchestrator.config import Config


def start_journal(config: Config) -> None:
    """Write what the services log from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines("%(asctime)s  %(message)s", "%H:%M:%S"))
    logging.basicConfig(handlers=[handler], level=config.logging.logging_level, force=True)


def show_task_logs() -> None:
    """Write what tasks in this process log, from level INFO upwards, without the secrets that they have read."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_TaskLines("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


class _TaskLines(logging.Formatter):
    """Lines without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


class _Lines(logging.Formatter):
    """Lines that may quote what an author's file printed."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def notice(sentence: str) -> None:
    """Something that a person should read."""
    moment = datetime.now().astimezone()
    click.echo(f"{click.style(f'{moment:%H:%M:%S}', dim=True)}  {one_line(sentence)}", err=True)
