"""The time that passes for author's code: the machine's own, unless whoever runs the code keeps another."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import ClassVar, Protocol


class Time(Protocol):
    """A clock that can also let time pass."""

    def now(self) -> datetime: ...

    def sleep(self, seconds: float) -> None: ...


class RealTime:
    """The machine's own."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class _Kept:
    """The time of this process, the same in all of its threads."""

    time: ClassVar[Time] = RealTime()


def utcnow() -> datetime:
    """This moment, in UTC."""
    return _Kept.time.now()


def sleep(seconds: float) -> None:
    """Let so many seconds pass."""
    _Kept.time.sleep(seconds)


@contextmanager
def keeping_time(kept: Time) -> Iterator[None]:
    """Inside, time passes as ``kept`` has it."""
    before, _Kept.time = _Kept.time, kept
    try:
        yield
    finally:
        _Kept.time = before
