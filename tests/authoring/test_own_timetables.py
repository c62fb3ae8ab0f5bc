"""Timetables of authors: the slots that they are asked for ahead of time, and what is wrong with their answers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator import DAG, DagRunInfo, DataInterval, TimeRestriction, Timetable
from orchestrator.authoring.planning import COUNT, again_at, plan
from orchestrator.authoring.timetables import CronTriggerTimetable
from orchestrator.core.spec import DagSpec, Planned, PlannedSlot, fingerprint
from orchestrator.core.timetables import next_slot, upcoming
from orchestrator.exceptions import ScheduleError
from orchestrator.operators import EmptyOperator
from tests.authoring.graphs import compiled, refusal

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


class Steps(Timetable):
    """A run after each step, for the data of it; from ``now`` on where nothing is to be caught up with."""

    def __init__(self, step: timedelta, now: datetime = BEGIN) -> None:
        self.step = step
        self.now = now

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        start = last_automated_data_interval.end if last_automated_data_interval else restriction.earliest
        if start is None:
            return None
        if not restriction.catchup and not last_automated_data_interval:
            start = max(start, self.now)
        if restriction.latest is not None and start > restriction.latest:
            return None
        return DagRunInfo.interval(start, start + self.step)


class Says(Timetable):
    """Whatever it is told to."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def next_dagrun_info(self, **asked: Any) -> DagRunInfo | None:
        answer: DagRunInfo | None = self.answers.pop(0)
        return answer


def spec(catchup: bool = True, **settings: Any) -> DagSpec:
    return DagSpec(dag_id="d", start_date=BEGIN, catchup=catchup, **settings)


def fires(timetable: Timetable, of: DagSpec, *, last: PlannedSlot | None = None, now: datetime = BEGIN) -> list[Any]:
    return [slot.fire_at for slot in plan(timetable, of, last=last, now=now)]


def test_a_version_knows_the_class_and_not_the_slots() -> None:
    with DAG("d", schedule=Steps(DAY), start_date=BEGIN) as dag:
        EmptyOperator(task_id="only")
    found = compiled(dag)
    assert (found.schedule, found.schedule_text) == (Planned(timetable="Steps"), "Steps")
    slots = plan(Steps(DAY), found, last=None, now=BEGIN)
    with_slots = DagSpec(dag_id="d", schedule=Planned(timetable="Steps", slots=slots))
    assert fingerprint(with_slots) == fingerprint(DagSpec(dag_id="d", schedule=Planned(timetable="Steps")))


def test_a_plan_reaches_thirty_days_ahead() -> None:
    assert fires(Steps(DAY), spec()) == [BEGIN + DAY * number for number in range(1, 31)]


def test_a_plan_has_two_hundred_slots_at_the_most() -> None:
    assert len(fires(Steps(timedelta(seconds=1)), spec())) == COUNT


def test_a_plan_has_a_slot_however_far_ahead() -> None:
    assert fires(Steps(90 * DAY), spec()) == [BEGIN + 90 * DAY]


def test_a_plan_goes_on_after_the_slot_that_is_over_and_keeps_it() -> None:
    first = plan(Steps(HOUR), spec(), last=None, now=BEGIN)
    last = first[150]
    second = plan(Steps(HOUR), spec(), last=last, now=last.fire_at)
    assert second[: COUNT - 150] == first[150:]
    assert plan(Steps(HOUR), spec(), last=second[0], now=last.fire_at)[0] == last


def test_what_is_past_is_caught_up_with_only_where_the_dag_asks_for_it() -> None:
    now = BEGIN + 10 * DAY + HOUR
    assert fires(Steps(DAY), spec(catchup=True), now=now)[0] == BEGIN + DAY
    over = PlannedSlot(BEGIN + DAY, BEGIN, BEGIN + DAY)
    assert fires(Steps(DAY), spec(catchup=False), last=over, now=now)[:3] == [
        BEGIN + number * DAY for number in (1, 10, 11)
    ]


def test_a_plan_ends_where_the_dag_does() -> None:
    assert len(fires(Steps(DAY), spec(end_date=BEGIN + 4 * DAY))) == 5


def test_half_of_a_plan_is_used_up_before_the_next_is_made() -> None:
    slots = plan(Steps(DAY), spec(), last=None, now=BEGIN)
    assert again_at(slots, BEGIN) == BEGIN + 15 * DAY
    assert again_at((), BEGIN) == BEGIN + DAY
    assert again_at(slots, BEGIN + 99 * DAY) == BEGIN + 99 * DAY + timedelta(seconds=10)


def test_a_scheduler_follows_the_plan_slot_by_slot_and_without_catchup_takes_the_latest() -> None:
    slots = plan(Steps(DAY), spec(), last=None, now=BEGIN)
    of = spec(schedule=Planned(timetable="Steps", slots=slots))
    last, seen = None, []
    while (
        slot := next_slot(of, last=last, unpaused_at=BEGIN, now=BEGIN + 4 * DAY)
    ) and slot.fire_at <= BEGIN + 4 * DAY:
        last = slot.fire_at
        seen.append((slot.logical_date, slot.data_interval_end))
    assert seen == [(BEGIN + number * DAY, BEGIN + (number + 1) * DAY) for number in range(4)]
    off = spec(catchup=False, schedule=of.schedule)
    slot = next_slot(off, last=None, unpaused_at=BEGIN, now=BEGIN + 4 * DAY)
    assert slot is not None
    assert slot.fire_at == BEGIN + 4 * DAY
    assert upcoming(of, after=slots[-1].fire_at, count=1) == []


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (["soon"], "next_dagrun_info of Says must give a DagRunInfo or None, not 'soon'"),
        ([DagRunInfo.exact(datetime(2026, 3, 2))], "must give datetimes with a time zone"),  # noqa: DTZ001
        ([DagRunInfo(BEGIN, DataInterval(BEGIN, BEGIN - DAY))], "before its start"),
        ([DagRunInfo.exact(BEGIN)] * 2, "each run must be later than the one before"),
        ([DagRunInfo.exact(BEGIN), DagRunInfo(BEGIN + DAY, DataInterval.exact(BEGIN))], "and for later data"),
    ],
)
def test_an_answer_that_is_no_run_to_come_is_refused(answers: list[Any], words: str) -> None:
    with pytest.raises(ScheduleError, match=words):
        plan(Says(*answers), spec(), last=None, now=BEGIN)


def test_a_timetable_of_this_package_that_says_something_else_is_refused() -> None:
    class Other(CronTriggerTimetable):
        def next_dagrun_info(self, **asked: Any) -> None: ...

    other = Other("@daily", timezone="UTC")
    assert "or one derived from Timetable" in refusal(lambda: DAG("d", schedule=other))
