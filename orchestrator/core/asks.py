"""What a request about an existing run means: the facts that it becomes, or why it is refused. Pure policy."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias, assert_never

from orchestrator.core.activity import Node
from orchestrator.core.advances import forsaken, unanswered
from orchestrator.core.events import (
    ActivityCleared,
    ActivityMarked,
    AnyEvent,
    OutcomeResolved,
    RunCancelRequested,
    RunEnded,
    RunMoved,
    RunPaused,
    RunReset,
    RunResumed,
    SignalReceived,
    UpdateReceived,
)
from orchestrator.core.graph import descendants
from orchestrator.core.plan import Plan
from orchestrator.core.reasons import named
from orchestrator.core.requests import (
    CancelRun,
    ClearTasks,
    MarkTask,
    MoveRun,
    PauseRun,
    ResetRun,
    ResolveTask,
    ResumeRun,
    SendSignal,
    SendUpdate,
)
from orchestrator.core.run import Run
from orchestrator.core.spec import Entrance
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.names import FINISHED, UNMAPPED, RunState, TaskState
from orchestrator.nearest import did_you_mean

Ask: TypeAlias = (
    CancelRun
    | PauseRun
    | ResumeRun
    | ClearTasks
    | MarkTask
    | ResolveTask
    | SendSignal
    | SendUpdate
    | MoveRun
    | ResetRun
)
Refusal: TypeAlias = str

_ANSWERS = frozenset({TaskState.SUCCESS, TaskState.FAILED, TaskState.NONE})


def facts_of(run: Run, ask: Ask, plan: Plan | None = None, latest: int | None = None) -> list[AnyEvent] | Refusal:
    """The facts to record, or one sentence that says why not.

    ``plan`` is that of the version that a MoveRun or a ResetRun names, ``latest`` the version that the DAG has now. A
    RunMoved among the facts asks for ``run.move`` as soon as it is applied, a RunReset for ``run.rewind``.
    """
    if (refusal := untimely(run, ask)) is not None:
        return refusal
    match ask:
        case CancelRun():
            return _cancel(run, ask)
        case PauseRun():
            return [] if run.paused else [RunPaused(by=ask.by)]
        case ResumeRun():
            return [RunResumed(by=ask.by)] if run.paused or is_blocked(run) else []
        case ClearTasks():
            return _clear(run, ask)
        case MarkTask():
            return _mark(run, ask)
        case ResolveTask():
            return _resolve(run, ask)
        case SendSignal():
            return _signal(run, ask)
        case SendUpdate():
            return _update(run, ask)
        case MoveRun():
            return _moved(run, plan, latest)
        case ResetRun():
            return _reset(run, ask, plan, latest)
        case _:
            assert_never(ask)


def cancelled(run: Run, by: str, reason: str) -> list[AnyEvent]:
    """The facts by which a program has a run cancelled; said twice, unlike a person's, it counts once."""
    return [] if run.is_ended or run.cancelling is not None else _cancelled(run, by, reason)


def is_blocked(run: Run) -> bool:
    """Whether it is a workflow whose code cannot go on."""
    return isinstance(run, WorkflowRun) and run.blocked is not None


def untimely(run: Run, ask: Ask) -> Refusal | None:
    """Why this cannot be done as the run stands, whatever tasks it is about."""
    if run.created.imported:
        return f"run {run.run_id!r} was imported and stays as it is; fork it to go on from what it has recorded"
    reopens = isinstance(ask, ClearTasks | ResetRun) or (isinstance(ask, MarkTask) and not isinstance(run, WorkflowRun))
    if run.is_ended and not reopens:
        return f"run {run.run_id!r} has ended ({run.state}); {_reopening(run)}"
    if run.cancelling is not None and not run.is_ended and isinstance(ask, ClearTasks | ResetRun):
        verb = "clear its tasks" if isinstance(ask, ClearTasks) else "reset it"
        return f"run {run.run_id!r} is being cancelled; {verb} once it has ended"
    return None


def _reopening(run: Run) -> str:
    if isinstance(run, WorkflowRun):
        return f"`orchestrator runs reset {run.dag_id} '{run.run_id}' --to SEQ` takes it back to one of its facts"
    return "clear some of its tasks to run them again"


def unknown_task(run: Run, task_id: str) -> Refusal:
    return f"DAG {run.dag_id!r} has no task {task_id!r} in the version of run {run.run_id!r}"


def _cancel(run: Run, ask: CancelRun) -> list[AnyEvent]:
    """Said again, it ends what cleans up for too long: teardowns, or a workflow, also one that is blocked by now."""
    if run.cancelling is None:
        return _cancelled(run, ask.by, ask.reason)
    if not isinstance(run, WorkflowRun):
        return [RunCancelRequested(by=ask.by, reason=ask.reason)] if run.is_taking_down() else []
    reason = f"{run.cancelling}; it was cancelled again before its code had cleaned up"
    return [
        RunCancelRequested(by=ask.by, reason=ask.reason),
        *unanswered(run, "the run was cancelled"),
        RunEnded(state=RunState.FAILED, reason=reason),
    ]


def _cancelled(run: Run, by: str, reason: str) -> list[AnyEvent]:
    """Code that is blocked cannot clean up, so the run ends at once."""
    block = run.blocked if isinstance(run, WorkflowRun) else None
    end = forsaken(run, block, reason) if isinstance(run, WorkflowRun) and block is not None else []
    return [RunCancelRequested(by=by, reason=reason), *end]


def _signal(run: Run, ask: SendSignal) -> list[AnyEvent] | Refusal:
    refusal = _unknown_entrance(run, "signal", ask.name, run.plan.spec.signals)
    return refusal or [SignalReceived(name=ask.name, payload=ask.payload, by=ask.by)]


def _update(run: Run, ask: SendUpdate) -> list[AnyEvent] | Refusal:
    refusal = _unknown_entrance(run, "update", ask.name, run.plan.spec.updates)
    if refusal is not None or not isinstance(run, WorkflowRun):
        return refusal or []
    if ask.update_id in run.update_ids:
        return []
    return [UpdateReceived(update_id=ask.update_id, name=ask.name, payload=ask.payload, by=ask.by)]


def _unknown_entrance(run: Run, kind: str, name: str, entrances: Sequence[Entrance]) -> Refusal | None:
    """Names are held to those that the workflow lists, if it lists any."""
    if not isinstance(run, WorkflowRun):
        return f"run {run.run_id!r} is one of the static DAG {run.dag_id!r}, which takes no {kind}s; only workflows do"
    known = [entrance.name for entrance in entrances]
    if not known or name in known:
        return None
    return f"workflow {run.dag_id!r} has no {kind} {name!r}{did_you_mean(name, known)}"


def moved(plan: Plan, latest: int | None) -> RunMoved:
    """The fact that a person had a run moved, while the DAG's own version was ``latest``."""
    instead_of = None if latest == plan.version_id else latest
    return RunMoved(version_id=plan.version_id, fingerprint=plan.fingerprint, instead_of=instead_of)


def _moved(run: Run, plan: Plan | None, latest: int | None) -> list[AnyEvent] | Refusal:
    if plan is None or plan.version_id == run.version_id:
        return []
    if plan.spec.dag_id != run.dag_id or plan.spec.kind is not run.plan.spec.kind:
        of = f"{plan.spec.kind} {plan.spec.dag_id!r}"
        return f"version {plan.version_id} is one of the {of}; run {run.run_id!r} cannot go over to it"
    return [moved(plan, latest)]


def _reset(run: Run, ask: ResetRun, plan: Plan | None, latest: int | None) -> list[AnyEvent] | Refusal:
    if not 1 <= ask.seq <= run.seq:
        return f"run {run.run_id!r} has facts 1 to {run.seq}, and none of them is {ask.seq}"
    after = _moved(run, plan, latest)
    return after if isinstance(after, str) else [RunReset(seq=ask.seq, by=ask.by, reason=ask.reason), *after]


def _clear(run: Run, ask: ClearTasks) -> list[AnyEvent] | Refusal:
    if isinstance(run, WorkflowRun):
        return (
            f"the code of a workflow has heard what came of its calls, so none is cleared by itself; {_reopening(run)}"
        )
    facts: list[AnyEvent] = []
    for task_id, map_index in ask.tasks:
        node = run.nodes.get(task_id)
        if node is None:
            return unknown_task(run, task_id)
        places = _places(node, map_index)
        if places is None:
            return unknown_index(task_id, map_index)
        facts.append(
            ActivityCleared(
                task_id=task_id, map_index=places.start, count=len(places), same_key=ask.same_key, by=ask.by
            )
        )
    return facts


def _places(node: Node, map_index: int | None) -> range | None:
    """The map indexes that are meant, all where it is None; None if there is no such index."""
    indexes = node.indexes()
    if map_index is None:
        return indexes
    return range(map_index, map_index + 1) if map_index in indexes else None


def unknown_index(task_id: str, map_index: int | None) -> Refusal:
    return f"task {task_id!r} has no map index {map_index} in this run"


def _mark(run: Run, ask: MarkTask) -> list[AnyEvent] | Refusal:
    node = run.nodes.get(ask.task_id)
    if node is None:
        return unknown_task(run, ask.task_id)
    if ask.state not in FINISHED:
        return f"a task cannot be marked as {ask.state}; choose one of {', '.join(sorted(FINISHED))}"
    places = _places(node, ask.map_index)
    if places is None:
        return unknown_index(ask.task_id, ask.map_index)
    if isinstance(run, WorkflowRun):
        return _mark_calls(run, ask, places)
    marked = ActivityMarked(task_id=ask.task_id, map_index=places.start, count=len(places), state=ask.state, by=ask.by)
    reopened = ActivityCleared(task_id=ask.task_id, map_index=places.start, count=len(places), by=ask.by)
    return [*([reopened] if run.is_ended else []), *_let_go(run, ask), marked]


def _let_go(run: Run, ask: MarkTask) -> Iterator[AnyEvent]:
    """What could not run because of it is judged anew; nothing that has run is run again."""
    behind = descendants(run.plan.spec, ask.task_id)
    for task in run.plan.spec.tasks:
        if task.task_id not in behind:
            continue
        for indexes in _stuck(run.nodes[task.task_id]):
            yield ActivityCleared(task_id=task.task_id, map_index=indexes.start, count=len(indexes), by=ask.by)


def _stuck(node: Node) -> Iterator[range]:
    """The map indexes that are upstream_failed, those beside each other together."""
    start = None
    for index in node.indexes():
        activity = node.peek(index)
        is_stuck = activity is not None and activity.state is TaskState.UPSTREAM_FAILED
        if is_stuck and start is None:
            start = index
        elif not is_stuck and start is not None:
            yield range(start, index)
            start = None
    if start is not None:
        yield range(start, node.indexes().stop)


def _mark_calls(run: WorkflowRun, ask: MarkTask, places: range) -> list[AnyEvent] | Refusal:
    """Only what the code still waits for: it is not told another end of what it has been told."""
    indexes = [map_index for map_index in places if (ask.task_id, map_index) in run.unended]
    if not indexes:
        call = named(ask.task_id, UNMAPPED if ask.map_index is None else ask.map_index)
        return f"what came of {call} is recorded, and the code of its workflow has heard of it; {_reopening(run)}"
    return [ActivityMarked(task_id=ask.task_id, map_index=index, state=ask.state, by=ask.by) for index in indexes]


def _resolve(run: Run, ask: ResolveTask) -> list[AnyEvent] | Refusal:
    node = run.nodes.get(ask.task_id)
    if node is None:
        return unknown_task(run, ask.task_id)
    if ask.state not in _ANSWERS:
        return f"{ask.state} is no answer; say success, failed, or none to try again"
    activity = node.peek(ask.map_index)
    if activity is None or activity.state is not TaskState.AWAITING_INPUT:
        state = "none" if activity is None else activity.state
        index = "" if ask.map_index == UNMAPPED else f"[{ask.map_index}]"
        return f"task {ask.task_id}{index} is {state} and awaits no answer"
    if activity.is_asking:
        return f"task {named(ask.task_id, ask.map_index)} asks a question; answer it with `orchestrator tasks answer`"
    return [
        OutcomeResolved(
            task_id=ask.task_id,
            map_index=ask.map_index,
            attempt=activity.attempt,
            state=ask.state,
            result=ask.result,
            by=ask.by,
        )
    ]
