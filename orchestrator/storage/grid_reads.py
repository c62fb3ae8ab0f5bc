"""What the grid of a DAG asks: the states of all tasks in many runs, in one query."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, func, select

from orchestrator.names import TaskState
from orchestrator.storage.database import reading
from orchestrator.storage.guard import Guarded, of_dag
from orchestrator.storage.run_reads import RUNS, as_run
from orchestrator.storage.tables import activities, runs
from orchestrator.storage.views import RunRow

_MOST = 500
FAR_BACK = 5_000


class Cell(NamedTuple):
    """``number``: how many activities of a task are in a state in a run, when the first began and the last ended."""

    run_key: int
    task_id: str
    state: str
    number: int
    is_mapped: bool
    started_at: datetime | None = None
    ended_at: datetime | None = None


_STATES = (
    select(
        activities.c.run_key,
        activities.c.task_id,
        activities.c.state,
        func.count(),
        func.max(activities.c.map_index) >= 0,
    )
    .join(runs, runs.c.run_key == activities.c.run_key)
    .group_by(activities.c.run_key, activities.c.task_id, activities.c.state)
)
_TIMES = (
    func.min(activities.c.started_at, type_=activities.c.started_at.type),
    func.max(activities.c.ended_at, type_=activities.c.ended_at.type),
)


class GridReads(Guarded):
    """Runs beside each other."""

    @of_dag
    def cells(
        self, dag_id: str, run_keys: Collection[int], *, with_times: bool = True, task_id: str | None = None
    ) -> list[Cell]:
        """Of these runs of the DAG: what is recorded of their activities, or of one task's, by run, task and state."""
        columns = _STATES.add_columns(*_TIMES) if with_times else _STATES
        query = columns.where(activities.c.run_key.in_(list(run_keys)[:_MOST]), runs.c.dag_id == dag_id)
        if task_id is not None:
            query = query.where(activities.c.task_id == task_id)
        with reading(self._engine) as connection:
            return [Cell(*row) for row in connection.execute(query)]

    @of_dag
    def runs_of_task(
        self,
        dag_id: str,
        task_id: str,
        *,
        state: TaskState | None = None,
        before_key: int | None = None,
        limit: int = 50,
    ) -> list[RunRow]:
        """The newest runs of the DAG in which something is recorded of the task, or one of its activities is in
        ``state``; of the last ``FAR_BACK`` below ``before_key``.
        """
        near = select(runs.c.run_key).where(runs.c.dag_id == dag_id).order_by(runs.c.run_key.desc()).limit(FAR_BACK)
        if before_key is not None:
            near = near.where(runs.c.run_key < before_key)
        has: list[ColumnElement[bool]] = [activities.c.run_key == runs.c.run_key, activities.c.task_id == task_id]
        if state is not None:
            has.append(activities.c.state == state.value)
        query = RUNS.where(runs.c.run_key.in_(near), exists().where(*has)).limit(limit)
        with reading(self._engine) as connection:
            return [as_run(row) for row in connection.execute(query)]
