"""BuiltInTimetable: what ``schedule=`` takes besides texts; apart from its kinds, which know how cron is written."""

from orchestrator.core.spec import Schedule


class BuiltInTimetable:
    """A timetable that ``meaning`` says all of; None means that nothing starts by itself.

    Each refuses, with a ScheduleError that has the author's file and line, what it cannot be made of.
    """

    def __init__(self, meaning: Schedule | None) -> None:
        self.meaning = meaning

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.meaning is None else self.meaning})"
