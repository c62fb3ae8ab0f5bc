"""Ruling: whether a task of a run may start, by its setups and by its trigger rule."""

from collections.abc import Iterable

from orchestrator.core.activity import Node
from orchestrator.core.board import Board
from orchestrator.core.trigger_rules import Verdict, evaluate
from orchestrator.names import FINISHED, TaskState


def ruling(board: Board, node: Node) -> Verdict:
    """What the setups say that it needs though it does not come right after them; where they have succeeded, its rule.

    One that failed fails the task, one that was skipped skips it, without waiting for the others.
    """
    far = board.plan.setups.get(node.task.task_id)
    if far:
        verdict = _of_setups(board.nodes[name] for name in far)
        if verdict is not Verdict.RUN:
            return verdict
    return evaluate(node.task.trigger_rule, node.upstreams)


def _of_setups(setups: Iterable[Node]) -> Verdict:
    states = {state for setup in setups for state in _states(setup)}
    if states & {TaskState.FAILED, TaskState.UPSTREAM_FAILED}:
        return Verdict.UPSTREAM_FAILED
    if TaskState.SKIPPED in states:
        return Verdict.SKIP
    return Verdict.RUN if states <= FINISHED else Verdict.WAIT


def _states(node: Node) -> set[TaskState]:
    """The states of its activities; one that was never spoken of is none."""
    found = [activity.state for _, activity in node.activities()]
    return {*found, *((TaskState.NONE,) if len(found) < node.size else ())}
