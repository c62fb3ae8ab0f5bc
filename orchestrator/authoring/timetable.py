"""What ``schedule=`` takes besides texts: timetables of this program, apart from their kinds, and those of authors."""

from datetime import datetime
from typing import NamedTuple

from orchestrator.core.spec import Schedule


class DataInterval(NamedTuple):
    """The data that a run is for; both moments have a time zone."""

    start: datetime
    end: datetime

    @classmethod
    def exact(cls, at: datetime) -> "DataInterval":
        """One that is empty."""
        return cls(at, at)


class TimeRestriction(NamedTuple):
    """Between what, both included, runs may be. Without ``catchup``, none is wanted that was due before now."""

    earliest: datetime | None
    latest: datetime | None
    catchup: bool


class DagRunInfo(NamedTuple):
    """A run to come: not before ``run_after``, for the data of ``data_interval``."""

    run_after: datetime
    data_interval: DataInterval

    @classmethod
    def exact(cls, at: datetime) -> "DagRunInfo":
        """One at a moment, without data of a stretch of time."""
        return cls(at, DataInterval.exact(at))

    @classmethod
    def interval(cls, start: datetime, end: datetime) -> "DagRunInfo":
        """One as soon as the interval is over."""
        return cls(end, DataInterval(start, end))

    @property
    def logical_date(self) -> datetime:
        return self.data_interval.start


class Timetable:
    """Derive from it to say when a DAG runs. It is asked in the dag processor, ahead of time: not by the scheduler."""

    description: str = ""

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The run after the one for ``last_automated_data_interval``, or the first; None if there is none for now."""
        raise NotImplementedError

    def infer_manual_data_interval(self, *, run_after: datetime) -> DataInterval:
        """Airflow asks it of a run that somebody starts. Here the interval is the one that was asked for."""
        return DataInterval.exact(run_after)

    def validate(self) -> None:
        """Raise what is wrong with it; called once, when its DAG is read."""

    @property
    def summary(self) -> str:
        """A few words for lists of DAGs."""
        return type(self).__name__


class BuiltInTimetable:
    """A timetable that ``meaning`` says all of; None means that nothing starts by itself.

    Each refuses, with a ScheduleError that has the author's file and line, what it cannot be made of.
    """

    def __init__(self, meaning: Schedule | None) -> None:
        self.meaning = meaning

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.meaning is None else self.meaning})"
