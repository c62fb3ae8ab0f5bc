"""Questions about the activities of a run that may be many: counted, paged, and the facts about a single one."""

import json
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select

from orchestrator.core.transcript import Fact
from orchestrator.names import TaskState
from orchestrator.storage.database import AnyRow, reading
from orchestrator.storage.guard import Guarded, of_run
from orchestrator.storage.history_reads import fact_of, facts_of_run
from orchestrator.storage.tables import activities, history

_RANGED = '"count":'


class TaskPart(NamedTuple):
    """The activities of one task that are in one state: how many, over which moments, with how many attempts and
    generations in all (``tries`` is the most of one). ``map_index`` is the least, ``scheduled_at`` the first,
    ``worker`` one of several.
    """

    task_id: str
    state: TaskState
    number: int
    is_mapped: bool
    tries: int
    attempts: int
    generations: int
    operator: str
    started_at: datetime | None
    ended_at: datetime | None
    scheduled_at: datetime | None
    map_index: int
    worker: str


_IS_MAPPED = activities.c.map_index >= 0
_PARTS = select(
    activities.c.task_id,
    activities.c.state,
    func.count(),
    _IS_MAPPED,
    func.max(activities.c.attempt),
    func.sum(activities.c.attempt),
    func.sum(activities.c.generation),
    func.max(activities.c.operator),
    func.min(activities.c.started_at, type_=activities.c.started_at.type),
    func.max(activities.c.ended_at, type_=activities.c.ended_at.type),
    func.min(activities.c.scheduled_at, type_=activities.c.scheduled_at.type),
    func.min(activities.c.map_index),
    func.max(activities.c.worker),
).group_by(activities.c.task_id, activities.c.state, _IS_MAPPED)


class TaskTally(NamedTuple):
    """The activities of one task: how many are in which state, over which moments, with how many attempts and
    generations in all (``tries`` is the most of one); ``ended`` of them have an end.
    """

    task_id: str
    counts: dict[TaskState, int]
    is_mapped: bool
    ended: int
    tries: int
    attempts: int
    generations: int
    started_at: datetime | None
    ended_at: datetime | None


_STATES = tuple(TaskState)
# A column for each state: to group by state too would sort all rows, which takes twice as long.
_TALLIES = select(
    activities.c.task_id,
    *(func.count().filter(activities.c.state == state.value) for state in _STATES),
    func.max(activities.c.map_index) >= 0,
    func.count(activities.c.ended_at),
    func.max(activities.c.attempt),
    func.sum(activities.c.attempt),
    func.sum(activities.c.generation),
    func.min(activities.c.started_at, type_=activities.c.started_at.type),
    func.max(activities.c.ended_at, type_=activities.c.ended_at.type),
).group_by(activities.c.task_id)


class ActivityReads(Guarded):
    """Those that something is recorded of."""

    @of_run
    def task_parts(self, run_key: int, task_ids: Collection[str] = ()) -> list[TaskPart]:
        """The activities of a run, or of some of its tasks, by task and state."""
        query = _PARTS.where(activities.c.run_key == run_key)
        if task_ids:
            query = query.where(activities.c.task_id.in_(task_ids))
        with reading(self._engine) as connection:
            return [_part(row) for row in connection.execute(query)]

    @of_run
    def task_tallies(self, run_key: int, task_ids: Collection[str] = ()) -> dict[str, TaskTally]:
        """The activities of a run, or of some of its tasks, by task."""
        query = _TALLIES.where(activities.c.run_key == run_key)
        if task_ids:
            query = query.where(activities.c.task_id.in_(task_ids))
        with reading(self._engine) as connection:
            return {row[0]: _tally(row) for row in connection.execute(query)}

    @of_run
    def state_counts(self, run_key: int, task_id: str) -> dict[TaskState, int]:
        """How many activities of a task are in each state."""
        query = (
            select(activities.c.state, func.count())
            .where(activities.c.run_key == run_key, activities.c.task_id == task_id)
            .group_by(activities.c.state)
        )
        with reading(self._engine) as connection:
            return {TaskState(row[0]): int(row[1]) for row in connection.execute(query)}

    @of_run
    def facts_about(
        self, run_key: int, task_id: str, map_index: int, *, types: tuple[str, ...] = (), limit: int = 1000
    ) -> list[Fact]:
        """Those of one activity of the task, and of ranges that it may be in; the last ``limit`` ones, in order; of all
        types, or of some."""
        query = facts_of_run(run_key, types).where(_tells_of(task_id, map_index))
        with reading(self._engine) as connection:
            found = connection.execute(query.order_by(history.c.seq.desc()).limit(limit))
            return [fact_of(row) for row in found][::-1]


def _part(row: AnyRow) -> TaskPart:
    task_id, state, number, is_mapped, tries, attempts, generations, operator, *others = row
    return TaskPart(
        task_id,
        TaskState(state),
        number,
        bool(is_mapped),
        tries,
        int(attempts),
        int(generations),
        operator,
        *others,
    )


def _tally(row: AnyRow) -> TaskTally:
    task_id, *numbers = row[: 1 + len(_STATES)]
    is_mapped, ended, tries, attempts, generations, started_at, ended_at = row[1 + len(_STATES) :]
    counts = {state: number for state, number in zip(_STATES, numbers, strict=True) if number}
    return TaskTally(
        task_id, counts, bool(is_mapped), ended, tries, int(attempts), int(generations), started_at, ended_at
    )


def _tells_of(task_id: str, map_index: int) -> ColumnElement[bool]:
    """As the codec writes a fact: without blanks, and without what is as a rule."""
    body = history.c.body
    of_task = body.contains(f'"task_id":{json.dumps(task_id, ensure_ascii=False)}', autoescape=True)
    if map_index < 0:
        return of_task
    index = f'"map_index":{map_index}'
    ends = (body.contains(index + end, autoescape=True) for end in (",", "}"))
    return of_task & or_(*ends, body.contains(_RANGED, autoescape=True))
