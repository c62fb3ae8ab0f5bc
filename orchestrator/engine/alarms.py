"""Alarms: moments at which something has to be looked at again."""

import heapq
from datetime import datetime
from typing import Generic, TypeVar

Name = TypeVar("Name", int, str)

_SPARE = 64


class Alarms(Generic[Name]):
    """A heap of moments, one a name: the last that was set counts."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, Name]] = []
        self._set: dict[Name, datetime] = {}

    def set(self, name: Name, when: datetime | None) -> None:
        """Ring for ``name`` at ``when``, and no more at an earlier wish; None takes it off."""
        if when is None:
            self._set.pop(name, None)
        elif self._set.get(name) != when:
            self._set[name] = when
            heapq.heappush(self._heap, (when, name))
            if len(self._heap) > 2 * len(self._set) + _SPARE:  # most of it rings for nobody any more
                self._heap = [(when, name) for name, when in self._set.items()]
                heapq.heapify(self._heap)

    def take(self, now: datetime) -> list[Name]:
        """The names that are due, earliest first; each rings once."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            when, name = heapq.heappop(self._heap)
            if self._set.get(name) == when:
                del self._set[name]
                due.append(name)
        return due

    def hurry(self, now: datetime, until: datetime | None = None) -> None:
        """Ring at ``now`` for all that were to ring by ``until``, or at any time: the clock was set back since."""
        for name, when in list(self._set.items()):
            if now < when and (until is None or when <= until):
                self.set(name, now)

    def next_due(self) -> datetime | None:
        while self._heap and self._set.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None
