"""The one clock at the edge."""

from datetime import UTC, datetime


class SystemClock:
    """The machine's own time, aware and in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)
