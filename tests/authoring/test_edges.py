"""How dependencies are written."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import DAG, Label, TaskGroup, chain, chain_linear, cross_downstream, task
from orchestrator.authoring.compiling import Defaults, compile_dag
from orchestrator.exceptions import DagError
from orchestrator.operators import EmptyOperator

NAMES = "abcdef"


def drawn(draw):
    """The edges that ``draw(a, b, c, d, e, f)`` makes, as words like ``ab``."""
    with DAG("d") as dag:
        draw(*(EmptyOperator(task_id=name) for name in NAMES))
    edges = {name + after for name in NAMES for after in dag.get_task(name).downstream_task_ids}
    assert edges == {before + name for name in NAMES for before in dag.get_task(name).upstream_task_ids}
    return " ".join(sorted(edges))


@pytest.mark.parametrize(
    ("draw", "edges"),
    [
        (lambda a, b, c, d, e, f: a >> b >> c, "ab bc"),
        (lambda a, b, c, d, e, f: c << b << a, "ab bc"),
        (lambda a, b, c, d, e, f: a >> [b, c] >> d, "ab ac bd cd"),
        (lambda a, b, c, d, e, f: d << [b, c] << a, "ab ac bd cd"),
        (lambda a, b, c, d, e, f: (a, b) >> c, "ac bc"),
        (lambda a, b, c, d, e, f: [b, c] << a, "ab ac"),
        (lambda a, b, c, d, e, f: a.set_downstream(b), "ab"),
        (lambda a, b, c, d, e, f: a.set_downstream([b, c]), "ab ac"),
        (lambda a, b, c, d, e, f: a.set_upstream([b, c]), "ba ca"),
        (lambda a, b, c, d, e, f: (a >> b, a >> b), "ab"),
        (lambda a, b, c, d, e, f: a.output >> b, "ab"),
        (lambda a, b, c, d, e, f: [a.output, b] >> c.output, "ac bc"),
        (lambda a, b, c, d, e, f: a >> (x for x in (b, c)), "ab ac"),
        (lambda a, b, c, d, e, f: chain(a, [b, c], [d, e], f), "ab ac bd ce df ef"),
        (lambda a, b, c, d, e, f: chain(a, b, [c, d], e), "ab bc bd ce de"),
        (lambda a, b, c, d, e, f: chain(a), ""),
        (lambda a, b, c, d, e, f: chain_linear(a, [b, c], [d, e], f), "ab ac bd be cd ce df ef"),
        (lambda a, b, c, d, e, f: cross_downstream([a, b], [c, d]), "ac ad bc bd"),
        (lambda a, b, c, d, e, f: cross_downstream(from_tasks=[a], to_tasks=b), "ab"),
    ],
)
def test_each_way_to_write_dependencies_draws_the_edges_that_airflow_draws(draw, edges):
    assert drawn(draw) == edges


def test_the_right_side_is_what_an_arrow_gives_back():
    with DAG("d"):
        a, b, c = (EmptyOperator(task_id=name) for name in "abc")
        both = [b, c]
        assert (a >> both) is both
        assert (b << a) is a


@pytest.mark.parametrize("other", ["b", 3, None, ["b"], [None]])
def test_what_is_no_task_cannot_be_a_dependency(other):
    with DAG("d"):
        a = EmptyOperator(task_id="a")
        with pytest.raises(DagError, match="cannot be a dependency") as caught:
            a >> other
    assert caught.value.file == str(Path(__file__))


def test_chained_lists_of_different_length_are_refused():
    with DAG("d"):
        a, b, c, d, e = (EmptyOperator(task_id=name) for name in "abcde")
        with pytest.raises(DagError, match="have 2 and 3 items; use chain_linear"):
            chain([a, b], [c, d, e])


def test_a_straight_chain_of_nothing_or_with_labels_is_refused():
    with DAG("d"):
        a, b = (EmptyOperator(task_id=name) for name in "ab")
        with pytest.raises(DagError, match="joins nothing here"):
            chain_linear([a, b])
        with pytest.raises(DagError, match="takes no labels"):
            chain_linear(a, Label("x"), b)


@pytest.mark.parametrize(
    ("draw", "labels"),
    [
        (lambda a, b, c, d, e, f: a >> Label("x") >> b, "ab:x"),
        (lambda a, b, c, d, e, f: b << Label("x") << a, "ab:x"),
        (lambda a, b, c, d, e, f: a >> Label("x") >> [b, c] >> d, "ab:x ac:x"),
        (lambda a, b, c, d, e, f: [a, b] >> Label("x") >> c, "ac:x bc:x"),
        (lambda a, b, c, d, e, f: a.output >> Label("x") >> b.output, "ab:x"),
        (lambda a, b, c, d, e, f: chain(a, Label("x"), b, Label("y"), c), "ab:x bc:y"),
        (lambda a, b, c, d, e, f: chain(a, [Label("x"), Label("y")], [b, c]), "ab:x ac:y"),
        (lambda a, b, c, d, e, f: (a >> b, a >> Label("x") >> b, a >> Label("y") >> b), "ab:y"),
    ],
)
def test_a_label_says_what_the_edges_of_an_arrow_mean(draw, labels):
    with DAG("d") as dag:
        draw(*(EmptyOperator(task_id=name) for name in NAMES))
    found = compile_dag(dag, file="x.py", defaults=Defaults()).tasks
    assert " ".join(f"{up}{t.task_id}:{label}" for t in found for up, label in sorted(t.labels.items())) == labels


def test_a_label_before_a_group_says_what_the_edges_into_it_mean():
    with DAG("d") as dag:
        a = EmptyOperator(task_id="a")
        with TaskGroup("g") as group:
            EmptyOperator(task_id="b") >> EmptyOperator(task_id="c")
        a >> Label("x") >> group
    assert dag.get_task("g.b").labels == {"a": "x"}
    assert dag.get_task("g.c").labels == {}


def test_two_labels_side_by_side_and_labels_that_are_no_text_are_refused():
    with DAG("d"):
        a = EmptyOperator(task_id="a")
        with pytest.raises(DagError, match="stands beside another label"):
            a >> Label("x") >> Label("y")
        with pytest.raises(DagError, match="a label is a text, not 3"):
            Label(3)


def test_a_task_without_a_dag_joins_that_of_its_neighbour():
    lone = EmptyOperator(task_id="lone")
    later = EmptyOperator(task_id="later")
    with DAG("d") as dag:
        EmptyOperator(task_id="a") >> lone
    lone >> later
    assert dag.task_ids == ["a", "lone", "later"]


def test_two_tasks_without_a_dag_cannot_be_joined():
    with pytest.raises(DagError, match="belongs to no DAG"):
        EmptyOperator(task_id="a") >> EmptyOperator(task_id="b")


def test_tasks_of_two_dags_cannot_be_joined():
    with DAG("one"):
        a = EmptyOperator(task_id="a")
    with DAG("two"):
        b = EmptyOperator(task_id="b")
    with pytest.raises(DagError, match="'a' of DAG 'one' cannot be joined with task 'b' of DAG 'two'"):
        a >> b


def test_relatives_are_found_near_and_far():
    with DAG("d"):
        a, b, c, d = (EmptyOperator(task_id=name) for name in "abcd")
        a >> [b, c] >> d
    assert a.downstream_list == [b, c]
    assert d.upstream_list == [b, c]
    assert a.get_flat_relative_ids() == {"b", "c", "d"}
    assert d.get_flat_relative_ids(upstream=True) == {"a", "b", "c"}


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=30))
def test_far_relatives_are_the_closure_of_near_ones(pairs):
    with DAG("d") as dag:
        tasks = [EmptyOperator(task_id=str(number)) for number in range(8)]
        for before, after in pairs:
            tasks[before] >> tasks[after]
    reach = {str(n): {str(b) for a, b in pairs if a == n} for n in range(8)}
    for _ in range(8):
        reach = {n: found | {far for near in found for far in reach[near]} for n, found in reach.items()}
    assert {name: dag.get_task(name).get_flat_relative_ids() for name in reach} == reach


def test_results_of_task_functions_are_joined_like_tasks():
    @task
    def work():
        return 1

    with DAG("d") as dag:
        first, second, third = work(), work(), work()
        first >> [second, third]
    assert dag.get_task("work").downstream_task_ids == {"work__1", "work__2"}
