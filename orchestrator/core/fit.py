"""Fit: whether what is recorded of a run of a static DAG still has its place in a graph of today."""

from collections.abc import Iterator
from math import prod

import msgspec

from orchestrator.core.activity import Node
from orchestrator.core.plan import Plan
from orchestrator.core.reasons import listed
from orchestrator.core.run import Run
from orchestrator.core.spec import TaskSpec
from orchestrator.core.trigger_rules import Verdict, evaluate
from orchestrator.names import FINISHED, TaskState


class Misfit(msgspec.Struct, frozen=True, kw_only=True):
    """Something recorded that the graph has no place for: both sides in few words; ``line`` is that of today's task."""

    task_id: str
    recorded: str
    today: str
    line: int | None = None


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """What a graph makes of a recorded run.

    ``misfits`` have no place in it. ``early`` ran before something that they wait for today, which is not recorded:
    their results stay. ``runs_now`` are the tasks that could start at once, ``runs_later`` those that wait for them.
    """

    misfits: tuple[Misfit, ...]
    early: tuple[str, ...]
    runs_now: tuple[str, ...]
    runs_later: tuple[str, ...]


def fit(run: Run, today: Plan) -> Fit:
    """Hold the run against the plan. This moves the run there, so it is of no use to anybody else afterwards."""
    misfits = tuple(_misfits(run, today))
    run.move(today)
    nodes = [run.nodes[task.task_id] for task in today.spec.tasks]
    return Fit(
        misfits=misfits,
        early=tuple(_early(run, nodes)),
        runs_now=tuple(node.task.task_id for node in nodes if _next(node) is Verdict.RUN),
        runs_later=tuple(node.task.task_id for node in nodes if _next(node) is Verdict.WAIT),
    )


def _misfits(run: Run, today: Plan) -> Iterator[Misfit]:
    for name, node in run.nodes.items():
        if not _is_recorded(node):
            continue
        task = today.tasks.get(name)
        if task is None:
            yield Misfit(task_id=name, recorded=_record(node), today="there is no such task")
        elif _is_reshaped(node, task):
            yield Misfit(task_id=name, recorded=_record(node), today=f"it is {_shape(task)}", line=task.line or None)


def _is_reshaped(node: Node, task: TaskSpec) -> bool:
    if (node.task.is_mapped, node.task.depth) != (task.is_mapped, task.depth):
        return True
    return node.shape is not None and (shape := _literal(task)) is not None and node.shape != shape


def _literal(task: TaskSpec) -> tuple[int, ...] | None:
    return task.own_mapping.literal if task.own_mapping is not None and not task.scopes else None


def _early(run: Run, nodes: list[Node]) -> Iterator[str]:
    for node in nodes:
        if _state(node) is TaskState.NONE:
            continue
        fresh = [name for name in node.task.upstream if not _is_recorded(run.nodes[name])]
        if fresh:
            yield f"{node.task.task_id} ran before {listed(fresh)}, which it waits for today"


def _next(node: Node) -> Verdict | None:
    """What its trigger rule says; None where it has been let go already."""
    if node.one.state is not TaskState.NONE or node.many or node.skipped_by:
        return None
    return evaluate(node.task.trigger_rule, node.upstreams)


def _is_recorded(node: Node) -> bool:
    return any(activity.state is not TaskState.NONE or activity.attempt for _, activity in node.activities())


def _state(node: Node) -> TaskState:
    return next((activity.state for _, activity in node.activities()), TaskState.NONE)


def _record(node: Node) -> str:
    """How it is recorded, in a few words."""
    states = sorted({str(activity.state) for _, activity in node.activities()})
    done = all(activity.state in FINISHED for _, activity in node.activities())
    shape = f"mapped, {node.size} of it, " if node.is_expanded else "mapped, " if node.is_mapped else ""
    return f"{shape}{listed(states)}" + ("" if done else ", not finished")


def _shape(task: TaskSpec) -> str:
    if (shape := _literal(task)) is not None:
        return f"mapped, {prod(shape)} of it"
    return "mapped" if task.is_mapped else "not mapped"
