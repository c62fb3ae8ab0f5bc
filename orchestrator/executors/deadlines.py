"""Deadlines: what is to happen at which moment of the monotonic clock."""

import heapq
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_SPARE = 1024


class Deadlines(Generic[T]):
    """Things that are due, in order of time in seconds. ``is_wanted`` says of a thing whether it still is.

    Those that are not are thrown out when there are many of them: most time-outs end with what they watch over.
    """

    def __init__(self, is_wanted: Callable[[T], bool]) -> None:
        self._is_wanted = is_wanted
        self._room = _SPARE
        self._heap: list[tuple[float, int, T]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, when: float, thing: T) -> None:
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, thing))
        if len(self._heap) > self._room:
            self._heap = [entry for entry in self._heap if self._is_wanted(entry[2])]
            heapq.heapify(self._heap)
            self._room = 2 * len(self._heap) + _SPARE

    def next(self) -> float | None:
        """When the first one is due."""
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> list[T]:
        """Those whose time has come and that are wanted; they are forgotten."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            found.append(heapq.heappop(self._heap)[2])
        return [thing for thing in found if self._is_wanted(thing)]
