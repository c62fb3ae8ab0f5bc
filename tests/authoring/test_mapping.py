"""``partial`` and ``expand``: what mapped tasks and groups are compiled to, and what is refused."""

from typing import Any

import pytest

from orchestrator import DAG, AirflowSkipException, BaseOperator, task, task_group
from orchestrator.authoring.context import build_context
from orchestrator.authoring.given import Given
from orchestrator.core.orders import item_name
from orchestrator.core.spec import Fixed, LengthOf, Longest, Mapping, Shortest, TaskSpec, Total
from orchestrator.exceptions import DagError, UsageError
from orchestrator.operators import BashOperator, EmptyOperator, PythonOperator
from tests.authoring.conftest import order_for
from tests.authoring.graphs import compiled, refusal


@task
def rows() -> list[int]:
    return [1, 2]


@task
def add(x: int, y: int = 0) -> int:
    return x + y


class Greet(BaseOperator):
    template_fields = ("name", "words")

    def __init__(self, *, name: str, words: Any = "{{ ds }}", **settings: Any) -> None:
        super().__init__(**settings)
        self.name, self.words = name, words

    def execute(self, context: Any) -> Any:
        return self.name, self.words


def spec_of(dag: DAG, task_id: str) -> TaskSpec:
    return compiled(dag).task(task_id)


def ready(
    dag: DAG, task_id: str, *coordinates: tuple[int, ...], results: dict[str, Any] | None = None
) -> tuple[Any, Any]:
    """The instance at these coordinates, ready to run, and its context."""
    mapped = dag.get_task(task_id)
    context = build_context(order_for(dag, task_id), dag, mapped)
    return mapped.prepare(context, Given(results or {}, coordinates)), context


def returned(dag: DAG, task_id: str, *coordinates: tuple[int, ...], **results: Any) -> Any:
    instance, context = ready(dag, task_id, *coordinates, results=results)
    return instance.execute(context)


# ── what they are compiled to ────────────────────────────────────────────────────────────────────────────


def test_an_operator_is_mapped_over_each_combination_of_its_arguments() -> None:
    with DAG("d") as dag:
        Greet.partial(task_id="greet", retries=3, pool="small").expand(name=["a", "b"], words=rows())
    spec = spec_of(dag, "greet")
    assert spec.mapping == Mapping((Fixed(2), LengthOf(task_id="rows")))
    assert (spec.operator, spec.upstream, spec.inputs) == ("Greet", ("rows",), ("rows",))
    assert (spec.retry.retries, spec.pool, spec.is_mapped) == (3, "small", True)


def test_a_task_function_is_mapped_with_its_own_settings_and_a_new_id_each_time() -> None:
    with DAG("d") as dag:
        add.override(retries=2).partial(y=1).expand(x=rows())
        add.expand(x={"a": 1, "b": 2}, y=range(100_000))
    assert spec_of(dag, "add").retry.retries == 2
    assert spec_of(dag, "add__1").mapping == Mapping((Fixed(2), Fixed(100_000)))


def test_the_whole_result_of_a_mapped_task_is_no_input_of_one_that_is_mapped_over_it() -> None:
    with DAG("d") as dag:
        first = add.expand(x=rows())
        add.expand(x=first)
        add.expand(x=first.concat(rows()))
        add.expand(x=[1], y=first.zip(first, fillvalue=0).map(sum))
        add(first)
    assert [spec_of(dag, name).inputs for name in ("add__1", "add__2", "add__3", "add__4")] == [
        (),
        ("add", "rows__1"),
        (),
        ("add",),
    ]
    assert spec_of(dag, "add__1").upstream == ("add",)


def test_lengths_follow_zip_concat_and_map() -> None:
    with DAG("d") as dag:
        a, b = rows(), rows()
        add.expand(x=a.zip(b).map(sum), y=a["part"].concat(b.zip(a, fillvalue=1)))
    one, other = LengthOf(task_id="rows"), LengthOf(task_id="rows__1")
    part = LengthOf(task_id="rows", key="part")
    assert spec_of(dag, "add").mapping == Mapping((Shortest((one, other)), Total((part, Longest((other, one))))))


def test_tasks_of_mapped_groups_know_the_groups_around_them_and_wait_for_what_is_mapped_over() -> None:
    @task_group
    def inner(x: int, y: int) -> Any:
        return add(x, y)

    @task_group
    def outer(x: int) -> Any:
        lone = EmptyOperator(task_id="lone")
        lone >> inner.partial(x=x).expand(y=rows())

    with DAG("d") as dag:
        outer.expand(x=rows.override(task_id="start")())
    spec = compiled(dag)
    assert {t.task_id: (t.scopes, t.upstream, t.inputs) for t in spec.tasks} == {
        "start": ((), (), ()),
        "outer.lone": (("outer",), ("start",), ()),
        "outer.rows": (("outer",), ("start",), ()),
        "outer.inner.add": (
            ("outer", "outer.inner"),
            ("outer.lone", "outer.rows", "start"),
            ("outer.rows", "start"),
        ),
    }
    assert [group.mapping for group in spec.groups] == [
        Mapping((LengthOf(task_id="start"),)),
        Mapping((LengthOf(task_id="outer.rows"),)),
    ]


# ── one instance ─────────────────────────────────────────────────────────────────────────────────────────


def test_an_instance_is_an_operator_of_its_own_with_the_items_at_its_coordinates() -> None:
    with DAG("d", default_args={"words": "by default"}) as dag:
        Greet.partial(task_id="greet").expand(name=["a", "{{ ds }}"])
    instance, context = ready(dag, "greet", (1,))
    assert instance.execute(context) == ("2026-01-31", "by default")
    assert (context["task"], context["ti"].task) == (instance, instance)
    assert (instance.task_id, instance.dag, dag.task_ids) == ("greet", dag, ["greet"])


def test_a_text_that_comes_from_a_result_is_no_template() -> None:
    evil = "{{ conn.bank.password }}"
    with DAG("d") as dag:
        Greet.partial(task_id="greet").expand(name=rows(), words=["{{ ds }}"])
        Greet.partial(task_id="sets").expand_kwargs(rows().map(lambda row: {"name": [row]}))
    assert returned(dag, "greet", (0, 0), rows=[evil]) == (evil, "2026-01-31")
    assert returned(dag, "sets", (0,), rows__1=[{"deep": [evil]}]) == ([{"deep": [evil]}], "2026-01-31")


def test_a_map_may_skip_an_instance() -> None:
    def even(number: int) -> int:
        raise AirflowSkipException("odd")

    with DAG("d") as dag:
        add.expand(x=rows().map(even))
        task_group(group_id="g")(lambda x: add(x)).expand(x=rows().map(even))
    for name in ("add", "g.add"):
        with pytest.raises(AirflowSkipException, match="odd"):
            ready(dag, name, (0,), results={"rows": [1], "rows__1": [1]})


def test_items_are_found_in_whole_results_and_in_single_ones() -> None:
    with DAG("d") as dag:
        first = add.expand(x=rows())
        add.override(task_id="zip").expand_kwargs(
            first.zip(rows(), fillvalue=7).map(lambda p: dict(zip("xy", p, strict=True)))
        )
        add.override(task_id="both").expand(x=first.concat(rows()))
    items = {item_name("add", 1): 5}
    assert returned(dag, "zip", (1,), rows__1=[1], **items) == 12
    assert returned(dag, "both", (1,), rows__2=[9], add=[4, 5], **items) == 5
    assert returned(dag, "both", (2,), rows__2=[9], add=[4, 5]) == 9


def test_partial_arguments_may_be_results_templates_and_items_of_a_group() -> None:
    @task_group
    def each(x: Any) -> None:
        PythonOperator.partial(task_id="p", python_callable=lambda a, b, c: (a, b, c)).expand(
            op_args=[[x["deep"], rows(), "{{ ds }}"]]
        )

    with DAG("d") as dag:
        each.expand_kwargs([{"x": {"deep": 1}}, {"x": {"deep": 2}}])
    found = returned(dag, "each.p", (1,), (0,), **{"each.rows": [3]})
    assert found == (2, [3], "2026-01-31")


def test_strict_false_lets_an_item_go_before_what_is_partial() -> None:
    with DAG("d") as dag:
        add.partial(y=1).expand_kwargs(rows(), strict=False)
        add.partial(y=1).expand_kwargs(rows())
    assert returned(dag, "add", (0,), rows=[{"x": 1, "y": 5}]) == 6
    with pytest.raises(UsageError, match="'y' stands in partial"):
        returned(dag, "add__1", (0,), rows__1=[{"x": 1, "y": 5}])
    with pytest.raises(UsageError, match="takes dicts of arguments, and item 0 is 3"):
        returned(dag, "add__1", (0,), rows__1=[3])


def test_an_instance_that_nobody_named_is_refused() -> None:
    with DAG("d") as dag:
        add.expand(x=[1])
    with pytest.raises(UsageError, match="'add' is mapped, and nothing says which of its instances is meant"):
        ready(dag, "add")
    with pytest.raises(UsageError, match="there is no item 5"):
        ready(dag, "add", (5,))


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────


def test_wrong_arguments_are_refused_with_the_line_and_the_nearest_name() -> None:
    with DAG("d"):
        greet = Greet.partial(task_id="g", name="n")
        assert "Greet 'g' has no setting 'wrods'; did you mean 'words'?" in refusal(greet.expand, wrods=[1])
        assert "'name' stands in partial() and in expand()" in refusal(greet.expand, name=["a"])
        assert "retries cannot be mapped over" in refusal(greet.expand, retries=[1])
        assert "expand() needs an argument to map over" in refusal(greet.expand)
        assert "expand(words=…) maps over a list, a dict or the result of a task, not 3" in refusal(
            greet.expand, words=3
        )
        assert "not 'text'; put what does not vary into partial()" in refusal(greet.expand, words="text")
        assert "write rows.output" in refusal(greet.expand, words=rows().operator)
        assert "expand_kwargs() takes a list of dicts" in refusal(greet.expand_kwargs, {"words": 1})
        assert "takes dicts of arguments, not 4" in refusal(greet.expand_kwargs, [4])
        assert "partial() has no setting 'nam'; did you mean 'name'?" in refusal(Greet.partial, task_id="g", nam=1)
        assert "Greet.partial() needs task_id=" in refusal(Greet.partial)
        assert "Greet 'h' needs name=" in refusal(Greet.partial(task_id="h").expand, words=["a"])


def test_wrong_arguments_of_functions_are_refused_too() -> None:
    with DAG("d"):
        assert "expand() has 'z', which it does not take" in refusal(add.expand, z=[1])
        assert "partial() has 'yy', which it does not take; did you mean 'y'?" in refusal(add.partial, yy=[1])
        assert "'y' stands in partial() and in expand()" in refusal(add.partial(y=1).expand, y=[1])
        assert "missing a required argument: 'x'" in refusal(add.expand, y=[1])
        assert "map() takes a plain function" in refusal(rows().map, add)
        assert "zip() takes results of tasks, not [1]" in refusal(rows().zip, [1])


def test_what_cannot_be_counted_is_refused() -> None:
    with DAG("d") as dag:
        add.expand(x=rows()["a"]["b"])
    with pytest.raises(DagError, match="nothing can be mapped over the result of 'rows'"):
        compiled(dag)
    with DAG("e") as other:
        add.expand(x=add.expand(x=[1])["part"])
    with pytest.raises(DagError, match="which is mapped itself"):
        compiled(other)


def test_partial_of_a_group_is_refused_unless_a_group_is_made_of_it() -> None:
    @task_group
    def both(x, y):
        add(x, y)

    with DAG("d") as dag:
        both.partial(y=1)
    with pytest.raises(
        DagError, match=r"group function 'both': partial\(\) makes no task by itself; go on with .expand"
    ):
        compiled(dag)
    with DAG("e") as twice:
        both.partial(y=1).partial(x=2)
    with pytest.raises(DagError, match=r"group function 'both': partial\(\) makes no task"):
        compiled(twice)
    with DAG("f") as fine:
        both.partial(y=1).override(group_id="mapped").expand(x=[1, 2])
        both.partial(y=1)(x=3)
        both.partial(y=1).partial(x=2)()
    compiled(fine)


def test_partial_without_expand_is_refused() -> None:
    with DAG("d") as dag:
        BashOperator.partial(task_id="b", bash_command="true")
    with pytest.raises(DagError, match="BashOperator 'b': partial\\(\\) makes no task by itself"):
        compiled(dag)
    with DAG("e") as other:
        add.partial(y=1)
    with pytest.raises(DagError, match="task function 'add': partial\\(\\) makes no task"):
        compiled(other)


def test_an_item_of_a_group_is_refused_outside_of_it_and_as_something_to_map_over() -> None:
    kept: list[Any] = []

    @task_group
    def each(x: Any) -> None:
        kept.append(x)
        assert "maps over a list, a dict or the result of a task" in refusal(add.expand, x=x)
        with pytest.raises(DagError, match="loop over it inside a task"):
            list(x)

    with DAG("d") as dag:
        each.expand(x=[1, 2])
        add(kept[0])
    with pytest.raises(DagError, match="task 'add' uses the mapped argument 'x' of TaskGroup 'each'"):
        compiled(dag)


def test_a_name_for_instances_that_is_no_template_is_refused_where_the_file_is_read():
    with DAG("d") as dag:
        BashOperator.partial(task_id="b", map_index_template="{{ nope").expand(bash_command=["true"])
    with pytest.raises(DagError, match="task 'b', field 'map_index_template', line 1"):
        compiled(dag)
