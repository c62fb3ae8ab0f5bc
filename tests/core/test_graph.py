import time
from collections.abc import Callable
from datetime import timedelta

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core import graph
from orchestrator.core.plan import Plan
from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.exceptions import CycleError, DuplicateTaskError, UnknownUpstreamError
from orchestrator.names import WeightRule


def dag(*edges: str, file: str = "shop.py") -> DagSpec:
    """``dag("a", "b: a", "c: a b")``: tasks on lines 1, 2, 3, each with its upstreams."""
    tasks = []
    for line, edge in enumerate(edges, start=1):
        name, _, upstream = edge.partition(":")
        tasks.append(TaskSpec(task_id=name, upstream=tuple(upstream.split()), line=line))
    return DagSpec(dag_id="shop", file=file, tasks=tuple(tasks))


DIAMOND = dag("a", "b: a", "c: a", "d: b c")


def seconds_for(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sound_dag_raises_nothing() -> None:
    graph.validate(DIAMOND)
    graph.validate(DagSpec(dag_id="empty"))


def test_an_unknown_upstream_is_named_with_its_place() -> None:
    with pytest.raises(UnknownUpstreamError, match=r"^shop\.py:2: task 'b' has an unknown upstream 'x'; add") as caught:
        graph.validate(dag("a", "b: a x"))
    assert (caught.value.task_id, caught.value.upstream, caught.value.line) == ("b", "x", 2)


def test_a_cycle_is_shown_from_its_first_task_with_its_place() -> None:
    with pytest.raises(CycleError, match=r"^shop\.py:3: the tasks form a cycle: b >> d >> c >> b; remove") as caught:
        graph.validate(dag("a", "c: d", "b: a c", "d: b", "e: d"))
    assert caught.value.cycle == ("b", "d", "c")


def test_the_shortest_way_around_is_shown() -> None:
    with pytest.raises(CycleError) as caught:
        graph.validate(dag("a: e", "b: a", "c: b", "d: c", "e: d b"))
    assert caught.value.cycle == ("a", "b", "e")


def test_a_task_that_waits_for_itself_is_a_cycle() -> None:
    with pytest.raises(CycleError, match="b >> b;") as caught:
        graph.validate(dag("a", "b: a b"))
    assert (caught.value.cycle, caught.value.line) == (("b",), 2)


def test_two_tasks_of_one_name_are_refused() -> None:
    with pytest.raises(DuplicateTaskError, match=r"^shop\.py:3: two tasks have the task_id 'a'; rename"):
        graph.validate(dag("a", "b: a", "a: b"))


def test_an_error_without_a_known_place_gives_none() -> None:
    with pytest.raises(UnknownUpstreamError, match=r"^task 'a' has"):
        graph.validate(DagSpec(dag_id="d", tasks=(TaskSpec(task_id="a", upstream=("x",)),)))


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25))
def test_whatever_is_called_a_cycle_is_one_and_none_is_missed(edges: list[tuple[int, int]]) -> None:
    tasks = tuple(TaskSpec(task_id=f"t{b}", upstream=tuple(f"t{a}" for a, c in edges if c == b)) for b in range(10))
    spec = DagSpec(dag_id="d", tasks=tasks)
    if nx.is_directed_acyclic_graph(nx.DiGraph(edges)):
        graph.validate(spec)
        return
    with pytest.raises(CycleError) as caught:
        graph.validate(spec)
    cycle = caught.value.cycle
    assert all((int(a[1:]), int(b[1:])) in edges for a, b in zip(cycle, (*cycle[1:], cycle[0]), strict=True))
    assert len(set(cycle)) == len(cycle)


# ── order and relatives ──────────────────────────────────────────────────────────────────────────────────


def names(tasks: tuple[TaskSpec, ...]) -> list[str]:
    return [task.task_id for task in tasks]


def test_tasks_stand_after_their_upstreams_and_otherwise_by_name() -> None:
    assert names(graph.topological(dag("z", "b: z", "a: b", "y", "c").tasks)) == ["c", "y", "z", "b", "a"]


@given(st.permutations(list(dag("a", "b: a", "c: a", "d: b c", "e", "f: e a").tasks)))
def test_the_order_does_not_depend_on_how_the_tasks_were_written(tasks: list[TaskSpec]) -> None:
    assert names(graph.topological(tasks)) == ["a", "b", "c", "d", "e", "f"]


def test_ancestors_and_descendants_reach_all_the_way() -> None:
    assert graph.ancestors(DIAMOND, "d") == {"a", "b", "c"}
    assert graph.descendants(DIAMOND, "a") == {"b", "c", "d"}
    assert graph.descendants(DIAMOND, "d") == frozenset()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=25))
def test_a_plan_finds_what_waits_for_a_task_as_the_graph_does(edges: list[tuple[int, int]]) -> None:
    upstream = {n: tuple(f"t{low}" for low, high in {(min(e), max(e)) for e in edges} if high == n) for n in range(10)}
    tasks = tuple(
        TaskSpec(task_id=f"t{n}", upstream=tuple(u for u in names_ if u != f"t{n}")) for n, names_ in upstream.items()
    )
    spec = DagSpec(dag_id="random", tasks=tasks)
    plan = Plan(spec)
    assert all(plan.behind(task.task_id) == set(graph.descendants(spec, task.task_id)) for task in tasks)


def test_the_graph_has_an_edge_from_each_upstream() -> None:
    built = graph.build(DIAMOND)
    assert list(built) == ["a", "b", "c", "d"]
    assert set(built.edges) == {("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")}


# ── the longest way ──────────────────────────────────────────────────────────────────────────────────────


def path(spec: DagSpec, **seconds: float) -> tuple[str, ...]:
    return graph.critical_path(spec, {name: timedelta(seconds=took) for name, took in seconds.items()})


def test_the_critical_path_is_the_slowest_chain() -> None:
    assert path(DIAMOND, a=1, b=5, c=2, d=1) == ("a", "b", "d")
    assert path(DIAMOND, a=1, b=5, c=7, d=1) == ("a", "c", "d")


def test_the_duration_of_the_first_task_counts_too() -> None:
    assert path(dag("slow", "fast", "end: slow", "other: fast"), slow=9, fast=1, end=1, other=5) == ("slow", "end")


def test_an_empty_dag_has_an_empty_critical_path() -> None:
    assert path(DagSpec(dag_id="empty")) == ()


# ── weights ──────────────────────────────────────────────────────────────────────────────────────────────


def weigh(spec: DagSpec, rule: WeightRule, weights: dict[str, int] | None = None) -> dict[str, int]:
    tasks = tuple(
        TaskSpec(
            task_id=task.task_id,
            upstream=task.upstream,
            weight_rule=rule,
            priority_weight=(weights or {}).get(task.task_id, 1),
        )
        for task in spec.tasks
    )
    return graph.effective_weights(DagSpec(dag_id="d", tasks=tasks))


def test_a_task_weighs_what_all_that_wait_for_it_weigh_each_once() -> None:
    assert weigh(DIAMOND, WeightRule.DOWNSTREAM) == {"a": 4, "b": 2, "c": 2, "d": 1}


def test_upstream_weights_count_the_other_way() -> None:
    assert weigh(DIAMOND, WeightRule.UPSTREAM) == {"a": 1, "b": 2, "c": 2, "d": 4}


def test_absolute_weights_are_taken_as_they_are() -> None:
    assert weigh(DIAMOND, WeightRule.ABSOLUTE, {"b": 7}) == {"a": 1, "b": 7, "c": 1, "d": 1}


def test_each_task_follows_its_own_rule() -> None:
    tasks = (
        TaskSpec(task_id="a"),
        TaskSpec(task_id="b", upstream=("a",), weight_rule=WeightRule.UPSTREAM),
        TaskSpec(task_id="c", upstream=("b",), weight_rule=WeightRule.ABSOLUTE, priority_weight=10),
    )
    assert graph.effective_weights(DagSpec(dag_id="d", tasks=tasks)) == {"a": 12, "b": 2, "c": 10}


def test_a_dag_without_tasks_has_no_weights() -> None:
    assert graph.effective_weights(DagSpec(dag_id="d")) == {}


@st.composite
def weighted_dags(draw: st.DrawFn) -> DagSpec:
    size = draw(st.integers(1, 12))
    tasks = []
    for number in range(size):
        upstream = draw(st.lists(st.integers(0, number - 1), unique=True)) if number else []
        tasks.append(
            TaskSpec(
                task_id=f"t{number}",
                upstream=tuple(f"t{n}" for n in upstream),
                priority_weight=draw(st.integers(-5, 5) | st.integers(-(2**31), 2**31)),
                weight_rule=draw(st.sampled_from(list(WeightRule))),
            )
        )
    return DagSpec(dag_id="d", tasks=tuple(draw(st.permutations(tasks))))


@given(weighted_dags())
def test_weights_are_the_sums_over_all_relatives(spec: DagSpec) -> None:
    relatives = {
        WeightRule.DOWNSTREAM: lambda name: graph.descendants(spec, name),
        WeightRule.UPSTREAM: lambda name: graph.ancestors(spec, name),
        WeightRule.ABSOLUTE: lambda name: frozenset(),
    }
    own = {task.task_id: task.priority_weight for task in spec.tasks}
    assert graph.effective_weights(spec) == {
        task.task_id: own[task.task_id] + sum(own[name] for name in relatives[task.weight_rule](task.task_id))
        for task in spec.tasks
    }


def chained(count: int) -> DagSpec:
    return dag("0000", *(f"{n:04}: {n - 1:04}" for n in range(1, count)))


def fanned(count: int) -> DagSpec:
    return dag("a", *(f"m{n}: a" for n in range(count)), "z: " + " ".join(f"m{n}" for n in range(count)))


WORK = {
    "weighed downstream": lambda spec: weigh(spec, WeightRule.DOWNSTREAM),
    "weighed upstream": lambda spec: weigh(spec, WeightRule.UPSTREAM),
    "checked": graph.validate,
}


@pytest.mark.parametrize("work", WORK.values(), ids=list(WORK))
@pytest.mark.parametrize("shape", [chained, fanned])
def test_four_times_the_tasks_take_about_four_times_as_long(
    shape: Callable[[int], DagSpec], work: Callable[[DagSpec], object]
) -> None:
    """What looks at all pairs of them would take sixteen times as long."""
    few, many = shape(1250), shape(5000)
    assert min(seconds_for(lambda: work(many)) for _ in range(3)) < 10 * min(
        seconds_for(lambda: work(few)) for _ in range(3)
    )


def test_five_thousand_tasks_weigh_as_much_as_they_are() -> None:
    for spec, first in ((chained(5000), "0000"), (fanned(5000), "a")):
        assert weigh(spec, WeightRule.DOWNSTREAM)[first] == len(spec.tasks)
