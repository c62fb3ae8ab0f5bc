"""What a body is given."""

from datetime import UTC, datetime

import msgspec
import pendulum
import pytest

from orchestrator import DAG
from orchestrator.authoring.context import CONTEXT_KEYS, build_context
from orchestrator.authoring.dates import plain_utc
from orchestrator.authoring.triggers import DateTimeTrigger
from orchestrator.exceptions import UsageError
from orchestrator.names import RunType
from orchestrator.operators import EmptyOperator, PythonOperator


@pytest.fixture
def dag():
    with DAG("d", params={"p": 1}) as made:
        first = EmptyOperator(task_id="first")
        PythonOperator(task_id="second", python_callable=lambda x, **_: x, op_args=[first.output])
    return made


def test_the_context_holds_airflows_keys(dag, order):
    context = build_context(order(dag, "second"), dag, dag.get_task("second"))
    assert context.keys() | {"templates_dict"} == CONTEXT_KEYS
    assert context["ti"] is context["task_instance"]
    assert context["dag"] is dag
    assert context["connection"] is None
    assert context["idempotency_key"] == "uid/second/-1/1"


def test_the_run_is_there_with_what_it_was_triggered_with(dag, order):
    started = datetime(2026, 2, 1, tzinfo=UTC)
    given = order(dag, "second", conf=msgspec.Raw(b'{"x": [1]}'), run_started_at=started, run_type=RunType.BACKFILL)
    run = build_context(given, dag, dag.get_task("second"))["dag_run"]
    assert (run.dag_id, run.run_id, run.run_type, run.conf) == ("d", given.run_id, "backfill", {"x": [1]})
    assert (run.start_date, run.logical_date) == (started, given.logical_date)


def test_the_attempt_is_there_with_its_numbers(dag, order):
    ti = build_context(order(dag, "second", try_number=3, max_tries=4), dag, dag.get_task("second"))["ti"]
    assert (ti.dag_id, ti.task_id, ti.run_id) == ("d", "second", "manual__2026-01-31T06:30:00+00:00")
    assert (ti.try_number, ti.max_tries, ti.map_index) == (3, 4, -1)


def test_without_a_logical_date_its_words_are_absent(dag, order):
    context = build_context(order(dag, "second", logical_date=None), dag, dag.get_task("second"))
    assert not context.keys() & {"ds", "ts", "logical_date", "data_interval_start"}
    assert context["dag_run"].logical_date is None


def test_a_transactional_body_is_given_its_connection(dag, run):
    with DAG("t") as made:
        PythonOperator(
            task_id="a",
            python_callable=lambda connection: connection,
            delivery="transactional",
            connection="warehouse",
        )
    open_connection = object()
    assert run(made, "a", connection=open_connection) is open_connection


def test_results_are_pulled_of_the_tasks_that_are_taken_and_of_no_others(dag, order):
    task = dag.get_task("second")
    context = build_context(order(dag, "second"), dag, task)
    ready = task.prepare(context, {"first": [1]})
    ti = context["ti"]
    assert ti.xcom_pull(task_ids="first") == [1]
    assert ti.xcom_pull(["first"]) == [[1]]
    with pytest.raises(UsageError, match="what 'other' has under 'return_value' cannot be pulled; pass its result"):
        ti.xcom_pull("other")
    assert ti.xcom_pull("first", key="rows") is None
    assert context["task"] is ready
    assert ti.task is ready


def test_each_run_has_a_context_of_its_own(dag, order):
    one, two = (build_context(order(dag, "second"), dag, dag.get_task("second")) for _ in range(2))
    one["params"]["p"] = one["ds"] = "changed"
    assert two["params"] == {"p": 1}
    assert two["ds"] == "2026-01-31"


@pytest.mark.parametrize(
    "given",
    [
        pendulum.datetime(2026, 3, 1, 12, tz="Europe/Berlin"),
        datetime(2026, 3, 1, 11, tzinfo=UTC),
        datetime(2026, 3, 1, 11),  # noqa: DTZ001 - one without a zone is what this is about
    ],
)
def test_a_moment_that_is_recorded_is_a_plain_one_in_utc(given):
    found = plain_utc(given)
    assert (type(found), found, found.tzinfo) == (datetime, datetime(2026, 3, 1, 11, tzinfo=UTC), UTC)
    if given.tzinfo is not None:
        assert type(DateTimeTrigger(given).moment) is datetime


def test_the_attempt_says_when_and_where_it_runs_and_how_to_see_its_log(dag, order):
    began = datetime(2026, 2, 1, tzinfo=UTC)
    ti = build_context(order(dag, "second", began_at=began), dag, dag.get_task("second"))["ti"]
    assert ti.start_date.add(minutes=1) == datetime(2026, 2, 1, 0, 1, tzinfo=UTC)
    assert not ti.is_mapped
    assert ti.log_url == "orchestrator tasks logs d second manual__2026-01-31T06:30:00+00:00"
    assert build_context(order(dag, "second"), dag, dag.get_task("second"))["ti"].start_date is not None


def test_a_word_that_is_not_there_is_named_with_what_to_write(dag, order):
    context = build_context(order(dag, "second"), dag, dag.get_task("second"))
    with pytest.raises(KeyError, match=r"^the context has no prev_start_date_success here; keep what the next run"):
        context["prev_start_date_success"]
    with pytest.raises(KeyError, match=r"^the context has no 'logical_dat'; did you mean 'logical_date'\?"):
        context["logical_dat"]
    assert context.get("prev_start_date_success") is None
