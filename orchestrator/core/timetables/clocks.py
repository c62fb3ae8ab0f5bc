"""WallClock: the clocks of a time zone, and the moments when they are changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from orchestrator.exceptions import ScheduleError

_SECOND = timedelta(seconds=1)
_STRIDE = timedelta(days=3)  # no zone changes its clocks twice within this


class WallClock:
    """What clocks show in a zone. Moments are aware UTC; wall times are naive.

    ScheduleError if there is no such zone.
    """

    def __init__(self, key: str) -> None:
        try:
            self._zone = ZoneInfo(key)
        except (KeyError, ValueError, OSError):
            raise ScheduleError(f"there is no time zone {key!r}; give an IANA name such as 'Europe/Brussels'") from None

    def offset(self, moment: datetime) -> timedelta:
        """How far the clocks are ahead of UTC."""
        return moment.astimezone(self._zone).utcoffset() or timedelta(0)

    def repeats(self, moment: datetime) -> bool:
        """Whether the clocks show ``moment`` for the second time, having been put back."""
        return moment.astimezone(self._zone).fold == 1

    def first(self, moment: datetime) -> datetime:
        """When the clocks first showed what they show at ``moment``."""
        return moment.astimezone(self._zone).replace(fold=0).astimezone(UTC)

    def change(self, after: datetime, until: datetime) -> datetime | None:
        """The first moment, after ``after`` and not after ``until``, at which the clocks have been changed."""
        offset = self.offset(after)
        while after < until:
            ahead = min(after + _STRIDE, until)
            if self.offset(ahead) != offset:
                return self._narrow(after, ahead, offset)
            after = ahead
        return None

    def _narrow(self, low: datetime, high: datetime, offset: timedelta) -> datetime:
        """The moment of change between ``low``, where ``offset`` holds, and ``high``, where it does no more."""
        low = low.replace(microsecond=0)
        while high - low > _SECOND:
            middle = low + (high - low) // 2
            middle = middle.replace(microsecond=0)
            low, high = (middle, high) if self.offset(middle) == offset else (low, middle)
        return high
