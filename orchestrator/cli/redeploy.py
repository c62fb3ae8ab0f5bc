"""``orchestrator dags redeploy-check``: what saving a file would mean to the runs that are open."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from orchestrator.assembly.fitting import Fit
from orchestrator.assembly.home import Home
from orchestrator.assembly.redeploy import DagCheck, check_file
from orchestrator.cli.options import with_home
from orchestrator.cli.output import Format, output_option, show_object, show_rows
from orchestrator.cli.render.console import remark, say
from orchestrator.core.compatibility import Finding, Meaning
from orchestrator.names import NewVersion

_COLUMNS = ("run_id", "state", "version", "verdict", "on_save")
_STYLES = {Meaning.COMPATIBLE: "dim", Meaning.DECISION: "yellow", Meaning.BREAKS: "bold red"}


@click.command("redeploy-check")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@output_option
@with_home
def redeploy_check(home: Home, file: Path, output: Format) -> None:
    """Say what a changed DAG file means to every open run.

    FILE is a DAG file, or a changed copy of one from anywhere. It is parsed as the dag processor parses it, and nothing
    is recorded. The exit status is 0 if all open runs could go over to it as they stand, else 1.

    \b
    Example:
      orchestrator dags redeploy-check /tmp/order_1001.py
      orchestrator dags redeploy-check dags/order_1001.py -o json
    """
    checks = check_file(home, file)
    if output in (Format.JSON, Format.YAML):
        show_object({"file": str(file), "dags": [_dag_row(home, check) for check in checks]}, output)
    else:
        for check in checks:
            _show(home, check, output)
        if not checks:
            remark(f"{file} defines no DAG.")
    if any(fit.meaning > Meaning.COMPATIBLE for check in checks for fit in check.fits):
        click.get_current_context().exit(1)


def _show(home: Home, check: DagCheck, output: Format) -> None:
    say(f"{check.dag_id} ({check.file}): {_change(check)}", style="bold")
    fits = [_fit_row(home, check, fit) for fit in check.fits]
    show_rows(fits, output, _COLUMNS, empty="  It has no open run.")
    for fit in check.fits:
        for finding in fit.findings:
            task = f"{finding.task_id}: " if finding.task_id else ""
            place = _places(home, check, fit, finding)
            lines = " -> ".join(line for line in (place["old"], place["new"]) if line)
            where = f" ({lines})" if lines and lines not in finding.message else ""
            say(f"  {fit.run.run_id}: {task}{finding.message}{where}", style=_STYLES[finding.meaning])


def _change(check: DagCheck) -> str:
    if check.difference is None:
        return "a new DAG" if check.known is None else f"version {check.known}, the current one"
    version = "a new version" if check.known is None else f"version {check.known} again"
    return f"{version} ({check.difference.words}); open runs {_POLICIES[check.policy]}"


_POLICIES = {
    NewVersion.PIN: "stay on the version that they have (pin)",
    NewVersion.MOVE: "go over to it where they fit (move)",
}


def _dag_row(home: Home, check: DagCheck) -> dict[str, Any]:
    return {
        "dag_id": check.dag_id,
        "file": check.file,
        "on_new_version": check.policy,
        "version": check.known,
        "changes": check.difference,
        "runs": [_fit_row(home, check, fit) for fit in check.fits],
    }


def _fit_row(home: Home, check: DagCheck, fit: Fit) -> dict[str, Any]:
    return {
        "run_id": fit.run.run_id,
        "state": fit.run.state,
        "version": fit.run.version_number,
        "verdict": fit.meaning.words,
        "on_save": _on_save(check, fit),
        "findings": list(_finding_rows(home, check, fit)),
    }


def _on_save(check: DagCheck, fit: Fit) -> str:
    if fit.is_same:
        return "has it, and cannot go on" if fit.meaning > Meaning.COMPATIBLE else "has it"
    if fit.is_blocked:
        return "is blocked, and tries it"
    if check.policy is NewVersion.MOVE and fit.goes_over:
        return "moves" if fit.meaning is Meaning.COMPATIBLE else "moves, and is blocked"
    return f"stays on version {fit.run.version_number}"


def _finding_rows(home: Home, check: DagCheck, fit: Fit) -> Iterator[dict[str, Any]]:
    for finding in fit.findings:
        about = {"verdict": finding.meaning.words, "task_id": finding.task_id or None, "message": finding.message}
        yield about | _places(home, check, fit, finding)


def _places(home: Home, check: DagCheck, fit: Fit, finding: Finding) -> dict[str, str | None]:
    """Where the task stood and stands, as file:line."""
    old = home.reads.spec(fit.run.version_id).file
    return {
        "old": f"{old}:{finding.old_line}" if finding.old_line else None,
        "new": finding.where or (f"{check.file}:{finding.new_line}" if finding.new_line else None),
    }
