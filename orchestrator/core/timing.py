"""Timing: where the time of a run went, along the chain of activities that it waited for."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
import networkx as nx

from orchestrator.core.activity import Activity, Node
from orchestrator.core.graph import critical_path
from orchestrator.core.run import Run
from orchestrator.names import UNMAPPED, DagKind, TaskState


class Leg(msgspec.Struct, frozen=True):
    """One activity, or all of a mapped task, on the longest way: when it began, and how long it took."""

    task_id: str
    map_index: int
    began: datetime
    took: timedelta


def together(way: list[Leg]) -> timedelta:
    """How long a way took; instances of a mapped group go through it side by side, and their time counts once."""
    total, until = timedelta(0), None
    for leg in sorted(way, key=lambda one: one.began):
        end = leg.began + leg.took
        fresh = leg.began if until is None else max(leg.began, until)
        total += max(end - fresh, timedelta(0))
        until = end if until is None else max(end, until)
    return total


def longest_way(run: Run) -> list[Leg]:
    """The chain of activities, each of which waited for the one before, that took the longest; in order."""
    if run.plan.spec.kind is DagKind.WORKFLOW:
        return _way_of_calls(run)
    legs = {name: leg for name, node in run.nodes.items() if (leg := _leg(name, node)) is not None}
    way = critical_path(run.plan.spec, {name: leg.took for name, leg in legs.items()})
    return [legs[name] for name in way if name in legs]


def _leg(name: str, node: Node) -> Leg | None:
    """From the first start of its activities to the last end."""
    spans = [_span(activity) for _, activity in node.activities()]
    known = [span for span in spans if span is not None]
    if not known:
        return None
    began = min(start for start, _ in known)
    return Leg(name, UNMAPPED, began, max(end for _, end in known) - began)


def _span(activity: Activity) -> tuple[datetime, datetime] | None:
    if activity.state is TaskState.REMOVED:  # a reset has taken it back
        return None
    start = activity.started_at or activity.scheduled_at
    return None if start is None or activity.ended_at is None else (start, activity.ended_at)


def _way_of_calls(run: Run) -> list[Leg]:
    """A workflow has no graph: a call may have waited for the last one that ended before it was handed out."""
    calls = sorted(_calls(run.nodes.values()), key=lambda call: call[0])
    ends = [end for end, _, _ in calls]
    graph: nx.DiGraph[int] = nx.DiGraph()
    for number, (_, start, leg) in enumerate(calls):
        before = min(bisect_right(ends, start), number) - 1
        graph.add_edge(before, number, weight=leg.took.total_seconds())
    return [calls[number][2] for number in nx.dag_longest_path(graph)[1:]]


def _calls(nodes: Iterable[Node]) -> Iterable[tuple[datetime, datetime, Leg]]:
    """Each call with its end, its start and its leg."""
    for node in nodes:
        for map_index, activity in node.activities():
            span = _span(activity)
            if span is not None:
                yield (
                    span[1],
                    activity.scheduled_at or span[0],
                    Leg(node.task.task_id, map_index, span[0], span[1] - span[0]),
                )
