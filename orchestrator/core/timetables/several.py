"""SeveralTimetable: several timetables as one."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter

from orchestrator.core.timetables.slot import Slot, Timetable

_fire_at = attrgetter("fire_at")


class SeveralTimetable:
    """A slot whenever one of them has one; where several do, that of the first."""

    def __init__(self, timetables: Sequence[Timetable]) -> None:
        self._timetables = timetables

    def after(self, moment: datetime) -> Slot | None:
        found = (timetable.after(moment) for timetable in self._timetables)
        return min((slot for slot in found if slot is not None), key=_fire_at, default=None)

    def until(self, moment: datetime) -> Slot | None:
        found = (timetable.until(moment) for timetable in self._timetables)
        return max((slot for slot in found if slot is not None), key=_fire_at, default=None)
