"""Arguments and options that many commands share, and how they are completed from the database."""

import functools
import getpass
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, Concatenate, ParamSpec, TypeVar

import click
from click.shell_completion import CompletionItem

from orchestrator.assembly.home import Home, open_home
from orchestrator.cli import edge
from orchestrator.cli.printable import one_line
from orchestrator.cli.render.console import remark
from orchestrator.exceptions import OrchestratorError, UsageError
from orchestrator.names import UNMAPPED

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

_OFFERED = 50


def with_home(command: Callable[Concatenate[Home, P], R]) -> Callable[P, R]:
    """Give a command the open home as its first argument, and close it afterwards."""

    @functools.wraps(command)
    def opened(*args: P.args, **kwargs: P.kwargs) -> R:
        with open_home(edge.config()) as home:
            return command(home, *args, **kwargs)

    return opened


def completed(names: Callable[[Home, dict[str, Any]], Iterable[str]]) -> Callable[..., list[CompletionItem]]:
    """A completion from the database; where that cannot be read, nothing is offered and nothing said."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
        try:
            with open_home(edge.config()) as home:
                found = [name for name in names(home, ctx.params) if name.startswith(incomplete)]
        except OrchestratorError:
            return []
        return [CompletionItem(name) for name in found]

    return complete


@completed
def dag_ids(home: Home, params: dict[str, Any]) -> Iterable[str]:  # noqa: ARG001
    return (dag.dag_id for dag in home.reads.dags())


@completed
def task_ids(home: Home, params: dict[str, Any]) -> Iterable[str]:
    dag = home.reads.dag(params["dag_id"])
    return (task.task_id for task in home.reads.spec(dag.version_id).tasks)


@completed
def run_ids(home: Home, params: dict[str, Any]) -> Iterable[str]:
    return (run.run_id for run in home.reads.runs(params["dag_id"], limit=_OFFERED))


@completed
def signals(home: Home, params: dict[str, Any]) -> Iterable[str]:
    return (one.name for one in home.reads.dag(params["dag_id"]).header.signals)


@completed
def queries(home: Home, params: dict[str, Any]) -> Iterable[str]:
    return (one.name for one in home.reads.dag(params["dag_id"]).header.queries)


@completed
def updates(home: Home, params: dict[str, Any]) -> Iterable[str]:
    return (one.name for one in home.reads.dag(params["dag_id"]).header.updates)


dag_argument = click.argument("dag_id", metavar="DAG", shell_complete=dag_ids)
dags_argument = click.argument("dag_ids", metavar="DAG...", nargs=-1, required=True, shell_complete=dag_ids)
task_argument = click.argument("task_id", metavar="TASK", shell_complete=task_ids)
run_argument = click.argument("run_id", metavar="[RUN]", required=False, shell_complete=run_ids)
map_index_option = click.option(
    "--map-index",
    type=click.IntRange(min=UNMAPPED),
    default=UNMAPPED,
    help="Which one of a mapped task; counts from 0.",
)
yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask whether it is meant.")


def confirm(question: str, *, yes: bool) -> None:
    """Go on only if a person agrees at the terminal or ``yes`` was given."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"this asks first ({question}) and there is nobody to answer; add --yes to go on")
    if not click.confirm(one_line(question), err=True):
        remark("Nothing was done.")
        click.get_current_context().exit(1)


def who() -> str:
    """Who asks, for the records."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a user without a name, as in some containers
        return f"cli:{os.getuid()}"
