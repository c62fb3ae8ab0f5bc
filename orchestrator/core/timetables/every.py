"""EveryTimetable: a fixed distance of real time, whatever the clocks do."""

from datetime import datetime, timedelta

from orchestrator.core.timetables.slot import Slot


class EveryTimetable:
    """A slot at ``anchor`` and at every ``period`` after it; none has a data interval."""

    def __init__(self, period: timedelta, anchor: datetime) -> None:
        self._period = period
        self._anchor = anchor

    def after(self, moment: datetime) -> Slot | None:
        return self._slot(max(0, (moment - self._anchor) // self._period + 1))

    def until(self, moment: datetime) -> Slot | None:
        number = (moment - self._anchor) // self._period
        return None if number < 0 else self._slot(number)

    def _slot(self, number: int) -> Slot | None:
        try:
            return Slot.at(self._anchor + number * self._period)
        except OverflowError:
            return None
