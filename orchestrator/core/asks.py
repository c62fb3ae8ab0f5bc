"""What a request about an existing run means: the facts that it becomes, or why it is refused. Pure policy."""

from typing import TypeAlias, assert_never

from orchestrator.core.activity import Node
from orchestrator.core.events import (
    ActivityCleared,
    ActivityMarked,
    AnyEvent,
    OutcomeResolved,
    RunCancelRequested,
    RunPaused,
    RunResumed,
    SignalReceived,
)
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
from orchestrator.names import FINISHED, UNMAPPED, TaskState

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


def facts_of(run: Run, ask: Ask) -> list[AnyEvent] | Refusal:
    """The facts to record, or one sentence that says why not."""
    if (refusal := untimely(run, ask)) is not None:
        return refusal
    match ask:
        case CancelRun():
            return [] if run.cancelling else [RunCancelRequested(by=ask.by, reason=ask.reason)]
        case PauseRun():
            return [] if run.paused else [RunPaused(by=ask.by)]
        case ResumeRun():
            return [RunResumed(by=ask.by)] if run.paused else []
        case ClearTasks():
            return _clear(run, ask)
        case MarkTask():
            return _mark(run, ask)
        case ResolveTask():
            return _resolve(run, ask)
        case SendSignal():
            return [SignalReceived(name=ask.name, payload=ask.payload, by=ask.by)]
        case SendUpdate() | MoveRun() | ResetRun():
            return f"run {run.run_id!r} is one of a static DAG, which has no such thing"
        case _:
            assert_never(ask)


def untimely(run: Run, ask: Ask) -> Refusal | None:
    """Why this cannot be done as the run stands, whatever tasks it is about."""
    if run.created.imported:
        return f"run {run.run_id!r} was imported and stays as it is; fork it to go on from what it has recorded"
    if run.is_ended and not isinstance(ask, ClearTasks):
        return f"run {run.run_id!r} has ended ({run.state}); clear some of its tasks to run them again"
    if run.cancelling is not None and not run.is_ended and isinstance(ask, ClearTasks):
        return f"run {run.run_id!r} is being cancelled; clear its tasks once it has ended"
    return None


def unknown_task(run: Run, task_id: str) -> Refusal:
    return f"DAG {run.dag_id!r} has no task {task_id!r} in the version of run {run.run_id!r}"


def _clear(run: Run, ask: ClearTasks) -> list[AnyEvent] | Refusal:
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
    return [ActivityMarked(task_id=ask.task_id, map_index=places.start, count=len(places), state=ask.state, by=ask.by)]


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
