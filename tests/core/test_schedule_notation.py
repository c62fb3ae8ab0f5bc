from datetime import timedelta
from typing import Any

import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.spec import Cron, Every, Once
from orchestrator.core.timetables import PRESETS, parse_schedule
from orchestrator.exceptions import ScheduleError


def test_no_schedule_is_none() -> None:
    assert parse_schedule(None, "Europe/Brussels") is None


def test_once_is_a_schedule_of_its_own() -> None:
    assert parse_schedule("@once", "UTC") == Once()


@pytest.mark.parametrize(
    ("preset", "expression"),
    [
        ("@hourly", "0 * * * *"),
        ("@daily", "0 0 * * *"),
        ("@weekly", "0 0 * * 0"),
        ("@monthly", "0 0 1 * *"),
        ("@quarterly", "0 0 1 */3 *"),
        ("@yearly", "0 0 1 1 *"),
    ],
)
def test_a_preset_stands_for_its_cron_expression(preset: str, expression: str) -> None:
    assert parse_schedule(preset, "Asia/Kolkata") == Cron(expression=expression, timezone="Asia/Kolkata")


@pytest.mark.parametrize("expression", PRESETS.values())
def test_every_preset_is_sound_cron(expression: str) -> None:
    assert isinstance(parse_schedule(expression, "UTC"), Cron)


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "*/5 0-6,22 1,15 JAN-MAR mon",
        "0 0 l * *",
        "0 9 * * 5#2",
        "0 9 15w * *",
        "0 0 29 2 *",
        "7 * * * * */10",
    ],
)
def test_cron_of_five_and_six_fields_is_taken_as_written(expression: str) -> None:
    assert parse_schedule(expression, "UTC") == Cron(expression=expression, timezone="UTC")


def test_spaces_do_not_matter() -> None:
    assert parse_schedule("  0   6 * *\t1-5\n", "UTC") == Cron(expression="0 6 * * 1-5", timezone="UTC")


def test_intervals_are_kept_with_the_expression() -> None:
    assert parse_schedule("@daily", "UTC", cron_intervals=True) == Cron(expression="0 0 * * *", interval=True)


def test_a_timedelta_is_a_distance() -> None:
    assert parse_schedule(timedelta(minutes=90), "UTC") == Every(period=timedelta(minutes=90))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("0 25 * * *", "schedule '0 25 * * *' is wrong: '25' is no hour (0-23)"),
        ("61 * * * *", "schedule '61 * * * *' is wrong: '61' is no minute (0-59)"),
        ("0 0 0 * *", "schedule '0 0 0 * *' is wrong: '0' is no day of month (1-31)"),
        ("0 0 1 13 *", "schedule '0 0 1 13 *' is wrong: '13' is no month (1-12 or JAN-DEC)"),
        ("0 0 * * fry", "schedule '0 0 * * fry' is wrong: 'fry' is no day of week (0-7 or SUN-SAT)"),
        ("* * * * * 60", "schedule '* * * * * 60' is wrong: '60' is no second (0-59)"),
        ("*/0 * * * *", "schedule '*/0 * * * *' is wrong: '*/0' is no minute (0-59)"),
        ("* * * *", "schedule '* * * *' has 4 fields; cron has five (minute, hour"),
        ("* * * * * * 2030", "has 7 fields; cron has five"),
        ("", "schedule '' has 0 fields"),
        ("tomorrow", "schedule 'tomorrow' has 1 fields"),
        ("0 0 30 2 *", "schedule '0 0 30 2 *' never comes: its months have no such day"),
        ("0 0 31 4,6,9,11 *", "never comes"),
        ("r * * * *", "schedule 'r * * * *' draws its minute (0-59) by lot ('r')"),
        ("0 H(0-7) * * *", "draws its hour (0-23) by lot ('H(0-7)')"),
        ("@fortnightly", "schedule '@fortnightly' is no preset; there are @once, @hourly, @daily"),
        ("@continuous", "schedule '@continuous' is not supported"),
        ("1," * 400 + "1 * * * *", "is longer than 500 characters"),
        (timedelta(0), "schedule datetime.timedelta(0) is shorter than a second"),
        (timedelta(days=-1), "is shorter than a second"),
        (15, "schedule is a int; give a preset such as '@daily'"),
    ],
)
def test_a_bad_schedule_is_quoted_with_what_is_wrong(value: Any, message: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_schedule(value, "UTC")
    assert message in str(caught.value)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", "../../etc/passwd", "a\0b"])
def test_an_unknown_time_zone_is_named(zone: str) -> None:
    with pytest.raises(ScheduleError, match="there is no time zone"):
        parse_schedule("@daily", zone)


pieces = st.sampled_from(
    ["*", "0", "5", "59", "31", "2", "-", "/", ",", "#", "L", "W", "?", "mon", "feb", " ", "99", "é"]
)


@given(
    st.lists(pieces, max_size=16).map("".join)
    | st.text(max_size=30)
    | st.lists(pieces, min_size=5, max_size=6).map(" ".join)
)
def test_any_text_is_either_a_schedule_that_comes_or_a_clear_error(text: str) -> None:
    try:
        schedule = parse_schedule(text, "UTC")
    except ScheduleError:
        return
    assert isinstance(schedule, Cron)
    assert croniter(schedule.expression, 0.0).get_next(float) > 0
