"""Lookups: what was found a moment ago, so that each request of a page does not ask the database again."""

import threading
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Generic, TypeVar

V = TypeVar("V")


class Lookups(Generic[V]):
    """Remembers at most ``most`` values, each for ``how_long``; threads may share it."""

    def __init__(self, how_long: timedelta, most: int) -> None:
        self._how_long = how_long
        self._most = most
        self._kept: OrderedDict[str, tuple[datetime, V]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str, now: datetime) -> V | None:
        with self._lock:
            found = self._kept.get(key)
        return found[1] if found and found[0] <= now < found[0] + self._how_long else None

    def put(self, key: str, value: V, now: datetime) -> V:
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (now, value)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
