"""``decide``: what should happen next in one run. Pure policy: it reads a Run and the time, nothing else."""

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime

from orchestrator.core.activity import Instances, Node, is_timed
from orchestrator.core.commands import (
    CancelRun,
    Command,
    EndRun,
    ExpandTask,
    FailUpstream,
    GiveUp,
    PassActivity,
    ResumeActivity,
    ScheduleActivity,
    SkipActivity,
)
from orchestrator.core.decide_workflow import decide_workflow, ended_things, overdue
from orchestrator.core.measuring import Unmeasured
from orchestrator.core.ruling import ruling
from orchestrator.core.run import Run
from orchestrator.core.trigger_rules import Verdict
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import FINISHED, RunState, RunType, TaskState

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
    if run.unfinished == 0 and not run.open and not any(isinstance(command, ExpandTask) for command in commands):
        commands.append(_end(run))
    return commands


def _stopped(run: Run, now: datetime) -> Command | None:
    if (late := overdue(run, now)) is not None:
        return late
    if run.plan.spec.fail_fast and run.first_failure is not None:
        return CancelRun(by="fail_fast", reason=f"task {run.first_failure!r} failed and the DAG has fail_fast")
    return None


def _due(run: Run, now: datetime) -> Iterator[Command]:
    before: tuple[datetime, str, int] | None = None
    while run.due and run.due[0][0] <= now:
        when, task_id, map_index = one = heapq.heappop(run.due)
        if one == before:  # it was put off twice until the same moment
            continue
        before = one
        node = run.nodes.get(task_id)
        activity = node.peek(map_index) if node else None
        if node is None or activity is None or activity.retry_at != when or run.holds_back(node):
            continue
        if is_timed(activity):
            yield ResumeActivity(task_id=task_id, map_index=map_index, attempt=activity.attempt)
        elif activity.state in _WAITING:
            yield _schedule(run, node, map_index, 1)


def _schedule(run: Run, node: Node, map_index: int, count: int) -> Command:
    task_id = node.task.task_id
    if not node.task.does_nothing:
        return ScheduleActivity(task_id=task_id, map_index=map_index, count=count)
    attempt = run.next_attempt(task_id, map_index)
    return PassActivity(task_id=task_id, map_index=map_index, count=count, attempt=attempt)


def _ready(run: Run) -> Iterator[Command]:
    agenda, run.agenda = run.agenda, {}
    if reshaped := list(_reshaped(run, agenda)):
        run.agenda = agenda  # the others are judged by what comes of it
        yield from reshaped
        return
    for task_id in agenda:
        yield from _judge_anew(run, run.nodes[task_id])


def _reshaped(run: Run, agenda: Iterable[str]) -> Iterator[Command]:
    """The mapped tasks that are to have other instances than they have, since a list or their version is another."""
    for node in map(run.nodes.__getitem__, agenda):
        if node.task.depth and node.shape is not None and (found := _expansion(run, node)) is not None:
            yield found


def _judge_anew(run: Run, node: Node) -> Iterator[Command]:
    if (why := _out_of_date(run, node)) is not None:
        yield from _skip(node, node.untouched(), why)
    elif node.task.depth and (found := _expansion(run, node)) is not None:
        yield found
    elif node.instances is not None:
        yield from _judge_instances(run, node, node.instances)
    elif not node.released and not _is_unborn(run, node) and (untouched := node.untouched()):
        yield from _judge(run, node, untouched)


def _out_of_date(run: Run, node: Node) -> str | None:
    """Why it is not done in a run of that date; a backfill does what it is asked for."""
    task, date = node.task, run.created.logical_date
    if date is None or run.created.run_type is RunType.BACKFILL:
        return None
    if task.start_date is not None and date < task.start_date:
        return f"the run is of {date:%Y-%m-%d %H:%M}, before its start_date {task.start_date:%Y-%m-%d %H:%M} (UTC)"
    if task.end_date is not None and date > task.end_date:
        return f"the run is of {date:%Y-%m-%d %H:%M}, after its end_date {task.end_date:%Y-%m-%d %H:%M} (UTC)"
    return None


def _is_unborn(run: Run, node: Node) -> bool:
    """Whether its instances in a mapped group are still to come: then each is judged by itself, and not all as one."""
    if not node.task.scopes or node.shape is not None:
        return False
    obstacle = _obstacle(run, node)
    return obstacle is not None and not obstacle.is_over


def _judge(run: Run, node: Node, untouched: list[range]) -> Iterator[Command]:
    if node.skipped_by:
        yield from _skip(node, untouched, f"branch {min(node.skipped_by)!r} chose another way")
        return
    verdict = ruling(run, node)
    if verdict is Verdict.RUN:
        yield from _release(run, node, untouched)
    else:
        yield from _not_run(node, untouched, verdict)


def _not_run(node: Node, places: list[range], verdict: Verdict) -> Iterator[Command]:
    """Nothing where it waits: a later completion of an upstream puts it on the agenda again."""
    if verdict is Verdict.SKIP:
        yield from _skip(node, places, f"trigger rule {node.task.trigger_rule} cannot be met")
    elif verdict is Verdict.UPSTREAM_FAILED:
        for stretch in places:
            yield FailUpstream(task_id=node.task.task_id, map_index=stretch.start, count=len(stretch))


def _release(run: Run, node: Node, untouched: list[range]) -> Iterator[Command]:
    if node.task.depth and (obstacle := _obstacle(run, node)) is not None:
        yield from _hindered(run, node, untouched, obstacle)
    elif node.size == 0:
        yield from _skip(node, untouched, "it is mapped over nothing")
    else:
        node.released = True
        for places in untouched:
            yield _schedule(run, node, places.start, len(places))


# ── mapped tasks ─────────────────────────────────────────────────────────────────────────────────────────


def _expansion(run: Run, node: Node) -> Command | None:
    """Give it the instances that its inputs ask for now.

    Inside of a mapped group as soon as that is known, since its instances wait for each other one by one; else when
    its rule lets it go. Where an input was made anew, once more.
    """
    if not node.is_expanded and node.one.state is not TaskState.NONE:
        return None
    if node.shape is None:
        if not node.task.scopes and (node.skipped_by or ruling(run, node) is not Verdict.RUN):
            return None
    elif _is_measured(run, node):
        return None
    try:
        shape, extents = run.measure.expansion(node.task.task_id)
    except Unmeasured:
        return None
    if node.extents is not None and (shape, extents or node.extents.levels) == (node.shape, node.extents.levels):
        node.measured_at = run.seq  # a note, so that this is not worked out again at each look
        return None
    return ExpandTask(task_id=node.task.task_id, shape=shape, extents=extents)


def _is_measured(run: Run, node: Node) -> bool:
    """Whether it was expanded by the results that are recorded now, and as its version asks for."""
    producers = (run.nodes[name] for name in run.plan.producers(node.task.task_id))
    return node.measured_at > 0 and all(one.is_over and one.result_seq <= node.measured_at for one in producers)


def _obstacle(run: Run, node: Node) -> Unmeasured | None:
    """Why it cannot be said how many instances it has, though its rule would let it go."""
    if node.shape is not None and _is_measured(run, node):
        return None
    try:
        run.measure.expansion(node.task.task_id)
    except Unmeasured as unmeasured:
        return unmeasured
    return None


def _hindered(run: Run, node: Node, untouched: list[range], obstacle: Unmeasured) -> Iterator[Command]:
    """It waits for what it is mapped over, unless that has come to its end without anything to count."""
    if obstacle.is_over:
        is_skipped = run.nodes[obstacle.task_id].one.state is TaskState.SKIPPED
        yield from _not_run(node, untouched, Verdict.SKIP if is_skipped else Verdict.UPSTREAM_FAILED)


def _judge_instances(run: Run, node: Node, instances: Instances) -> Iterator[Command]:
    obstacle = _obstacle(run, node)
    if obstacle is not None and not obstacle.is_over:
        return  # they stay stirred
    for instance in instances.take_stirred():
        untouched = [] if instance in instances.let_go else node.untouched(instances.inside(instance))
        if not untouched:
            continue
        chosen = _skippers(node, instances, instance)
        verdict = ruling(run, node, instance)
        if chosen:
            yield from _skip(node, untouched, f"branch {min(chosen)!r} chose another way")
        elif verdict is not Verdict.RUN:
            yield from _not_run(node, untouched, verdict)
        elif obstacle is not None:
            yield from _hindered(run, node, untouched, obstacle)
        elif len(untouched) == 1 and len(untouched[0]) == 1 and _is_empty(run, node, untouched[0].start):
            yield from _skip(node, untouched, "it is mapped over nothing")
        else:
            instances.let_go.add(instance)
            for places in untouched:
                yield _schedule(run, node, places.start, len(places))


def _skippers(node: Node, instances: Instances, instance: int) -> set[str]:
    found = set(node.skipped_by or ())
    if node.skipped_in:
        for where in instances.around(instance):
            found |= node.skipped_in.get(where, set())
    return found


def _is_empty(run: Run, node: Node, map_index: int) -> bool:
    if node.task.depth == 1:
        return False
    try:
        return run.measure.is_empty(node.task.task_id, map_index)
    except Unmeasured:
        return True


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
