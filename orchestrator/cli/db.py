"""``orchestrator db``: looking after the database."""

import os
import shutil
import subprocess
from typing import NamedTuple

import click
import msgspec

from orchestrator.assembly import upkeep
from orchestrator.assembly.schema import check as check_home
from orchestrator.cli import edge
from orchestrator.cli.dates import read_date
from orchestrator.cli.options import confirm, who, yes_option
from orchestrator.cli.output import Format, output_option, show_object
from orchestrator.cli.render.bar import progress_bar
from orchestrator.cli.render.console import remark, say
from orchestrator.config import censor
from orchestrator.exceptions import NotFoundError, SchemaVersionError, StorageCorruptError
from orchestrator.storage.schema import REVISION, SchemaState


@click.command("check")
@click.option("--thorough", is_flag=True, help="Read the whole SQLite file for damage; slow.")
def check(thorough: bool) -> None:
    """Check that the database can be read and is up to date.

    \b
    Example:
      orchestrator db check --thorough
    """
    config = edge.config()
    place = censor(config.database.sql_alchemy_conn)
    match check_home(config, thorough=thorough):
        case SchemaState.CURRENT:
            say(f"{place} is up to date with schema {REVISION}.")
        case SchemaState.EMPTY:
            raise SchemaVersionError(f"there is no database at {place} yet; run `orchestrator db migrate`")
        case SchemaState.BEHIND:
            raise SchemaVersionError(f"the schema of {place} is older than {REVISION}; run `orchestrator db migrate`")
        case SchemaState.AHEAD:
            raise SchemaVersionError(f"the schema of {place} is newer than {REVISION}; upgrade the program")
        case SchemaState.CORRUPT:
            raise StorageCorruptError(f"{place} is damaged; restore it from a backup")


@click.command("clean")
@click.option(
    "--before", "--clean-before-timestamp", required=True, metavar="DATE", help="Runs that ended before this."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.option("--keep-audit", is_flag=True, help="Leave the audit log as it is.")
@yes_option
@output_option
def clean(before: str, dry_run: bool, keep_audit: bool, yes: bool, output: Format) -> None:
    """Delete runs that ended long ago, and what the audit log says of the time before.

    With a run go its history, its large results and its logs. Open runs are never touched. What is left of the audit
    log can still be verified.

    \b
    Example:
      orchestrator db clean --before 2026-01-01 --dry-run
    """
    config = edge.config()
    at = read_date(before, config)
    if not dry_run:
        confirm(f"Delete every run that ended before {at:%Y-%m-%d %H:%M} UTC?", yes=yes)
    with progress_bar("Deleting runs") as tell:
        cleaned = upkeep.clean(config, at, by=who(), dry_run=dry_run, keep_audit=keep_audit, tell=tell)
    show_object({"dry_run": dry_run} | msgspec.structs.asdict(cleaned), output)


@click.command("rebuild")
@yes_option
def rebuild(yes: bool) -> None:
    """Write the tables about runs anew from the history.

    Needed only after damage or by hand-made changes; no scheduler may run meanwhile.

    \b
    Example:
      orchestrator db rebuild -y
    """
    config = edge.config()
    confirm("Write the tables about runs anew?", yes=yes)
    with progress_bar("Reading histories") as tell:
        count = upkeep.rebuild(config, tell)
    say(f"Wrote {count} runs anew.")


@click.command("shell")
@click.option("--write", is_flag=True, help="Allow changes; without it the database is opened for reading.")
def shell(write: bool) -> None:
    """Open the database's own shell.

    \b
    Example:
      orchestrator db shell
      echo 'SELECT dag_id, run_id, state FROM runs;' | orchestrator db shell
    """
    command = shell_command(edge.config().database.sql_alchemy_conn, write=write)
    if shutil.which(command.words[0]) is None:
        raise NotFoundError(f"the program {command.words[0]} is not installed; install it to use this shell")
    if write:
        remark("The history is the truth about every run: changes by hand can make runs impossible to resume.")
    done = subprocess.run(command.words, env=os.environ | command.environment, check=False)
    click.get_current_context().exit(done.returncode)


class ShellCommand(NamedTuple):
    words: list[str]
    environment: dict[str, str]


def shell_command(url: str, *, write: bool) -> ShellCommand:
    """The program that opens the database, with its arguments."""
    scheme, _, rest = url.partition("://")
    if scheme.startswith("sqlite"):
        return ShellCommand(["sqlite3", *([] if write else ["-readonly"]), rest.removeprefix("/")], {})
    plain = f"postgresql://{rest}"
    return ShellCommand(["psql", plain], {} if write else {"PGOPTIONS": "-c default_transaction_read_only=on"})
