"""Groups: ids, edges to and from them, and what they give to the tasks inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import DAG, TaskGroup, chain, cross_downstream, task, task_group
from orchestrator.exceptions import NotFoundError
from tests.authoring.graphs import compiled, edges, empty, refusal


def test_a_group_puts_its_id_before_those_of_what_is_inside():
    with DAG("d") as dag:
        with TaskGroup("outer") as outer:
            empty("a")
            with TaskGroup("inner") as inner:
                empty("b")
        with TaskGroup("plain", prefix_group_id=False) as plain:
            empty("c")
            with TaskGroup("deep"):
                empty("d")
    assert dag.task_ids == ["outer.a", "outer.inner.b", "c", "deep.d"]
    assert (outer.group_id, inner.group_id, inner.label, plain.group_id) == ("outer", "outer.inner", "inner", "plain")
    assert inner.parent_group is outer
    assert outer["a"] is dag.get_task("outer.a")
    assert outer.get_child_by_label("inner") is inner
    assert [one.task_id for one in outer] == ["outer.a", "outer.inner.b"]
    assert outer.has_task(dag.get_task("outer.inner.b"))


def test_groups_are_plain_data_with_the_outer_ones_first():
    with DAG("d") as dag:
        first = empty("first")
        with TaskGroup("outer", tooltip="all of it", group_display_name="Outer", ui_color="red") as outer:
            empty("a")
            with TaskGroup("inner"):
                empty("b", task_display_name="Bee")
        first >> outer
    spec = compiled(dag)
    assert [(one.group_id, one.parent, one.display_name, one.tooltip, one.upstream) for one in spec.groups] == [
        ("outer", "", "Outer", "all of it", ("first",)),
        ("outer.inner", "outer", None, None, ()),
    ]
    assert {one.task_id: one.group for one in spec.tasks} == {
        "first": "",
        "outer.a": "outer",
        "outer.inner.b": "outer.inner",
    }
    assert spec.task("outer.inner.b").display_name == "Bee"


def test_edges_lead_to_the_first_and_from_the_last_tasks_of_a_group():
    with DAG("d") as dag:
        before, after = empty("before"), empty("after")
        with TaskGroup("g") as group:
            a, b, c = empty("a"), empty("b"), empty("c")
            a >> b
        before >> group >> after
    assert edges(dag) == {"g.a>g.b", "before>g.a", "before>g.c", "g.b>after", "g.c>after"}
    assert group.roots == [a, c]
    assert group.leaves == [b, c]


@pytest.mark.parametrize(
    "join",
    [
        lambda one, two: one >> two,
        lambda one, two: two << one,
        lambda one, two: [one] >> two,
        lambda one, two: chain(one, two),
        lambda one, two: cross_downstream([one], [two]),
        lambda one, two: two.set_upstream(one),
    ],
)
def test_groups_are_joined_like_tasks(join):
    with DAG("d") as dag:
        with TaskGroup("one") as one:
            empty("a"), empty("b")
        with TaskGroup("two") as two:
            empty("c")
        join(one, two)
    assert edges(dag) == {"one.a>two.c", "one.b>two.c"}
    assert compiled(dag).groups[1].upstream == ("one",)
    assert compiled(dag).groups[0].downstream == ("two",)


def test_an_empty_group_passes_on_what_it_stands_between():
    with DAG("d") as dag:
        a, b = empty("a"), empty("b")
        with TaskGroup("nothing") as nothing:
            pass
        a >> nothing >> b
    assert edges(dag) == {"a>b"}


def test_teardowns_are_not_waited_for_by_what_comes_after_the_group():
    with DAG("d") as dag:
        after = empty("after")
        with TaskGroup("g") as group:
            up, work = empty("up"), empty("work")
            down = empty("down").as_teardown(setups=up)
            up >> work >> down
        group >> after
    assert edges(dag) == {"g.up>g.work", "g.work>g.down", "g.up>g.down", "g.work>after"}


def test_default_args_of_the_nearest_group_go_first():
    with DAG("d", default_args={"retries": 1, "owner": "dag", "queue": "dag"}) as dag:
        with (
            TaskGroup("outer", default_args={"retries": 2, "owner": "outer"}),
            TaskGroup("inner", default_args={"retries": 3}),
        ):
            empty("a")
            empty("b", retries=4, default_args={"owner": "own"})
        empty("c")
    found = {one.task_id: (one.retries, one.owner, one.queue) for one in dag.tasks}
    assert found == {
        "outer.inner.a": (3, "outer", "dag"),
        "outer.inner.b": (4, "own", "dag"),
        "c": (1, "dag", "dag"),
    }


def test_a_task_and_a_group_can_be_put_in_a_group_from_outside():
    with DAG("d") as dag:
        group = TaskGroup("g")
        TaskGroup("inner", parent_group=group)
    a = empty("a", task_group=group)
    assert (a.task_id, a.dag, a.task_group) == ("g.a", dag, group)
    assert "g.inner" in group.children
    with TaskGroup("late", dag=dag):
        assert empty("b").task_id == "late.b"


def test_a_group_of_another_dag_is_left_at_its_door():
    with DAG("one"), TaskGroup("g"), DAG("two") as two:
        empty("a")
    assert two.task_ids == ["a"]


# ── @task_group ──────────────────────────────────────────────────────────────────────────────────────────


@task
def add(x, y=1):
    return x + y


def test_a_call_makes_a_group_and_gives_back_what_the_function_returns(run):
    @task_group
    def sums(x):
        """Adds twice."""
        return add(add(x))

    @task_group(group_id="quiet", tooltip="no result")
    def silent():
        add(1)

    with DAG("d") as dag:
        result, group = sums(3), silent()
        result >> group
    assert dag.task_ids == ["sums.add", "sums.add__1", "quiet.add"]
    assert [one.tooltip for one in compiled(dag).groups] == ["Adds twice.", "no result"]
    assert isinstance(group, TaskGroup)
    assert dag.get_task("quiet.add").upstream_task_ids == {"sums.add__1"}
    assert run(dag, "sums.add__1", results={"sums.add": 4}) == 5


def test_repeated_calls_are_numbered_and_override_names_them():
    @task_group
    def section(x):
        add(x)

    @task_group
    def outer():
        section(1)
        section(2)
        section(3)

    with DAG("d") as dag:
        section(1)
        section(2)
        section.override(group_id="other", default_args={"retries": 7})(3)
        outer()
    assert list(dag.task_group_dict) == [
        *("section", "section__1", "other", "outer"),
        *("outer.section", "outer.section__1", "outer.section__2"),
    ]
    assert dag.get_task("other.add").retries == 7


def test_arguments_can_be_given_beforehand():
    @task_group
    def section(x, y):
        add(x, y)

    with DAG("d") as dag:
        section.partial(y=5)(1)
        assert dag.get_task("section.add").op_args == (1, 5)
        assert "has no setting 'z'" in refusal(section.partial, z=1)
        assert "was given 'y' by partial() twice" in refusal(section.partial(y=1).partial, y=2)


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_group_needs_a_dag_and_a_name_that_is_free():
    assert "belongs to no DAG" in refusal(TaskGroup, "g")
    with DAG("d"):
        empty("a")
        TaskGroup("g")
        assert "DAG 'd' has a group 'g' already, made at " in refusal(TaskGroup, "g")
        assert "DAG 'd' has a task 'a' already" in refusal(TaskGroup, "a")
        assert "DAG 'd' has a group 'g' already" in refusal(empty, "g")
        assert TaskGroup("g", add_suffix_on_collision=True).group_id == "g__1"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"group_id": "a.b"}, "holds a dot"),
        ({"group_id": "a b"}, "holds a character that is not allowed"),
        ({"group_id": ""}, "group_id must be a text of 1 to 250"),
        ({"group_id": "x" * 201}, "at most 200"),
        ({"group_id": "g", "tooltp": "x"}, "has no setting 'tooltp'; did you mean 'tooltip'?"),
        ({"group_id": "g", "tooltip": 3}, "tooltip must be a text, not 3"),
        ({"group_id": "g", "default_args": [1]}, "default_args must be a dict"),
        ({"group_id": "g", "parent_group": "outer"}, "must be a TaskGroup, not 'outer'"),
    ],
)
def test_what_a_group_cannot_be_is_said_with_the_line(arguments, words):
    with DAG("d"):
        assert words in refusal(TaskGroup, **arguments)


def test_mistakes_in_group_functions_are_said_with_the_line():
    @task_group
    def section(x):
        add(x)

    with DAG("d") as dag:
        assert "missing a required argument: 'x'" in refusal(section)
        assert dag.task_group_dict == {}
    assert "group function 'section': expand() needs an argument to map over" in refusal(section.expand)
    assert "expand_kwargs() takes dicts of arguments, not 1" in refusal(section.expand_kwargs, [1])
    assert "@task_group decorates a function, not 3" in refusal(task_group(), 3)
    assert "@task_group has no setting 'tooltp'" in refusal(task_group, tooltp="x")


def test_a_wrong_default_arg_of_a_group_is_named():
    with DAG("d") as dag, TaskGroup("g", default_args={"retires": 3}):
        empty("a")
    message = refusal(compiled, dag)
    assert message == "TaskGroup 'g', default_args has no setting 'retires'; did you mean 'retries'?"


def test_what_is_not_in_a_group_is_named_with_the_nearest():
    with DAG("d"), TaskGroup("g") as group:
        empty("load")
    with pytest.raises(NotFoundError, match=r"no task or group 'laod'; did you mean 'g\.load'"):
        group["laod"]


def test_a_branch_may_choose_a_group():
    with DAG("d") as dag:
        with TaskGroup("left") as left:
            empty("a") >> empty("b")
        with TaskGroup("right") as right:
            empty("c")

        @task.branch
        def pick():
            return "left"

        pick() >> [left, right]
    assert dag.get_task("pick").skips("left") == ("right.c",)
    assert dag.get_task("pick").skips(["left", "right"]) == ()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12), st.sets(st.integers(0, 5), max_size=6))
def test_first_and_last_tasks_are_those_without_neighbours_inside(pairs, inside):
    with DAG("d") as dag:
        group = TaskGroup("g")
        tasks = [empty(str(n), **({"task_group": group} if n in inside else {})) for n in range(6)]
        for before, after in pairs:
            if before < after:
                tasks[before] >> tasks[after]
    ids = {tasks[n].task_id for n in inside}
    assert {one.task_id for one in group.get_roots()} == {n for n in ids if not dag.get_task(n).upstream_task_ids & ids}
    assert {one.task_id for one in group.get_leaves()} == {
        n for n in ids if not dag.get_task(n).downstream_task_ids & ids
    }
