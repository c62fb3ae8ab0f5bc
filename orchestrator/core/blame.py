"""Blame: which tasks another one waits for, or owes its end to, up to those that can blame no other."""

from collections.abc import Iterable

from orchestrator.core.activity import Node
from orchestrator.core.run import Run
from orchestrator.core.trigger_rules import Verdict, evaluate
from orchestrator.names import FINISHED, TaskState


def roots(run: Run, nodes: Iterable[Node]) -> list[Node]:
    """Where the blame for these tasks ends; a task that blames nobody is its own root."""
    found: list[Node] = []
    seen: set[str] = set()
    ahead = list(nodes)[::-1]
    while ahead:
        node = ahead.pop()
        if node.task.task_id in seen:
            continue
        seen.add(node.task.task_id)
        above = blamed(run, node)
        ahead += above[::-1]
        if not above:
            found.append(node)
    return found


def blamed(run: Run, node: Node) -> list[Node]:
    """The direct upstreams that make this task wait, or made it end as upstream_failed or skipped."""
    above = [run.nodes[name] for name in node.task.upstream]
    if not is_done(node):
        return [up for up in above if not is_done(up)] if waits(node) else []
    states = {activity.state for _, activity in node.activities()}
    if TaskState.UPSTREAM_FAILED in states and TaskState.FAILED not in states:
        return [up for up in above if up.bad]
    if TaskState.SKIPPED in states and not node.skipped_by and not began(node):
        return [up for up in above if any(activity.state is TaskState.SKIPPED for _, activity in up.activities())]
    return []


def is_done(node: Node) -> bool:
    """Whether all its activities are finished."""
    states = [activity.state for _, activity in node.activities()]
    return len(states) >= node.size and all(state in FINISHED for state in states)


def waits(node: Node) -> bool:
    """Whether it waits for upstreams and for nothing else."""
    if node.released or node.skipped_by or node.one.state is not TaskState.NONE:
        return False
    return evaluate(node.task.trigger_rule, node.upstreams) is Verdict.WAIT


def began(node: Node) -> bool:
    """Whether a body of its own has begun since it was last cleared."""
    return any(activity.started_at is not None for _, activity in node.activities())
