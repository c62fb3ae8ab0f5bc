"""CronTimetable: cron on the wall clock of a time zone.

croniter says which wall times an expression names; what happens when the clocks are changed is decided here:

- An expression that names every hour (``*`` and its like in the hour field) fires whenever the clocks show one of
  its times. In an hour that is repeated it fires twice, and what is left out is never shown: in a zone that shifts
  by an hour, an hourly schedule fires every real hour.
- Any other expression fires once for each wall time that it names. One that is shown twice counts the first time;
  those that are left out when the clocks go forward fire together, once, at the first moment after the gap.

Fire times rise strictly, and a data interval is never empty unless the schedule is without intervals.
"""

from datetime import UTC, datetime, timedelta

from croniter import CroniterBadDateError, croniter

from orchestrator.core.spec import Cron
from orchestrator.core.timetables.clocks import WallClock
from orchestrator.core.timetables.slot import Slot

_SECOND = timedelta(seconds=1)


class CronTimetable:
    """The slots of ``cron``; ScheduleError if its time zone is unknown.

    Inside, a wall time is written as a moment of UTC: a moment plus the offset of the clocks.
    """

    def __init__(self, cron: Cron) -> None:
        self._clock = WallClock(cron.timezone)
        self._interval = cron.interval
        self._names = croniter(cron.expression, 0.0)
        self._every_hour = self._names.expanded[1] == ["*"]

    def after(self, moment: datetime) -> Slot | None:
        return self._slot(self._fire_after(moment))

    def until(self, moment: datetime) -> Slot | None:
        return self._slot(self._fire_before(moment + timedelta.resolution))

    def _slot(self, fire_at: datetime | None) -> Slot | None:
        if fire_at is None:
            return None
        if isinstance(self._interval, timedelta):
            return Slot.at(fire_at, fire_at - self._interval)
        return Slot.at(fire_at, self._fire_before(fire_at) if self._interval else None)

    def _fire_after(self, moment: datetime) -> datetime | None:
        """The first fire time after ``moment``: along the wall clock, from one change of the clocks to the next."""
        offset = self._clock.offset(moment)
        seen = self._seen(moment, offset)
        while (wall := self._named_after(seen)) is not None:
            due = wall - offset
            change = self._clock.change(moment, due)
            if change is None:
                return due
            before, offset, moment = offset, self._clock.offset(change), change
            if self._every_hour:
                seen = change + offset - _SECOND
            elif wall < change + offset:
                return change
            else:
                seen = change + max(before, offset) - _SECOND
        return None

    def _seen(self, moment: datetime, offset: timedelta) -> datetime:
        """The wall time up to which nothing fires after ``moment``: what is shown again has had its turn."""
        if self._every_hour or not self._clock.repeats(moment):
            return moment + offset
        first = self._clock.first(moment)
        change = self._clock.change(first, moment) or moment
        return change + self._clock.offset(first) - _SECOND

    def _fire_before(self, moment: datetime) -> datetime | None:
        """The last fire time before ``moment``: from a named time before it, forward again as far as it goes."""
        offset = self._clock.offset(moment)
        wall: datetime | None = moment + offset
        while wall is not None and (wall := self._named_before(wall)) is not None:
            found = self._last_between(wall - offset - _SECOND, moment)
            if found is not None:
                return found
        return None

    def _last_between(self, after: datetime, before: datetime) -> datetime | None:
        found = None
        fire_at = self._fire_after(after)
        while fire_at is not None and fire_at < before:
            found, fire_at = fire_at, self._fire_after(fire_at)
        return found

    def _named_after(self, wall: datetime) -> datetime | None:
        try:
            named: datetime = self._names.get_next(datetime, wall.replace(tzinfo=None))
        except CroniterBadDateError:
            return None
        return named.replace(tzinfo=UTC)

    def _named_before(self, wall: datetime) -> datetime | None:
        try:
            named: datetime = self._names.get_prev(datetime, wall.replace(tzinfo=None))
        except CroniterBadDateError:
            return None
        return named.replace(tzinfo=UTC)
