"""``orchestrator runs``: how runs stand, what is recorded of them, and stopping them."""

import json
import sys
from collections.abc import Iterator

import click

from orchestrator.assembly.home import Home
from orchestrator.cli import rows
from orchestrator.cli.following import show_verdict, submit
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import dag_argument, run_argument, who, with_home
from orchestrator.cli.output import Format, output_option, plain_data, show_object, show_rows
from orchestrator.cli.printable import json_text
from orchestrator.cli.render.console import out, remark
from orchestrator.cli.render.strip import print_legend, print_strip
from orchestrator.core.events import Recorded
from orchestrator.core.requests import CancelRun, PauseRun, ResumeRun

_PAGE = 1000
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
@output_option
@with_home
def show(home: Home, dag_id: str, run_id: str | None, output: Format) -> None:
    """Show a run and its tasks.

    \b
    Example:
      orchestrator runs show order_1001
      orchestrator runs show order_1001 manual__2026-01-31T06:00:00+00:00 -o json
    """
    run = find_run(home, dag_id, run_id)
    tasks = [rows.task_row(task) for task in home.reads.tasks(run)]
    row = rows.run_row(run) | {"conf": home.reads.conf(run)}
    if output in (Format.JSON, Format.YAML):
        show_object(row | {"tasks": tasks}, output)
        return
    show_object(row, output, _RUN_FIELDS)
    print()
    show_rows(tasks, output, rows.TASK_COLUMNS, empty="It has no tasks.")


@click.command("history")
@dag_argument
@run_argument
@click.option("--task", "task_id", help="Only what concerns this task.")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only what has a higher seq.")
@output_option
@with_home
def history(home: Home, dag_id: str, run_id: str | None, task_id: str | None, after: int, output: Format) -> None:
    """Show everything that is recorded of a run.

    Blue (◇) is what the engine decided or a person asked for, red (◆) what happened in a worker.

    \b
    Example:
      orchestrator runs history order_1001
    """
    run = find_run(home, dag_id, run_id)
    if run.is_pending:
        remark("Nothing is recorded yet: no scheduler has taken the run up.")
    facts = _facts(home, run.run_key, after, task_id)
    match output:
        case Format.TABLE:
            print_legend(out())
            print_strip(out(), facts)
        case Format.JSON:
            _print_json_stream(facts)
        case _:
            events = [rows.event_row(fact) for fact in facts]
            show_rows(events, output, ["seq", "at", "type", "task_id", "map_index", "attempt"], empty="")


def _facts(home: Home, run_key: int, after: int, task_id: str | None) -> Iterator[Recorded]:
    while page := home.reads.history(run_key, after=after, limit=_PAGE):
        after = page[-1].seq
        yield from (fact for fact in page if task_id in (None, getattr(fact.event, "task_id", None)))


def _print_json_stream(facts: Iterator[Recorded]) -> None:
    """A JSON list with an item a line, whatever its length."""
    lead = "[\n"
    for fact in facts:
        sys.stdout.write(lead + json_text(json.dumps(plain_data(rows.event_row(fact)), ensure_ascii=False)))
        lead = ",\n"
    sys.stdout.write("\n]\n" if lead == ",\n" else "[]\n")


@click.command("cancel")
@dag_argument
@run_argument
@click.option("--reason", default="cancelled", help="Why, for the record.")
@output_option
@with_home
def cancel(home: Home, dag_id: str, run_id: str | None, reason: str, output: Format) -> None:
    """End a run: what runs is stopped, nothing new starts.

    \b
    Example:
      orchestrator runs cancel order_1001 --reason 'wrong amount'
    """
    run = find_run(home, dag_id, run_id)
    _ask(home, CancelRun(dag_id=dag_id, run_id=run.run_id, by=who(), reason=reason), "Cancelled", output)


@click.command("pause")
@dag_argument
@run_argument
@output_option
@with_home
def pause(home: Home, dag_id: str, run_id: str | None, output: Format) -> None:
    """Start nothing new in a run until it is resumed.

    What runs already goes on to its end.

    \b
    Example:
      orchestrator runs pause order_1001
    """
    run = find_run(home, dag_id, run_id)
    _ask(home, PauseRun(dag_id=dag_id, run_id=run.run_id, by=who()), "Paused", output)


@click.command("resume")
@dag_argument
@run_argument
@output_option
@with_home
def resume(home: Home, dag_id: str, run_id: str | None, output: Format) -> None:
    """Let a paused run go on.

    \b
    Example:
      orchestrator runs resume order_1001
    """
    run = find_run(home, dag_id, run_id)
    _ask(home, ResumeRun(dag_id=dag_id, run_id=run.run_id, by=who()), "Resumed", output)


def _ask(home: Home, request: CancelRun | PauseRun | ResumeRun, done: str, output: Format) -> None:
    show_verdict(request, submit(home, request), f"{done} {request.run_id} of {request.dag_id}.", output)
