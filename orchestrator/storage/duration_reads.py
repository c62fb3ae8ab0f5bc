"""What calendars and charts of durations ask: runs by their days, and how long tasks take. One query each."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Float,
    Select,
    case,
    cast,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)

from orchestrator.names import TaskState
from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, of_dag
from orchestrator.storage.tables import activities, micros, runs

_MICROS = 1_000_000
_MOST = 500
_DONE = (TaskState.SUCCESS.value, TaskState.FAILED.value)


class Clock(NamedTuple):
    """From ``since`` on, the clocks of a zone are ``ahead`` of UTC by that many seconds."""

    since: datetime
    ahead: int


class StretchCount(NamedTuple):
    """How many runs are in a state whose moment lies in one stretch of time: the one of that ``number``, counted on the
    wall clock from 1970.
    """

    number: int
    state: str
    runs: int


class TaskTime(NamedTuple):
    """How long a task took, in seconds over several runs: in all, at most, and on average in the older and in the newer
    ones, 0 where it ran in none of those.
    """

    task_id: str
    runs: int
    total: float
    longest: float
    before: float
    lately: float


class RunTime(NamedTuple):
    """How long a task took in a run, in seconds."""

    run_key: int
    task_id: str
    seconds: float


_began = func.min(type_coerce(activities.c.started_at, BigInteger))
_ended = func.max(type_coerce(activities.c.ended_at, BigInteger))


class DurationReads(Guarded):
    """Many runs at a glance."""

    @of_dag
    def run_counts_by_time(
        self, dag_id: str, since: datetime, until: datetime, clocks: Sequence[Clock], *, seconds: int
    ) -> list[StretchCount]:
        """Runs by the stretch of so many ``seconds`` that their logical date lies in, or their creation where they have
        none, and by state; from ``since`` up to before ``until``.
        """
        when, undated = runs.c.logical_date, runs.c.logical_date.is_(None)
        dated = _counts(when, dag_id, since, until, clocks, seconds)
        others = _counts(runs.c.created_at, dag_id, since, until, clocks, seconds).where(undated)
        counts: Counter[tuple[int, str]] = Counter()
        with reading(self._engine) as connection:
            for number, state, found in connection.execute(union_all(dated, others)):
                counts[int(number), state] += found
        return [StretchCount(number, state, found) for (number, state), found in counts.items()]

    @of_dag
    def task_times(self, dag_id: str, run_keys: Collection[int], newer_from: int, *, limit: int = 50) -> list[TaskTime]:
        """The tasks that took the longest in these runs of the DAG, and those runs from ``newer_from`` on apart. A task
        takes from the first start of its activities in a run to their last end.
        """
        each = _times(dag_id, run_keys).subquery()
        is_new = each.c.run_key >= newer_from
        seconds = each.c.lasted
        query = select(
            each.c.task_id,
            func.count(),
            func.sum(seconds),
            func.max(seconds),
            func.coalesce(func.avg(case((~is_new, seconds))), 0.0),
            func.coalesce(func.avg(case((is_new, seconds))), 0.0),
        ).group_by(each.c.task_id)
        with reading(self._engine) as connection:
            found = connection.execute(query.order_by(func.sum(seconds).desc(), each.c.task_id).limit(limit))
            return [TaskTime(row[0], row[1], *map(float, row[2:])) for row in found]

    @of_dag
    def times_in_runs(self, dag_id: str, run_keys: Collection[int], task_ids: Collection[str]) -> list[RunTime]:
        """How long each of these tasks took in each of these runs of the DAG."""
        query = _times(dag_id, run_keys).where(activities.c.task_id.in_(task_ids))
        with reading(self._engine) as connection:
            return [RunTime(*row) for row in connection.execute(query)]


def _times(dag_id: str, run_keys: Collection[int]) -> Select[Any]:
    lasted = (cast(_ended - _began, Float) / float(_MICROS)).label("lasted")
    return (
        select(activities.c.run_key, activities.c.task_id, lasted)
        .join(runs, runs.c.run_key == activities.c.run_key)
        .where(
            activities.c.run_key.in_(list(run_keys)[:_MOST]),
            runs.c.dag_id == dag_id,
            activities.c.state.in_(_DONE),
            activities.c.started_at.is_not(None),
            activities.c.ended_at >= activities.c.started_at,
        )
        .group_by(activities.c.run_key, activities.c.task_id)
    )


def _counts(
    when: Column[Any], dag_id: str, since: datetime, until: datetime, clocks: Sequence[Clock], seconds: int
) -> Select[Any]:
    """By the stretch that a moment lies in."""
    at = type_coerce(when, BigInteger)
    number = ((at + _ahead(at, clocks)) // (seconds * _MICROS)).label("number")
    query = select(number, runs.c.state, func.count()).where(runs.c.dag_id == dag_id, when >= since, when < until)
    return query.group_by(number, runs.c.state)


def _ahead(at: ColumnElement[int], clocks: Sequence[Clock]) -> ColumnElement[int]:
    """By how many microseconds clocks are ahead of UTC at a moment."""
    if len(clocks) == 1:
        return literal(clocks[0].ahead * _MICROS, BigInteger)
    later = [(at >= micros(clock.since), clock.ahead * _MICROS) for clock in reversed(clocks[1:])]
    return case(*later, else_=clocks[0].ahead * _MICROS)
