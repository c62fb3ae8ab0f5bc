"""Arguments and options that many commands share, and how they are completed from the database."""

import functools
import getpass
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, Concatenate, ParamSpec, TypeVar

import click
from click.shell_completion import CompletionItem

from orchestrator.assembly.home import Home
from orchestrator.cli.opening import asked_home
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
        with asked_home() as home:
            return command(home, *args, **kwargs)

    return opened


def completed(names: Callable[[Home, dict[str, Any]], Iterable[str]]) -> Callable[..., list[CompletionItem]]:
    """A completion from the database; where that cannot be read, nothing is offered and nothing said."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
        params = ctx.params
        if ctx.args and "dag_id" in params:  # after an option whose value is still to come, words are left as they are
            params = params | {"dag_id": ctx.args[0]}
        try:
            with asked_home() as home:
                found = [name for name in names(home, params) if name.startswith(incomplete)]
        except OrchestratorError:
            return []
        return [CompletionItem(name) for name in found]

    return complete


@completed
def dag_ids(home: Home, params: dict[str, Any]) -> Iterable[str]:  # noqa: ARG001
    return (dag.dag_id for dag in home.reads.dags())


@completed
def task_ids(home: Home, params: dict[str, Any]) -> Iterable[str]:
    return _tasks(home, params["dag_id"])


@completed
def run_ids(home: Home, params: dict[str, Any]) -> Iterable[str]:
    return _runs(home, params["dag_id"])


@completed
def runs_then_tasks(home: Home, params: dict[str, Any]) -> Iterable[str]:
    """For ``[RUN] [TASK]``, of which either may be left out."""
    yield from () if params["words"] else _runs(home, params["dag_id"])
    yield from _tasks(home, params["dag_id"])


@completed
def dags_then_runs(home: Home, params: dict[str, Any]) -> Iterable[str]:
    """For ``DAG [RUN]`` where the DAG is a word like the other."""
    words = params["words"] or ()
    return _runs(home, words[0]) if words else (dag.dag_id for dag in home.reads.dags())


@completed
def signals(home: Home, params: dict[str, Any]) -> Iterable[str]:
    return (one.name for one in home.reads.dag(params["dag_id"]).header.signals)


@completed
def queries(home: Home, params: dict[str, Any]) -> Iterable[str]:
    return (one.name for one in home.reads.dag(params["dag_id"]).header.queries)


@completed
def updates(home: Home, params: dict[str, Any]) -> Iterable[str]:
    return (one.name for one in home.reads.dag(params["dag_id"]).header.updates)


def _tasks(home: Home, dag_id: str) -> Iterable[str]:
    return (task.task_id for task in home.reads.spec(home.reads.dag(dag_id).version_id).tasks)


def _runs(home: Home, dag_id: str) -> Iterable[str]:
    return (run.run_id for run in home.reads.runs(dag_id, limit=_OFFERED))


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
