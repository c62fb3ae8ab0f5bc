"""``orchestrator db migrate``."""

import click

from orchestrator.assembly.migration import migrate as migrate_home
from orchestrator.cli import edge
from orchestrator.cli.render.console import say
from orchestrator.config import censor
from orchestrator.storage.schema import REVISION


@click.command("migrate")
def migrate() -> None:
    """Create the database, or bring its schema up to date.

    History is never rewritten. `orchestrator standalone` does this by itself.

    \b
    Example:
      orchestrator db migrate
    """
    config = edge.config()
    before = migrate_home(config)
    place = censor(config.database.sql_alchemy_conn)
    match before:
        case None:
            say(f"Created {place} with schema {REVISION}.")
        case _ if before == REVISION:
            say(f"{place} has schema {REVISION} already.")
        case _:
            say(f"Brought {place} from schema {before} to {REVISION}.")
