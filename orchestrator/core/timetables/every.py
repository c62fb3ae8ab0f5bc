"""EveryTimetable: a fixed distance of real time, whatever the clocks do."""

from datetime import datetime, timedelta

from orchestrator.core.spec import Every
from orchestrator.core.timetables.slot import Slot


class EveryTimetable:
    """A slot at ``anchor`` and at every period after it."""

    def __init__(self, every: Every, anchor: datetime) -> None:
        self._period = every.period
        self._reach = every.period if every.interval is True else every.interval or timedelta(0)
        self._anchor = anchor

    def after(self, moment: datetime) -> Slot | None:
        return self._slot(max(0, (moment - self._anchor) // self._period + 1))

    def until(self, moment: datetime) -> Slot | None:
        number = (moment - self._anchor) // self._period
        return None if number < 0 else self._slot(number)

    def _slot(self, number: int) -> Slot | None:
        try:
            fire_at = self._anchor + number * self._period
            return Slot.at(fire_at, fire_at - self._reach)
        except OverflowError:
            return None
