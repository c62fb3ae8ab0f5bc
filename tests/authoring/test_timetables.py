"""Airflow's timetables as ``schedule=``: what they mean, and what they refuse."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest

from orchestrator import (
    DAG,
    CronDataIntervalTimetable,
    CronTriggerTimetable,
    DeltaDataIntervalTimetable,
    DeltaTriggerTimetable,
    EventsTimetable,
    MultipleCronTriggerTimetable,
)
from orchestrator.authoring.compiling import Defaults, compile_dag
from orchestrator.authoring.timetables import NullTimetable, OnceTimetable
from orchestrator.core.spec import Cron, DagSpec, Dates, Every, Once, Several, decode_spec, encode_spec, fingerprint
from orchestrator.core.timetables import Slot, next_slot, upcoming
from orchestrator.exceptions import ScheduleError
from orchestrator.operators import EmptyOperator
from tests.authoring.graphs import compiled, refusal

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BRUSSELS = "Europe/Brussels"


def spec(schedule: Any, **settings: Any) -> DagSpec:
    with DAG("d", schedule=schedule, **{"start_date": BEGIN, **settings}) as dag:
        EmptyOperator(task_id="only")
    return compiled(dag)


def slots(schedule: Any, count: int = 3) -> list[Slot]:
    return upcoming(spec(schedule), after=BEGIN - HOUR, count=count)


@pytest.mark.parametrize(
    ("timetable", "meaning"),
    [
        (lambda: CronTriggerTimetable("0 6 * * *", timezone="UTC"), Cron(expression="0 6 * * *")),
        (
            lambda: CronTriggerTimetable("@daily", timezone=ZoneInfo(BRUSSELS), interval=HOUR),
            Cron(expression="0 0 * * *", timezone=BRUSSELS, interval=HOUR),
        ),
        (
            lambda: CronDataIntervalTimetable("0 6 * * *", pendulum.timezone(BRUSSELS)),
            Cron(expression="0 6 * * *", timezone=BRUSSELS, interval=True),
        ),
        (lambda: DeltaTriggerTimetable(HOUR), Every(period=HOUR)),
        (lambda: DeltaTriggerTimetable(HOUR, interval=2 * HOUR), Every(period=HOUR, interval=2 * HOUR)),
        (lambda: DeltaDataIntervalTimetable(HOUR), Every(period=HOUR, interval=True)),
        (lambda: OnceTimetable(), Once()),
        (lambda: NullTimetable(), None),
        (
            lambda: MultipleCronTriggerTimetable("0 6 * * *", "0 9 * * 1", timezone="UTC"),
            Several(crons=(Cron(expression="0 6 * * *"), Cron(expression="0 9 * * 1"))),
        ),
        (
            lambda: EventsTimetable([pendulum.datetime(2026, 3, 2), datetime(2026, 3, 1), datetime(2026, 3, 2)]),  # noqa: DTZ001
            Dates((BEGIN, BEGIN + timedelta(days=1))),
        ),
    ],
)
def test_a_timetable_means_what_a_schedule_can_say_and_is_stored_as_that(
    timetable: Callable[[], Any], meaning: Any
) -> None:
    found = spec(timetable())
    assert found.schedule == meaning
    assert decode_spec(encode_spec(found)) == found


def test_a_timetable_is_not_changed_by_the_setting_for_bare_cron_expressions() -> None:
    with DAG("d", schedule=CronTriggerTimetable("@daily", timezone="UTC"), start_date=BEGIN) as dag:
        EmptyOperator(task_id="only")
    found = compile_dag(dag, file="x.py", defaults=Defaults(cron_intervals=True))
    assert found.schedule == Cron(expression="0 0 * * *")


def test_a_dag_with_a_null_timetable_has_no_schedule_and_may_ask_for_catchup() -> None:
    found = spec(NullTimetable(), start_date=None, catchup=True)
    assert (found.schedule, found.schedule_text) == (None, None)


def test_a_timedelta_is_stored_as_it_was_before_it_could_have_intervals() -> None:
    assert b"interval" not in encode_spec(spec(HOUR))
    assert fingerprint(spec(HOUR)) == fingerprint(spec(DeltaTriggerTimetable(HOUR)))


def test_an_interval_ends_at_the_fire_time_and_its_start_is_the_logical_date() -> None:
    slot = slots(CronTriggerTimetable("0 6 * * *", timezone="UTC", interval=2 * HOUR))[0]
    assert (slot.fire_at, slot.logical_date) == (BEGIN + 6 * HOUR, BEGIN + 4 * HOUR)
    assert (slot.data_interval_start, slot.data_interval_end) == (slot.logical_date, slot.fire_at)


def test_a_delta_with_data_intervals_first_runs_when_the_first_interval_is_over() -> None:
    found = slots(DeltaDataIntervalTimetable(HOUR), 2)
    assert [(s.logical_date, s.fire_at) for s in found] == [(BEGIN, BEGIN + HOUR), (BEGIN + HOUR, BEGIN + 2 * HOUR)]


def test_several_crons_fire_whenever_one_does_and_once_where_two_do() -> None:
    found = slots(MultipleCronTriggerTimetable("0 6 * * *", "0 */6 * * *", timezone="UTC"), 5)
    assert [s.fire_at for s in found] == [BEGIN + 6 * HOUR * number for number in range(5)]


def test_of_several_crons_only_the_latest_missed_slot_is_run_without_catchup() -> None:
    found = spec(MultipleCronTriggerTimetable("0 6 * * *", "30 7 * * *", timezone="UTC"))
    slot = next_slot(found, last=None, unpaused_at=BEGIN, now=BEGIN + timedelta(days=3, hours=8))
    assert slot is not None
    assert slot.fire_at == BEGIN + timedelta(days=3, hours=7, minutes=30)


def test_events_come_in_their_order_and_end() -> None:
    dates = [BEGIN + timedelta(days=days) for days in (5, 1, 3)]
    found = spec(EventsTimetable(dates, description="by hand"), catchup=True)
    last, fired = None, []
    while slot := next_slot(found, last=last, unpaused_at=BEGIN, now=BEGIN + timedelta(days=9)):
        last = slot.fire_at
        fired.append(last)
    assert fired == sorted(dates)
    assert found.schedule_text == "2026-03-02T00:00:00+00:00 and 2 more"


def test_of_missed_events_only_the_latest_is_run_without_catchup() -> None:
    found = spec(EventsTimetable([BEGIN + timedelta(days=days) for days in (1, 3, 5)]))
    slot = next_slot(found, last=None, unpaused_at=BEGIN, now=BEGIN + timedelta(days=4))
    assert slot is not None
    assert slot.fire_at == BEGIN + timedelta(days=3)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: CronTriggerTimetable("0 25 * * *", timezone="UTC"), "'25' is no hour"),
        (lambda: CronTriggerTimetable("@once", timezone="UTC"), "use OnceTimetable"),
        (lambda: CronTriggerTimetable(None, timezone="UTC"), "takes a cron expression or a preset"),  # type: ignore[arg-type]
        (lambda: CronTriggerTimetable("@daily", timezone="Mars/Base"), "a time zone such as 'Europe/Brussels', not"),
        (
            lambda: CronTriggerTimetable("@daily", timezone=timezone(timedelta(hours=5, minutes=30))),
            "UTC+05:30 has no name; give an IANA name",
        ),
        (lambda: CronTriggerTimetable("@daily", timezone="UTC", interval=-HOUR), "a timedelta of zero or more"),
        (lambda: CronTriggerTimetable("@daily", timezone="UTC", run_immediately=True), "no run_immediately=True"),
        (lambda: MultipleCronTriggerTimetable(timezone="UTC"), "needs a cron expression"),
        (lambda: DeltaTriggerTimetable("1h"), "takes a timedelta, not '1h'"),  # type: ignore[arg-type]
        (lambda: DeltaDataIntervalTimetable(timedelta(0)), "shorter than a second"),
        (lambda: EventsTimetable([]), "needs event_dates"),
        (lambda: EventsTimetable(["2026-03-01"]), "takes datetimes as its event_dates, not '2026-03-01'"),  # type: ignore[list-item]
        (lambda: EventsTimetable([BEGIN], restrict_to_events=True), "takes no restrict_to_events"),
    ],
)
def test_what_no_timetable_can_be_made_of_is_refused_where_it_stands(make: Callable[[], object], words: str) -> None:
    assert words in refusal(make)


def test_a_class_in_place_of_a_timetable_is_refused() -> None:
    with pytest.raises(ScheduleError, match="schedule is a type; give a preset"):
        spec(OnceTimetable)
