"""``orchestrator runs show``: a run as it is, or as it was."""

from typing import Any, NamedTuple

import click

from orchestrator.assembly.background import Background, background
from orchestrator.assembly.folding import folded
from orchestrator.assembly.heartbeats import last_beats
from orchestrator.assembly.home import Home
from orchestrator.assembly.time_travel import Moment, as_of
from orchestrator.cli import rows
from orchestrator.cli.background import background_fields, background_row, has_tables, show_background
from orchestrator.cli.dates import date_or_none, is_seq
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import dag_argument, run_argument, with_home
from orchestrator.cli.output import Format, output_option, show_object, show_rows
from orchestrator.cli.render.bar import progress_bar
from orchestrator.cli.render.console import moment, say
from orchestrator.cli.why import reason_row, say_reasons
from orchestrator.core.run import Run
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.names import DagKind
from orchestrator.storage.views import RunRow

_RUN_FIELDS = (
    "dag_id",
    "run_id",
    "state",
    "reason",
    "run_type",
    "logical_date",
    "queued_at",
    "start_date",
    "end_date",
    "duration",
    "version",
    "conf",
)


@click.command("show")
@dag_argument
@run_argument
@click.option("--at", "at", metavar="SEQ|DATE", help="As it was after the fact of that seq, or at that moment.")
@output_option
@with_home
def show(home: Home, dag_id: str, run_id: str | None, at: str | None, output: Format) -> None:
    """Show a run and its tasks.

    With --at they are shown as they were then, with what was open and what the run waited for.

    \b
    Example:
      orchestrator runs show order_1001
      orchestrator runs show order_1001 manual__2026-01-31T06:00:00+00:00 --at 7
    """
    run = find_run(home, dag_id, run_id)
    if at is None:
        found = home.reads.tasks(run)
        tasks = rows.task_rows(found, last_beats(home, run.run_key, found))
        row = rows.run_row(run) | {"conf": home.reads.conf(run)}
        _show(home, row, tasks, _Behind(run, background(home, run, _state(home, run))), _called(run), output)
        if output is Format.TABLE:
            _say_callbacks(run)
        return
    with progress_bar("Reading the history") as tell:
        then = as_of(home, run, seq_of(home, run, at), tell)
    row = rows.run_row(then.run) | {"conf": home.reads.conf(run)}
    if output is Format.TABLE:
        say(
            f"After fact {then.fact.seq} of {run.last_seq}, {type(then.fact.event).__name__}, at {moment(then.fact.at)}"
        )
    behind = _Behind(then.run, background(home, then.run, then.state, then.fact.seq))
    _show(home, row, [rows.task_row(task) for task in then.tasks], behind, _called(then.run) | _then(then), output)
    if output is Format.TABLE:
        _say_callbacks(then.run)
        print()
        say_reasons(then.reasons)


def _called(run: RunRow) -> dict[str, Any]:
    return {"callbacks": {"open": run.open_callbacks, "failed": run.failed_callbacks}}


def _say_callbacks(run: RunRow) -> None:
    if run.open_callbacks:
        say(f"\nCallbacks that are being called, or wait for a worker: {run.open_callbacks}")
    if run.failed_callbacks:
        say(f"\nCallbacks that failed, which changes no state: {run.failed_callbacks}; runs why tells of them")


def seq_of(home: Home, run: RunRow, word: str) -> int:
    """The seq that is meant by a number, or of the last fact up to a moment. NotFoundError if the run began later."""
    if is_seq(word):
        return int(word)
    at = date_or_none(word, home.config)
    if at is None:
        raise UsageError(f"{word!r} is neither a seq nor a date; write it like 7 or 2026-01-31T06:00:00+00:00")
    if (seq := home.reads.seq_at(run.run_key, at)) == 0:
        raise NotFoundError(f"nothing is recorded of run {run.run_id!r} up to {moment(at)}; it was created later")
    return seq


def _then(then: Moment) -> dict[str, Any]:
    """What the present has no need to say."""
    return {
        "at": {"seq": then.fact.seq, "at": then.fact.at, "type": type(then.fact.event).__name__},
        "open": [
            {"task_id": task.task_id, "map_index": task.map_index, "attempt": task.attempt, "state": task.state}
            for task in then.open
        ],
        "reasons": [reason_row(reason) for reason in then.reasons],
    }


class _Behind(NamedTuple):
    """A run and its background."""

    run: RunRow
    background: Background


def _state(home: Home, run: RunRow) -> Run | None:
    """The fold of an open workflow, which alone says what it waits for."""
    if run.is_pending or run.is_ended or home.reads.dag(run.dag_id).kind is not DagKind.WORKFLOW:
        return None
    with progress_bar("Reading the history") as tell:
        return folded(home, run, tell=tell)


def _show(
    home: Home, row: rows.Row, tasks: list[rows.Row], behind: _Behind, more: dict[str, Any], output: Format
) -> None:
    found = background_row(home, behind.background)
    if output in (Format.JSON, Format.YAML):
        show_object(row | found | {"tasks": tasks} | more, output)
        return
    fields = background_fields(behind.run, behind.background)
    show_object({name: row[name] for name in _RUN_FIELDS} | fields, output)
    if tasks or not has_tables(found):
        print()
        is_workflow = behind.background.kind is DagKind.WORKFLOW
        empty = "It has not called an activity yet." if is_workflow else "It has no tasks."
        show_rows(tasks, output, rows.TASK_COLUMNS, empty=empty)
    if output is Format.TABLE:
        show_background(found)
