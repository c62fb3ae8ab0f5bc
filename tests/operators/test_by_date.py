"""Operators that decide by dates."""

import datetime as dt
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator import DAG
from orchestrator.exceptions import DagError
from orchestrator.names import RunType
from orchestrator.operators import EmptyOperator
from orchestrator.operators.datetime import BranchDateTimeOperator, target_times_as_dates
from orchestrator.operators.latest_only import LatestOnlyOperator
from orchestrator.operators.smooth import SmoothOperator
from orchestrator.operators.weekday import BranchDayOfWeekOperator, WeekDay

MONDAY = datetime(2026, 1, 26, 6, tzinfo=UTC)
WAYS = {"follow_task_ids_if_true": "yes", "follow_task_ids_if_false": "no"}


def branch(kind, **settings) -> DAG:
    with DAG("d", **settings.pop("dag", {})) as dag:
        chosen = kind(task_id="choose", **WAYS, use_task_logical_date=True, **settings)
        chosen >> [EmptyOperator(task_id="yes"), EmptyOperator(task_id="no")]
    return dag


@pytest.mark.parametrize("days", ["Monday", WeekDay.MONDAY, {"monday", "SUNDAY"}, [WeekDay.MONDAY]])
def test_a_day_of_the_week_chooses(run, days):
    dag = branch(BranchDayOfWeekOperator, week_day=days)
    assert run(dag, "choose", logical_date=MONDAY) == "yes"
    assert run(dag, "choose", logical_date=MONDAY + timedelta(days=1)) == "no"


def test_a_day_that_is_none_is_refused():
    with pytest.raises(DagError, match="week_day must be a day such as 'Monday'"):
        branch(BranchDayOfWeekOperator, week_day="")


@pytest.mark.parametrize(
    ("lower", "upper", "way"),
    [
        (dt.time(5), dt.time(7), "yes"),
        (dt.time(7), dt.time(5), "no"),  # until five o'clock of the day after
        (None, dt.time(5), "no"),
        (dt.time(5), None, "yes"),
        (MONDAY - timedelta(days=2), MONDAY, "yes"),
        (datetime(2026, 1, 26, 7), None, "no"),  # noqa: DTZ001 - on the DAG's clock
    ],
)
def test_a_time_chooses(run, lower, upper, way):
    assert (
        run(branch(BranchDateTimeOperator, target_lower=lower, target_upper=upper), "choose", logical_date=MONDAY)
        == way
    )


def test_times_are_on_the_clock_of_the_dag(run):
    dag = branch(
        BranchDateTimeOperator, target_lower=dt.time(14), target_upper=dt.time(16), dag={"timezone": "Asia/Tokyo"}
    )
    assert run(dag, "choose", logical_date=MONDAY) == "yes"


def test_a_branch_by_time_needs_a_bound():
    with pytest.raises(DagError, match="target_lower, target_upper or both"):
        branch(BranchDateTimeOperator, target_lower=None, target_upper=None)


def test_an_upper_time_before_the_lower_one_is_of_the_day_after():
    assert target_times_as_dates(MONDAY, dt.time(22), dt.time(2))[1].day == 27


def latest(run, fire_at: datetime, **fields) -> bool:
    with DAG("d", schedule="@hourly", start_date=MONDAY) as dag:
        LatestOnlyOperator(task_id="latest") >> EmptyOperator(task_id="after")
    dates = {"logical_date": fire_at, "data_interval_start": fire_at, "data_interval_end": fire_at}
    chosen = run(dag, "latest", run_type=fields.pop("run_type", RunType.SCHEDULED), **dates)
    return dag.get_task("latest").skips(chosen) == ()


def test_only_the_latest_run_of_a_schedule_goes_on(run):
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    assert latest(run, hour)
    assert not latest(run, hour - timedelta(hours=3))


def test_a_run_that_somebody_asked_for_goes_on_whatever_its_date(run):
    assert latest(run, MONDAY, run_type=RunType.MANUAL)


def test_the_smooth_operator_plays(run, caplog):
    with DAG("d") as dag:
        SmoothOperator(task_id="play")
    with caplog.at_level("INFO"):
        run(dag, "play")
    assert "youtube" in caplog.text
