"""Days of the week, as branches and sensors are told them."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

from orchestrator.nearest import did_you_mean


class WeekDay(IntEnum):
    """A day, by its ISO number."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7

    @classmethod
    def get_weekday_number(cls, week_day_str: str) -> int:
        """The ISO number of a day's English name; ValueError if it is none."""
        return int(_day(week_day_str))

    @classmethod
    def validate_week_day(cls, week_day: Any) -> set[int]:
        """The ISO numbers of a day or of several; ValueError if one of them is no day."""
        return {int(day) for day in weekdays(week_day)}


def weekdays(value: Any) -> frozenset[WeekDay]:
    """One day or several, each a WeekDay or its English name in whatever case; ValueError says what it must be."""
    if isinstance(value, str | WeekDay):
        return frozenset({_day(value)})
    if isinstance(value, Iterable) and (days := [_day(item) for item in value]):
        return frozenset(days)
    raise ValueError("a day such as 'Monday', or several")


def _day(value: Any) -> WeekDay:
    if isinstance(value, WeekDay):
        return value
    name = value.strip().upper() if isinstance(value, str) else ""
    if name not in WeekDay.__members__:
        near = did_you_mean(name, list(WeekDay.__members__)) if name else ""
        raise ValueError(f"a day such as 'Monday', or several{near}")
    return WeekDay[name]
