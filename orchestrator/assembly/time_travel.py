"""Time travel: a run as it was after one of its facts, in the rows that the present is shown in."""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from orchestrator.assembly.folding import Tell, folded
from orchestrator.assembly.home import Home
from orchestrator.core.events import Recorded
from orchestrator.core.reasons import Reason, Usage
from orchestrator.core.run import Run
from orchestrator.core.story import why
from orchestrator.core.words import Words
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.exceptions import NotFoundError
from orchestrator.names import UNMAPPED, TaskState
from orchestrator.storage.views import ActivityRow, RunRow

_UNLIMITED = (0, -1)


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A run after ``fact``. ``open`` are the activities that a worker had, ``reasons`` what it waited for.

    ``state`` is the fold.
    """

    fact: Recorded
    state: Run
    run: RunRow
    tasks: list[ActivityRow]
    open: list[ActivityRow]
    reasons: list[Reason]


def as_of(home: Home, run: RunRow, seq: int, tell: Tell) -> Moment:
    """The run after that fact; NotFoundError where it has none of that seq."""
    require_seq(run, seq)
    words = Words()
    then = folded(home, run, until=seq, tell=tell, hear=words.hear)
    fact = home.reads.facts_at(run.run_key, [seq])[seq]
    tasks = list(_activities(then))
    return Moment(
        fact=fact,
        state=then,
        run=_run_row(home, run, then),
        tasks=tasks,
        open=[task for task in tasks if (task.task_id, task.map_index) in then.open],
        reasons=why(then, now=fact.at, usage=_roomy(then), failure_of=words.of, callbacks=words.callbacks.values()),
    )


def require_seq(run: RunRow, seq: int) -> int:
    """The seq, where the run has such a fact; NotFoundError where it has none."""
    if not 1 <= seq <= run.last_seq:
        raise NotFoundError(f"run {run.run_id!r} of DAG {run.dag_id!r} has facts 1 to {run.last_seq}, and none {seq}")
    return seq


def _run_row(home: Home, run: RunRow, then: Run) -> RunRow:
    block = then.blocked if isinstance(then, WorkflowRun) else None
    return replace(
        run,
        state=then.state,
        reason=then.reason if block is None else block.message,
        blocked=None if block is None else block.kind,
        version_id=then.version_id,
        version_number=home.reads.numbers(run.dag_id).get(then.version_id, 0),
        is_paused=then.paused,
        is_cancelling=then.cancelling is not None,
        started_at=then.started_at,
        ended_at=then.ended_at,
        last_seq=then.seq,
        open_callbacks=len(then.callbacks),
        failed_callbacks=then.callbacks.failed,
    )


def _roomy(run: Run) -> Usage:
    """What other runs took is not in this one's history: nothing is said of it."""
    return Usage(pools={node.task.pool: _UNLIMITED for node in run.nodes.values()})


def _activities(run: Run) -> Iterator[ActivityRow]:
    """By task in topological order; of a mapped task and of a workflow's those that something is recorded of."""
    for task in run.plan.spec.tasks:
        node = run.nodes[task.task_id]
        found = sorted(node.activities()) or ([] if task.is_activity else [(UNMAPPED, node.one)])
        for map_index, activity in found:
            if activity.state is TaskState.REMOVED:
                continue
            yield ActivityRow(
                run_key=run.run_key,
                task_id=task.task_id,
                map_index=map_index,
                state=activity.state,
                attempt=activity.attempt,
                generation=activity.generation,
                failures=activity.failures,
                losses=activity.losses,
                scheduled_at=activity.scheduled_at,
                started_at=activity.started_at,
                ended_at=activity.ended_at,
                retry_at=activity.retry_at,
                scheduled_seq=activity.scheduled_seq,
                result_seq=activity.result_seq,
                length=activity.length,
                worker=activity.worker,
                pool=task.pool,
                pool_slots=task.pool_slots,
                operator=task.operator,
                asked_seq=activity.deferred_seq if activity.is_asking else None,
                rendered_map_index=node.called(map_index),
            )
