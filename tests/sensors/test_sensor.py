"""BaseSensorOperator and ``@task.sensor``: how they wait, and how that ends."""

from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from orchestrator import DAG, BaseSensorOperator, PokeReturnValue, task
from orchestrator.authoring.sensor import poke_mode_only
from orchestrator.exceptions import (
    AirflowFailException,
    AirflowRescheduleException,
    AirflowSensorTimeout,
    AirflowSkipException,
    DagError,
)


class Once(BaseSensorOperator):
    """Says what it is told to, poke after poke; an exception is raised."""

    def __init__(self, *, says, **settings):
        super().__init__(**settings)
        self.says = iter(says)

    def poke(self, context):
        word = next(self.says)
        if isinstance(word, Exception):
            raise word
        return word


def made(says, **settings) -> DAG:
    with DAG("d") as dag:
        Once(task_id="wait", says=says, **settings)
    return dag


def ago(**words) -> datetime:
    return datetime.now(UTC) - timedelta(**words)


def test_the_defaults_are_airflows():
    sensor = made([]).get_task("wait")
    assert (sensor.poke_interval, sensor.timeout, sensor.mode) == (60.0, 7 * 24 * 3600.0, "poke")
    assert not any((sensor.soft_fail, sensor.never_fail, sensor.silent_fail, sensor.exponential_backoff))
    assert sensor.max_wait is None


def test_it_pokes_until_what_it_waits_for_is_so(run):
    assert run(made([False, False, True], poke_interval=0), "wait") is None


def test_the_value_of_a_poke_is_the_result(run):
    says = [PokeReturnValue(False, "early"), PokeReturnValue(True, {"rows": 3})]
    assert run(made(says, poke_interval=0), "wait") == {"rows": 3}


def test_in_reschedule_mode_it_gives_its_worker_up_for_the_interval(run):
    with pytest.raises(AirflowRescheduleException) as put_off:
        run(made([False], mode="reschedule", poke_interval=90), "wait")
    pause = put_off.value.reschedule_date - datetime.now(UTC)
    assert timedelta(seconds=80) < pause <= timedelta(seconds=90)


@pytest.mark.parametrize("mode", ["poke", "reschedule"])
def test_the_timeout_counts_from_the_first_poke_of_the_try(run, mode):
    dag = made([False, False], mode=mode, timeout=60, poke_interval=0)
    with pytest.raises(AirflowSensorTimeout, match="longer than its timeout of 60 s"):
        run(dag, "wait", began_at=ago(seconds=70), pokes=3)


def test_what_has_come_at_the_last_moment_counts_although_the_time_is_up(run):
    assert run(made([True], timeout=60), "wait", began_at=ago(hours=1)) is None


@pytest.mark.parametrize("says", [[False], [AirflowFailException("no use")], [AirflowSensorTimeout("late")]])
def test_a_soft_failure_is_a_skip(run, says):
    with pytest.raises(AirflowSkipException):
        run(made(says, soft_fail=True, timeout=1), "wait", began_at=ago(minutes=1))


def test_a_soft_failure_does_not_hide_what_goes_wrong(run):
    with pytest.raises(ZeroDivisionError):
        run(made([ZeroDivisionError()], soft_fail=True), "wait")


def test_one_that_never_fails_is_skipped_whatever_its_poke_raises(run):
    with pytest.raises(AirflowSkipException, match="by zero"):
        run(made([ZeroDivisionError("by zero")], never_fail=True), "wait")


def test_one_that_fails_silently_goes_on_waiting(run):
    assert run(made([ZeroDivisionError(), True], silent_fail=True, poke_interval=0), "wait") is None


def test_a_poke_may_skip_the_task(run):
    with pytest.raises(AirflowSkipException, match="nothing today"):
        run(made([AirflowSkipException("nothing today")], silent_fail=True), "wait")


def pauses(run, order_pokes: int, **settings) -> float:
    dag = made([False], mode="reschedule", exponential_backoff=True, **settings)
    with pytest.raises(AirflowRescheduleException) as put_off:
        run(dag, "wait", began_at=ago(seconds=1), pokes=order_pokes)
    return (put_off.value.reschedule_date - datetime.now(UTC)).total_seconds()


def test_with_backoff_the_interval_doubles_and_is_spread(run):
    for pokes in range(1, 8):
        least = 10 * 2 ** (pokes - 1)
        assert least - 1 <= pauses(run, pokes, poke_interval=10) <= 2 * least


def test_backoff_ends_at_the_longest_wait_and_at_the_timeout(run):
    assert pauses(run, 2000, poke_interval=10, max_wait=30) <= 30
    assert pauses(run, 30, poke_interval=10, timeout=120) <= 120


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mode": "sleep"}, "mode must be one of poke, reschedule"),
        ({"poke_interval": -1}, "poke_interval must be a timedelta or seconds"),
        ({"timeout": "long"}, "timeout must be a timedelta or seconds"),
        ({"soft_fail": True, "never_fail": True}, "exclude each other"),
        ({"poke_intervall": 3}, "did you mean 'poke_interval'"),
    ],
)
def test_impossible_settings_are_refused_where_the_file_makes_them(settings, words):
    with pytest.raises(DagError, match=words):
        made([], **settings)


def test_default_args_reach_the_settings_of_sensors():
    with DAG("d", default_args={"mode": "reschedule", "poke_interval": 5}) as dag:
        Once(task_id="wait", says=[])
    assert dag.get_task("wait").reschedule


def test_a_sensor_that_only_pokes_refuses_to_be_rescheduled():
    kind = poke_mode_only(type("Remembers", (Once,), {}))
    with pytest.raises(DagError, match="Remembers waits in mode='poke' only"), DAG("d"):
        kind(task_id="wait", says=[], mode="reschedule")


def test_a_function_under_task_sensor_waits_and_passes_its_value_on(run):
    turns = count()

    with DAG("d") as dag:

        @task.sensor(poke_interval=0, timeout=60)
        def rows(least: int, ti=None):
            found = next(turns)
            return PokeReturnValue(found >= least, xcom_value=[found, ti.task_id])

        rows(2)
    assert run(dag, "rows") == [2, "rows"]


def test_a_function_under_task_sensor_may_just_say_yes_or_no(run):
    with DAG("d") as dag:

        @task.sensor(mode="reschedule")
        def ready():
            return 0

        ready()
    with pytest.raises(AirflowRescheduleException):
        run(dag, "ready")
