"""``orchestrator runs why``."""

from collections.abc import Iterable, Iterator
from typing import Any

import click

from orchestrator.assembly.because import about_the_scheduler, from_history
from orchestrator.assembly.home import Home
from orchestrator.cli.alive import with_beats
from orchestrator.cli.lookup import find_run, require_task, spec_version
from orchestrator.cli.options import dag_argument, runs_then_tasks, with_home
from orchestrator.cli.output import Format, output_option, show_rows
from orchestrator.cli.render.bar import progress_bar
from orchestrator.cli.render.console import moment, remark, say
from orchestrator.core.reasons import Cause, Reason
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.storage.views import RunRow

_CHAIN_ENDS = 3


@click.command("why")
@dag_argument
@click.argument("words", metavar="[RUN] [TASK]", nargs=-1, shell_complete=runs_then_tasks)
@output_option
@with_home
def why(home: Home, dag_id: str, words: tuple[str, ...], output: Format) -> None:
    """Say why a run or task does not run, or why it ended so.

    \b
    Example:
      orchestrator runs why order_1001
      orchestrator runs why order_1001 manual__2026-01-31T06:00:00+00:00 ship_package
    """
    run, task_id = _run_and_task(home, dag_id, words)
    reasons = [*about_the_scheduler(home, run), *tell(home, run, task_id)]
    if output is Format.TABLE:
        say_reasons(reasons)
        return
    show_rows([reason_row(reason) for reason in reasons], output, ["cause", "task_id", "sentence"], empty="")


def say_reasons(reasons: Iterable[Reason]) -> None:
    """Each on a line, and below it the fact that says so and the tasks that lead there."""
    for reason in reasons:
        say(sentence_of(reason))
        if evidence := "; ".join(_evidence(reason)):
            say(f"  {evidence}", style="dim")
        for frame in reason.frames if len(reason.frames) > 1 else ():
            for line in frame.splitlines():
                say(f"    {line}", style="dim")


def _evidence(reason: Reason) -> Iterator[str]:
    if reason.seq and reason.since is not None:
        yield f"fact {reason.seq}, {moment(reason.since)}"
    if reason.where is not None and reason.where not in reason.sentence:
        yield reason.where
    if reason.chain and reason.cause is not Cause.SLOWEST:
        yield " ← ".join(_shortened(reason.chain))


def _shortened(chain: tuple[str, ...]) -> tuple[str, ...]:
    if len(chain) <= 2 * _CHAIN_ENDS + 1:
        return chain
    return (*chain[:_CHAIN_ENDS], f"… {len(chain) - 2 * _CHAIN_ENDS} more …", *chain[-_CHAIN_ENDS:])


def reason_row(reason: Reason) -> dict[str, Any]:
    """A reason as scripts read it; ``seq`` is of the fact that says so, ``chain`` leads from what was asked about."""
    return {
        "cause": reason.cause,
        "task_id": reason.task_id,
        "map_index": None if reason.task_id is None else reason.map_index,
        "sentence": reason.sentence,
        "since": reason.since,
        "seq": reason.seq or None,
        "where": reason.where,
        "traceback": reason.frames,
        "chain": reason.chain,
    }


def _run_and_task(home: Home, dag_id: str, words: tuple[str, ...]) -> tuple[RunRow, str | None]:
    """RUN and TASK, one of them or none: a lone word is a run, or else a task of the latest."""
    match words:
        case ():
            return find_run(home, dag_id, None), None
        case (word,):
            try:
                return find_run(home, dag_id, word), None
            except NotFoundError:
                return _latest_with(home, dag_id, word)
        case (run_id, task_id):
            return find_run(home, dag_id, run_id), task_id
        case _:
            raise UsageError("say at most a RUN and a TASK")


def _latest_with(home: Home, dag_id: str, task_id: str) -> tuple[RunRow, str]:
    run = find_run(home, dag_id, None)
    require_task(home.reads.spec(spec_version(home, run)), task_id)
    return run, task_id


def sentence_of(reason: Reason) -> str:
    """A reason as a line of its own; a task's id or a file's name begins it as it is."""
    sentence = reason.sentence.rstrip(".")
    is_name = reason.task_id or (reason.where is not None and sentence.startswith(reason.where))
    return f"{sentence}." if is_name else f"{sentence[:1].upper()}{sentence[1:]}."


def tell(home: Home, run: RunRow, task_id: str | None = None) -> list[Reason]:
    """What the run's history says of it, or of one of its tasks, and what the task said last."""
    return with_beats(home, run, from_history(home, run, task_id, bar=progress_bar, remark=remark))
