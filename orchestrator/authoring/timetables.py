"""Airflow's timetables: objects that ``schedule=`` takes, each a way to write what a schedule here can say."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta, tzinfo
from typing import Any

from orchestrator.authoring.checks import zone
from orchestrator.authoring.dates import plain_utc
from orchestrator.authoring.place import author
from orchestrator.authoring.timetable import BuiltInTimetable
from orchestrator.authoring.zones import zone_name
from orchestrator.core.spec import Cron, Dates, Every, Once, Schedule, Several
from orchestrator.core.timetables import parse_schedule
from orchestrator.exceptions import ScheduleError

__all__ = [
    "CronDataIntervalTimetable",
    "CronTriggerTimetable",
    "DeltaDataIntervalTimetable",
    "DeltaTriggerTimetable",
    "EventsTimetable",
    "MultipleCronTriggerTimetable",
    "NullTimetable",
    "OnceTimetable",
]

_NONE = timedelta(0)


class NullTimetable(BuiltInTimetable):
    """No runs but those that are asked for: ``schedule=None``."""

    def __init__(self) -> None:
        super().__init__(None)


class OnceTimetable(BuiltInTimetable):
    """A single run: ``schedule="@once"``."""

    def __init__(self) -> None:
        super().__init__(Once())


class CronTriggerTimetable(BuiltInTimetable):
    """A run at each fire time of ``cron`` on the clocks of ``timezone``, for the ``interval`` before it, which is
    empty unless given.
    """

    def __init__(
        self,
        cron: str,
        *,
        timezone: str | tzinfo,
        interval: timedelta = _NONE,
        run_immediately: bool | timedelta | None = False,
    ) -> None:
        _refuse_at_once(self, run_immediately)
        super().__init__(_cron(self, cron, timezone, _reach(self, interval)))


class MultipleCronTriggerTimetable(BuiltInTimetable):
    """A run whenever one or more of ``crons`` fire; else as CronTriggerTimetable."""

    def __init__(
        self,
        *crons: str,
        timezone: str | tzinfo,
        interval: timedelta = _NONE,
        run_immediately: bool | timedelta | None = False,
    ) -> None:
        _refuse_at_once(self, run_immediately)
        if not crons:
            raise _refuse(self, "needs a cron expression; give it one or more")
        reach = _reach(self, interval)
        super().__init__(Several(crons=tuple(_cron(self, cron, timezone, reach) for cron in crons)))


class CronDataIntervalTimetable(BuiltInTimetable):
    """A run at each fire time of ``cron``, for the data since the fire time before; that is its logical date."""

    def __init__(self, cron: str, timezone: str | tzinfo) -> None:
        super().__init__(_cron(self, cron, timezone, interval=True))


class DeltaTriggerTimetable(BuiltInTimetable):
    """A run at start_date and every ``delta`` after it, for the ``interval`` before it, which is empty unless given."""

    def __init__(self, delta: timedelta, *, interval: timedelta = _NONE) -> None:
        super().__init__(_every(self, delta, _reach(self, interval)))


class DeltaDataIntervalTimetable(BuiltInTimetable):
    """A run every ``delta`` after start_date, for the data since the time before; that is its logical date."""

    def __init__(self, delta: timedelta) -> None:
        super().__init__(_every(self, delta, interval=True))


class EventsTimetable(BuiltInTimetable):
    """A run at each of ``event_dates``; one without a time zone is read in UTC. ``description`` changes nothing."""

    def __init__(
        self,
        event_dates: Collection[datetime],
        restrict_to_events: bool = False,
        presorted: bool = False,  # noqa: ARG002 - they are sorted in any case
        description: str | None = None,
    ) -> None:
        if restrict_to_events:
            raise _refuse(self, "takes no restrict_to_events: a run that is asked for has the date it was asked for")
        moments = {_event(self, date) for date in event_dates}
        if not moments:
            raise _refuse(self, "needs event_dates; give it one or more")
        self.description = description
        super().__init__(Dates(tuple(sorted(moments))))


def _cron(owner: BuiltInTimetable, cron: str, timezone: str | tzinfo, interval: bool | timedelta) -> Cron:
    if not isinstance(cron, str):
        raise _refuse(owner, f"takes a cron expression or a preset such as '@daily', not {cron!r}")
    name = zone_name(_checked(owner, "timezone", zone, timezone))
    if name is None:
        raise _refuse(owner, f"timezone {timezone} has no name; give an IANA name such as 'Asia/Kolkata'")
    found = _parsed(owner, cron, name)
    if not isinstance(found, Cron):
        raise _refuse(owner, f"takes a cron expression, not {cron!r}; use OnceTimetable")
    return Cron(expression=found.expression, timezone=found.timezone, interval=interval)


def _every(owner: BuiltInTimetable, delta: timedelta, interval: bool | timedelta) -> Every:
    if not isinstance(delta, timedelta):
        raise _refuse(owner, f"takes a timedelta, not {delta!r}; of months and years, write a cron expression")
    found = _parsed(owner, delta, "UTC")
    assert isinstance(found, Every)
    return Every(period=found.period, interval=interval)


def _parsed(owner: BuiltInTimetable, value: str | timedelta, timezone: str) -> Schedule | None:
    try:
        return parse_schedule(value, timezone)
    except ScheduleError as error:
        raise _refuse(owner, f"is wrong: {error.message}") from None


def _reach(owner: BuiltInTimetable, interval: Any) -> bool | timedelta:
    """False for an empty interval."""
    if not isinstance(interval, timedelta) or interval < _NONE:
        raise _refuse(owner, f"takes as its interval a timedelta of zero or more, not {interval!r}")
    return interval if interval > _NONE else False


def _event(owner: BuiltInTimetable, date: datetime) -> datetime:
    if not isinstance(date, datetime):
        raise _refuse(owner, f"takes datetimes as its event_dates, not {date!r}")
    return plain_utc(date)


def _refuse_at_once(owner: BuiltInTimetable, run_immediately: bool | timedelta | None) -> None:
    if run_immediately is not False:
        raise _refuse(
            owner,
            f"takes no run_immediately={run_immediately!r}: the first run comes at the next fire time; leave it out, "
            f"and trigger a run where one is wanted at once",
        )


def _checked(owner: BuiltInTimetable, name: str, check: Callable[[Any], Any], value: Any) -> Any:
    try:
        return check(value)
    except ValueError as error:
        raise _refuse(owner, f"takes as its {name} {error}, not {value!r}") from None


def _refuse(owner: BuiltInTimetable, words: str) -> ScheduleError:
    place = author()
    return ScheduleError(f"{type(owner).__name__} {words}", file=place.file, line=place.line)
