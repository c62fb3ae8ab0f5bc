"""What a DAG is made of, and how its settings are checked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from orchestrator import DAG, TaskGroup, dag, task
from orchestrator.authoring.collecting import collecting
from orchestrator.exceptions import DagError, DuplicateTaskError, NotFoundError
from orchestrator.operators import EmptyOperator


def here() -> str:
    return str(Path(__file__))


def test_tasks_made_inside_a_with_block_belong_to_the_dag():
    with DAG("d") as made:
        inside = EmptyOperator(task_id="inside")
    outside = EmptyOperator(task_id="outside")
    assert made.task_ids == ["inside"]
    assert inside.dag is made
    assert inside.dag_id == "d"
    with pytest.raises(DagError, match="'outside' belongs to no DAG"):
        _ = outside.dag


def test_dag_given_as_an_argument_takes_the_task_in():
    made = DAG("d")
    EmptyOperator(task_id="a", dag=made)
    with DAG("other"):
        EmptyOperator(task_id="b", dag=made)
    assert made.task_ids == ["a", "b"]


def test_with_blocks_may_be_nested_and_entered_again():
    with DAG("outer") as outer:
        with DAG("inner") as inner, inner:
            EmptyOperator(task_id="in_inner")
        EmptyOperator(task_id="in_outer")
    assert (outer.task_ids, inner.task_ids) == (["in_outer"], ["in_inner"])


def test_an_error_inside_a_with_block_closes_it():
    with pytest.raises(ZeroDivisionError), DAG("d"):
        _ = 1 / 0
    assert EmptyOperator(task_id="a").graph is None


@pytest.mark.parametrize("dag_id", ["etl", "a.b-c_d", "x" * 250, "1"])
def test_ids_of_airflows_characters_are_allowed(dag_id):
    assert DAG(dag_id).dag_id == dag_id


@pytest.mark.parametrize(
    ("dag_id", "words"),
    [
        ("", "a text of 1 to 250"),
        (7, "a text of 1 to 250"),
        ("x" * 251, "has 251 characters"),
        ("a b", "not allowed"),
        ("é", "not allowed"),
        ("a/b", "not allowed"),
        ("a\n", "not allowed"),
    ],
)
def test_other_ids_are_refused_with_the_authors_line(dag_id, words):
    with pytest.raises(DagError, match=words) as caught:
        DAG(dag_id)
    assert caught.value.file == here()
    assert caught.value.line
    assert str(caught.value).startswith(f"{here()}:{caught.value.line}: ")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"shedule": "@daily"}, "no setting 'shedule'; did you mean 'schedule'?"),
        ({"max_active_runs": 0}, "max_active_runs must be a whole number of at least 1, not 0"),
        ({"max_active_tasks": True}, "max_active_tasks must be a whole number of at least 1, not True"),
        ({"dagrun_timeout": -1}, "dagrun_timeout must be a timedelta or seconds, more than 0, not -1"),
        ({"dagrun_timeout": float("nan")}, "dagrun_timeout must be"),
        ({"start_date": "2026-01-01"}, "start_date must be a datetime"),
        ({"tags": "etl"}, "tags must be a list of texts"),
        ({"tags": ["x" * 101]}, "1 to 100 characters"),
        ({"catchup": "no"}, "catchup must be True or False"),
        ({"params": ["x"]}, "params must be a dict"),
        ({"timezone": "Mars/Olympus"}, "timezone must be a time zone such as"),
        ({"default_args": {"start_date": "yesterday"}}, "start_date must be a datetime"),
        ({"deadline": object()}, "deadline is a setting of Airflow that is not supported"),
        ({"on_failure_callback": "mail"}, "on_failure_callback must be a function that takes the context"),
    ],
)
def test_an_unknown_or_impossible_setting_is_refused_with_its_line(settings, words):
    with pytest.raises(DagError) as caught:
        DAG("d", **settings)
    assert words in str(caught.value)
    assert caught.value.file == here()


def test_settings_of_airflow_that_ask_for_nothing_are_let_through():
    DAG("d", on_failure_callback=None, auto_register=True, access_control={}, max_consecutive_failed_dag_runs=0)


def test_settings_are_made_uniform():
    made = DAG("d", tags=["b", "a", "b"], dagrun_timeout=90, template_searchpath=Path("/sql"), timezone="Asia/Tokyo")
    assert made.tags == ("a", "b")
    assert made.dagrun_timeout == timedelta(seconds=90)
    assert made.template_searchpath == ("/sql",)
    assert made.timezone == ZoneInfo("Asia/Tokyo")


def test_default_args_may_hold_the_dates_of_the_dag():
    dates = {"start_date": datetime(2026, 1, 1, tzinfo=UTC), "end_date": datetime(2026, 2, 1, tzinfo=UTC)}
    made = DAG("d", default_args=dates)
    assert {"start_date": made.start_date, "end_date": made.end_date} == dates


def test_a_dag_does_not_share_its_params_with_the_authors_dict():
    given = {"x": 1}
    made = DAG("d", params=given)
    made.params["y"] = 2
    assert given == {"x": 1}


def test_a_repeated_task_id_names_both_lines():
    with DAG("d"):
        first = EmptyOperator(task_id="a")
        with pytest.raises(DuplicateTaskError, match="has a task 'a' already") as caught:
            EmptyOperator(task_id="a")
    assert f"made at line {first.place.line};" in str(caught.value)
    assert caught.value.line == first.place.line + 2


def test_a_task_that_is_not_there_is_answered_with_the_nearest():
    with DAG("d") as made:
        EmptyOperator(task_id="extract")
    with pytest.raises(NotFoundError, match="no task 'extrct'; did you mean 'extract'"):
        made.get_task("extrct")


def test_roots_and_leaves_are_the_ends_of_the_graph():
    with DAG("d") as made:
        a, b, c = (EmptyOperator(task_id=name) for name in "abc")
        a >> b
    assert made.roots == [a, c]
    assert made.leaves == [b, c]
    assert made.has_task("a")
    assert not made.has_task("z")


def test_the_file_of_a_dag_is_the_authors():
    made = DAG("d")
    assert made.fileloc == here()
    assert made.folder == str(Path(__file__).parent)


# ── @dag ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_function_under_dag_becomes_a_dag_when_it_is_called():
    @dag
    def nightly():
        """What it is for."""
        EmptyOperator(task_id="a")

    made = nightly()
    assert (made.dag_id, made.task_ids, made.doc_md) == ("nightly", ["a"], "What it is for.")


def test_dag_with_parentheses_takes_the_settings():
    @dag("given", schedule="@daily", doc_md="other", tags=["x"])
    def nightly():
        """Not this."""

    made = nightly()
    assert (made.dag_id, made.schedule, made.doc_md, made.tags) == ("given", "@daily", "other", ("x",))


def test_parameters_of_the_function_become_params_of_the_dag(run):
    @dag(params={"other": 1})
    def nightly(country="be", limit=10):
        @task
        def load(where, text):
            return where, text

        load(country, f"at most {limit}")

    made = nightly(limit=5)
    assert made.params == {"other": 1, "country": "be", "limit": 5}
    assert run(made, "load", conf={"country": "nl"}) == ("nl", "at most 5")


def test_a_parameter_without_a_value_is_refused():
    @dag
    def nightly(country):
        pass

    with pytest.raises(DagError, match="DAG function 'nightly': missing a required argument: 'country'"):
        nightly()


def test_a_dag_made_of_a_function_stands_at_its_definition():
    @dag
    def nightly():
        pass

    assert nightly().place.line == nightly.__wrapped__.__code__.co_firstlineno


# ── collecting ───────────────────────────────────────────────────────────────────────────────────────────


def test_collecting_finds_every_dag_that_is_made_inside_in_order():
    @dag
    def third():
        pass

    DAG("before")
    with collecting() as found:
        first = DAG("first")
        with DAG("second"):
            pass
        third()
        with collecting() as inner:
            DAG("inner")
    DAG("after")
    assert [made.dag_id for made in found] == ["first", "second", "third"]
    assert found[0] is first
    assert [made.dag_id for made in inner] == ["inner"]


def test_a_dag_is_asked_and_built_by_ids_as_in_airflow():
    with DAG("d") as dag:
        EmptyOperator(task_id="a", owner="me")
        EmptyOperator(task_id="b", owner="you")
        with TaskGroup("g"):
            EmptyOperator(task_id="down").as_teardown()
    dag.set_dependency("a", "b")
    assert dag.get_task("b").upstream_task_ids == {"a"}
    assert dag.owner == "airflow, me, you"
    assert dag.has_task_group("g")
    assert not dag.has_task_group("a")
    assert [task.task_id for task in dag.teardowns] == ["g.down"]
    with pytest.raises(NotFoundError, match="has no task 'bb'; did you mean 'b'"):
        dag.set_dependency("a", "bb")


def test_a_dag_takes_in_tasks_that_were_made_outside_of_it():
    made = [EmptyOperator(task_id="a"), EmptyOperator(task_id="b")]
    dag = DAG("d")
    dag.add_tasks(made)
    assert [task.dag for task in made] == [dag, dag]
