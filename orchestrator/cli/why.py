"""``orchestrator runs why``."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import click

from orchestrator.assembly.asking import replay_run
from orchestrator.assembly.folding import folded
from orchestrator.assembly.home import Home
from orchestrator.assembly.past import obstacles, spoken_of
from orchestrator.cli.alive import with_beats
from orchestrator.cli.following import scheduler_is_there
from orchestrator.cli.lookup import find_run, require_task, spec_version
from orchestrator.cli.options import dag_argument, runs_then_tasks, with_home
from orchestrator.cli.output import Format, output_option, show_rows
from orchestrator.cli.render.bar import progress_bar
from orchestrator.cli.render.console import moment, remark, say
from orchestrator.core.activations import Standing
from orchestrator.core.reasons import Cause, Reason, Usage
from orchestrator.core.run import Run
from orchestrator.core.story import why as reasons_of
from orchestrator.core.words import Words
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.exceptions import NotFoundError, OrchestratorError, UsageError
from orchestrator.names import RunState
from orchestrator.storage.views import OpenCount, RunRow

_CHAIN_ENDS = 3
_SOME_RUNS = 5


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
    reasons = [*_about_the_scheduler(home, run), *tell(home, run, task_id)]
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


def _about_the_scheduler(home: Home, run: RunRow) -> Iterator[Reason]:
    if not run.is_ended and not scheduler_is_there(home):
        sentence = "no scheduler is running, so nothing goes on until one is started with `orchestrator standalone`"
        yield Reason(cause=Cause.NO_SCHEDULER, sentence=sentence)


def sentence_of(reason: Reason) -> str:
    """A reason as a line of its own; a task's id or a file's name begins it as it is."""
    sentence = reason.sentence.rstrip(".")
    is_name = reason.task_id or (reason.where is not None and sentence.startswith(reason.where))
    return f"{sentence}." if is_name else f"{sentence[:1].upper()}{sentence[1:]}."


def tell(home: Home, run: RunRow, task_id: str | None = None) -> list[Reason]:
    """What the run's history says of it, or of one of its tasks."""
    if run.is_pending:
        return [Reason(cause=Cause.RUN_QUEUED, sentence=f"the run {run.reason}")]
    words = Words()
    with progress_bar("Reading the history") as progress:
        folded_run = folded(home, run, tell=progress, hear=words.hear)
    standing, misfit = _asked(home, run, folded_run) if task_id is None else (Standing(), [])
    reasons = reasons_of(
        folded_run,
        task_id,
        now=datetime.now(UTC),
        usage=_usage(home, run, folded_run),
        failure_of=words.of,
        standing=standing,
        callbacks=words.callbacks.values(),
    )
    return misfit + with_beats(home, run, reasons)


def _asked(home: Home, run: RunRow, state: Run) -> tuple[Standing, list[Reason]]:
    """Where the code of an open workflow stands, and why it could not go on if there were news.

    It is replayed for that, since no fact says so. It stands nowhere where there is nothing to replay, where it cannot
    be, or where it asks for more than is recorded so far.
    """
    if not isinstance(state, WorkflowRun) or not state.is_replayed or state.is_inert or state.started_at is None:
        return Standing(), []
    try:
        with progress_bar("Asking the code") as tell:
            found = replay_run(home, run, looks=True, tell=tell)
    except OrchestratorError as error:
        remark(f"The code cannot be asked what it waits for: {error}")
        return Standing(), []
    block = found.block
    if block is None:
        return Standing() if found.commands else found.standing, []
    sentence = (
        f"the code of its version does not go through its history ({block.kind}), and will be blocked at the next "
        f"news: {block.message.rstrip('.')}"
    )
    return Standing(), [Reason(cause=Cause.BLOCKED, sentence=sentence, where=block.where, frames=block.frames)]


def _usage(home: Home, run: RunRow, state: Run) -> Usage:
    open_attempts = home.reads.open_attempts()
    ahead = home.reads.runs_ahead(run)
    return Usage(
        open_attempts=sum(one.attempts for one in open_attempts),
        parallelism=home.config.core.parallelism,
        pools={pool.name: (pool.queued + pool.running, pool.slots) for pool in home.reads.pools()},
        tasks={one.task_id: one.attempts for one in open_attempts if one.dag_id == run.dag_id},
        active_runs=ahead,
        max_active_runs=home.reads.dag(run.dag_id).header.max_active_runs,
        holders=_holders(open_attempts),
        ahead=tuple(one.run_id for one in _running(home, run)) if ahead else (),
        past={task_id: spoken_of(found, run.dag_id) for task_id, found in obstacles(home, run, state).items()},
    )


def _running(home: Home, run: RunRow) -> list[RunRow]:
    found = home.reads.runs(run.dag_id, states=[RunState.RUNNING], limit=_SOME_RUNS)
    return [one for one in found if one.run_key != run.run_key and not one.is_ended]


def _holders(open_attempts: Iterable[OpenCount]) -> dict[str, tuple[str, ...]]:
    """Who has the slots of each pool, most slots first."""
    found: dict[str, list[OpenCount]] = {}
    for one in sorted(open_attempts, key=lambda one: -one.slots):
        found.setdefault(one.pool, []).append(one)
    return {
        pool: tuple(f"{one.dag_id}.{one.task_id} ({one.slots})" for one in counts) for pool, counts in found.items()
    }
