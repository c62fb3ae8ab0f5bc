from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.spec import Cron, DagSpec, Every, Once, Schedule
from orchestrator.core.timetables import Slot, next_slot, upcoming

DAILY = Cron(expression="0 6 * * *")
DAILY_INTERVALS = Cron(expression="0 6 * * *", interval=True)
HOUR = timedelta(hours=1)
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
MONTH_BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def at(day: int, hour: int = 6, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def dag(schedule: Schedule | None, **fields: Any) -> DagSpec:
    return DagSpec(dag_id="d", schedule=schedule, **fields)


def fires(
    spec: DagSpec, *, last: datetime | None = None, unpaused_at: datetime = MONTH_BEGIN, now: datetime = NOW
) -> Any:
    """The fire time of the next slot, or None."""
    slot = next_slot(spec, last=last, unpaused_at=unpaused_at, now=now)
    return None if slot is None else slot.fire_at


def chain(
    spec: DagSpec, *, unpaused_at: datetime = MONTH_BEGIN, now: datetime = NOW, last: Any = None
) -> list[datetime]:
    """All that is due by ``now``, as a scheduler deals with it slot by slot."""
    due: list[datetime] = []
    while (fire_at := fires(spec, last=last, unpaused_at=unpaused_at, now=now)) is not None and fire_at <= now:
        due.append(fire_at)
        last = fire_at
    return due


def test_a_dag_without_a_schedule_has_no_slots() -> None:
    assert fires(dag(None, start_date=at(1))) is None
    assert upcoming(dag(None), after=NOW, count=3) == []


# ── catchup ──────────────────────────────────────────────────────────────────────────────────────────────


def test_with_catchup_every_slot_since_the_start_date_comes_in_order() -> None:
    spec = dag(DAILY, start_date=at(7, 0), catchup=True)
    assert chain(spec, unpaused_at=at(9, 0)) == [at(7), at(8), at(9), at(10)]


def test_with_catchup_it_goes_on_after_the_last_slot() -> None:
    spec = dag(DAILY, start_date=at(1, 0), catchup=True)
    assert chain(spec, last=at(8)) == [at(9), at(10)]


def test_without_catchup_unpausing_starts_nothing_before_the_next_tick() -> None:
    spec = dag(DAILY, start_date=at(1, 0))
    assert fires(spec, unpaused_at=NOW) == at(11)
    assert fires(spec, unpaused_at=NOW, last=at(3)) == at(11)
    assert fires(spec, unpaused_at=at(10), now=at(10)) == at(11)


def test_without_catchup_only_the_latest_of_several_missed_slots_is_made_up_for() -> None:
    spec = dag(DAILY, start_date=at(1, 0))
    assert chain(spec, unpaused_at=at(2, 0), last=at(4)) == [at(10)]
    assert fires(spec, unpaused_at=at(2, 0), last=at(10)) == at(11)


def test_a_slot_is_due_at_its_very_moment() -> None:
    assert fires(dag(DAILY), last=at(9), now=at(10)) == at(10)


# ── start and end ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("catchup", [True, False])
def test_the_first_slot_is_not_before_the_start_date_and_may_be_on_it(catchup: bool) -> None:
    assert fires(dag(DAILY, start_date=at(20), catchup=catchup)) == at(20)
    assert fires(dag(DAILY, start_date=at(20) + timedelta.resolution, catchup=catchup)) == at(21)


@pytest.mark.parametrize("catchup", [True, False])
def test_without_a_start_date_slots_begin_after_unpausing(catchup: bool) -> None:
    assert fires(dag(DAILY, catchup=catchup), unpaused_at=at(9)) == at(10)


@pytest.mark.parametrize("catchup", [True, False])
def test_nothing_fires_after_the_end_date(catchup: bool) -> None:
    spec = dag(DAILY, start_date=at(1, 0), end_date=at(9), catchup=catchup)
    assert fires(spec, last=at(8)) == at(9)
    assert fires(spec, last=at(9)) is None
    assert fires(dag(DAILY, start_date=at(20), end_date=at(19), catchup=catchup)) is None


def test_the_latest_missed_slot_is_looked_for_before_the_end_date() -> None:
    assert chain(dag(DAILY, start_date=at(1, 0), end_date=at(7, 23)), last=at(3)) == [at(7)]


def test_a_start_date_in_another_zone_is_the_same_moment() -> None:
    start = datetime(2026, 3, 20, 7, tzinfo=ZoneInfo("Europe/Brussels"))
    assert fires(dag(DAILY, start_date=start, catchup=True)) == at(20)


# ── data intervals ───────────────────────────────────────────────────────────────────────────────────────


def test_without_intervals_all_four_moments_are_one() -> None:
    slot = next_slot(dag(DAILY), last=at(9), unpaused_at=at(1), now=NOW)
    assert slot == Slot(fire_at=at(10), logical_date=at(10), data_interval_start=at(10), data_interval_end=at(10))


def test_with_intervals_the_logical_date_is_the_fire_time_before() -> None:
    slot = next_slot(dag(DAILY_INTERVALS), last=at(9), unpaused_at=at(1), now=NOW)
    assert slot == Slot(fire_at=at(10), logical_date=at(9), data_interval_start=at(9), data_interval_end=at(10))


@pytest.mark.parametrize("catchup", [True, False])
def test_the_first_interval_begins_on_the_start_date_and_the_last_on_the_end_date(catchup: bool) -> None:
    spec = dag(DAILY_INTERVALS, start_date=at(20), end_date=at(22), catchup=catchup)
    assert fires(spec) == at(21)
    assert fires(spec, last=at(22), now=at(22, 7)) == at(23)
    assert fires(spec, last=at(23), now=at(23, 7)) is None


def test_the_latest_missed_interval_may_end_after_the_end_date() -> None:
    spec = dag(DAILY_INTERVALS, start_date=at(1, 0), end_date=at(7, 5))
    assert chain(spec, last=at(4)) == [at(7)]
    assert chain(dag(DAILY_INTERVALS, start_date=at(1, 0), end_date=at(7, 7)), last=at(4)) == [at(8)]


# ── a timedelta ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_timedelta_counts_from_the_start_date() -> None:
    spec = dag(Every(period=HOUR), start_date=at(10, 9, 20), catchup=True)
    assert chain(spec) == [at(10, 9, 20), at(10, 10, 20), at(10, 11, 20)]
    assert fires(dag(Every(period=HOUR), start_date=at(1, 9, 20)), unpaused_at=NOW) == at(10, 12, 20)


@pytest.mark.parametrize("catchup", [True, False])
def test_a_timedelta_without_a_start_date_counts_from_unpausing_and_then_from_the_last_slot(catchup: bool) -> None:
    spec = dag(Every(period=HOUR), catchup=catchup)
    assert fires(spec, unpaused_at=at(10, 11, 40)) == at(10, 12, 40)
    assert fires(spec, unpaused_at=at(10, 9), last=at(10, 11, 40)) == at(10, 12, 40)


def test_a_timedelta_is_real_time_whatever_the_clocks_do() -> None:
    start = datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/Brussels"))
    slots = upcoming(dag(Every(period=24 * HOUR), start_date=start), after=at(28, 0), count=2)
    assert [slot.fire_at for slot in slots] == [at(28, 11), at(29, 11)]


# ── once ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_once_fires_at_the_start_date_even_if_that_is_past() -> None:
    assert fires(dag(Once(), start_date=at(20))) == at(20)
    assert fires(dag(Once(), start_date=at(2)), unpaused_at=at(9)) == at(2)


def test_once_without_a_start_date_fires_as_soon_as_the_dag_is_on() -> None:
    assert fires(dag(Once()), unpaused_at=at(9, 9)) == at(9, 9)


def test_once_does_not_fire_again() -> None:
    assert fires(dag(Once(), start_date=at(2)), last=at(2)) is None


def test_once_does_not_fire_after_the_end_date() -> None:
    assert fires(dag(Once(), end_date=at(2)), unpaused_at=at(9)) is None


# ── previews ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_preview_shows_the_coming_slots_between_start_and_end() -> None:
    spec = dag(DAILY_INTERVALS, start_date=at(12), end_date=at(14))
    assert [slot.fire_at for slot in upcoming(spec, after=NOW, count=9)] == [at(13), at(14), at(15)]
    assert [slot.logical_date for slot in upcoming(spec, after=NOW, count=2)] == [at(12), at(13)]


def test_a_preview_of_a_timedelta_without_a_start_date_goes_on_from_the_last_slot() -> None:
    slots = upcoming(dag(Every(period=HOUR)), after=NOW, count=2, last=at(10, 11, 30))
    assert [slot.fire_at for slot in slots] == [at(10, 12, 30), at(10, 13, 30)]


def test_a_preview_of_once_is_its_one_slot_if_that_is_to_come() -> None:
    assert [slot.fire_at for slot in upcoming(dag(Once(), start_date=at(20)), after=NOW, count=3)] == [at(20)]
    assert upcoming(dag(Once(), start_date=at(9)), after=NOW, count=3) == []
    assert upcoming(dag(Once(), start_date=at(20)), after=NOW, count=3, last=at(20)) == []


# ── rules that always hold ───────────────────────────────────────────────────────────────────────────────

moments = st.integers(0, 16 * 24 * 60).map(lambda minutes: at(20, 0) + timedelta(minutes=minutes))
schedules = st.sampled_from(
    [
        Cron(expression="30 2 * * *", timezone="Europe/Brussels"),
        Cron(expression="30 2 * * *", timezone="Europe/Brussels", interval=True),
        Cron(expression="0 */6 * * *", timezone="Australia/Lord_Howe", interval=True),
        Cron(expression="15 * * * *", timezone="America/New_York"),
        Every(period=timedelta(hours=7, minutes=3)),
        Once(),
    ]
)
specs = st.builds(
    dag,
    schedules,
    start_date=st.none() | moments,
    end_date=st.none() | moments,
    catchup=st.booleans(),
)


@given(spec=specs, last=st.none() | moments, unpaused_at=moments, now=moments)
def test_a_slot_keeps_to_all_bounds(spec: DagSpec, last: datetime | None, unpaused_at: datetime, now: datetime) -> None:
    slot = next_slot(spec, last=last, unpaused_at=unpaused_at, now=now)
    if slot is None:
        return
    assert slot.data_interval_start <= slot.data_interval_end == slot.fire_at
    assert last is None or slot.fire_at > last
    assert spec.start_date is None or slot.logical_date >= spec.start_date
    assert spec.end_date is None or slot.logical_date <= spec.end_date
    if not spec.catchup and not isinstance(spec.schedule, Once):
        assert slot.fire_at > unpaused_at


@given(spec=specs, last=st.none() | moments, unpaused_at=moments, now=moments)
def test_no_due_slot_is_passed_over_with_catchup_and_all_but_one_without(
    spec: DagSpec, last: datetime | None, unpaused_at: datetime, now: datetime
) -> None:
    if isinstance(spec.schedule, Once):
        return
    floor = unpaused_at if last is None else last if spec.catchup else max(last, unpaused_at)
    if spec.catchup and last is None and spec.start_date is not None:
        floor = spec.start_date - timedelta.resolution
    anchor = last or unpaused_at
    every = [slot.fire_at for slot in upcoming(spec, after=floor, count=500, last=anchor) if slot.fire_at <= now]
    got = chain(spec, unpaused_at=unpaused_at, now=now, last=last)
    assert got == (every if spec.catchup else every[-1:])
