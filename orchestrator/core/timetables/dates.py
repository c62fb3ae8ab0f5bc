"""DatesTimetable: moments that were written down one by one."""

from bisect import bisect_right
from datetime import datetime

from orchestrator.core.spec import Dates
from orchestrator.core.timetables.slot import Slot


class DatesTimetable:
    """A slot at each of the moments; none has a data interval."""

    def __init__(self, dates: Dates) -> None:
        self._moments = dates.moments

    def after(self, moment: datetime) -> Slot | None:
        return self._slot(bisect_right(self._moments, moment))

    def until(self, moment: datetime) -> Slot | None:
        return self._slot(bisect_right(self._moments, moment) - 1)

    def _slot(self, place: int) -> Slot | None:
        return Slot.at(self._moments[place]) if 0 <= place < len(self._moments) else None
