"""``decide``: what should happen next in one run. Pure policy: it reads a Run and the time, nothing else."""

import heapq
from collections.abc import Iterator
from datetime import datetime

from orchestrator.core.activity import Node
from orchestrator.core.commands import (
    CancelRun,
    Command,
    EndRun,
    ExpandTask,
    FailUpstream,
    GiveUp,
    PassActivity,
    ScheduleActivity,
    SkipActivity,
)
from orchestrator.core.decide_workflow import decide_workflow, ended_things, overdue
from orchestrator.core.ruling import ruling
from orchestrator.core.run import Run
from orchestrator.core.trigger_rules import Verdict
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import FINISHED, UNMAPPED, RunState, TaskState

_WAITING = frozenset({TaskState.SCHEDULED, TaskState.UP_FOR_RETRY, TaskState.UP_FOR_RESCHEDULE})


def decide(run: Run, now: datetime) -> list[Command]:
    """What the run wants done at ``now``; empty when it only waits.

    Each command is named once: the notes of the fold are drained here. Facts that follow from them may call for
    more, so call again until nothing comes.
    """
    if isinstance(run, WorkflowRun):
        return decide_workflow(run, now)
    commands = ended_things(run)
    if run.is_ended:
        return commands
    if run.cancelling is not None:
        commands += _wound_down(run)
        commands += _due(run, now)
    elif (stop := _stopped(run, now)) is not None:
        return [*commands, stop]
    elif not run.paused:
        commands += _due(run, now)
        commands += _ready(run)
    if run.unfinished == 0 and not run.open:
        commands.append(_end(run))
    return commands


def _stopped(run: Run, now: datetime) -> Command | None:
    if (late := overdue(run, now)) is not None:
        return late
    if run.plan.spec.fail_fast and run.first_failure is not None:
        return CancelRun(by="fail_fast", reason=f"task {run.first_failure!r} failed and the DAG has fail_fast")
    return None


def _due(run: Run, now: datetime) -> Iterator[Command]:
    while run.due and run.due[0][0] <= now:
        when, task_id, map_index = heapq.heappop(run.due)
        node = run.nodes.get(task_id)
        activity = node.peek(map_index) if node else None
        if node is None or activity is None or activity.state not in _WAITING or activity.retry_at != when:
            continue
        if run.holds_back(node):
            continue
        yield _schedule(run, node, map_index, 1)


def _schedule(run: Run, node: Node, map_index: int, count: int) -> Command:
    task_id = node.task.task_id
    if not node.task.does_nothing:
        return ScheduleActivity(task_id=task_id, map_index=map_index, count=count)
    attempt = run.next_attempt(task_id, map_index)
    return PassActivity(task_id=task_id, map_index=map_index, count=count, attempt=attempt)


def _ready(run: Run) -> Iterator[Command]:
    agenda, run.agenda = run.agenda, {}
    for task_id in agenda:
        yield from _judge_anew(run, run.nodes[task_id])


def _judge_anew(run: Run, node: Node) -> Iterator[Command]:
    if not node.released and (untouched := node.untouched()):
        yield from _judge(run, node, untouched)


def _judge(run: Run, node: Node, untouched: list[range]) -> Iterator[Command]:
    if node.skipped_by:
        yield from _skip(node, untouched, f"branch {min(node.skipped_by)!r} chose another way")
        return
    match ruling(run, node):
        case Verdict.RUN:
            yield from _release(run, node, untouched)
        case Verdict.SKIP:
            yield from _skip(node, untouched, f"trigger rule {node.task.trigger_rule} cannot be met")
        case Verdict.UPSTREAM_FAILED:
            for places in untouched:
                yield FailUpstream(task_id=node.task.task_id, map_index=places.start, count=len(places))
        case Verdict.WAIT:
            pass  # a later completion of an upstream puts it on the agenda again


def _release(run: Run, node: Node, untouched: list[range]) -> Iterator[Command]:
    if node.is_mapped and node.shape is None:
        shape = _shape(run, node)
        if shape is None:
            yield FailUpstream(task_id=node.task.task_id, map_index=UNMAPPED, count=1)
        else:
            yield ExpandTask(task_id=node.task.task_id, shape=shape)
    elif node.size == 0:
        yield from _skip(node, untouched, "it is mapped over nothing")
    else:
        node.released = True
        for places in untouched:
            yield _schedule(run, node, places.start, len(places))


def _shape(run: Run, node: Node) -> tuple[int, ...] | None:
    """The literal shape, or the lengths of the results that it is mapped over; None if one has no length."""
    if node.task.map_shape is not None:
        return node.task.map_shape
    lengths = [run.nodes[name].one.length for name in node.task.mapped_over]
    known = tuple(length for length in lengths if length is not None)
    return known if len(known) == len(lengths) else None


def _skip(node: Node, stretches: list[range], reason: str) -> Iterator[Command]:
    for places in stretches:
        yield SkipActivity(task_id=node.task.task_id, map_index=places.start, count=len(places), reason=reason)


def _wound_down(run: Run) -> Iterator[Command]:
    """A run that is being cancelled: what has not started is skipped, what nobody answers for is given up.

    Teardowns run as they would if the rest had ended by itself.
    """
    agenda, run.agenda = run.agenda, {}
    reason = f"the run was cancelled: {run.cancelling}"
    for task_id in agenda:
        node = run.nodes[task_id]
        unstarted: list[range] = []
        for map_index in node.indexes():
            activity = node.peek(map_index)
            if activity is not None and activity.state is TaskState.AWAITING_INPUT:
                yield GiveUp(task_id=task_id, map_index=map_index, attempt=activity.attempt, reason=reason)
            elif (task_id, map_index) in run.open or (activity is not None and activity.state in FINISHED):
                continue
            elif unstarted and unstarted[-1].stop == map_index:
                unstarted[-1] = range(unstarted[-1].start, map_index + 1)
            else:
                unstarted.append(range(map_index, map_index + 1))
        if run.takes_down(node):
            yield from _judge_anew(run, node)
        else:
            yield from _skip(node, unstarted, reason)


def _end(run: Run) -> Command:
    if run.cancelling is not None:
        return EndRun(state=RunState.FAILED, reason=run.cancelling)
    bad = [task_id for task_id in run.plan.leaves if run.nodes[task_id].bad]
    if bad:
        names = ", ".join(bad[:3]) + (f" and {len(bad) - 3} more" if len(bad) > 3 else "")
        return EndRun(state=RunState.FAILED, reason=f"failed at its end: {names}")
    return EndRun(state=RunState.SUCCESS, reason="")
