"""Because: why a run or a task does not run, or why it ended so."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime

from orchestrator.assembly.asking import replay_run
from orchestrator.assembly.folding import Tell, folded, untold
from orchestrator.assembly.home import Home
from orchestrator.assembly.past import obstacles, spoken_of
from orchestrator.assembly.settling import scheduler_is_there
from orchestrator.core.activations import Standing
from orchestrator.core.reasons import Cause, Reason, Usage
from orchestrator.core.run import Run
from orchestrator.core.story import why as reasons_of
from orchestrator.core.words import Words
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.exceptions import OrchestratorError
from orchestrator.names import RunState
from orchestrator.storage.views import OpenCount, RunRow

_SOME_RUNS = 5

Bar = Callable[[str], AbstractContextManager[Tell]]
"""Shows how far something has come that may take long."""


def _no_bar(_title: str) -> AbstractContextManager[Tell]:
    return nullcontext(untold)


def _unheard(_sentence: str) -> None:
    """Nobody wants to read it."""


def reasons(
    home: Home,
    run: RunRow,
    task_id: str | None = None,
    *,
    bar: Bar = _no_bar,
    remark: Callable[[str], None] = _unheard,
) -> list[Reason]:
    """Everything that keeps the run, or one of its tasks, from going on, or made it end so."""
    return [*about_the_scheduler(home, run), *from_history(home, run, task_id, bar=bar, remark=remark)]


def about_the_scheduler(home: Home, run: RunRow) -> Iterator[Reason]:
    """Whether there is nobody to let it go on."""
    if not run.is_ended and not scheduler_is_there(home):
        sentence = "no scheduler is running, so nothing goes on until one is started with `orchestrator standalone`"
        yield Reason(cause=Cause.NO_SCHEDULER, sentence=sentence)


def from_history(
    home: Home, run: RunRow, task_id: str | None, *, bar: Bar = _no_bar, remark: Callable[[str], None] = _unheard
) -> list[Reason]:
    """What the run's history says of it, or of one of its tasks."""
    if run.is_pending:
        return [Reason(cause=Cause.RUN_QUEUED, sentence=f"the run {run.reason}")]
    words = Words()
    with bar("Reading the history") as progress:
        folded_run = folded(home, run, tell=progress, hear=words.hear)
    standing, misfit = _asked(home, run, folded_run, bar, remark) if task_id is None else (Standing(), [])
    found = reasons_of(
        folded_run,
        task_id,
        now=datetime.now(UTC),
        usage=_usage(home, run, folded_run),
        failure_of=words.of,
        standing=standing,
        callbacks=words.callbacks.values(),
    )
    return misfit + found


def _asked(
    home: Home, run: RunRow, state: Run, bar: Bar, remark: Callable[[str], None]
) -> tuple[Standing, list[Reason]]:
    """Where the code of an open workflow stands, and why it could not go on if there were news.

    It is replayed for that, since no fact says so. It stands nowhere where there is nothing to replay, where it cannot
    be, or where it asks for more than is recorded so far.
    """
    if not isinstance(state, WorkflowRun) or not state.is_replayed or state.is_inert or state.started_at is None:
        return Standing(), []
    try:
        with bar("Asking the code") as tell:
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
