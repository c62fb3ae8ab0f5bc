"""Inbox: reports that wait to be recorded. They stay until the commit that holds them has succeeded."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from orchestrator.core.orders import Report, Started


class Inbox:
    """Starts may wait a moment for company: recording each alone would cost a commit that nobody needs yet.

    ``is_patient`` says of a start whether it may.
    """

    def __init__(self, lag: timedelta, is_patient: Callable[[Started], bool]) -> None:
        self._lag = lag
        self._is_patient = is_patient
        self._reports: list[Report] = []
        self._hurry = False
        self._due: datetime | None = None

    def add(self, reports: Sequence[Report], now: datetime) -> None:
        for report in reports:
            self._reports.append(report)
            if isinstance(report, Started) and self._is_patient(report):
                self._due = self._due or now + self._lag
            else:
                self._hurry = True

    def is_due(self, now: datetime) -> bool:
        """Whether what is here should be recorded now, even alone."""
        return self._hurry or (self._due is not None and self._due <= now)

    def next_due(self) -> datetime | None:
        return self._due

    def reports(self) -> list[Report]:
        return self._reports

    def clear(self) -> None:
        """What was here is committed."""
        self._reports, self._hurry, self._due = [], False, None
