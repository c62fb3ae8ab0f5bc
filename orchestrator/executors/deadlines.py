"""Deadlines: what is to happen at which moment of the monotonic clock."""

import heapq
from typing import Generic, TypeVar

T = TypeVar("T")


class Deadlines(Generic[T]):
    """Things that are due in order of time, in seconds. One that is no longer wanted is passed over by the caller."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._count = 0

    def add(self, when: float, thing: T) -> None:
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, thing))

    def next(self) -> float | None:
        """When the first one is due."""
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> list[T]:
        """Those whose time has come, which are forgotten."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            found.append(heapq.heappop(self._heap)[2])
        return found
