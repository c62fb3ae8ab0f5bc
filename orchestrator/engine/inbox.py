"""Inbox: reports that wait to be recorded. They stay until the commit that holds them has succeeded."""

from collections.abc import Callable, Container, Sequence
from datetime import datetime, timedelta

from orchestrator.core.orders import News, Started


class Inbox:
    """Starts may wait a moment for company: recording each alone would cost a commit that nobody needs yet.

    ``is_patient`` says of a start whether it may.
    """

    def __init__(self, lag: timedelta, is_patient: Callable[[Started], bool]) -> None:
        self._lag = lag
        self._is_patient = is_patient
        self._reports: list[News] = []
        self._due: datetime | None = None

    def add(self, reports: Sequence[News], now: datetime) -> None:
        for report in reports:
            self._reports.append(report)
            may_wait = isinstance(report, Started) and self._is_patient(report)
            self._be_due(now + self._lag if may_wait else now)

    def is_due(self, now: datetime) -> bool:
        """Whether what is here should be recorded now, even alone."""
        return self._due is not None and self._due <= now

    def next_due(self) -> datetime | None:
        return self._due

    def reports(self) -> list[News]:
        return self._reports

    def hurry(self, now: datetime) -> None:
        """Nothing waits for company any more: the clock by which it did was set back."""
        if self._reports:
            self._be_due(now)

    def clear(self, refused: Container[int] = ()) -> None:
        """What was here is committed, but for what concerns the runs whose part was refused."""
        self._reports = [report for report in self._reports if report.key.run_key in refused]
        self._due = self._due if self._reports else None

    def _be_due(self, when: datetime) -> None:
        self._due = when if self._due is None else min(self._due, when)
