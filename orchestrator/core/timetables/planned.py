"""PlannedTimetable: the slots that an author's timetable has named."""

from bisect import bisect_right
from datetime import datetime

from orchestrator.core.spec import Planned
from orchestrator.core.timetables.slot import Slot


class PlannedTimetable:
    """The slots of the plan, and none after them until there is another."""

    def __init__(self, planned: Planned) -> None:
        self._slots = planned.slots
        self._fires = [slot.fire_at for slot in planned.slots]

    def after(self, moment: datetime) -> Slot | None:
        return self._slot(bisect_right(self._fires, moment))

    def until(self, moment: datetime) -> Slot | None:
        return self._slot(bisect_right(self._fires, moment) - 1)

    def _slot(self, place: int) -> Slot | None:
        if not 0 <= place < len(self._slots):
            return None
        found = self._slots[place]
        return Slot(
            fire_at=found.fire_at,
            logical_date=found.start,
            data_interval_start=found.start,
            data_interval_end=found.end,
        )
