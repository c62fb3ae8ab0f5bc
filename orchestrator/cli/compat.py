"""``orchestrator compat check``: whether files that were written for Airflow run here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from orchestrator.assembly.compat_check import Check, FileCheck, check_path
from orchestrator.cli import edge
from orchestrator.cli.output import Format, output_option, show_object, show_rows
from orchestrator.cli.render.bar import progress_bar
from orchestrator.cli.render.console import remark, say
from orchestrator.compat.airflow.findings import Finding, Kind

_COLUMNS = ("file", "verdict", "dags")
_STYLES = {Kind.DIFFERS: "yellow", Kind.MISSING: "bold red"}


@click.command("check")
@click.argument("path", type=click.Path(path_type=Path))
@output_option
def check(path: Path, output: Format) -> None:
    """Say whether DAG files that were written for Airflow run here.

    PATH is a file, or a folder whose files are checked one by one. Their source is read for what they import and set,
    and each is parsed as the dag processor parses it; nothing runs, and nothing is recorded. The exit status is 0 if
    nothing that they need is missing, else 1.

    \b
    Example:
      orchestrator compat check ~/airflow/dags
      orchestrator compat check dags/report.py -o json
    """
    with progress_bar("checking") as progress:
        found = check_path(edge.config(), path, progress=progress)
    if output in (Format.JSON, Format.YAML):
        show_object(_row(found), output)
    else:
        show_rows(
            [_short_row(one) for one in found.files], output, _COLUMNS, empty=f"No file below {path} uses Airflow."
        )
        _tell(found)
    click.get_current_context().exit(1 if found.verdicts[Kind.MISSING] else 0)


def _tell(found: Check) -> None:
    for one in found.files:
        for finding in one.findings:
            say(f"{finding.file}:{finding.line}: {finding.kind}: {finding.sentence}", style=_STYLES[finding.kind])
    if found.files:
        remark(_sum(len(found.files), found.verdicts))
    for feature, count in found.missing.items():
        remark(f"  missing in {count}: {feature}")


def _sum(files: int, counts: Mapping[str, int]) -> str:
    return (
        f"{files} file{'s' * (files > 1)}: {counts['runs']} run, {counts[Kind.DIFFERS]} run with differences, "
        f"{counts[Kind.MISSING]} miss something."
    )


def _row(found: Check) -> dict[str, Any]:
    return {
        "files": [
            _short_row(one) | {"findings": [_finding_row(finding) for finding in one.findings]} for one in found.files
        ],
        "verdicts": found.verdicts,
        "missing": found.missing,
    }


def _short_row(one: FileCheck) -> dict[str, Any]:
    return {"file": one.file, "verdict": one.verdict, "dags": list(one.dags)}


def _finding_row(finding: Finding) -> dict[str, Any]:
    return {
        "file": finding.file,
        "line": finding.line or None,
        "kind": finding.kind,
        "message": finding.sentence,
        "feature": finding.feature or None,
    }
