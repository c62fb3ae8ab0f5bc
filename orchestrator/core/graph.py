"""The graph of a DAG: its errors, its order, the weight of its tasks, and its longest way through."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta

import networkx as nx

from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.exceptions import CycleError, DuplicateTaskError, UnknownUpstreamError
from orchestrator.names import WeightRule


def build(spec: DagSpec) -> "nx.DiGraph[str]":
    """The tasks as nodes, with an edge from each upstream to the task that waits for it."""
    return _graph(spec.tasks)


def validate(spec: DagSpec) -> None:
    """Raise DuplicateTaskError, UnknownUpstreamError or CycleError, each with the file and line to mend."""
    file, lines = spec.file or None, {task.task_id: task.line or None for task in spec.tasks}
    seen: set[str] = set()
    for task in spec.tasks:
        if task.task_id in seen:
            message = f"two tasks have the task_id {task.task_id!r}; rename one of them"
            raise DuplicateTaskError(message, file=file, line=task.line or None)
        seen.add(task.task_id)
        for upstream in task.upstream:
            if upstream not in lines:
                raise UnknownUpstreamError(task.task_id, upstream, file=file, line=task.line or None)
    cycle = _cycle(build(spec))
    if cycle:
        raise CycleError(cycle, file=file, line=lines[cycle[0]])


def topological(tasks: Iterable[TaskSpec]) -> tuple[TaskSpec, ...]:
    """The tasks with each after its upstreams, and by task_id where that leaves a choice; they form no cycle."""
    by_id = {task.task_id: task for task in tasks}
    return tuple(by_id[name] for name in nx.lexicographical_topological_sort(_graph(list(by_id.values()))))


def ancestors(spec: DagSpec, task_id: str) -> frozenset[str]:
    """All tasks that this one waits for, directly or not."""
    return frozenset(nx.ancestors(build(spec), task_id))


def descendants(spec: DagSpec, task_id: str) -> frozenset[str]:
    """All tasks that wait for this one, directly or not."""
    return frozenset(nx.descendants(build(spec), task_id))


def critical_path(spec: DagSpec, durations: Mapping[str, timedelta]) -> tuple[str, ...]:
    """The chain of tasks whose durations sum to the most; a task that ``durations`` lacks takes no time."""
    if not spec.tasks:
        return ()
    graph: nx.DiGraph[str] = nx.DiGraph()
    start = ""  # comes before the tasks without upstreams, so that their own durations count as well
    for task in topological(spec.tasks):
        took = durations.get(task.task_id, timedelta(0)).total_seconds()
        for upstream in task.upstream or (start,):
            graph.add_edge(upstream, task.task_id, weight=took)
    return tuple(nx.dag_longest_path(graph)[1:])


def effective_weights(spec: DagSpec) -> dict[str, int]:
    """The priority of each task by its weight_rule.

    downstream: its own priority_weight and those of all its descendants, each counted once; upstream: the same of
    its ancestors; absolute: its own alone.
    """
    order = [task.task_id for task in topological(spec.tasks)]
    before = {task.task_id: task.upstream for task in spec.tasks}
    after: dict[str, list[str]] = {name: [] for name in order}
    for task in spec.tasks:
        for upstream in task.upstream:
            after[upstream].append(task.task_id)
    own = {task.task_id: task.priority_weight for task in spec.tasks}
    rules = {task.weight_rule for task in spec.tasks}
    by_rule = {WeightRule.ABSOLUTE: own}
    if WeightRule.DOWNSTREAM in rules:
        by_rule[WeightRule.DOWNSTREAM] = _sums(order[::-1], after, before, own)
    if WeightRule.UPSTREAM in rules:
        by_rule[WeightRule.UPSTREAM] = _sums(order, before, after, own)
    return {task.task_id: by_rule[task.weight_rule][task.task_id] for task in spec.tasks}


def _graph(tasks: Collection[TaskSpec]) -> "nx.DiGraph[str]":
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(task.task_id for task in tasks)
    graph.add_edges_from((upstream, task.task_id) for task in tasks for upstream in task.upstream)
    return graph


def _cycle(graph: "nx.DiGraph[str]") -> tuple[str, ...]:
    """The shortest cycle through the first task, by task_id, that lies on one; empty if there is none."""
    if nx.is_directed_acyclic_graph(graph):
        return ()
    knots = [knot for knot in nx.strongly_connected_components(graph) if _is_knot(graph, knot)]
    knot = min(knots, key=min)
    inside = nx.DiGraph(sorted((a, b) for a, b in graph.edges(knot) if b in knot))
    start = min(knot)
    far = nx.single_source_shortest_path_length(inside, start)
    last = min(inside.predecessors(start), key=lambda name: (far[name], name))
    return tuple(nx.shortest_path(inside, start, last))


def _is_knot(graph: "nx.DiGraph[str]", members: Collection[str]) -> bool:
    return len(members) > 1 or any(graph.has_edge(name, name) for name in members)


def _sums(
    order: Sequence[str],
    ahead: Mapping[str, Sequence[str]],
    behind: Mapping[str, Sequence[str]],
    own: Mapping[str, int],
) -> dict[str, int]:
    """For each task its own weight and those of all that ``ahead`` leads to; ``order`` has those first.

    A set of tasks is an int with one bit for each, so a union and a count take a machine word for dozens of tasks;
    it is let go when everything behind it is done.
    """
    bits = {name: 1 << place for place, name in enumerate(order)}
    planes = _planes([own[name] for name in order])
    wanted = {name: len(behind[name]) for name in order}
    reached: dict[str, int] = {}
    sums = {}
    for name in order:
        found = 0
        for other in ahead[name]:
            found |= reached[other] | bits[other]
            wanted[other] -= 1
            if not wanted[other]:
                del reached[other]
        if wanted[name]:
            reached[name] = found
        sums[name] = own[name] + sum(factor * (found & mask).bit_count() for mask, factor in planes.items())
    return sums


def _planes(weights: Sequence[int]) -> dict[int, int]:
    """Sets of places, as bits, each with a factor: a weight is the sum of the factors of the sets that it is in."""
    planes: dict[int, int] = {}
    for sign in (1, -1):
        for power in range(max(0, *(sign * weight for weight in weights)).bit_length()):
            digits = ("1" if sign * weight > 0 and abs(weight) >> power & 1 else "0" for weight in reversed(weights))
            mask = int("".join(digits), 2)
            planes[mask] = planes.get(mask, 0) + (sign << power)
    return planes
