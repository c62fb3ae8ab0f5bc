"""The sensors of the standard provider, each by what it waits for."""

import datetime as dt
import json
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator import DAG
from orchestrator.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    DagError,
    TaskDeferralTimeout,
    TaskDeferred,
    UsageError,
)
from orchestrator.sensors.bash import BashSensor
from orchestrator.sensors.date_time import DateTimeSensor, DateTimeSensorAsync
from orchestrator.sensors.filesystem import FileSensor
from orchestrator.sensors.python import PythonSensor
from orchestrator.sensors.time import TimeSensor
from orchestrator.sensors.time_delta import TimeDeltaSensor, WaitSensor
from orchestrator.sensors.weekday import DayOfWeekSensor, WeekDay

MONDAY = datetime(2026, 1, 26, 6, tzinfo=UTC)
AWAITED = AirflowRescheduleException


def made(kind, **settings) -> DAG:
    with DAG("d") as dag:
        kind(task_id="wait", **({"mode": "reschedule"} | settings))
    return dag


def waits(run, dag: DAG, **fields) -> bool:
    try:
        run(dag, "wait", **fields)
    except AWAITED:
        return True
    return False


def test_bash_waits_for_exit_code_0(run):
    assert not waits(run, made(BashSensor, bash_command="exit 0"))
    assert waits(run, made(BashSensor, bash_command="exit 99"))


def test_bash_fails_for_good_on_a_code_that_is_not_the_one_for_later(run):
    assert waits(run, made(BashSensor, bash_command="exit 3", retry_exit_code=3))
    with pytest.raises(AirflowFailException, match="exit code 4"):
        run(made(BashSensor, bash_command="exit 4", retry_exit_code=3), "wait")


def test_bash_renders_its_command_and_environment(run):
    dag = made(BashSensor, bash_command='test "$DAY" = {{ ds }}', env={"DAY": "{{ ds }}"})
    assert not waits(run, dag)


def test_a_function_is_asked_with_its_arguments(run):
    assert not waits(run, made(PythonSensor, python_callable=lambda a, b: a < b, op_args=[1], op_kwargs={"b": 2}))
    assert waits(run, made(PythonSensor, python_callable=lambda a: a, op_args=[[]]))


def test_a_file_is_waited_for_by_name_by_glob_and_in_a_folder(run, tmp_path):
    (tmp_path / "empty" / "deep").mkdir(parents=True)
    dags = [made(FileSensor, filepath=str(tmp_path / name)) for name in ("in.csv", "*.csv", "empty")]
    assert all(waits(run, dag) for dag in dags)
    (tmp_path / "in.csv").touch()
    (tmp_path / "empty" / "deep" / "x").touch()
    assert not any(waits(run, dag) for dag in dags)


def test_a_recursive_glob_looks_into_folders_within_folders(run, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.csv").touch()
    assert waits(run, made(FileSensor, filepath=f"{tmp_path}/**/c.csv"))
    assert not waits(run, made(FileSensor, filepath=f"{tmp_path}/**/c.csv", recursive=True))


def test_a_relative_file_is_below_the_path_of_its_connection(run, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SHARE", json.dumps({"conn_type": "fs", "extra": {"path": str(tmp_path)}}))
    (tmp_path / "in.csv").touch()
    assert not waits(run, made(FileSensor, filepath="in.csv", fs_conn_id="share"))


@pytest.mark.parametrize("target", ["2026-01-01T00:00:00+00:00", "{{ ds }}", datetime(2026, 1, 1, tzinfo=UTC)])
def test_a_moment_that_is_past_is_not_waited_for(run, target):
    assert not waits(run, made(DateTimeSensor, target_time=target))


def test_a_moment_to_come_is_waited_for(run):
    assert waits(run, made(DateTimeSensor, target_time=datetime.now(UTC) + timedelta(hours=1)))


def test_a_moment_that_is_none_is_said_so(run):
    with pytest.raises(UsageError, match="target_time must be a datetime or its text, not 'soon'"):
        run(made(DateTimeSensor, target_time="soon"), "wait")


def test_a_time_of_day_is_of_the_day_on_which_it_began_to_wait(run):
    dag = made(TimeSensor, target_time=dt.time(23, 59, 59, 999999))
    assert waits(run, dag)
    assert not waits(run, dag, began_at=datetime.now(UTC) - timedelta(days=2))


def test_a_time_of_day_is_in_the_dags_zone(run):
    with DAG("d", timezone="Asia/Tokyo") as dag:
        TimeSensor(task_id="wait", target_time=dt.time(9), deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        run(dag, "wait", began_at=datetime(2026, 1, 1, 20, tzinfo=UTC))  # the second, there
    assert deferred.value.trigger.moment == datetime(2026, 1, 2, 0, tzinfo=UTC)


def test_a_delta_counts_from_the_end_of_the_data_interval(run):
    dag = made(TimeDeltaSensor, delta=timedelta(hours=1))
    assert waits(run, dag, data_interval_end=datetime.now(UTC))
    assert not waits(run, dag, data_interval_end=datetime.now(UTC) - timedelta(hours=2))


def test_a_wait_counts_from_the_first_start_of_the_try(run):
    dag = made(WaitSensor, time_to_wait=2)
    assert waits(run, dag, began_at=datetime.now(UTC) - timedelta(minutes=1))
    assert not waits(run, dag, began_at=datetime.now(UTC) - timedelta(minutes=3))


def test_a_day_of_the_week_is_today_or_the_runs(run):
    today = WeekDay(datetime.now(UTC).isoweekday())
    assert not waits(run, made(DayOfWeekSensor, week_day=today.name.lower()))
    assert waits(run, made(DayOfWeekSensor, week_day={day for day in WeekDay if day != today}))
    assert not waits(run, made(DayOfWeekSensor, week_day="Monday", use_task_logical_date=True), logical_date=MONDAY)


def test_a_day_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(DagError, match="did you mean 'MONDAY'"):
        made(DayOfWeekSensor, week_day="Monaday")


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (DateTimeSensorAsync, {"target_time": datetime(2030, 1, 1, tzinfo=UTC)}),
        (TimeDeltaSensor, {"delta": timedelta(days=3650), "deferrable": True}),
        (WaitSensor, {"time_to_wait": timedelta(days=3), "deferrable": True}),
    ],
)
def test_what_waits_for_time_alone_can_be_deferred_to_the_engines_timer(run, kind, settings):
    with pytest.raises(TaskDeferred) as deferred:
        run(made(kind, **settings), "wait")
    assert deferred.value.trigger.moment > datetime.now(UTC) + timedelta(days=1)
    assert deferred.value.method_name == "execute_complete"


def test_a_deferral_that_took_too_long_is_the_sensors_timeout():
    sensor = made(TimeDeltaSensor, delta=timedelta(1), deferrable=True, soft_fail=True).get_task("wait")
    with pytest.raises(Exception, match="soft_fail is set"):
        sensor.resume_execution("__fail__", {"error": TaskDeferralTimeout("late")}, {})
