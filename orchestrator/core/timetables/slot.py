"""Slot: one moment that a schedule names, and the stretch of data that it stands for."""

from datetime import datetime
from typing import Protocol

import msgspec


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A run is due at ``fire_at``; all four are aware UTC.

    Without data intervals all four are the same. With them the logical date is the start of the interval, which ends
    at ``fire_at``, unless an author's timetable says otherwise.
    """

    fire_at: datetime
    logical_date: datetime
    data_interval_start: datetime
    data_interval_end: datetime

    @classmethod
    def at(cls, fire_at: datetime, since: datetime | None = None) -> "Slot":
        """The slot that fires at ``fire_at``, for the data since ``since`` if that is given."""
        start = fire_at if since is None else since
        return cls(fire_at=fire_at, logical_date=start, data_interval_start=start, data_interval_end=fire_at)


class Timetable(Protocol):
    """A schedule's slots in order, without a beginning or an end of its own; fire times rise strictly."""

    def after(self, moment: datetime) -> Slot | None:
        """The first slot that fires after ``moment``."""

    def until(self, moment: datetime) -> Slot | None:
        """The last slot that fires at ``moment`` or before it."""
