"""``orchestrator runs move``."""

from typing import Any

import click

from orchestrator.assembly.fitting import Fit
from orchestrator.assembly.home import Home
from orchestrator.assembly.redeploy import check_move, open_runs
from orchestrator.cli import rows
from orchestrator.cli.choosing import chosen_version, version_number, version_options
from orchestrator.cli.consequences import said_of, tell_findings
from orchestrator.cli.following import submit
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import dag_argument, run_argument, who, with_home
from orchestrator.cli.output import Format, output_option, show_object, show_rows
from orchestrator.cli.render.console import remark, say
from orchestrator.core.compatibility import Finding, Meaning
from orchestrator.core.requests import MoveRun
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.storage.views import Verdict

_COLUMNS = ("run_id", "from_version", "version", "verdict", "compatibility")


@click.command("move")
@dag_argument
@run_argument
@version_options
@click.option("--all", "everything", is_flag=True, help="Move every open run of the DAG that fits.")
@click.option("--force", is_flag=True, help="Move also what needs a decision, or breaks.")
@output_option
@with_home
def move(
    home: Home,
    dag_id: str,
    run_id: str | None,
    latest: bool,
    version: int | None,
    everything: bool,
    force: bool,
    output: Format,
) -> None:
    """Let an open run go on with another version.

    It is the latest of its DAG by default. What is recorded stays. A change that the run is too far for is named and
    refused; --force moves it all the same.

    \b
    Example:
      orchestrator runs move order_1001
      orchestrator runs move order_1001 --all --version 3
    """
    if everything and run_id is not None:
        raise UsageError("give a RUN or --all, not both")
    version_id = chosen_version(home, dag_id, latest=latest or version is None, version=version)
    assert version_id is not None
    number = version_number(home, dag_id, version_id)
    if everything:
        _move_all(home, dag_id, version_id, number, force=force, output=output)
        return
    run = find_run(home, dag_id, run_id)
    if run.is_pending or run.is_ended:
        raise ConflictError(f"run {run.run_id!r} is {run.state} and not open; fork it to go on with another version")
    fit = check_move(home, run, version_id)
    if fit.is_same:
        raise ConflictError(f"run {run.run_id!r} has version {number} of {dag_id} already")
    tell_findings(fit.findings)
    if fit.meaning > Meaning.COMPATIBLE and not force:
        raise ConflictError(f"{_first(fit.findings)}; move it all the same with --force, or fork it")
    row = _move(home, fit, version_id, number)
    if output is not Format.TABLE:
        show_object(row, output)
    elif row["verdict"] is Verdict.CARRIED_OUT:
        say(f"Moved {run.run_id} of {dag_id} to version {number}.")


def _move_all(home: Home, dag_id: str, version_id: int, number: int, *, force: bool, output: Format) -> None:
    moved: list[dict[str, Any]] = []
    left = 0
    for run in open_runs(home, dag_id):
        fit = check_move(home, run, version_id)
        if fit.is_same:
            continue
        tell_findings(fit.findings)
        if fit.meaning > Meaning.COMPATIBLE and not force:
            left += 1
            moved.append(_row(fit, number) | {"verdict": "left"})
        else:
            moved.append(_move(home, fit, version_id, number))
    show_rows(moved, output, _COLUMNS, empty=f"All open runs of {dag_id} have version {number}.")
    if left:
        remark(f"{left} of {len(moved)} do not fit and stay as they are; move one all the same with --force.")
        click.get_current_context().exit(1)


def _move(home: Home, fit: Fit, version_id: int, number: int) -> dict[str, Any]:
    request = MoveRun(dag_id=fit.run.dag_id, run_id=fit.run.run_id, version_id=version_id, by=who())
    return rows.request_row(request, submit(home, request)) | _row(fit, number)


def _row(fit: Fit, number: int) -> dict[str, Any]:
    return {
        "dag_id": fit.run.dag_id,
        "run_id": fit.run.run_id,
        "from_version": fit.run.version_number,
        "version": number,
        "compatibility": fit.meaning.words,
        "findings": [said_of(finding) for finding in fit.findings],
    }


def _first(findings: list[Finding]) -> str:
    worst = findings[0]
    about = f"task {worst.task_id!r} {worst.meaning.words}" if worst.task_id else f"it {worst.meaning.words}"
    return f"{about}: {worst.message}"
