"""Questions about the run before another, for tasks that depend on it. Each is answered by an index."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Select, select

from orchestrator.names import UNMAPPED, RunState, RunType, TaskState
from orchestrator.storage.tables import activities, runs

_AT_ONCE = 500
_OVER = (RunState.SUCCESS.value, RunState.FAILED.value)
# One that was imported while it was open never goes on here, so nobody can wait for it.
_GOES_ON = runs.c.ended_at.is_(None) | runs.c.state.in_(_OVER)


def run_before(dag_id: str, logical_date: datetime, *, but_manual: bool) -> Select[Any]:
    """The key and the id of the run of the DAG with the last logical date before that one."""
    query = (
        select(runs.c.run_key, runs.c.run_id)
        .where(runs.c.dag_id == dag_id, runs.c.logical_date < logical_date, _GOES_ON)
        .order_by(runs.c.logical_date.desc(), runs.c.run_key.desc())
        .limit(1)
    )
    return query.where(runs.c.run_type != RunType.MANUAL.value) if but_manual else query


def earlier_with(dag_id: str, task_id: str, before: datetime) -> Select[Any]:
    """A run of the DAG with an earlier logical date that something of the task is recorded in."""
    return (
        select(runs.c.run_key)
        .join(activities, activities.c.run_key == runs.c.run_key)
        .where(runs.c.dag_id == dag_id, runs.c.logical_date < before, activities.c.task_id == task_id)
        .limit(1)
    )


def task_states(connection: Connection, run_key: int, task_ids: Collection[str]) -> dict[str, frozenset[TaskState]]:
    """The states of the activities of these tasks; of one that was mapped, those that it was expanded to."""
    plain: defaultdict[str, set[TaskState]] = defaultdict(set)
    mapped: defaultdict[str, set[TaskState]] = defaultdict(set)
    is_plain = (activities.c.map_index == UNMAPPED).label("is_plain")
    names = iter(task_ids)
    while some := list(islice(names, _AT_ONCE)):
        query = select(activities.c.task_id, activities.c.state, is_plain).distinct()
        for row in connection.execute(query.where(activities.c.run_key == run_key, activities.c.task_id.in_(some))):
            (plain if row.is_plain else mapped)[row.task_id].add(TaskState(row.state))
    return {name: frozenset(states) for name, states in (plain | mapped).items()}
