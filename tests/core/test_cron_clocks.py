"""Cron against changing clocks: the timetable must agree with somebody who keeps an eye on the clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.spec import Cron
from orchestrator.core.timetables.cron import CronTimetable

ZONES = ["Europe/Brussels", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
MINUTE = timedelta(minutes=1)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


class Fields(NamedTuple):
    """A cron expression as it is written, and the sets that it names; None: any day."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None = None
    months: frozenset[int] = frozenset(range(1, 13))
    weekdays: frozenset[int] | None = None  # 0 is Sunday

    def names(self, wall: datetime) -> bool:
        return (
            wall.minute in self.minutes
            and wall.hour in self.hours
            and wall.month in self.months
            and self.names_day(wall)
        )

    def names_day(self, wall: datetime) -> bool:
        """As in cron: where both day fields are restricted, either will do."""
        weekday = wall.isoweekday() % 7
        if self.days is None or self.weekdays is None:
            return (self.days is None or wall.day in self.days) and (self.weekdays is None or weekday in self.weekdays)
        return wall.day in self.days or weekday in self.weekdays


class Glance(NamedTuple):
    """What a clock shows at a moment; ``skipped`` are the wall times that it has just leapt over."""

    moment: datetime
    wall: datetime
    is_repeat: bool
    skipped: tuple[datetime, ...]


def watch(zone: str, start: datetime, end: datetime, step: timedelta) -> Iterator[Glance]:
    """Somebody who looks at the clock at every ``step`` of real time."""
    moment = start
    before = highest = _wall(zone, start - step)
    while moment < end:
        wall = _wall(zone, moment)
        skipped = tuple(before + n * step for n in range(1, (wall - before) // step))
        yield Glance(moment, wall, wall <= highest, skipped)
        moment, before, highest = moment + step, wall, max(highest, wall)


def _wall(zone: str, moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@cache
def year(zone: str) -> list[Glance]:
    return list(watch(zone, NEW_YEAR, datetime(2027, 1, 1, tzinfo=UTC), QUARTER))


@cache
def around(zone: str, change: datetime) -> list[Glance]:
    return list(watch(zone, change - 5 * HOUR, change + 7 * HOUR, MINUTE))


def observed(fields: Fields, glances: list[Glance]) -> list[datetime]:
    """The fire times by the rules in words."""
    if fields.hours == frozenset(range(24)):
        return [glance.moment for glance in glances if fields.names(glance.wall)]
    return [
        glance.moment
        for glance in glances
        if (not glance.is_repeat and fields.names(glance.wall)) or any(map(fields.names, glance.skipped))
    ]


def computed(fields: Fields, zone: str, start: datetime, end: datetime) -> list[datetime]:
    """The fire times from ``start`` on and before ``end``, by the timetable."""
    timetable = CronTimetable(Cron(expression=fields.text, timezone=zone))
    found: list[datetime] = []
    slot = timetable.after(start - timedelta.resolution)
    while slot is not None and slot.fire_at < end:
        found.append(slot.fire_at)
        slot = timetable.after(slot.fire_at)
    return found


EVERY = frozenset(range(24))
WHOLE_YEAR = [
    Fields("30 2 * * *", frozenset({30}), frozenset({2})),
    Fields("15 2 * * *", frozenset({15}), frozenset({2})),
    Fields("30 1 * * *", frozenset({30}), frozenset({1})),
    Fields("0 0 * * 1-5", frozenset({0}), frozenset({0}), weekdays=frozenset(range(1, 6))),
    Fields("0 3 1,15 * 0", frozenset({0}), frozenset({3}), frozenset({1, 15}), weekdays=frozenset({0})),
    Fields("45 23 31 */3 *", frozenset({45}), frozenset({23}), frozenset({31}), frozenset({1, 4, 7, 10})),
    Fields("0 */2 * * *", frozenset({0}), frozenset(range(0, 24, 2))),
    Fields("15,45 1-3 * * *", frozenset({15, 45}), frozenset({1, 2, 3})),
    Fields("0,15,30,45 6-22 * * *", frozenset({0, 15, 30, 45}), frozenset(range(6, 23))),
    Fields("0 * * * *", frozenset({0}), EVERY),
    Fields("45 */1 * 3,4,10,11 *", frozenset({45}), EVERY, months=frozenset({3, 4, 10, 11})),
    Fields("*/30 0-23 * * *", frozenset({0, 30}), EVERY),
]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("fields", WHOLE_YEAR, ids=lambda fields: fields.text)
def test_a_year_of_fire_times_is_what_the_clock_showed(fields: Fields, zone: str) -> None:
    assert computed(fields, zone, NEW_YEAR, datetime(2027, 1, 1, tzinfo=UTC)) == observed(fields, year(zone))


def several(low: int, high: int) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    """A list of values, as it is written and as a set."""
    return st.sets(st.integers(low, high), min_size=1, max_size=4).map(
        lambda chosen: (",".join(map(str, sorted(chosen))), frozenset(chosen))
    )


def some(low: int, high: int) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    """A list, a range, or all of the field's values in steps."""
    stepped = st.integers(2, high - low).map(lambda n: (f"*/{n}", frozenset(range(low, high + 1, n))))
    ranged = st.tuples(st.integers(low, high - 1), st.integers(low + 1, high)).filter(lambda pair: pair[0] < pair[1])
    written = ranged.map(lambda pair: (f"{pair[0]}-{pair[1]}", frozenset(range(pair[0], pair[1] + 1))))
    return several(low, high) | stepped | written


def every(low: int, high: int) -> st.SearchStrategy[tuple[str, frozenset[int]]]:
    return st.just(("*", frozenset(range(low, high + 1))))


@st.composite
def expressions(draw: st.DrawFn) -> Fields:
    minute, minutes = draw(every(0, 59) | some(0, 59))
    hour, hours = draw(every(0, 23) | some(0, 23) | several(0, 4))
    weekday, weekdays = draw(st.just(("*", None)) | several(0, 6))
    return Fields(f"{minute} {hour} * * {weekday}", minutes, hours, weekdays=weekdays)


CHANGES = [
    ("Europe/Brussels", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Brussels", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),  # the gap was at midnight
    ("Europe/Dublin", datetime(2026, 3, 29, 1, tzinfo=UTC)),  # winter time is the exception there
    ("Africa/Casablanca", datetime(2026, 2, 15, 2, tzinfo=UTC)),  # a month back for Ramadan
    ("Asia/Kolkata", datetime(2026, 6, 1, tzinfo=UTC)),
    ("UTC", datetime(2026, 6, 1, tzinfo=UTC)),
]


@settings(max_examples=150)
@given(fields=expressions(), change=st.sampled_from(CHANGES), minutes=st.integers(-200, 200))
def test_fire_times_around_a_change_of_clocks_are_what_the_clock_showed(
    fields: Fields, change: tuple[str, datetime], minutes: int
) -> None:
    zone, moment = change
    start = moment + minutes * MINUTE
    wanted = [fire_at for fire_at in observed(fields, around(zone, moment)) if start <= fire_at]
    assert computed(fields, zone, start, moment + 7 * HOUR) == wanted


@settings(max_examples=100)
@given(fields=expressions(), change=st.sampled_from(CHANGES), minutes=st.integers(-200, 200))
def test_looking_back_finds_the_fire_times_of_looking_ahead(
    fields: Fields, change: tuple[str, datetime], minutes: int
) -> None:
    zone, moment = change
    timetable = CronTimetable(Cron(expression=fields.text, timezone=zone))
    first = timetable.after(moment + minutes * MINUTE)
    assert first is not None
    second = timetable.after(first.fire_at)
    assert second is not None
    assert first.fire_at < second.fire_at
    assert timetable.until(first.fire_at) == first
    assert timetable.until(second.fire_at - timedelta.resolution) == first


@settings(max_examples=100)
@given(fields=expressions(), change=st.sampled_from(CHANGES), minutes=st.integers(-200, 200))
def test_data_intervals_follow_each_other_without_a_gap_or_an_overlap(
    fields: Fields, change: tuple[str, datetime], minutes: int
) -> None:
    zone, moment = change
    timetable = CronTimetable(Cron(expression=fields.text, timezone=zone, interval=True))
    slot = timetable.after(moment + minutes * MINUTE)
    for _ in range(5):
        assert slot is not None
        following = timetable.after(slot.fire_at)
        assert following is not None
        assert slot.logical_date == slot.data_interval_start < slot.data_interval_end == slot.fire_at
        assert following.data_interval_start == slot.data_interval_end
        slot = following


@pytest.mark.parametrize("zone", ["Europe/Brussels", "America/New_York", "Europe/Dublin"])
@pytest.mark.parametrize("minute", [0, 30, 59])
def test_an_hourly_schedule_fires_every_real_hour_of_the_year(zone: str, minute: int) -> None:
    fields = Fields(f"{minute} * * * *", frozenset({minute}), EVERY)
    found = computed(fields, zone, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert {b - a for a, b in pairwise(found)} == {HOUR}


def walls(expression: str, zone: str, start: datetime, count: int) -> list[str]:
    timetable = CronTimetable(Cron(expression=expression, timezone=zone))
    found = []
    moment = start
    for _ in range(count):
        slot = timetable.after(moment)
        assert slot is not None
        moment = slot.fire_at
        found.append(f"{moment.astimezone(ZoneInfo(zone)):%d %H:%M:%S%z}")
    return found


def test_a_daily_time_in_the_gap_fires_right_after_it() -> None:
    found = walls("30 2 * * *", "Europe/Brussels", datetime(2026, 3, 28, tzinfo=UTC), 3)
    assert found == ["28 02:30:00+0100", "29 03:00:00+0200", "30 02:30:00+0200"]


def test_a_daily_time_that_is_shown_twice_fires_the_first_time() -> None:
    found = walls("30 2 * * *", "Europe/Brussels", datetime(2026, 10, 24, tzinfo=UTC), 3)
    assert found == ["24 02:30:00+0200", "25 02:30:00+0200", "26 02:30:00+0100"]


def test_several_times_in_one_gap_fire_once() -> None:
    found = walls("*/10 2 * * *", "Europe/Brussels", datetime(2026, 3, 28, 1, 40, tzinfo=UTC), 3)
    assert found == ["28 02:50:00+0100", "29 03:00:00+0200", "30 02:00:00+0200"]


def test_the_sixth_field_is_the_second() -> None:
    found = walls("59 1 * * * */30", "Europe/Brussels", datetime(2026, 3, 29, tzinfo=UTC), 3)
    assert found == ["29 01:59:00+0100", "29 01:59:30+0100", "30 01:59:00+0200"]


def test_seconds_in_the_gap_fire_once_after_it() -> None:
    found = walls("15 2 * * * 7,9", "Europe/Brussels", datetime(2026, 3, 29, tzinfo=UTC), 2)
    assert found == ["29 03:00:00+0200", "30 02:15:07+0200"]


def test_a_leap_day_comes_every_four_years() -> None:
    timetable = CronTimetable(Cron(expression="0 2 29 2 *", timezone="Europe/Brussels", interval=True))
    slot = timetable.after(datetime(2025, 7, 1, tzinfo=UTC))
    assert slot is not None
    assert (slot.logical_date, slot.fire_at) == (
        datetime(2024, 2, 29, 1, tzinfo=UTC),
        datetime(2028, 2, 29, 1, tzinfo=UTC),
    )
