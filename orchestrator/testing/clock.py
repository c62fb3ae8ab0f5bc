"""FakeClock: time that moves only when it is told to."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """Starts at ``now`` and stays there until ``advance`` or ``move_to``."""

    def __init__(self, now: datetime = EPOCH) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta | float) -> datetime:
        """Go on by a timedelta, or by seconds."""
        self._now += by if isinstance(by, timedelta) else timedelta(seconds=by)
        return self._now

    def sleep(self, seconds: float) -> None:
        """As advance: for whoever would wait."""
        self.advance(seconds)

    def move_to(self, when: datetime) -> datetime:
        """Go to ``when``, never back."""
        self._now = max(self._now, when)
        return self._now
