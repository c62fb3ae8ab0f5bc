"""QueueWatch: the attempts that were handed out and that no worker has begun."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta

from orchestrator.names import AttemptKey

_LATE = timedelta(seconds=15)  # somebody looks more often than that


class QueueWatch:
    """All have the same time-out, so the order in which they came is the order in which they are due."""

    def __init__(self, timeout: timedelta) -> None:
        self._timeout = timeout
        self._deadlines: OrderedDict[AttemptKey, datetime] = OrderedDict()

    def add(self, keys: Iterable[AttemptKey], now: datetime) -> None:
        deadline = now + self._timeout
        for key in keys:
            self._deadlines[key] = deadline

    def discard(self, key: AttemptKey) -> None:
        """It has begun, or nobody waits for it any more."""
        self._deadlines.pop(key, None)

    def next_due(self) -> datetime | None:
        return next(iter(self._deadlines.values()), None)

    def take(self, now: datetime) -> list[AttemptKey]:
        """Those whose time is up. Where it was up long ago the clock has been set, and they have all of it again."""
        due: list[AttemptKey] = []
        first = self.next_due()
        while (deadline := self.next_due()) is not None and deadline <= now:
            due.append(self._deadlines.popitem(last=False)[0])
        if first is not None and first + _LATE < now:
            self.add(due, now)
            return []
        return due
