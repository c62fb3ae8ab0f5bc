"""Ruling: whether a task of a run may start, by its setups and by its trigger rule."""

from collections.abc import Iterable

from orchestrator.core.activity import Node
from orchestrator.core.board import Board
from orchestrator.core.trigger_rules import Verdict, evaluate
from orchestrator.names import FINISHED, TaskState


def ruling(board: Board, node: Node, instance: int | None = None) -> Verdict:
    """What the setups say that it needs though it does not come right after them; where they have succeeded, its rule.

    One that failed fails the task, one that was skipped skips it, without waiting for the others. ``instance``: of the
    mapped groups that it shares with others, where its instances are judged one by one.
    """
    far = board.plan.setups.get(node.task.task_id)
    if far:
        verdict = _of_setups(_states(board, board.nodes[name], node, instance) for name in far)
        if verdict is not Verdict.RUN:
            return verdict
    return evaluate(node.task.trigger_rule, node.upstreams if instance is None else board.upstreams_of(node, instance))


def _of_setups(states_of: Iterable[set[TaskState]]) -> Verdict:
    states = {state for states in states_of for state in states}
    if states & {TaskState.FAILED, TaskState.UPSTREAM_FAILED}:
        return Verdict.UPSTREAM_FAILED
    if TaskState.SKIPPED in states:
        return Verdict.SKIP
    return Verdict.RUN if states <= FINISHED else Verdict.WAIT


def _states(board: Board, setup: Node, node: Node, instance: int | None) -> set[TaskState]:
    """The states of a setup's activities, of those that share the instance; one never spoken of is none."""
    shared = 0 if instance is None else board.plan.shared_depth(setup.task.task_id, node.task.task_id)
    if not shared or instance is None or node.instances is None or setup.extents is None or not setup.is_expanded:
        found = [activity.state for _, activity in setup.activities()]
        return {*found, *((TaskState.NONE,) if len(found) < setup.size else ())}
    number = node.instances.extents.outer(instance, shared, node.instances.depth)
    activities = (setup.peek(index) for index in setup.extents.inside(number, shared))
    return {TaskState.NONE if activity is None else activity.state for activity in activities}
