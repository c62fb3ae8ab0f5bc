"""``orchestrator runs why``."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from orchestrator.assembly.home import Home
from orchestrator.cli.following import scheduler_is_there
from orchestrator.cli.lookup import find_run, require_task, spec_version
from orchestrator.cli.options import dag_argument, run_ids, with_home
from orchestrator.cli.output import Format, output_option, show_rows
from orchestrator.cli.render.console import say
from orchestrator.core.plan import Plan
from orchestrator.core.reasons import Cause, Reason, Usage
from orchestrator.core.run import replay
from orchestrator.core.story import said
from orchestrator.core.story import why as reasons_of
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.storage.views import RunRow


@click.command("why")
@dag_argument
@click.argument("words", metavar="[RUN] [TASK]", nargs=-1, shell_complete=run_ids)
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
    reasons = [*_about_the_scheduler(home, run), *tell(home, run, task_id)]
    if output is Format.TABLE:
        for reason in reasons:
            say(sentence_of(reason))
        return
    show_rows([_row(reason) for reason in reasons], output, ["cause", "task_id", "sentence"], empty="")


def _row(reason: Reason) -> dict[str, Any]:
    map_index = None if reason.task_id is None else reason.map_index
    return {"cause": reason.cause, "task_id": reason.task_id, "map_index": map_index, "sentence": reason.sentence}


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


def _about_the_scheduler(home: Home, run: RunRow) -> Iterator[Reason]:
    if not run.is_ended and not scheduler_is_there(home):
        sentence = "no scheduler is running, so nothing goes on until one is started with `orchestrator standalone`"
        yield Reason(cause=Cause.NO_SCHEDULER, sentence=sentence)


def sentence_of(reason: Reason) -> str:
    """A reason as a line of its own; a task's id begins it as it is."""
    sentence = reason.sentence.rstrip(".")
    return f"{sentence}." if reason.task_id else f"{sentence[:1].upper()}{sentence[1:]}."


def tell(home: Home, run: RunRow, task_id: str | None = None) -> list[Reason]:
    """What the run's history says of it, or of one of its tasks."""
    if run.is_pending:
        return [Reason(cause=Cause.RUN_QUEUED, sentence=f"the run {run.reason}")]
    facts = home.reads.history(run.run_key)
    words = said(facts)
    return reasons_of(
        replay(run.run_key, facts, lambda version_id: Plan(home.reads.spec(version_id), version_id)),
        task_id,
        now=datetime.now(UTC),
        usage=_usage(home, run),
        failure_of=lambda name, map_index: words.get((name, map_index)),
    )


def _usage(home: Home, run: RunRow) -> Usage:
    open_attempts = home.reads.open_attempts()
    return Usage(
        open_attempts=sum(one.attempts for one in open_attempts),
        parallelism=home.config.core.parallelism,
        pools={pool.name: (pool.queued + pool.running, pool.slots) for pool in home.reads.pools()},
        tasks={one.task_id: one.attempts for one in open_attempts if one.dag_id == run.dag_id},
        active_runs=home.reads.runs_ahead(run),
        max_active_runs=home.reads.dag(run.dag_id).header.max_active_runs,
    )
