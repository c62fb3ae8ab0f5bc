"""What a service says while it runs: one line at a time, with the moment, on stderr."""

import logging
import sys
from datetime import datetime

import click

from orchestrator.config import Config


def start_journal(config: Config) -> None:
    """Write what the services log from now on."""
    logging.basicConfig(
        stream=sys.stderr,
        level=config.logging.logging_level,
        format="%(asctime)s  %(message)s",
        datefmt="%H:%M:%S",
        force=True,
    )


def notice(sentence: str) -> None:
    """Something that a person should read."""
    moment = datetime.now().astimezone()
    click.echo(f"{click.style(f'{moment:%H:%M:%S}', dim=True)}  {sentence}", err=True)
