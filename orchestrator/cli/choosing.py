"""Which version is meant: --latest, --version N or neither; and how a version is named to a person."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from orchestrator.assembly.home import Home
from orchestrator.exceptions import NotFoundError, UsageError

F = TypeVar("F", bound=Callable[..., Any])


def version_options(command: F) -> F:
    """Give a command ``--latest`` and ``--version``; they arrive as ``latest`` and ``version``."""
    latest = click.option("--latest", is_flag=True, help="Execute the DAG's latest version.")
    version = click.option(
        "--version", type=click.IntRange(min=1), metavar="N", help="Execute this version of the DAG."
    )
    return latest(version(command))


def chosen_version(home: Home, dag_id: str, *, latest: bool, version: int | None) -> int | None:
    """The version id that is asked for; None where none is."""
    if latest and version is not None:
        raise UsageError("give --latest or --version, not both")
    if latest:
        return home.reads.dag(dag_id).version_id
    if version is None:
        return None
    for known in home.reads.versions(dag_id):
        if known.number == version:
            return known.version_id
    raise NotFoundError(f"DAG {dag_id!r} has no version {version}; list them with: orchestrator dags versions {dag_id}")


def version_number(home: Home, dag_id: str, version_id: int) -> int:
    """The number of a version within its DAG."""
    return home.reads.numbers(dag_id)[version_id]
