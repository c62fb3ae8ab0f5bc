"""Which slot of a DAG's schedule comes next, given what has been dealt with and since when the DAG is on."""

from datetime import UTC, datetime, timedelta

from orchestrator.core.spec import Cron, DagSpec, Dates, Every, Once, Planned, Several
from orchestrator.core.timetables.cron import CronTimetable
from orchestrator.core.timetables.dates import DatesTimetable
from orchestrator.core.timetables.every import EveryTimetable
from orchestrator.core.timetables.planned import PlannedTimetable
from orchestrator.core.timetables.several import SeveralTimetable
from orchestrator.core.timetables.slot import Slot, Timetable


def next_slot(spec: DagSpec, *, last: datetime | None, unpaused_at: datetime, now: datetime) -> Slot | None:
    """The slot to fire next, past or future; None if there is none, ever.

    ``last`` is the fire time of the last slot dealt with, ``unpaused_at`` when the DAG was last switched on (or first
    seen). Logical dates are not before start_date (where that is None, fire times are after ``unpaused_at``) and not
    after end_date. With catchup every slot comes in its turn. Without, none that was due while the DAG was off, and
    of several that were missed since only the latest. @once has one slot, at start_date or else at ``unpaused_at``.
    """
    if isinstance(spec.schedule, Once):
        return _once(spec, _start(spec) or unpaused_at) if last is None else None
    timetable = _timetable(spec, last or unpaused_at)
    if timetable is None:
        return None
    slot = _first(spec, timetable, _since(spec, last, unpaused_at))
    if slot is None or spec.catchup or slot.fire_at > now:
        return slot
    return _latest(spec, timetable, now)


def upcoming(spec: DagSpec, *, after: datetime, count: int, last: datetime | None = None) -> list[Slot]:
    """Up to ``count`` slots that fire after ``after``, as a preview.

    A timedelta without a start_date counts from ``last``, or from ``after`` where nothing has been dealt with.
    """
    start = _start(spec)
    if isinstance(spec.schedule, Once):
        slot = _once(spec, start) if last is None and start is not None and start > after else None
        return [slot] if slot else []
    timetable = _timetable(spec, last or after)
    slots: list[Slot] = []
    while timetable is not None and len(slots) < count:
        slot = _first(spec, timetable, slots[-1].fire_at if slots else after)
        if slot is None:
            break
        slots.append(slot)
    return slots


def _timetable(spec: DagSpec, anchor: datetime) -> Timetable | None:
    if isinstance(spec.schedule, Cron):
        return CronTimetable(spec.schedule)
    if isinstance(spec.schedule, Every):
        return EveryTimetable(spec.schedule, _start(spec) or anchor)
    if isinstance(spec.schedule, Several):
        return SeveralTimetable([CronTimetable(cron) for cron in spec.schedule.crons])
    if isinstance(spec.schedule, Dates):
        return DatesTimetable(spec.schedule)
    if isinstance(spec.schedule, Planned):
        return PlannedTimetable(spec.schedule)
    return None


def _start(spec: DagSpec) -> datetime | None:
    return None if spec.start_date is None else spec.start_date.astimezone(UTC)


def _once(spec: DagSpec, moment: datetime) -> Slot | None:
    slot = Slot.at(moment)
    return slot if _within_end(spec, slot) else None


def _since(spec: DagSpec, last: datetime | None, unpaused_at: datetime) -> datetime | None:
    """The moment after which the next slot fires; None where start_date alone decides."""
    if spec.catchup and (last is not None or spec.start_date is not None):
        return last
    return unpaused_at if last is None else max(last, unpaused_at)


def _first(spec: DagSpec, timetable: Timetable, since: datetime | None) -> Slot | None:
    """The first slot after ``since`` between start_date and end_date; one of ``since`` and start_date is given."""
    start = _start(spec)
    eve = None if start is None else start - timedelta.resolution
    slot = timetable.after(max(moment for moment in (since, eve) if moment is not None))
    while slot is not None and start is not None and slot.logical_date < start:
        slot = timetable.after(slot.fire_at)
    return slot if slot is not None and _within_end(spec, slot) else None


def _latest(spec: DagSpec, timetable: Timetable, now: datetime) -> Slot | None:
    """The last slot that is due, where it is known that one is, between start_date and end_date."""
    slot = timetable.until(now)
    if slot is None or spec.end_date is None or _within_end(spec, slot):
        return slot
    across = timetable.after(spec.end_date)  # an interval may begin before end_date and end after it
    return across if across is not None and _within_end(spec, across) else timetable.until(spec.end_date)


def _within_end(spec: DagSpec, slot: Slot) -> bool:
    return spec.end_date is None or slot.logical_date <= spec.end_date
