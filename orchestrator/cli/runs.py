"""``orchestrator runs``: how runs stand, what is recorded of them, and stopping them."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta

import click

from orchestrator.assembly.home import Home
from orchestrator.cli import rows
from orchestrator.cli.dates import is_seq, read_date
from orchestrator.cli.following import show_verdict, submit
from orchestrator.cli.lookup import find_run, spec_version
from orchestrator.cli.options import dag_argument, run_argument, who, with_home
from orchestrator.cli.output import Format, output_option, plain_data, show_rows
from orchestrator.cli.printable import json_text
from orchestrator.cli.render.console import out, remark
from orchestrator.cli.render.strip import print_legend, print_strip
from orchestrator.core.events import Recorded, RunCancelRequested
from orchestrator.core.requests import CancelRun, PauseRun, ResumeRun
from orchestrator.names import DagKind
from orchestrator.storage.views import RunRow

_MICROSECOND = timedelta(microseconds=1)
_CLEAN_UP_SECONDS = 1.0
_LOOK_SECONDS = 0.05


@click.command("history")
@dag_argument
@run_argument
@click.option("--task", "task_id", help="Only what concerns this task.")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only what has a higher seq.")
@click.option("--from", "since", metavar="SEQ|DATE", help="Only this fact and later ones.")
@click.option("--to", "until", metavar="SEQ|DATE", help="Only this fact and earlier ones.")
@output_option
@with_home
def history(
    home: Home,
    dag_id: str,
    run_id: str | None,
    task_id: str | None,
    after: int,
    since: str | None,
    until: str | None,
    output: Format,
) -> None:
    """Show everything that is recorded of a run.

    Blue (◇) is what the engine decided or a person asked for, red (◆) what happened in a worker.

    \b
    Example:
      orchestrator runs history order_1001
      orchestrator runs history order_1001 --from 2026-01-31T06:00 --to 2026-01-31T06:05
    """
    run = find_run(home, dag_id, run_id)
    if run.is_pending:
        remark("Nothing is recorded yet: no scheduler has taken the run up.")
    found = home.reads.facts(run.run_key, after=max(after, _before(home, run, since)), until=_last(home, run, until))
    facts = (fact for fact in found if task_id in (None, getattr(fact.event, "task_id", None)))
    numbers = home.reads.numbers(dag_id)
    match output:
        case Format.TABLE:
            print_legend(out())
            print_strip(out(), facts, numbers)
        case Format.JSON:
            _print_json_stream(facts, numbers)
        case _:
            events = [rows.event_row(fact, numbers) for fact in facts]
            show_rows(events, output, ["seq", "at", "type", "task_id", "map_index", "attempt"], empty="")


def _before(home: Home, run: RunRow, since: str | None) -> int:
    """The seq of the last fact that is left out at the beginning."""
    if since is None:
        return 0
    at = None if is_seq(since) else read_date(since, home.config)
    return int(since) - 1 if at is None else home.reads.seq_at(run.run_key, at - _MICROSECOND)


def _last(home: Home, run: RunRow, until: str | None) -> int | None:
    if until is None:
        return None
    return int(until) if is_seq(until) else home.reads.seq_at(run.run_key, read_date(until, home.config))


def _print_json_stream(facts: Iterator[Recorded], numbers: Mapping[int, int]) -> None:
    """A JSON list with an item a line, whatever its length."""
    lead = "[\n"
    for fact in facts:
        sys.stdout.write(lead + json_text(json.dumps(plain_data(rows.event_row(fact, numbers)), ensure_ascii=False)))
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

    Teardowns still run, and the code of a workflow hears of it and may clean up first; once more, or where the code is
    blocked, ends the run at once.

    \b
    Example:
      orchestrator runs cancel order_1001 --reason 'wrong amount'
    """
    run = find_run(home, dag_id, run_id)
    _ask(home, CancelRun(dag_id=dag_id, run_id=run.run_id, by=who(), reason=reason), "Cancelled", output)
    if output is Format.TABLE and not run.is_pending:
        _say_what_is_left(home, run)


def _say_what_is_left(home: Home, run: RunRow) -> None:
    """That a run has not ended yet, where that may take its time."""
    is_workflow = home.reads.dag(run.dag_id).kind is DagKind.WORKFLOW
    if not is_workflow and not any(task.is_teardown for task in home.reads.spec(spec_version(home, run)).tasks):
        return
    deadline = time.monotonic() + _CLEAN_UP_SECONDS
    while not (now := home.reads.run_by_key(run.run_key)).is_ended and not now.blocked:
        if time.monotonic() > deadline:
            break
        time.sleep(_LOOK_SECONDS)
    if now.is_ended and run.blocked:
        remark(_cleaning_up_later(home, now))
    if now.is_ended or not now.is_cancelling:
        return
    why = "its code is told, and may clean up" if is_workflow else "its teardowns run"
    why = "its code is blocked, and cannot clean up" if now.blocked else why
    remark(f"It has not ended yet: {why}. The same command once more ends it at once.")


def _cleaning_up_later(home: Home, run: RunRow) -> str:
    """What is left to do where blocked code was ended."""
    asked = home.reads.facts_of(run.run_key, (RunCancelRequested,), until=run.last_seq)[-1].seq
    command = f"orchestrator runs reset {run.dag_id} '{run.run_id}' --to {asked} --latest"
    return f"It has ended without cleaning up, since its code was blocked. Mended code can do that still: {command}"


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

    The code of a workflow that is blocked is tried again.

    \b
    Example:
      orchestrator runs resume order_1001
    """
    run = find_run(home, dag_id, run_id)
    _ask(home, ResumeRun(dag_id=dag_id, run_id=run.run_id, by=who()), "Resumed", output)


def _ask(home: Home, request: CancelRun | PauseRun | ResumeRun, done: str, output: Format) -> None:
    show_verdict(request, submit(home, request), f"{done} {request.run_id} of {request.dag_id}.", output)
