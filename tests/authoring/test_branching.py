"""Which tasks a branch or a short circuit skips."""

import pytest

from orchestrator import DAG, BaseBranchOperator, task
from orchestrator.exceptions import UsageError
from orchestrator.operators import BranchPythonOperator, EmptyOperator, ShortCircuitOperator


@pytest.fixture
def branch():
    r"""branch >> [left, right, join], left >> middle >> join, right >> tail."""
    with DAG("d"):
        made = BranchPythonOperator(task_id="branch", python_callable=lambda: "left")
        left, middle, right, join, tail = (
            EmptyOperator(task_id=n) for n in ("left", "middle", "right", "join", "tail")
        )
        made >> [left, right, join]
        left >> middle >> join
        right >> tail
    return made


@pytest.mark.parametrize(
    ("chosen", "skipped"),
    [
        ("left", ("right",)),
        ("right", ("join", "left")),
        (["left", "right"], ()),
        (("join",), ("left", "right")),
        ({"join"}, ("left", "right")),
        ("middle", ("left", "right")),
        ("tail", ("join", "left", "right")),
        (None, ("join", "left", "right")),
        ([], ("join", "left", "right")),
    ],
)
def test_a_branch_skips_what_is_right_after_it_and_not_behind_a_chosen_task(branch, chosen, skipped):
    assert branch.skips(chosen) == skipped


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ("lfet", "chose 'lfet', which DAG 'd' does not have; did you mean 'left'"),
        (3, "must return a task_id, a list of them or None, not 3"),
        ([None], "must return a task_id"),
        ({"left": 1}, "must return a task_id"),
    ],
)
def test_a_choice_that_is_no_task_is_refused(branch, chosen, words):
    with pytest.raises(UsageError, match="branch 'branch'") as caught:
        branch.skips(chosen)
    assert words in str(caught.value)


def test_a_branch_returns_what_it_chose(branch, run):
    assert run(branch.dag, "branch") == "left"


def test_a_branch_may_be_a_function_or_a_class(run):
    class Weekly(BaseBranchOperator):
        def choose_branch(self, context):
            return "a" if context["ds"] < "2027" else "b"

    @task.branch(retries=2)
    def decide(left, right):
        return right

    with DAG("d") as dag:
        a, b = EmptyOperator(task_id="a"), EmptyOperator(task_id="b")
        Weekly(task_id="weekly") >> [a, b]
        decide("a", "b") >> [a, b]
    assert dag.get_task("weekly").skips(run(dag, "weekly")) == ("b",)
    assert dag.get_task("decide").skips(run(dag, "decide")) == ("a",)
    assert dag.get_task("decide").retries == 2


@pytest.mark.parametrize(
    ("everything", "result", "skipped"),
    [(True, False, ("a", "b")), (True, [], ("a", "b")), (False, None, ("a",)), (True, 1, ()), (False, "x", ())],
)
def test_a_short_circuit_skips_all_that_follows_or_only_what_is_next(everything, result, skipped):
    with DAG("d"):
        made = ShortCircuitOperator(
            task_id="check", python_callable=lambda: result, ignore_downstream_trigger_rules=everything
        )
        down = EmptyOperator(task_id="down").as_teardown()
        made >> EmptyOperator(task_id="a") >> EmptyOperator(task_id="b") >> down
    assert made.skips(result) == skipped


def test_a_short_circuit_may_be_a_function(run):
    @task.short_circuit(ignore_downstream_trigger_rules=False)
    def is_open():
        return False

    with DAG("d") as dag:
        is_open() >> EmptyOperator(task_id="a") >> EmptyOperator(task_id="b")
    assert dag.get_task("is_open").skips(run(dag, "is_open")) == ("a",)


def test_other_tasks_skip_nothing():
    assert EmptyOperator(task_id="a").skips("b") == ()
