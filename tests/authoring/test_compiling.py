"""From the author's DAG to plain data."""

import random
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import DAG, task
from orchestrator.authoring.compiling import Defaults, compile_dag
from orchestrator.authoring.defaults import Defaults as SameDefaults
from orchestrator.core.spec import Cron, Every, Once, RetrySpec, decode_spec, encode_spec, fingerprint
from orchestrator.exceptions import CycleError, DagError, ScheduleError
from orchestrator.names import Delivery, Isolation, TriggerRule, WeightRule
from orchestrator.operators import EmptyOperator, PythonOperator

FILE = "authoring/test_compiling.py"
START = datetime(2026, 1, 1, tzinfo=UTC)
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001 - as authors write it


def compiled(dag, **defaults):
    return compile_dag(dag, file=FILE, defaults=Defaults(**defaults))


def refusal(dag, kind=DagError, **defaults):
    with pytest.raises(kind) as caught:
        compiled(dag, **defaults)
    return caught.value


def empty_dag(**given):
    return DAG("d", **given)


def test_a_dag_becomes_plain_data_that_can_be_stored():
    with DAG(
        "d",
        description="what",
        schedule="@daily",
        start_date=START,
        end_date=datetime(2027, 1, 1, tzinfo=UTC),
        catchup=True,
        max_active_tasks=3,
        max_active_runs=2,
        dagrun_timeout=timedelta(hours=1),
        params={"n": 1, "rows": [{"a": None}]},
        tags=["etl"],
        doc_md="# d",
        is_paused_upon_creation=True,
    ) as dag:
        EmptyOperator(task_id="a", owner="me")
    spec = compiled(dag)
    assert (spec.dag_id, spec.description, spec.doc_md, spec.tags) == ("d", "what", "# d", ("etl",))
    assert (spec.schedule, spec.schedule_text) == (Cron(expression="0 0 * * *"), "@daily")
    assert (spec.start_date, spec.end_date, spec.catchup) == (START, datetime(2027, 1, 1, tzinfo=UTC), True)
    assert (spec.max_active_tasks, spec.max_active_runs) == (3, 2)
    assert spec.dagrun_timeout == timedelta(hours=1)
    assert spec.params == {"n": 1, "rows": [{"a": None}]}
    assert spec.is_paused_upon_creation is True
    assert spec.owner == "me"
    assert (spec.file, spec.line) == (FILE, dag.place.line)
    assert decode_spec(encode_spec(spec)) == spec


def test_a_task_becomes_plain_data():
    with DAG("d") as dag:
        before = EmptyOperator(task_id="before")
        made = PythonOperator(
            task_id="a",
            python_callable=print,
            op_args=[before.output],
            retries=2,
            retry_delay=10,
            retry_exponential_backoff=True,
            max_retry_delay=60,
            retry_jitter=0.5,
            execution_timeout=timedelta(minutes=1),
            priority_weight=7,
            weight_rule="absolute",
            pool="p",
            pool_slots=2,
            queue="q",
            trigger_rule="all_done",
            max_active_tis_per_dag=3,
            max_active_tis_per_dagrun=4,
            delivery="transactional",
            connection="warehouse",
            isolation="fork",
            doc_md="what it does",
        )
    spec = compiled(dag).task("a")
    assert spec.retry == RetrySpec(
        retries=2, delay=timedelta(seconds=10), exponential=2.0, max_delay=timedelta(seconds=60), jitter=0.5
    )
    assert (spec.operator, spec.line, spec.doc) == ("PythonOperator", made.place.line, "what it does")
    assert (spec.upstream, spec.inputs) == (("before",), ("before",))
    assert (spec.weight, spec.weight_rule, spec.pool, spec.pool_slots) == (7, WeightRule.ABSOLUTE, "p", 2)
    assert (spec.queue, spec.trigger_rule) == ("q", TriggerRule.ALL_DONE)
    assert (spec.max_active_tis_per_dag, spec.max_active_tis_per_dagrun) == (3, 4)
    assert (spec.delivery, spec.connection, spec.isolation) == (Delivery.TRANSACTIONAL, "warehouse", Isolation.FORK)
    assert spec.execution_timeout == timedelta(minutes=1)
    assert not spec.does_nothing
    assert compiled(dag).task("before").does_nothing


def test_what_is_not_said_comes_from_the_defaults():
    with empty_dag(schedule="0 6 * * *", start_date=NAIVE) as dag:
        EmptyOperator(task_id="a")
    spec = compiled(
        dag,
        timezone="Europe/Brussels",
        catchup=True,
        cron_intervals=True,
        max_active_runs=4,
        max_active_tasks=5,
        retries=6,
        retry_delay=timedelta(seconds=7),
        max_retry_delay=timedelta(seconds=8),
        weight_rule=WeightRule.UPSTREAM,
    )
    assert spec.schedule == Cron(expression="0 6 * * *", timezone="Europe/Brussels", interval=True)
    assert spec.start_date == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert (spec.catchup, spec.max_active_runs, spec.max_active_tasks) == (True, 4, 5)
    retry = spec.tasks[0].retry
    assert (retry.retries, retry.delay, retry.max_delay) == (6, timedelta(seconds=7), timedelta(seconds=8))
    assert spec.tasks[0].weight_rule is WeightRule.UPSTREAM
    assert Defaults is SameDefaults


def test_without_configuration_the_defaults_are_airflows():
    spec = compiled(empty_dag())
    assert (spec.max_active_runs, spec.max_active_tasks, spec.catchup, spec.schedule) == (16, 16, False, None)


@pytest.mark.parametrize(
    ("given", "schedule", "text"),
    [
        (None, None, None),
        ("@once", Once(), "@once"),
        ("@hourly", Cron(expression="0 * * * *"), "@hourly"),
        (timedelta(hours=6), Every(period=timedelta(hours=6)), "6:00:00"),
        (Cron(expression="0 0 * * *", interval=True), Cron(expression="0 0 * * *", interval=True), "0 0 * * *"),
        (Every(period=timedelta(days=1)), Every(period=timedelta(days=1)), "1 day, 0:00:00"),
        (Once(), Once(), "@once"),
    ],
)
def test_each_kind_of_schedule_is_taken(given, schedule, text):
    spec = compiled(empty_dag(schedule=given, start_date=START))
    assert (spec.schedule, spec.schedule_text) == (schedule, text)


@pytest.mark.parametrize(
    ("given", "zone"),
    [
        ({}, "UTC"),
        ({"start_date": NAIVE}, "UTC"),
        ({"start_date": START}, "UTC"),
        ({"start_date": datetime(2026, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo"))}, "Asia/Tokyo"),
        ({"start_date": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))}, "Etc/GMT-2"),
        ({"start_date": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-5)))}, "Etc/GMT+5"),
        ({"timezone": "Asia/Tokyo"}, "Asia/Tokyo"),
        ({"timezone": ZoneInfo("Asia/Tokyo"), "start_date": START}, "Asia/Tokyo"),
        ({"timezone": "utc"}, "UTC"),
    ],
)
def test_a_cron_schedule_is_read_in_the_time_zone_of_the_dag(given, zone):
    assert compiled(empty_dag(schedule="0 6 * * *", **given)).schedule.timezone == zone


def test_a_date_without_a_zone_is_a_wall_time_of_the_dag():
    spec = compiled(empty_dag(start_date=NAIVE, timezone="Asia/Tokyo"))
    assert spec.start_date == datetime(2025, 12, 31, 15, tzinfo=UTC)


def test_a_zone_without_a_name_is_refused():
    dag = empty_dag(start_date=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))))
    assert "give timezone= an IANA name" in refusal(dag).message


@pytest.mark.parametrize("schedule", ["* * *", "@fortnightly", "61 * * * *", "every day", timedelta(0), 5])
def test_a_bad_schedule_is_refused_with_its_line(schedule):
    dag = empty_dag(schedule=schedule)
    error = refusal(dag, ScheduleError)
    assert (error.file, error.line) == dag.place
    assert error.message.startswith("DAG 'd': ")


def test_tasks_stand_in_topological_order_with_ties_by_task_id():
    with DAG("d") as dag:
        last, b, a, first = (EmptyOperator(task_id=name) for name in ("last", "b", "a", "first"))
        first >> [b, a] >> last
    assert [made.task_id for made in compiled(dag).tasks] == ["first", "a", "b", "last"]


def test_the_order_in_which_tasks_are_written_does_not_change_the_fingerprint():
    def made(names):
        with DAG("d") as dag:
            tasks = {name: EmptyOperator(task_id=name) for name in names}
            tasks["a"] >> [tasks[name] for name in names if name != "a"]
        return fingerprint(compiled(dag))

    assert made("abc") == made("cab")


def test_weights_are_summed_by_each_tasks_rule():
    with DAG("d") as dag:
        a = EmptyOperator(task_id="a", priority_weight=1)
        b = EmptyOperator(task_id="b", priority_weight=2, weight_rule="upstream")
        c = EmptyOperator(task_id="c", priority_weight=4, weight_rule="absolute")
        a >> b >> c
    assert {made.task_id: made.weight for made in compiled(dag).tasks} == {"a": 7, "b": 3, "c": 4}


def test_a_cycle_is_refused_with_its_tasks():
    with DAG("d") as dag:
        a, b, c = (EmptyOperator(task_id=name) for name in "abc")
        a >> b >> c >> a
    error = refusal(dag, CycleError)
    assert error.cycle == ("a", "b", "c")
    assert (error.file, error.line) == (FILE, a.place.line)


def test_a_task_that_waits_for_itself_is_a_cycle():
    with DAG("d") as dag:
        a = EmptyOperator(task_id="a")
        a >> a
    assert refusal(dag, CycleError).cycle == ("a",)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda dag, made: setattr(made, "retries", -1), "EmptyOperator 'a': retries must be"),
        (lambda dag, made: setattr(made, "trigger_rule", "nevr"), "trigger_rule must be one of"),
        (lambda dag, made: setattr(made, "connection", "x"), "delivery='transactional' and connection="),
        (lambda dag, made: setattr(made, "delivery", "transactional"), "delivery='transactional' and connection="),
        (lambda dag, made: setattr(dag, "max_active_runs", 0), "DAG 'd': max_active_runs must be"),
        (lambda dag, made: dag.params.update(x=object()), "DAG 'd': param 'x' must be a JSON value"),
        (lambda dag, made: dag.__dict__.update(catchup=True, schedule="@daily"), "catchup=True needs a start_date"),
        (
            lambda dag, made: dag.__dict__.update(fail_fast=True) or setattr(made, "trigger_rule", "all_done"),
            "has fail_fast=True, which allows all_success only",
        ),
    ],
)
def test_what_was_changed_after_it_was_made_is_checked_too(change, words):
    with DAG("d") as dag:
        made = EmptyOperator(task_id="a")
    change(dag, made)
    error = refusal(dag)
    assert words in error.message
    assert error.file == str(Path(__file__))
    assert error.line in (made.place.line, dag.place.line)


def test_a_setting_assigned_later_counts():
    with DAG("d") as dag:
        made = EmptyOperator(task_id="a")
    made.trigger_rule, made.retry_delay = "one_done", 5
    spec = compiled(dag).tasks[0]
    assert (spec.trigger_rule, spec.retry.delay) == (TriggerRule.ONE_DONE, timedelta(seconds=5))


def test_a_teardown_may_have_its_own_rule_in_a_dag_that_fails_fast():
    with empty_dag(fail_fast=True) as dag:
        EmptyOperator(task_id="a") >> EmptyOperator(task_id="b").as_teardown()
    assert compiled(dag).fail_fast


def test_owners_of_a_dag_are_those_of_its_tasks():
    with DAG("d") as dag:
        for name in "ab":
            EmptyOperator(task_id=name, owner=name)
    assert compiled(dag).owner == "a, b"


def test_a_line_of_another_file_is_not_given_as_one_of_this():
    with DAG("d") as dag:
        EmptyOperator(task_id="a")
    spec = compile_dag(dag, file="other.py", defaults=Defaults())
    assert (spec.line, spec.tasks[0].line) == (0, 0)


def test_compiling_twice_gives_the_same():
    with DAG("d") as dag:
        EmptyOperator(task_id="a", trigger_rule="all_done") >> EmptyOperator(task_id="b")
    assert compiled(dag) == compiled(dag)


@settings(max_examples=50)
@given(st.integers(1, 12), st.randoms(use_true_random=False))
def test_any_graph_without_a_cycle_compiles_with_each_task_after_its_upstreams(count, chance):
    names = [f"t{number}" for number in range(count)]
    chance.shuffle(names)
    with DAG("d") as dag:
        tasks = [EmptyOperator(task_id=name) for name in names]
        for place, made in enumerate(tasks):
            made >> [after for after in tasks[place + 1 :] if chance.random() < 0.3]
    spec = compiled(dag)
    seen = set()
    for made in spec.tasks:
        assert set(made.upstream) <= seen
        seen.add(made.task_id)
    assert seen == set(names)


def test_a_file_of_five_thousand_tasks_is_built_and_compiled_well_within_a_second():
    @task
    def work(number, before=None):
        return number

    def build():
        with DAG("big", default_args={"retries": 2}) as dag:
            start, end = EmptyOperator(task_id="start"), EmptyOperator(task_id="end")
            results = [work(0)]
            for number in range(1, 5000):
                results.append(work(number, results[random.randrange(len(results))]))
            start >> results >> end
        return compiled(dag)

    took = []
    for _ in range(3):
        began = time.process_time()
        assert len(build().tasks) == 5002
        took.append(time.process_time() - began)
    assert min(took) < 1.0
