"""Planning: an author's timetable is asked for the slots to come, ahead of time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.authoring.moments import moment
from orchestrator.authoring.timetable import DagRunInfo, DataInterval, TimeRestriction, Timetable
from orchestrator.core.spec import DagSpec, PlannedSlot
from orchestrator.exceptions import ScheduleError

COUNT = 200
HORIZON = timedelta(days=30)
_SHORTEST = timedelta(seconds=10)
_ASK_AGAIN = timedelta(days=1)


def plan(timetable: Timetable, spec: DagSpec, *, last: PlannedSlot | None, now: datetime) -> tuple[PlannedSlot, ...]:
    """``last``, which has been dealt with, and what comes after it: up to COUNT slots, those of the next HORIZON, but
    at least one that is to come, if there is one. Without catchup, of what is past only the latest.

    ScheduleError where an answer is none, or does not come after the one before.
    """
    found: list[PlannedSlot] = []
    for slot in _asked(timetable, spec, last):
        if found and (len(found) >= COUNT or slot.fire_at > now + HORIZON):
            break
        if not spec.catchup and found and slot.fire_at <= now:
            found.clear()
        found.append(slot)
    return (*([] if last is None else [last]), *found)


def again_at(slots: tuple[PlannedSlot, ...], now: datetime) -> datetime:
    """When to plan again: half of what is to come has come by then."""
    ahead = [slot.fire_at for slot in slots if slot.fire_at > now]
    if ahead:
        return max(ahead[(len(ahead) - 1) // 2], now + _SHORTEST)
    return now + (_SHORTEST if len(slots) > 1 else _ASK_AGAIN)


def _asked(timetable: Timetable, spec: DagSpec, last: PlannedSlot | None) -> Iterator[PlannedSlot]:
    restriction = TimeRestriction(moment(spec.start_date), moment(spec.end_date), spec.catchup)
    interval = None if last is None else _interval(last)
    while True:
        given = timetable.next_dagrun_info(last_automated_data_interval=interval, restriction=restriction)
        if given is None:
            return
        slot = _checked(timetable, given)
        if last is not None and (slot.fire_at <= last.fire_at or slot.start <= last.start):
            raise ScheduleError(
                f"{_name(timetable)} gave {slot.fire_at} (for {slot.start}) after {last.fire_at} (for {last.start}); "
                f"each run must be later than the one before, and for later data"
            )
        yield slot
        last, interval = slot, _interval(slot)


def _interval(slot: PlannedSlot) -> DataInterval:
    start, end = moment(slot.start), moment(slot.end)
    assert start is not None
    assert end is not None
    return DataInterval(start, end)


def _checked(timetable: Timetable, given: Any) -> PlannedSlot:
    if not isinstance(given, DagRunInfo):
        raise ScheduleError(f"{_name(timetable)} must give a DagRunInfo or None, not {given!r}")
    start, end = given.data_interval
    fire_at, start, end = (_instant(timetable, one) for one in (given.run_after, start, end))
    if end < start:
        raise ScheduleError(f"{_name(timetable)} gave a data interval that ends at {end}, before its start at {start}")
    return PlannedSlot(fire_at, start, end)


def _instant(timetable: Timetable, given: Any) -> datetime:
    if not isinstance(given, datetime) or given.tzinfo is None:
        raise ScheduleError(f"{_name(timetable)} must give datetimes with a time zone, not {given!r}")
    utc = given.astimezone(UTC)
    return datetime.combine(utc.date(), utc.time(), UTC)  # a datetime and not a class of its own, as pendulum's is


def _name(timetable: Timetable) -> str:
    return f"next_dagrun_info of {type(timetable).__name__}"
