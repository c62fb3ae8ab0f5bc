"""Schedules in words: ``every day at 06:00``, as people say when something runs."""

from datetime import timedelta

from orchestrator.core.spec import Cron, DagSpec, Dates, Every, Once, Planned, Several

_DAYS = ("Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")
_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def schedule_in_words(spec: DagSpec) -> str:
    """When a DAG runs, in a few words; a cron expression that has none stands as it is."""
    match spec.schedule:
        case None:
            return "when it is triggered"
        case Once():
            return "once"
        case Cron(expression=expression, timezone=timezone):
            return _with_zone(_cron(expression), timezone)
        case Every(period=period):
            return _every(period)
        case Several(crons=crons):
            return _with_zone("; ".join(_cron(cron.expression) for cron in crons), crons[0].timezone)
        case Dates(moments=moments):
            return "on one date" if len(moments) == 1 else f"on {len(moments)} dates"
        case Planned(timetable=timetable):
            return f"as {timetable.rpartition('.')[2]} says"


def _with_zone(words: str, timezone: str) -> str:
    return words if timezone.upper() in ("UTC", "ETC/UTC") else f"{words}, {timezone}"


def _every(period: timedelta) -> str:
    seconds = period.total_seconds()
    for size, unit in _UNITS:
        if seconds >= size and seconds % size == 0:
            count = int(seconds // size)
            return f"every {unit}" if count == 1 else f"every {count} {unit}s"
    return f"every {seconds:g} seconds"


def _cron(expression: str) -> str:
    fields = expression.split()
    if len(fields) != 5:
        return expression
    minute, hour, day, month, weekday = fields
    often = _often(minute, hour) if (day, month, weekday) == ("*", "*", "*") else None
    if often is not None:
        return often
    at, on = _at(minute, hour), _on(day, month, weekday)
    return expression if at is None or on is None else f"{on} at {at}"


def _often(minute: str, hour: str) -> str | None:
    """Several times a day, evenly."""
    if hour == "*":
        if minute == "*" or minute == "*/1":
            return "every minute"
        if (step := _step(minute)) is not None:
            return f"every {step} minutes"
        return f"every hour at :{int(minute):02}" if minute.isdecimal() else None
    step = _step(hour)
    if step is None or not minute.isdecimal():
        return None
    return f"every {step} hours" if int(minute) == 0 else f"every {step} hours at :{int(minute):02}"


def _at(minute: str, hour: str) -> str | None:
    hours = hour.split(",")
    if not minute.isdecimal() or not all(part.isdecimal() for part in hours):
        return None
    return _list([f"{int(part):02}:{int(minute):02}" for part in hours])


def _on(day: str, month: str, weekday: str) -> str | None:
    if (day, month) == ("*", "*"):
        return "every day" if weekday in ("*", "?") else _on_weekdays(weekday)
    if weekday not in ("*", "?") or not day.isdecimal():
        return None
    if month == "*":
        return f"on day {int(day)} of the month"
    return f"on {int(day)} {_MONTHS[int(month) - 1]}" if month.isdecimal() and 1 <= int(month) <= 12 else None


def _on_weekdays(weekday: str) -> str | None:
    if weekday.upper() in ("1-5", "MON-FRI"):
        return "on weekdays"
    if weekday.upper() in ("0,6", "6,0", "6,7", "SAT,SUN", "SUN,SAT", "6-7"):
        return "at weekends"
    numbers = [_weekday(part) for part in weekday.split(",")]
    if any(number is None for number in numbers):
        return None
    return f"on {_list([_DAYS[number] for number in numbers if number is not None])}"


def _weekday(text: str) -> int | None:
    if text.upper() in _NAMES:
        return _NAMES.index(text.upper())
    return int(text) if text.isdecimal() and int(text) <= 7 else None


def _step(field: str) -> int | None:
    start, slash, step = field.partition("/")
    return int(step) if start == "*" and slash and step.isdecimal() and int(step) > 1 else None


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
