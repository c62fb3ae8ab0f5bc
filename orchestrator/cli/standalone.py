"""``orchestrator standalone``."""

import os
import subprocess
import sys
import time
from functools import partial

import click

from orchestrator.assembly.plugins import warnings
from orchestrator.assembly.port import expected_url
from orchestrator.assembly.schema import check, lay_out
from orchestrator.assembly.standalone import load_shared, run_standalone
from orchestrator.cli import edge
from orchestrator.cli.journal import notice, start_journal
from orchestrator.cli.printable import one_line
from orchestrator.config import HOME_VARIABLE, Config, censor
from orchestrator.exceptions import StorageError
from orchestrator.processes.seed import planted
from orchestrator.storage.schema import SchemaState


@click.command("standalone")
def standalone() -> None:
    """Run everything in one: DAG files in, runs out.

    Makes the database where there is none, brings it up to date where it is old, reads the DAG files, schedules, and
    runs tasks in worker processes. Pages are served on [api] port; the first start makes an admin, and tells the
    password once. It ends on SIGTERM or Ctrl-C when what runs has ended, and at once when asked
    again.

    \b
    Example:
      orchestrator standalone
    """
    began = time.monotonic()
    config = edge.config()
    _prepare(config)
    with planted(partial(load_shared, config)) as seed:
        start_journal(config)
        _tell(config)
        for warning in warnings(config):
            notice(warning)
        on_ready = partial(_tell_of_readiness, began)
        run_standalone(config, seed, notice=notice, on_ready=on_ready)
    notice("stopped; open runs go on at the next start")


def _tell_of_readiness(began: float) -> None:
    notice(f"ready after {time.monotonic() - began:.1f} s")


def _prepare(config: Config) -> None:
    state = check(config)
    if state is SchemaState.EMPTY:
        lay_out(config)
        notice("made a new database")
    elif state is SchemaState.BEHIND:
        _migrate(config)


def _migrate(config: Config) -> None:
    """In a process of its own: what a migration needs would stay in memory here."""
    words = [sys.executable, "-m", "orchestrator", "db", "migrate"]
    if subprocess.run(words, env=os.environ | {HOME_VARIABLE: str(config.home)}, check=False).returncode:
        raise StorageError("the database could not be brought up to date; see above, and run `orchestrator db migrate`")


def _tell(config: Config) -> None:
    for name, value in {
        "home": config.home,
        "DAG files": config.core.dags_folder,
        "database": censor(config.database.sql_alchemy_conn),
        "pages": expected_url(config) or "a port that is free",
        "workers": f"up to {config.core.parallelism} activities at once",
        "run a DAG": "orchestrator dags trigger DAG --wait",
        "stop": "Ctrl-C",
    }.items():
        click.echo(f"{click.style(f'{name:>10}', fg='bright_blue')}  {one_line(str(value))}", err=True)
