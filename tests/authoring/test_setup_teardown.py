"""Setups and teardowns: how they are marked, and what a `with` block over them joins."""

import pytest

from orchestrator import DAG, TaskGroup, TriggerRule, setup, task, task_group, teardown
from orchestrator.authoring.setup_teardown import context_wrapper
from orchestrator.operators import BashOperator
from tests.authoring.graphs import compiled, edges, empty, refusal


@setup
def up():
    return "cluster"


@teardown
def down():
    pass


@task
def work(x=None):
    return x


def test_decorators_mark_the_tasks_of_a_function():
    @teardown(on_failure_fail_dagrun=True)
    @task(retries=2)
    def strict():
        pass

    @setup
    @task.bash
    def shell():
        return "true"

    with DAG("d") as dag:
        up(), down(), strict(), shell(), strict.override(task_id="lenient", on_failure_fail_dagrun=False)()
    spec = compiled(dag)
    assert [t.task_id for t in spec.tasks if t.is_setup] == ["shell", "up"]
    assert {t.task_id: t.on_failure_fail_dagrun for t in spec.tasks if t.is_teardown} == {
        "down": False,
        "strict": True,
        "lenient": False,
    }
    assert spec.task("strict").trigger_rule is TriggerRule.ALL_DONE_SETUP_SUCCESS
    assert spec.task("strict").retry.retries == 2


def test_tasks_and_results_are_marked_with_their_setups():
    with DAG("d") as dag:
        first, second = empty("first"), work()
        done = BashOperator(task_id="done", bash_command="true").as_teardown(setups=[first, second])
        first >> empty("middle") >> done
    assert edges(dag) == {"first>done", "work>done", "first>middle", "middle>done"}
    assert first.is_setup
    assert dag.get_task("work").is_setup


def test_what_is_made_in_a_block_stands_between_setup_and_teardown():
    with DAG("d") as dag, down().as_teardown(setups=up()):
        work(work())
        work()
    assert edges(dag) == {
        *("up>down", "up>work", "up>work__2"),
        *("work>work__1", "work__1>down", "work__2>down"),
    }


@pytest.mark.parametrize("over", ["setup", "teardown", "arrow"])
def test_a_block_finds_the_other_side(over):
    with DAG("d") as dag:
        before, after = up(), down()
        arrow = before >> after
        with {"setup": before, "teardown": after, "arrow": arrow}[over]:
            work()
    assert edges(dag) == {"up>down", "up>work", "work>down"}


def test_blocks_inside_of_blocks_set_up_in_order_and_take_down_in_reverse():
    with DAG("d") as dag:
        outer_up, outer_down = empty("outer_up").as_setup(), empty("outer_down").as_teardown()
        outer_up >> outer_down
        with outer_up, up() >> down():
            work()
    assert edges(dag) == {
        *("outer_up>outer_down", "outer_up>up", "down>outer_down"),
        *("up>down", "up>work", "work>down"),
    }


def test_a_block_takes_in_tasks_that_were_made_elsewhere_and_groups_made_inside():
    with DAG("d") as dag:
        early = work()
        with up() >> down() as scope:
            scope.add_task(early)
            with TaskGroup("g"):
                empty("a") >> empty("b")
    assert edges(dag) == {"up>down", "up>work", "work>down", "up>g.a", "g.a>g.b", "g.b>down"}


def test_several_setups_open_a_block_together():
    with DAG("d") as dag, context_wrapper([up(), empty("other").as_setup()]):
        work()
    assert edges(dag) == {"up>work", "other>work"}


def test_what_raises_inside_a_block_joins_nothing():
    def body():
        with up() >> down():
            work()
            raise KeyError("x")

    with DAG("d") as dag:
        with pytest.raises(KeyError):
            body()
        work()
    assert edges(dag) == {"up>down"}


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────────────


def test_only_setups_or_only_teardowns_open_a_block():
    with DAG("d"):
        assert "takes setups only, or teardowns only" in refusal(empty("a").__enter__)
        assert "takes setups only, or teardowns only" in refusal(context_wrapper([up(), down()]).__enter__)


def test_roles_that_cannot_be_are_refused():
    with DAG("d") as dag:
        both = empty("a").as_setup().as_teardown()
    assert "EmptyOperator 'a' is a setup and a teardown at once" in refusal(compiled, dag)
    both.is_setup = both.is_teardown = False
    both.on_failure_fail_dagrun = True
    assert "has on_failure_fail_dagrun, which is for teardowns" in refusal(compiled, dag)


def test_when_a_teardown_runs_is_settled():
    message = "teardown 'late' has a trigger_rule, but when teardowns run is settled; remove it"

    @task(trigger_rule="all_done")
    def late():
        pass

    assert refusal(teardown, late) == message
    assert "teardown 'down' has a trigger_rule" in refusal(down.override, trigger_rule="all_done")


def test_a_task_right_after_a_setup_needs_it_to_succeed():
    with DAG("d") as dag:
        up() >> empty("a", trigger_rule="all_done")
    assert "task 'a' has trigger_rule all_done and comes right after setup 'up'" in refusal(compiled, dag)


def test_groups_and_other_things_are_no_setups():
    @task_group
    def section():
        work()

    assert "@setup is for tasks, and no group of them" in refusal(setup, section)
    with DAG("d"):
        assert "cannot be a setup; name tasks" in refusal(empty("a").as_teardown, setups=section())
        assert "'b' cannot be a dependency" in refusal(empty("c").as_teardown, setups="b")
