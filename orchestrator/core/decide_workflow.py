"""``decide_workflow``: what should happen next in one run of a workflow. Pure policy; its code is not run here."""

import heapq
from collections.abc import Iterator
from datetime import datetime

from orchestrator.core.activity import is_timed
from orchestrator.core.commands import (
    Activate,
    CancelAttempt,
    CancelChild,
    CancelRun,
    Command,
    FireTimer,
    ResumeActivity,
    ScheduleActivity,
    StartRun,
)
from orchestrator.core.run import Run
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import TaskState

_WAITING = frozenset({TaskState.SCHEDULED, TaskState.UP_FOR_RETRY, TaskState.UP_FOR_RESCHEDULE})


def decide_workflow(run: WorkflowRun, now: datetime) -> list[Command]:
    """What the run wants done at ``now``; empty when it only waits. Each command is named once.

    Activate stands for an activation that tells everything up to ``run.seq``: the run takes it as under way.
    """
    commands = ended_things(run)
    if run.is_ended:
        return commands
    if run.cancelling is None and (stop := overdue(run, now)) is not None:
        return [*commands, stop]
    if run.paused:
        return commands
    if run.started_at is None:
        commands.append(StartRun())
    commands += (FireTimer(timer_id=timer_id) for timer_id in run.take_due_timers(now))
    commands += _calls(run, now)
    if run.has_news and run.is_replayed:
        run.told(run.seq)
        commands.append(Activate())
    return commands


def ended_things(run: Run) -> list[Command]:
    """What is to be brought to an end, of attempts and of children."""
    if not (run.doomed or run.unwanted):
        return []
    commands: list[Command] = [CancelAttempt(key=key) for key in run.take_doomed()]
    for child in run.take_unwanted():
        command = CancelChild(child_id=child.child_id, child_run_key=child.child_run_key, reason=_why(run))
        commands.append(command)
    return commands


def _why(run: Run) -> str:
    if run.is_ended:
        return f"its parent, run {run.run_id!r} of DAG {run.dag_id!r}, has ended"
    return f"its parent, run {run.run_id!r} of DAG {run.dag_id!r}, does not want it any more"


def overdue(run: Run, now: datetime) -> CancelRun | None:
    """The end of a run whose time is up."""
    if run.deadline is None or now < run.deadline:
        return None
    return CancelRun(by="dagrun_timeout", reason=f"it ran longer than its time-out of {run.plan.spec.dagrun_timeout}")


def _calls(run: WorkflowRun, now: datetime) -> Iterator[ScheduleActivity | ResumeActivity]:
    before: tuple[datetime, str, int] | None = None
    while run.due and run.due[0][0] <= now:
        when, task_id, map_index = one = heapq.heappop(run.due)
        if one == before:  # it was put off twice until the same moment
            continue
        before = one
        node = run.nodes.get(task_id)
        activity = node.peek(map_index) if node else None
        if activity is None or activity.retry_at != when:
            continue
        if is_timed(activity):
            yield ResumeActivity(task_id=task_id, map_index=map_index, attempt=activity.attempt)
        elif activity.state in _WAITING:
            yield ScheduleActivity(task_id=task_id, map_index=map_index, count=1)
    yield from _fresh(run)


def _fresh(run: WorkflowRun) -> Iterator[ScheduleActivity]:
    """Calls that were asked for, neighbours together where it is the same attempt of each."""
    fresh, run.fresh = run.fresh, {}
    first, count, attempt = ("", 0), 0, 0
    for task_id, map_index in fresh:
        activity = run.nodes[task_id].activity(map_index)
        if activity.state is not TaskState.NONE:  # it was let go before this run was read again
            continue
        had = activity.attempt
        if count and (task_id, map_index, had) == (first[0], first[1] + count, attempt):
            count += 1
            continue
        if count:
            yield ScheduleActivity(task_id=first[0], map_index=first[1], count=count)
        first, count, attempt = (task_id, map_index), 1, had
    if count:
        yield ScheduleActivity(task_id=first[0], map_index=first[1], count=count)
