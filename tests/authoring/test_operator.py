"""How operators are made: settings, default_args, and the errors about them."""

from datetime import timedelta
from pathlib import Path

import pendulum
import pytest

from orchestrator import DAG, BaseOperator, TriggerRule, WeightRule
from orchestrator.authoring.compiling import Defaults, compile_dag
from orchestrator.names import Delivery, Isolation
from orchestrator.operators import BashOperator, EmptyOperator, PythonOperator
from tests.authoring.graphs import refusal


class Copy(BaseOperator):
    """An author's operator, as in Airflow's documentation."""

    template_fields = ("source",)

    def __init__(self, *, source, target="t", **kwargs):
        super().__init__(**kwargs)
        self.source = source
        self.target = target

    def execute(self, context):
        return f"{self.source} to {self.target}"


class FastCopy(Copy):
    def __init__(self, *, speed=1, **kwargs):
        super().__init__(retries=9, **kwargs)
        self.speed = speed


def test_an_author_derives_an_operator_and_its_body_runs(run):
    with DAG("d") as dag:
        Copy(task_id="copy", source="{{ ds }}")
    assert run(dag, "copy") == "2026-01-31 to t"


def test_defaults_are_those_of_airflow():
    task = EmptyOperator(task_id="a")
    assert task.owner == "airflow"
    assert task.pool == "default_pool"
    assert task.queue == "default"
    assert task.trigger_rule == TriggerRule.ALL_SUCCESS
    assert (task.priority_weight, task.pool_slots, task.execution_timeout) == (1, 1, None)
    assert task.delivery is Delivery.AT_LEAST_ONCE
    assert task.isolation is Isolation.WARM


@pytest.mark.parametrize(
    ("name", "given", "held"),
    [
        ("retry_delay", 30, timedelta(seconds=30)),
        ("retry_delay", timedelta(0), timedelta(0)),
        ("max_retry_delay", 1.5, timedelta(seconds=1.5)),
        ("execution_timeout", timedelta(hours=1), timedelta(hours=1)),
        ("heartbeat_timeout", 30, timedelta(seconds=30)),
        ("execution_timeout", pendulum.duration(days=1, seconds=3), timedelta(days=1, seconds=3)),
        ("retry_exponential_backoff", True, 2.0),
        ("retry_exponential_backoff", False, 1.0),
        ("retry_exponential_backoff", 0, 1.0),
        ("retry_exponential_backoff", 3, 3.0),
        ("trigger_rule", "one_failed", TriggerRule.ONE_FAILED),
        ("trigger_rule", TriggerRule.ALWAYS, TriggerRule.ALWAYS),
        ("weight_rule", "upstream", WeightRule.UPSTREAM),
        ("priority_weight", -3, -3),
        ("delivery", "at_most_once", Delivery.AT_MOST_ONCE),
        ("isolation", "fork", Isolation.FORK),
        ("retries", None, None),
    ],
)
def test_a_setting_is_held_in_one_form(name, given, held):
    found = getattr(EmptyOperator(task_id="a", **{name: given}), name)
    assert (found, type(found)) == (held, type(held))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"retires": 3}, "EmptyOperator 'a' has no setting 'retires'; did you mean 'retries'?"),
        ({"qqqq": 3}, "EmptyOperator 'a' has no setting 'qqqq'"),
        ({"retries": -1}, "retries must be a whole number of at least 0, not -1"),
        ({"retries": "3"}, "retries must be a whole number of at least 0, not '3'"),
        ({"retry_delay": -1}, "retry_delay must be a timedelta or seconds, not negative, not -1"),
        ({"retry_delay": 1e300}, "retry_delay must be"),
        ({"execution_timeout": 0}, "execution_timeout must be a timedelta or seconds, more than 0, not 0"),
        ({"pool_slots": 0}, "pool_slots must be a whole number of at least 1, not 0"),
        ({"pool": " "}, "pool must be a text that is not empty"),
        ({"retry_jitter": 2}, "retry_jitter must be a number from 0 to 1, not 2"),
        ({"retry_exponential_backoff": -2}, "retry_exponential_backoff must be True, False, or a factor"),
        ({"retry_policy": "twice"}, "retry_policy must be a RetryPolicy"),
        ({"trigger_rule": "all_sucess"}, "trigger_rule must be one of all_success, all_failed, all_done,"),
        ({"weight_rule": "heavy"}, "weight_rule must be one of downstream, upstream, absolute, not 'heavy'"),
        ({"delivery": "once"}, "delivery must be one of at_least_once, at_most_once, transactional, not 'once'"),
        ({"isolation": "vm"}, "isolation must be one of warm, fork, not 'vm'"),
        ({"max_active_tis_per_dag": 0}, "max_active_tis_per_dag must be a whole number of at least 1"),
        ({"depends_on_past": "yes"}, "depends_on_past must be True or False, not 'yes'"),
        ({"depends_on_previous_tasks": ["b"]}, "a task waits for itself in the run before (depends_on_past)"),
        ({"run_as_user": "root"}, "run_as_user is a setting of Airflow that is not supported here"),
        ({"dag": "d"}, "dag must be a DAG, not 'd'"),
    ],
)
def test_an_unknown_or_impossible_setting_is_refused_with_its_line(settings, words):
    assert words in refusal(EmptyOperator, task_id="a", **settings)


def test_settings_of_airflow_that_ask_for_nothing_are_let_through():
    EmptyOperator(
        task_id="a",
        run_as_user=None,
        email_on_failure=True,
        on_failure_callback=None,
        do_xcom_push=True,
        inlets=[],
    )


def test_the_nearest_name_may_be_one_of_the_operators_own():
    assert "did you mean 'bash_command'?" in refusal(BashOperator, task_id="a", bash_command="x", bash_comand="y")


def test_a_missing_argument_is_named():
    assert refusal(BashOperator, task_id="a") == "BashOperator 'a' needs bash_command="
    assert refusal(EmptyOperator) == "EmptyOperator needs task_id="


def test_an_argument_without_a_keyword_is_refused():
    assert "takes keywords only" in refusal(EmptyOperator, "a")


def test_a_bad_task_id_is_refused():
    assert "not allowed" in refusal(EmptyOperator, task_id="a b")


def test_a_class_that_takes_no_other_keywords_says_so():
    class Fixed(BaseOperator):
        def __init__(self, *, size=1):
            super().__init__(task_id="fixed")

        def execute(self, context):
            return None

    assert Fixed(size=2).task_id == "fixed"
    assert "no setting 'siez'; did you mean 'size'" in refusal(Fixed, siez=2)


def test_a_task_knows_the_line_that_made_it_also_through_an_authors_class():
    line = FastCopy(task_id="a", source="x").place.line
    assert "FastCopy(task_id=" in Path(__file__).read_text().splitlines()[line - 1]


# ── default_args ─────────────────────────────────────────────────────────────────────────────────────────


def test_default_args_fill_in_what_is_not_given():
    with DAG("d", default_args={"retries": 3, "owner": "me", "bash_command": "true", "queue": "q"}):
        task = BashOperator(task_id="a", queue="own")
    assert (task.retries, task.owner, task.bash_command, task.queue) == (3, "me", "true", "own")


def test_default_args_reach_every_class_of_a_family_and_yield_to_what_a_class_says():
    with DAG("d", default_args={"retries": 3, "source": "s", "target": "u", "speed": 5, "pool": "p"}):
        task = FastCopy(task_id="a")
    assert (task.retries, task.source, task.target, task.speed, task.pool) == (9, "s", "u", 5, "p")


def test_default_args_also_speak_to_a_task_that_is_given_its_dag():
    made = DAG("d", default_args={"retries": 3})
    assert EmptyOperator(task_id="a", dag=made).retries == 3
    with DAG("other", default_args={"retries": 1}):
        assert EmptyOperator(task_id="b", dag=made).retries == 3


def test_default_args_of_a_task_go_before_those_of_its_dag():
    with DAG("d", default_args={"retries": 3, "queue": "q"}):
        made = EmptyOperator(task_id="a", default_args={"retries": 1})
    assert (made.retries, made.queue) == (1, "q")


def test_a_wrong_value_in_default_args_is_refused_where_the_task_is_made():
    with DAG("d", default_args={"retries": -3}):
        assert "retries must be" in refusal(EmptyOperator, task_id="a")


def test_default_args_that_no_task_takes_are_refused_when_the_dag_is_compiled():
    with DAG("d", default_args={"retires": 3}) as dag:
        EmptyOperator(task_id="a")
    words = refusal(compile_dag, dag, file="x.py", defaults=Defaults())
    assert words == "DAG 'd', default_args has no setting 'retires'; did you mean 'retries'?"


def test_default_args_as_airflows_examples_write_them_are_fine():
    with DAG(
        "d", default_args={"owner": "me", "depends_on_past": False, "email_on_failure": False, "bash_command": "x"}
    ) as dag:
        BashOperator(task_id="a")
        EmptyOperator(task_id="b")
    assert compile_dag(dag, file="x.py", defaults=Defaults()).owner == "me"


# ── setups and teardowns ─────────────────────────────────────────────────────────────────────────────────


def test_a_teardown_runs_after_all_are_done_and_after_its_setups():
    with DAG("d") as dag:
        up, work, down = (EmptyOperator(task_id=name) for name in ("up", "work", "down"))
        up >> work >> down.as_teardown(setups=up)
    spec = compile_dag(dag, file="x.py", defaults=Defaults())
    assert spec.task("up").is_setup
    assert spec.task("down").is_teardown
    assert spec.task("down").trigger_rule is TriggerRule.ALL_DONE_SETUP_SUCCESS
    assert spec.task("down").upstream == ("up", "work")


def test_an_operator_without_a_body_is_refused():
    class Nothing(BaseOperator):
        pass

    with DAG("d") as dag:
        Nothing(task_id="a")
    assert "has no body; define execute" in refusal(compile_dag, dag, file="x.py", defaults=Defaults())


def test_a_python_callable_that_cannot_be_called_is_refused():
    assert "python_callable must be a function" in refusal(PythonOperator, task_id="a", python_callable=3)


def test_templates_exts_say_which_texts_name_template_files(run, tmp_path):
    (tmp_path / "query.sql").write_text("select '{{ ds }}'")
    with DAG("d", template_searchpath=tmp_path) as dag:
        PythonOperator(
            task_id="ask",
            python_callable=lambda templates_dict: templates_dict["query"],
            templates_dict={"query": "query.sql"},
            templates_exts=[".sql"],
            show_return_value_in_logs=False,
        )
    assert run(dag, "ask") == "select '2026-01-31'"


def test_a_task_that_waits_for_what_follows_in_the_run_before_waits_for_itself_there_too():
    with DAG("d", default_args={"depends_on_past": True, "ignore_first_depends_on_past": False}) as dag:
        EmptyOperator(task_id="a")
        EmptyOperator(task_id="b", depends_on_past=False, wait_for_downstream=True)
        EmptyOperator(task_id="c", depends_on_past=False)
    asked = {
        t.task_id: (t.depends_on_past, t.wait_for_downstream)
        for t in compile_dag(dag, file="f.py", defaults=Defaults()).tasks
    }
    assert asked == {"a": (True, False), "b": (True, True), "c": (False, False)}
