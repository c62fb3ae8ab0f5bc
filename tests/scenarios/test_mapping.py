"""Mapped tasks and groups, with real processes: what Airflow's own examples of them come to."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core import values
from orchestrator.storage.xcoms import XComReads
from orchestrator.testing.home import LiveHome

PAGE = Path(__file__).parents[2] / "docs/how-to/mapping.md"
SOURCE = '''
from orchestrator import AirflowSkipException, BaseOperator, dag, task, task_group
from orchestrator.operators import BashOperator


@task
def numbers():
    return [1, 2, 3]


@task
def add(x, y=0):
    return x + y


@task
def total(values):
    return sum(values)


@task
def listed(values):
    return [len(values), values[0], values[-1], values[1:], list(values)]


@task
def show(value):
    return value


@dag
def sums():
    """Airflow's example_dynamic_task_mapping, and a task that is mapped over a mapped one."""
    added = add.partial(y=10).expand(x=numbers())
    total(added)
    total.override(task_id="total_again")(add.override(task_id="add_again").expand(x=added))


@dag
def products():
    total(add.expand(x=numbers(), y=[10, 20]))
    listed(show.expand(value={"a": 1, "b": [2]}))


class Multiply(BaseOperator):
    template_fields = ("by",)

    def __init__(self, *, number, by="{{ 2 }}", **kwargs):
        super().__init__(**kwargs)
        self.number, self.by = number, by

    def execute(self, context):
        return self.number * int(self.by)


@dag
def operators():
    some = numbers()
    total(Multiply.partial(task_id="double").expand(number=some).output)
    sets = Multiply.partial(task_id="sets").expand_kwargs([{"number": 2, "by": "{{ 3 }}"}, {"number": 5}])
    listed(sets.output)
    BashOperator.partial(task_id="bash", cwd="/").expand(
        bash_command=["echo {{ ti.map_index }} $N", "echo {{ '{{' }}"], env=some.map(lambda n: {"N": "{{%d}}" % n})
    )


def odd(number):
    if number % 2 == 0:
        raise AirflowSkipException("even")
    return number * 100


@task
def nothing_of_two(number):
    return None if number == 2 else number


@dag
def transformed():
    some, more = numbers(), numbers()
    listed(show.override(task_id="odds").expand(value=some.map(odd)))
    listed.override(task_id="zipped")(show.override(task_id="zip").expand(value=some.zip(more, some)))
    given = nothing_of_two.expand(number=some)
    filled = show.override(task_id="fill").expand(value=some.zip(given, fillvalue=0))
    listed.override(task_id="filled")(filled)
    chained = show.override(task_id="chain").expand(value=given.concat(some, given.map(lambda n: n * 10)))
    listed.override(task_id="chained")(chained)
    total.override(task_id="of_all")(given.concat(some).map(lambda n: n + 1))
    add.override(task_id="by_kwargs").expand_kwargs(some.zip(more).map(lambda pair: {"x": pair[0], "y": pair[1]}))


@task
def letters(number):
    return ["a", "b", "c"][:number]


@task
def together(values, number, k):
    return [k, number, list(values)]


@dag
def groups():
    @task_group
    def each(number, k):
        found = letters(number)
        seen = show.expand(value=found)
        return together(seen, number, k)

    listed(each.partial(k="k").expand(number=numbers()))


@dag
def nested_groups():
    @task_group
    def inner(letter, number):
        return show.override(task_id="pair")([number, letter])

    @task_group
    def outer(number):
        found = letters(number)
        pairs = inner.partial(number=number).expand(letter=found)
        return together(pairs, number, "o")

    listed(outer.expand(number=numbers()))


@dag
def empty():
    @task
    def none():
        return []

    total(add.expand(x=none()))
    total.override(task_id="regardless", trigger_rule="none_failed")(add.override(task_id="add_nothing").expand(x=[]))


@dag
def pulled():
    added = add.expand(x=numbers())
    text = BashOperator(task_id="text", bash_command="echo '{{ ti.xcom_pull(task_ids=\\"add\\") | list }}'")
    added >> text


for flow in (sums, products, operators, transformed, groups, nested_groups, empty, pulled):
    flow()
'''


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    with LiveHome(tmp_path_factory.mktemp("mapping")) as home:
        home.write_dag("mapping.py", SOURCE)
        home.start()
        home.wait_for("the DAGs are listed", lambda: home.lists("sums"))
        yield home


class Played:
    """A run that has ended: its state, and what its tasks returned."""

    def __init__(self, home: LiveHome, dag_id: str) -> None:
        assert home.run("dags", "trigger", dag_id, "--run-id", "it").returncode == 0
        over = ("success", "failed")
        shown = home.wait_for(
            f"the run of {dag_id} ends",
            lambda: (found := home.ask("runs", "show", dag_id, "it"))["state"] in over and found,
        )
        self.state = shown["state"]
        self.shown = shown
        with home.open() as opened:
            reads = XComReads(opened.engine)
            run_key = reads.run_key(dag_id, "it")
            assert run_key is not None
            self.results = {
                task["task_id"]: [values.decode(one.value) for _, one in reads.returned(run_key, task["task_id"], None)]
                for task in shown["tasks"]
            }

    def __getitem__(self, task_id: str) -> list[Any]:
        return self.results[task_id]


def test_results_of_a_mapped_task_are_summed_up_and_mapped_over_again(home: LiveHome) -> None:
    played = Played(home, "sums")
    assert played.state == "success", played.shown
    assert (played["add"], played["total"], played["total_again"]) == ([11, 12, 13], [36], [36])


def test_several_arguments_are_combined_and_dicts_are_mapped_over_as_pairs(home: LiveHome) -> None:
    played = Played(home, "products")
    assert played["add"] == [11, 21, 12, 22, 13, 23]
    assert played["show"] == [("a", 1), ("b", [2])]
    assert played["listed"] == [[2, ("a", 1), ("b", [2]), [("b", [2])], [("a", 1), ("b", [2])]]]


def test_operators_are_mapped_and_only_what_the_author_wrote_is_rendered(home: LiveHome) -> None:
    played = Played(home, "operators")
    assert (played["double"], played["total"], played["sets"]) == ([2, 4, 6], [12], [6, 10])
    assert played["bash"] == ["0 {{1}}", "1 {{2}}", "2 {{3}}", "{{", "{{", "{{"]


def test_what_is_mapped_over_can_be_transformed_zipped_and_joined(home: LiveHome) -> None:
    played = Played(home, "transformed")
    assert played.state == "success", played.shown
    assert played["odds"] == [100, 300]
    assert played["zip"] == [(n, n, n) for n in (1, 2, 3)]
    assert played["fill"] == [(1, 1), (2, 3), (3, 0)]
    assert played["chain"] == [1, 3, 1, 2, 3, 10, 30]
    assert played["of_all"] == [15]
    assert played["by_kwargs"] == [2, 4, 6]


def test_each_instance_of_a_group_takes_its_own_results(home: LiveHome) -> None:
    played = Played(home, "groups")
    assert played["each.together"] == [["k", 1, ["a"]], ["k", 2, ["a", "b"]], ["k", 3, ["a", "b", "c"]]]
    assert played["listed"][0][0] == 3


def test_groups_are_mapped_inside_of_mapped_groups(home: LiveHome) -> None:
    played = Played(home, "nested_groups")
    assert played["outer.inner.pair"] == [[1, "a"], [2, "a"], [2, "b"], [3, "a"], [3, "b"], [3, "c"]]
    assert played["outer.together"][2] == ["o", 3, [[3, "a"], [3, "b"], [3, "c"]]]


def test_what_is_mapped_over_nothing_is_skipped(home: LiveHome) -> None:
    played = Played(home, "empty")
    assert played.state == "success"
    assert (played["add"], played["total"], played["regardless"]) == ([], [], [0])


def test_a_template_pulls_all_results_of_a_mapped_task(home: LiveHome) -> None:
    assert Played(home, "pulled")["text"] == ["[1, 2, 3]"]


def test_the_page_shows_a_dag_that_runs(home: LiveHome) -> None:
    [source] = re.findall(r"^```python file=\S+\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    home.write_dag("parcels.py", source)
    home.wait_for("the DAG is listed", lambda: home.lists("parcels"))
    played = Played(home, "parcels")
    assert played.state == "success", played.shown
    assert (played["parcel.pack"], played["parcel.weigh"], played["bill"]) == ([3, 3, 5], [7, 7, 3], [17])
    assert played["print_label"] == ["label 1", "label 2"]
