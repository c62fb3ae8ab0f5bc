"""Runs: how one is made, and read from its history."""

from collections.abc import Callable, Iterable, Iterator

from orchestrator.core.events import Recorded, RunContinued, RunCreated, RunMoved, RunReset
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.exceptions import HistoryConflictError
from orchestrator.names import DagKind

Plans = Callable[[int], Plan]
History = Callable[[], Iterable[Recorded]]


def new_run(run_key: int, plan: Plan, first: Recorded) -> Run:
    """A run at its first fact, of the kind that its DAG is."""
    kind = WorkflowRun if plan.spec.kind is DagKind.WORKFLOW else Run
    return kind(run_key, plan, first)


def replay(
    run_key: int, facts: Iterable[Recorded], plans: Plans, again: History | None = None, *, lean: bool = False
) -> Run:
    """Fold a whole history; ``plans`` gives the plan of a version.

    ``again`` gives the facts from the first on once more, for a run that was reset; needed where ``facts`` can be
    read only once. ``lean``: let go of the calls that a workflow left behind where it began anew, as a run in memory
    does once they are written down.
    """
    kept = facts if isinstance(facts, list | tuple) or again is not None else list(facts)
    rest = iter(kept)
    first = next(rest, None)
    if first is None or not isinstance(first.event, RunCreated):
        raise HistoryConflictError(f"run {run_key} has no history that begins with RunCreated")
    run = new_run(run_key, plans(first.event.version_id), first)
    for fact in rest:
        if lean and isinstance(fact.event, RunContinued):
            run.touched.clear()
        take_in(run, fact, plans, again or (lambda: kept))
    return run


def take_in(run: Run, fact: Recorded, plans: Plans, history: History) -> None:
    """Apply the next fact, and what it asks for besides: another plan, or the run as it was.

    ``history`` gives the run's facts from the first on; those after what is asked for are not looked at.
    """
    run.apply(fact)
    if isinstance(fact.event, RunMoved):
        run.move(plans(fact.event.version_id))
    elif isinstance(fact.event, RunReset):
        run.rewind(replay_until(run.run_key, history, plans, fact.event.seq))


def replay_until(run_key: int, history: History, plans: Plans, seq: int) -> Run:
    """The run as it was after ``seq``; HistoryConflictError if there is nothing up to there."""
    return replay(run_key, _until(history(), seq), plans, again=lambda: _until(history(), seq))


def _until(facts: Iterable[Recorded], seq: int) -> Iterator[Recorded]:
    for fact in facts:
        if fact.seq > seq:
            return
        yield fact
