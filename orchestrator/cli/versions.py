"""``orchestrator dags versions``."""

from collections import Counter
from itertools import pairwise
from typing import Any

import click

from orchestrator.assembly.home import Home
from orchestrator.assembly.redeploy import open_runs
from orchestrator.cli.options import dag_argument, with_home
from orchestrator.cli.output import Format, output_option, show_rows
from orchestrator.core.differences import Difference, difference

_COLUMNS = ("version", "is_current", "created_at", "changes", "open_runs", "fingerprint")
_SHORT = 12


@click.command("versions")
@dag_argument
@output_option
@with_home
def versions(home: Home, dag_id: str, output: Format) -> None:
    """List the versions of a DAG, what changed, and their open runs.

    The newest comes first. + is a task that came, - one that went, ~ one that changed; `code` means the code alone.

    \b
    Example:
      orchestrator dags versions order_1001
    """
    current = home.reads.dag(dag_id).version_id
    counts = Counter(run.version_id for run in open_runs(home, dag_id))
    found = [
        {
            "version": known.number,
            "is_current": known.version_id == current,
            "created_at": known.created_at,
            "file": known.file,
            "task_count": known.task_count,
            "changes": change.words if output in (Format.TABLE, Format.PLAIN) and change else change,
            "open_runs": counts[known.version_id],
            "fingerprint": known.fingerprint[:_SHORT],
            "code_fingerprint": known.code_fingerprint[:_SHORT],
        }
        for known, change in _changes(home, dag_id)
    ]
    show_rows(found, output, _COLUMNS, empty="")


def _changes(home: Home, dag_id: str) -> list[tuple[Any, Difference | None]]:
    """Each version, newest first, with what changed since the one before."""
    known = home.reads.versions(dag_id)
    specs = [home.reads.spec(version.version_id) for version in known]
    changes = [difference(old, new) for new, old in pairwise(specs)]
    return list(zip(known, [*changes, None], strict=True))
