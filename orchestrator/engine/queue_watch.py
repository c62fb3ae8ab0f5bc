"""QueueWatch: the attempts that were handed out and that no worker has begun."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta

from orchestrator.names import AttemptKey


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
        """Those whose time is up."""
        due = []
        while (deadline := self.next_due()) is not None and deadline <= now:
            due.append(self._deadlines.popitem(last=False)[0])
        return due
