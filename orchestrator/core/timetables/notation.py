"""Notation: how a schedule is written, as a preset, a cron expression or a timedelta."""

import re
from datetime import datetime, timedelta

from croniter import CroniterBadDateError, croniter

from orchestrator.core.spec import Cron, Every, Once, Schedule
from orchestrator.core.timetables.clocks import WallClock
from orchestrator.exceptions import ScheduleError

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_FIELDS = (
    "minute (0-59)",
    "hour (0-23)",
    "day of month (1-31)",
    "month (1-12 or JAN-DEC)",
    "day of week (0-7 or SUN-SAT)",
    "second (0-59)",
)
_DRAWN = re.compile(r"\b[hr]\b", re.IGNORECASE)
_SHORTEST = timedelta(seconds=1)
_LONGEST_TEXT = 500


def parse_schedule(
    value: str | timedelta | None, timezone: str = "UTC", *, cron_intervals: bool = False
) -> Schedule | None:
    """What ``schedule=`` of a DAG says; None means that nothing starts by itself.

    Cron is read in ``timezone``; with ``cron_intervals`` its slots have data intervals. ScheduleError quotes what is
    wrong and names the field.
    """
    if value is None:
        return None
    if isinstance(value, timedelta):
        return _every(value)
    if not isinstance(value, str):
        raise ScheduleError(
            f"schedule is a {type(value).__name__}; "
            "give a preset such as '@daily', a cron expression, a timedelta or None"
        )
    text = value.strip()
    if text == "@once":
        return Once()
    WallClock(timezone)
    expression = _preset(text) if text.startswith("@") else _checked(text)
    return Cron(expression=expression, timezone=timezone, interval=cron_intervals)


def _every(period: timedelta) -> Every:
    if period < _SHORTEST:
        raise ScheduleError(f"schedule {period!r} is shorter than a second; give a longer timedelta")
    return Every(period=period)


def _preset(text: str) -> str:
    if text == "@continuous":
        raise ScheduleError("schedule '@continuous' is not supported; give a cron expression or a timedelta")
    expression = PRESETS.get(text)
    if expression is None:
        raise ScheduleError(f"schedule {text[:40]!r} is no preset; there are @once, {', '.join(PRESETS)}")
    return expression


def _checked(text: str) -> str:
    """The expression with single spaces, if it is sound."""
    if len(text) > _LONGEST_TEXT:
        raise ScheduleError(f"schedule {text[:40]!r}… is longer than {_LONGEST_TEXT} characters")
    fields = text.split()
    if len(fields) not in (5, 6):
        raise ScheduleError(
            f"schedule {text!r} has {len(fields)} fields; "
            f"cron has five (minute, hour, day of month, month, day of week) or six, with seconds last"
        )
    for name, field in zip(_FIELDS, fields, strict=False):
        _check_field(text, name, field)
    expression = " ".join(fields)
    _check_whole(expression)
    return expression


def _check_field(text: str, name: str, field: str) -> None:
    if _DRAWN.search(field):
        raise ScheduleError(f"schedule {text!r} draws its {name} by lot ({field!r}); write the value itself")
    alone = [field if other == name else "*" for other in _FIELDS]
    try:
        croniter.expand(" ".join(alone))
    except Exception:  # croniter's own errors, and whatever strange text makes it stumble over
        raise ScheduleError(f"schedule {text!r} is wrong: {field!r} is no {name}") from None


def _check_whole(expression: str) -> None:
    try:
        croniter(expression, 0.0).get_next(datetime, datetime(2000, 1, 1))  # noqa: DTZ001 - wall time
    except CroniterBadDateError:
        raise ScheduleError(f"schedule {expression!r} never comes: its months have no such day") from None
    except ValueError as error:
        raise ScheduleError(f"schedule {expression!r} is wrong: {error}") from None
