"""``orchestrator runs export`` and ``import``: a run as a file."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from orchestrator.assembly.home import Home
from orchestrator.assembly.transfer import exported, imported
from orchestrator.assembly.triggering import checked_run_id
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import dag_argument, run_ids, who, with_home
from orchestrator.cli.output import Format, output_option, show_object
from orchestrator.cli.render.bar import progress_bar
from orchestrator.cli.render.console import remark, say

transcript_file = click.Path(path_type=Path)


@click.command("export")
@dag_argument
@click.argument("run_id", metavar="RUN", shell_complete=run_ids)
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--no-code", is_flag=True, help="Leave out the source files of the DAG's versions.")
@click.option("--no-payloads", is_flag=True, help="Leave out results that are too large for the history.")
@with_home
def export(home: Home, dag_id: str, run_id: str, file: Path | None, no_code: bool, no_payloads: bool) -> None:
    """Write a run into a file.

    Everything that is recorded of it goes in, and the code that it executed: a line of JSON for each fact, on stdout
    without FILE. The run may be open; the same run gives the same file.

    \b
    Example:
      orchestrator runs export order_1001 manual__2026-01-31T06:00:00+00:00 order.jsonl
    """
    run = find_run(home, dag_id, run_id)
    with progress_bar("Exporting") as tell, _opened(file) as out:
        for line in exported(home, run, code=not no_code, payloads=not no_payloads, tell=tell):
            out.write(line)
    what = "the run's conf and results" if no_code else "the run's conf, results and code"
    remark(f"It holds {what} as they were recorded: look for secrets before you pass it on.")


@click.command("import")
@click.argument("file", type=transcript_file)
@click.option("--run-id", help="The run's id here; its own by default.")
@output_option
@with_home
def import_(home: Home, file: Path, run_id: str | None, output: Format) -> None:
    """Take in a run that was exported.

    It can be looked at, compared, replayed and forked like any other, and never goes on by itself.

    \b
    Example:
      orchestrator runs import order.jsonl --run-id from_production
    """
    name = checked_run_id(run_id) if run_id is not None else None
    with progress_bar("Importing") as tell:
        run = imported(home, file, run_id=name, by=who(), tell=tell)
    home.ring()
    if output is not Format.TABLE:
        show_object({"dag_id": run.dag_id, "run_id": run.run_id, "state": run.state, "facts": run.seq}, output)
        return
    say(f"Imported {run.run_id} of {run.dag_id}: {run.state}, {run.seq} facts.")
    if run.is_inert:
        remark("It was open when it was exported. It stays so here; fork it to go on from what it has recorded.")


@contextlib.contextmanager
def _opened(path: Path | None) -> Iterator[BinaryIO]:
    """Where to write: stdout, or a file that is there whole or not at all."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            yield out
        Path(draft).chmod(0o600)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
