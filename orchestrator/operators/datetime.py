"""Goes one way or another by the time."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, TypeAlias

from orchestrator.authoring.branching import BaseBranchOperator
from orchestrator.authoring.dag import own_zone
from orchestrator.authoring.passing_time import utcnow
from orchestrator.authoring.runtime import Context

__all__ = ["BranchDateTimeOperator", "target_times_as_dates"]

Target: TypeAlias = dt.datetime | dt.time | None


class BranchDateTimeOperator(BaseBranchOperator):
    """Goes on with the first tasks where it is between ``target_lower`` and ``target_upper``, else with the second.

    A bound is a datetime, or a time of this day; without a time zone it is in the DAG's. None is no bound, and an upper
    time before the lower one is of the day after. With ``use_task_logical_date`` it is the run's logical date that is
    looked at.
    """

    def __init__(
        self,
        *,
        follow_task_ids_if_true: str | Iterable[str],
        follow_task_ids_if_false: str | Iterable[str],
        target_lower: Target,
        target_upper: Target,
        use_task_logical_date: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        if target_lower is None and target_upper is None:
            raise self.place.refuse(f"task {self.task_id!r}: give it target_lower, target_upper or both")
        self.follow_task_ids_if_true = follow_task_ids_if_true
        self.follow_task_ids_if_false = follow_task_ids_if_false
        self.target_lower = target_lower
        self.target_upper = target_upper
        self.use_task_logical_date = use_task_logical_date

    def choose_branch(self, context: Context) -> str | Iterable[str]:
        zone = own_zone(self.dag)
        now = context["logical_date"] if self.use_task_logical_date else utcnow()
        bounds = target_times_as_dates(now.astimezone(zone), self.target_lower, self.target_upper)
        lower, upper = (_aware(bound, zone) for bound in bounds)
        is_between = (lower is None or lower <= now) and (upper is None or now <= upper)
        return self.follow_task_ids_if_true if is_between else self.follow_task_ids_if_false


def target_times_as_dates(
    base_date: dt.datetime, lower: Target, upper: Target
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """The bounds as datetimes: a time is of the day of ``base_date``, or for ``upper`` of the day after, if need be."""
    first, last = _on(base_date, lower), _on(base_date, upper)
    both_fixed = isinstance(lower, dt.datetime) and isinstance(upper, dt.datetime)
    if first is not None and last is not None and not both_fixed and last < first:
        last += dt.timedelta(days=1)
    return first, last


def _on(base_date: dt.datetime, target: Target) -> dt.datetime | None:
    return dt.datetime.combine(base_date, target) if isinstance(target, dt.time) else target


def _aware(value: dt.datetime | None, zone: dt.tzinfo) -> dt.datetime | None:
    return value.replace(tzinfo=zone) if value is not None and value.tzinfo is None else value
