"""``orchestrator runs diff``."""

from typing import Any

import click
import msgspec

from orchestrator.assembly.comparing import Compared, Difference, Shown, compared
from orchestrator.assembly.home import Home
from orchestrator.cli import rows
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import dag_argument, dag_ids, run_ids, with_home
from orchestrator.cli.output import Format, output_option, show_object, show_rows
from orchestrator.cli.render.bar import progress_bar
from orchestrator.cli.render.console import cell, duration, out, remark, say
from orchestrator.cli.render.strip import print_strip
from orchestrator.core.reasons import named
from orchestrator.exceptions import ConflictError, NotFoundError, UsageError
from orchestrator.storage.views import RunRow

_MOST_ROWS = 50
_COLUMNS = ("task_id", "differs", "a", "b")


@click.command("diff")
@dag_argument
@click.argument("run_a", metavar="RUN_A", shell_complete=run_ids)
@click.argument("run_b", metavar="RUN_B", shell_complete=run_ids)
@click.option("--other-dag", metavar="DAG", shell_complete=dag_ids, help="RUN_B is a run of this DAG.")
@output_option
@with_home
def diff(home: Home, dag_id: str, run_a: str, run_b: str, other_dag: str | None, output: Format) -> None:
    """Compare two runs: where they diverge.

    What came out otherwise is shown from both sides. Activities are paired by task and map index, calls of a workflow
    by activity and occurrence.

    \b
    Example:
      orchestrator runs diff order_1001 manual__2026-01-31T06:00:00+00:00 manual__2026-02-01T06:00:00+00:00
    """
    one, other = find_run(home, dag_id, run_a), _other(home, dag_id, run_b, other_dag)
    for run in (one, other):
        if run.is_pending:
            raise ConflictError(f"nothing is recorded of run {run.run_id!r} yet: {run.reason}")
    with progress_bar("Reading both histories") as tell:
        found = compared(home, one, other, tell)
    match output:
        case Format.TABLE:
            _print(home, found, one, other)
        case Format.PLAIN:
            show_rows([_line(difference) for difference in found.differences], output, _COLUMNS, empty="No difference.")
        case _:
            show_object(_object(home, found, one, other), output)


def _other(home: Home, dag_id: str, run_id: str, other_dag: str | None) -> RunRow:
    try:
        return find_run(home, other_dag or dag_id, run_id)
    except NotFoundError as error:
        elsewhere = [] if other_dag else home.reads.dags_with_run(run_id)
        if not elsewhere:
            raise
        raise UsageError(
            f"run {run_id!r} is one of DAG {elsewhere[0]!r}, not of {dag_id!r}; to compare them all the same, add "
            f"--other-dag {elsewhere[0]}"
        ) from error


def _object(home: Home, found: Compared, one: RunRow, other: RunRow) -> dict[str, Any]:
    diverge = None
    if found.diverge is not None:
        diverge = {
            name: None if fact is None else rows.event_row(fact, home.reads.numbers(run.dag_id))
            for name, fact, run in zip("ab", found.diverge, (one, other), strict=True)
        }
    return {
        "a": rows.run_row(one),
        "b": rows.run_row(other),
        "is_same": found.is_same,
        "run": {name: {"a": a, "b": b} for name, (a, b) in found.run.items()},
        "diverges_at": diverge,
        "counts": found.counts,
        "activities": [msgspec.structs.asdict(difference) for difference in found.differences],
    }


def _print(home: Home, found: Compared, one: RunRow, other: RunRow) -> None:
    say(f"a: {one.dag_id} {one.run_id}")
    say(f"b: {other.dag_id} {other.run_id}")
    for name, (a, b) in found.run.items():
        words = (duration(a or 0), duration(b or 0)) if name == "duration" else (cell(a), cell(b))
        say(f"{name}: {words[0] or '(none)'} → {words[1] or '(none)'}")
    if found.diverge is not None:
        print()
        say("They first say something else here:")
        for name, fact, run in zip("ab", found.diverge, (one, other), strict=True):
            if fact is None:
                say(f"{name}: (nothing of the kind)")
            else:
                print_strip(out(), [fact], home.reads.numbers(run.dag_id))
    print()
    counts = found.counts
    say(
        f"{counts['alike']} activities are alike, {counts['different']} differ, {counts['only_a']} are in a only, "
        f"{counts['only_b']} in b only."
    )
    if found.differences:
        lines = [_line(difference) for difference in found.differences[:_MOST_ROWS]]
        show_rows(lines, Format.TABLE, _COLUMNS, empty="")
    if len(found.differences) > _MOST_ROWS:
        remark(f"{len(found.differences) - _MOST_ROWS} more differ; -o json shows all of them.")


def _line(difference: Difference) -> dict[str, Any]:
    return {
        "task_id": named(difference.task_id, difference.map_index),
        "differs": ", ".join(difference.differs),
        "a": _words(difference.a, difference.differs),
        "b": _words(difference.b, difference.differs),
    }


def _words(half: Shown | None, differs: tuple[str, ...]) -> str:
    if half is None:
        return "(not there)"
    parts = [half.state]
    if "attempts" in differs:
        parts.append(f"{half.attempts} attempts")
    if half.duration is not None:
        parts.append(duration(half.duration))
    if "input" in differs:
        parts.append(f"given {half.input or 'nothing'}")
    if "result" in differs:
        parts.append(f"→ {half.result or 'nothing'}")
    return ", ".join(parts)
