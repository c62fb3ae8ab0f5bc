"""``orchestrator runs query`` and ``logs``: what a workflow's own code has to say, without the scheduler."""

import sys
from pathlib import Path

import click

from orchestrator.assembly.catalog import make_catalog
from orchestrator.assembly.home import Home
from orchestrator.assembly.replaying import Query, Replayed, replay_history
from orchestrator.cli.conf import read_object
from orchestrator.cli.logs import follow_log, print_log
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import dag_argument, run_argument, with_home
from orchestrator.cli.printable import json_text
from orchestrator.cli.render.console import remark
from orchestrator.cli.talking import named_run_argument
from orchestrator.core.events import Recorded, RunCreated, RunMoved
from orchestrator.exceptions import ConflictError, NotFoundError, UsageError
from orchestrator.names import DagKind
from orchestrator.storage.views import RunRow
from orchestrator.worker.blue.runlog import run_log


@click.command("query")
@dag_argument
@named_run_argument
@click.argument("name")
@click.argument("arguments", metavar="[JSON]", default="{}")
@click.option("--at", type=click.IntRange(min=1), metavar="SEQ", help="As it was after this fact of its history.")
@with_home
def query(home: Home, dag_id: str, run_id: str, name: str, arguments: str, at: int | None) -> None:
    """Ask a workflow something that changes nothing; prints the answer as JSON.

    The recorded history is replayed for it, with the code of the run's version: no scheduler is needed, and none is
    held up. A run that has ended can be asked as well.

    \b
    Example:
      orchestrator runs query order_workflow 1001 status
      orchestrator runs query order_workflow 1001 status --at 12
    """
    run = find_run(home, dag_id, run_id)
    if run.is_pending:
        raise ConflictError(f"run {run.run_id!r} cannot be asked yet: {run.reason}")
    found = _replayed(home, run, Query(name=name, arguments=read_object(arguments, "the query's JSON")), at)
    for notice in found.notices:
        remark(notice)
    if found.block is not None:
        where = f"{found.block.where}: " if found.block.where else ""
        raise ConflictError(f"run {run.run_id!r} cannot be replayed ({found.block.kind}): {where}{found.block.message}")
    if found.refusal is not None:
        where = f"{found.refusal.where}: " if found.refusal.where else ""
        raise UsageError(f"query {name!r} has no answer: {where}{found.refusal.message}")
    assert found.answer is not None
    sys.stdout.write(json_text(bytes(found.answer).decode("utf-8")) + "\n")


def _replayed(home: Home, run: RunRow, asked: Query, at: int | None) -> Replayed:
    facts = [fact for fact in home.reads.history(run.run_key) if at is None or fact.seq <= at]
    if at is not None and at > run.last_seq:
        raise NotFoundError(f"run {run.run_id!r} has facts 1 to {run.last_seq}, and none of them is {at}")
    version_id = _version(facts)
    spec = home.reads.spec(version_id)
    if spec.kind is not DagKind.WORKFLOW:
        raise UsageError(f"{run.dag_id!r} is a static DAG, which answers no queries; only workflows do")
    code = make_catalog(home.config, home.engine).code(version_id)
    return replay_history(home.config, spec, code, facts, version_id=version_id, query=asked)


def _version(facts: list[Recorded]) -> int:
    """The version that the run had after these facts."""
    events = (fact.event for fact in reversed(facts))
    return next(event.version_id for event in events if isinstance(event, RunMoved | RunCreated))


@click.command("logs")
@dag_argument
@run_argument
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@with_home
def logs(home: Home, dag_id: str, run_id: str | None, follow: bool) -> None:
    """Print what a workflow's own code wrote; that of its activities is shown by `tasks logs`.

    \b
    Example:
      orchestrator runs logs order_workflow --follow
    """
    run = find_run(home, dag_id, run_id)
    path: Path = home.config.logging.base_log_folder / run_log(run.run_key)
    if follow:
        follow_log(path, lambda: home.reads.run(dag_id, run.run_id).is_ended)
    elif not print_log(path):
        remark(f"The code of run {run.run_id} wrote nothing; what its activities wrote is shown by: tasks logs")
