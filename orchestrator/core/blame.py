"""Blame: which tasks another one waits for, or owes its end to, up to those that can blame no other."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from orchestrator.core.activity import Node
from orchestrator.core.ruling import ruling
from orchestrator.core.run import Run
from orchestrator.core.trigger_rules import Verdict
from orchestrator.names import FINISHED, TaskState


class Root(NamedTuple):
    """A task that can blame no other, and the tasks from the one that was asked about to it."""

    node: Node
    chain: tuple[str, ...]


def roots(run: Run, nodes: Iterable[Node]) -> list[Root]:
    """Where the blame for these tasks ends; a task that blames nobody is its own root."""
    found: list[Node] = []
    blamed_by: dict[str, str | None] = {}
    ahead: list[tuple[Node, str | None]] = [(node, None) for node in list(nodes)[::-1]]
    while ahead:
        node, before = ahead.pop()
        name = node.task.task_id
        if name in blamed_by:
            continue
        blamed_by[name] = before
        above = blamed(run, node)
        ahead += ((up, name) for up in above[::-1])
        if not above:
            found.append(node)
    return [Root(node, _chain(blamed_by, node.task.task_id)) for node in found]


def _chain(blamed_by: Mapping[str, str | None], name: str) -> tuple[str, ...]:
    chain = []
    step: str | None = name
    while step is not None:
        chain.append(step)
        step = blamed_by[step]
    return tuple(chain[::-1])


def blamed(run: Run, node: Node) -> list[Node]:
    """The upstreams and setups that make this task wait, or made it end as upstream_failed or skipped."""
    above = [run.nodes[name] for name in (*node.task.upstream, *run.plan.setups.get(node.task.task_id, ()))]
    if not is_done(node):
        return [up for up in above if not is_done(up)] if waits(run, node) else []
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


def waits(run: Run, node: Node) -> bool:
    """Whether it waits for upstreams and for nothing else."""
    if node.released or node.skipped_by or node.one.state is not TaskState.NONE:
        return False
    return ruling(run, node) is Verdict.WAIT


def began(node: Node) -> bool:
    """Whether a body of its own has begun since it was last cleared."""
    return any(activity.started_at is not None for _, activity in node.activities())
