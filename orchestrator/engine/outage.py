"""Outage: the time in which the database does not answer. What was decided and not recorded has not happened."""

from collections.abc import Callable
from datetime import datetime, timedelta

from orchestrator.exceptions import StorageUnavailableError


class Outage:
    """``notice`` hears of its beginning and its end, however many tries there are between."""

    def __init__(self, retry_after: timedelta, notice: Callable[[str], None]) -> None:
        self._retry_after = retry_after
        self._notice = notice
        self._since: datetime | None = None
        self.until: datetime | None = None

    @property
    def lasts(self) -> bool:
        """Whether what is in memory is ahead of the database and has to be read again."""
        return self.until is not None

    def forbids(self, now: datetime) -> bool:
        """Whether it is too early for another try."""
        return self.until is not None and now < self.until

    def go_on(self, now: datetime, error: StorageUnavailableError) -> None:
        """It begins, or one more try was in vain."""
        if self._since is None:
            self._since = now
            self._notice(f"{error}; what runs goes on and its results are kept until they can be recorded")
        self.until = now + self._retry_after

    def cut_short(self, now: datetime) -> None:
        """Try again now, if it lasts: the clock was set back, so the moment to wait for means nothing."""
        self.until = None if self.until is None else now

    def end(self, now: datetime) -> None:
        if self._since is not None:
            self._notice(f"the database answers again, after {max(now - self._since, timedelta(0))}")
        self._since = self.until = None
